// SPDX-License-Identifier: Apache-2.0
#include "sentry/boot/filesystems.h"

#include <sys/mount.h>
#include <sys/stat.h>

#include <cstring>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "sentry/boot/copy_up.h"
#include "sentry/fs/cgroup/cgroup_view.h"
#include "sentry/fs/devpts/devpts.h"
#include "sentry/fs/gofer/gofer_inode.h"
#include "sentry/fs/gofer/gofer_superblock.h"
#include "sentry/fs/mqueue/mqueue.h"
#include "sentry/fs/overlay/overlay.h"
#include "sentry/fs/proc/procfs.h"
#include "sentry/fs/sys/sysfs.h"
#include "sentry/fs/tmpfs/tmpfs.h"
#include "sentry/vfs/operations.h"
#include "sentry/vfs/path_walk.h"

namespace redoubt::boot {

namespace {

absl::Status Failed(std::string_view what, Errno error) {
  return absl::InternalError(absl::StrCat(std::string(what), ": ", strerror(error.value())));
}

RefPtr<vfs::Mount> NewMount(RefPtr<vfs::Inode> root, unsigned long flags, std::string source) {
  RefPtr<vfs::Superblock> superblock = root->superblock();
  auto dentry = MakeRef<vfs::Dentry>(superblock, nullptr, "", std::move(root));
  return MakeRef<vfs::Mount>(std::move(superblock), std::move(dentry), flags, std::move(source));
}

// The memory that an overlay's changes go to: bounded by tmpfs's own default, half the machine's.
Result<RefPtr<vfs::Inode>> OverlayRoot(RefPtr<vfs::Inode> lower) {
  tmpfs::Options options;
  vfs::Attributes attributes = TRY(lower->GetAttributes());
  options.mode = attributes.mode & 07777;
  options.uid = attributes.uid;
  options.gid = attributes.gid;
  overlay::Layers layers;
  layers.upper = tmpfs::NewRoot(options);
  layers.lowers = {std::move(lower)};
  return overlay::NewRoot(std::move(layers));
}

Result<vfs::Path> Find(const vfs::Caller& caller, std::string_view path) {
  return vfs::Walk(caller, caller.root, path, {});
}

// What engines add for runc, and no file system knows.
std::string WithoutEngineWords(const std::string& data) {
  std::vector<std::string> words;
  for (const auto& word : absl::StrSplit(data, ',', absl::SkipEmpty())) {
    if (word != "tmpcopyup" && word != "notmpcopyup") words.emplace_back(word);
  }
  return absl::StrJoin(words, ",");
}

bool HasWord(const std::string& data, std::string_view wanted) {
  for (const auto& word : absl::StrSplit(data, ',')) {
    if (std::string_view(word.data(), word.size()) == wanted) return true;
  }
  return false;
}

Result<RefPtr<vfs::Mount>> NewTmpfs(const MountConfig& mount, uint32_t default_mode) {
  tmpfs::Options options = TRY(tmpfs::ParseOptions(WithoutEngineWords(mount.data)));
  if (mount.data.find("mode=") == std::string::npos) options.mode = default_mode;
  return tmpfs::NewMount(options, mount.flags, mount.source);
}

}  // namespace

struct MountBuilder::Gofer {
  std::shared_ptr<gofer::Channel> channel;
  std::shared_ptr<gofer_fs::HostFilePool> pool = std::make_shared<gofer_fs::HostFilePool>();
};

MountBuilder::MountBuilder(std::shared_ptr<gofer::Channel> channel)
    : gofer_(std::make_unique<Gofer>()) {
  gofer_->channel = std::move(channel);
}

MountBuilder::~MountBuilder() = default;

vfs::Caller RootCaller(const vfs::MountNamespace& mounts) {
  vfs::Caller caller;
  caller.capabilities = kernel::kAllCapabilities;
  caller.umask = 0;
  caller.root = caller.working_directory = mounts.TopmostAt(mounts.RootPath());
  return caller;
}

namespace {

// The way to a place that is made where it is missing. A symlink leads on within the guest's root,
// also one whose target has to be made.
class PlaceMaker {
 public:
  PlaceMaker(const vfs::Caller& caller, bool is_file)
      : caller_(caller), is_file_(is_file), here_(caller.root) {}

  Result<vfs::Path> Make(const std::string& path) {
    Prepend(path);
    while (!left_.empty()) {
      std::string name = std::move(left_.front());
      left_.pop_front();
      TRY(Step(name));
    }
    return here_;
  }

 private:
  void Prepend(const std::string& path) {
    std::vector<std::string> names = absl::StrSplit(path, '/', absl::SkipEmpty());
    left_.insert(left_.begin(), names.begin(), names.end());
  }

  Result<void> Step(const std::string& name) {
    Result<vfs::Path> found = vfs::Walk(caller_, here_, name, {.follow_final = false});
    if (found.Is(ENOENT)) {
      bool makes_file = is_file_ && left_.empty();
      TRY(makes_file ? vfs::MakeNode(caller_, here_, name, S_IFREG | 0644, 0)
                     : vfs::MakeDirectory(caller_, here_, name, 0755));
      found = vfs::Walk(caller_, here_, name, {.follow_final = false});
    }
    if (!found.ok()) return found.error();
    if (!found->dentry->inode()->IsSymlink()) {
      here_ = *std::move(found);
      return {};
    }
    constexpr int kMostLinks = 40;  // As Linux.
    if (++links_ > kMostLinks) return Errno(ELOOP);
    std::string target = TRY(vfs::ReadLink(caller_, *found));
    if (target.starts_with('/')) here_ = caller_.root;
    Prepend(target);
    return {};
  }

  const vfs::Caller& caller_;
  const bool is_file_;
  vfs::Path here_;
  std::deque<std::string> left_;
  int links_ = 0;
};

}  // namespace

Result<vfs::Path> FindOrMake(const vfs::Caller& caller, const std::string& path, bool is_file) {
  Result<vfs::Path> found = Find(caller, path);
  if (!found.Is(ENOENT)) return found;
  return PlaceMaker(caller, is_file).Make(path);
}

RefPtr<vfs::Mount> NewEmptyMount() {
  tmpfs::Options options;
  options.mode = 0755;
  options.inodes = 1;
  options.size = 4096;
  return tmpfs::NewMount(options, MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, "tmpfs");
}

Result<RefPtr<vfs::Mount>> MountBuilder::NewGoferMount(const MountConfig& mount) {
  gofer_fs::GoferOptions options;
  options.attach_point = mount.attach_point;
  options.shared = mount.shared;
  RefPtr<vfs::Inode> root =
      TRY(gofer_fs::GoferSuperblock::Attach(gofer_->channel, gofer_->pool, options));
  if (mount.overlay) root = TRY(OverlayRoot(std::move(root)));
  return NewMount(std::move(root), mount.flags, mount.source);
}

Result<RefPtr<vfs::Mount>> MountBuilder::NewMountOf(kernel::Kernel& kernel,
                                                    const MountConfig& mount) {
  switch (mount.kind) {
    case MountKind::kGofer:
      return NewGoferMount(mount);
    case MountKind::kTmpfs:
      return NewTmpfs(mount, 01777);
    case MountKind::kProc:
      return NewMount(proc::NewRoot(kernel), mount.flags, mount.source);
    case MountKind::kSysfs:
      return NewMount(sys::NewRoot(kernel), mount.flags, mount.source);
    case MountKind::kDevpts: {
      fs::DevptsOptions options = TRY(fs::ParseDevptsOptions(mount.data));
      return fs::NewDevptsMount(options, mount.flags, mount.source);
    }
    case MountKind::kMqueue:
      return mqueue::MountAgain(kernel.ipc().message_queue_mount, mount.flags, mount.source);
    case MountKind::kCgroup:
      return NewMount(cgroup_view::NewRoot(kernel), mount.flags | MS_RDONLY, mount.source);
  }
  return Errno(ENODEV);
}

absl::StatusOr<RefPtr<vfs::MountNamespace>> MountBuilder::BuildRoot(const MountConfig& mount) {
  Result<RefPtr<vfs::Mount>> made = NewGoferMount(mount);
  if (!made.ok()) return Failed(absl::StrCat("mounting ", mount.source), made.error());
  return MakeRef<vfs::MountNamespace>(*std::move(made));
}

absl::Status MountBuilder::Mount(kernel::Kernel& kernel, const MountConfig& mount) {
  Result<RefPtr<vfs::Mount>> made = NewMountOf(kernel, mount);
  if (!made.ok()) return Failed(absl::StrCat("mounting ", mount.source), made.error());
  vfs::MountNamespace& mounts = *kernel.mounts();
  Result<vfs::Path> where = FindOrMake(RootCaller(mounts), mount.guest_path, mount.is_file);
  bool copies = mount.kind == MountKind::kTmpfs && HasWord(mount.data, "tmpcopyup");
  if (copies && where.ok()) {
    Result<void> copied = CopyUp(RootCaller(mounts), *where, {*made, (*made)->root()});
    if (!copied.ok()) {
      return Failed(absl::StrCat("copying ", mount.guest_path, " into a tmpfs"), copied.error());
    }
  }
  Result<void> attached = where.ok() ? mounts.Attach(*std::move(made), *where) : where.error();
  if (attached.ok()) return absl::OkStatus();
  return Failed(absl::StrCat("mounting ", mount.source, " on ", mount.guest_path),
                attached.error());
}

}  // namespace redoubt::boot
