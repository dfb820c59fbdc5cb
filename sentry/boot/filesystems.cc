// SPDX-License-Identifier: Apache-2.0
#include "sentry/boot/filesystems.h"

#include <sys/mount.h>

#include <cstring>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sentry/fs/dev/devices.h"
#include "sentry/fs/devpts/devpts.h"
#include "sentry/fs/gofer/gofer_inode.h"
#include "sentry/fs/gofer/gofer_superblock.h"
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

Result<RefPtr<vfs::Mount>> NewGoferMount(const GoferMount& mount,
                                         std::shared_ptr<gofer::Channel> channel,
                                         std::shared_ptr<gofer_fs::HostFilePool> pool) {
  gofer_fs::GoferOptions options;
  options.attach_point = mount.attach_point;
  options.shared = mount.shared;
  RefPtr<vfs::Inode> root =
      TRY(gofer_fs::GoferSuperblock::Attach(std::move(channel), std::move(pool), options));
  unsigned long flags = 0;
  if (mount.overlay) {
    root = TRY(OverlayRoot(std::move(root)));
  } else if (mount.read_only) {
    flags |= MS_RDONLY;
  }
  return NewMount(std::move(root), flags, mount.source);
}

Result<vfs::Path> Find(const vfs::Caller& caller, std::string_view path) {
  return vfs::Walk(caller, caller.root, path, {});
}

// The place of a bind that does not exist is made, as container runtimes do.
Result<vfs::Path> FindOrMake(const vfs::Caller& caller, const std::string& path, bool file) {
  Result<vfs::Path> found = Find(caller, path);
  if (!found.Is(ENOENT)) return found;
  for (size_t slash = path.find('/', 1); slash != std::string::npos;
       slash = path.find('/', slash + 1)) {
    Result<void> made = vfs::MakeDirectory(caller, caller.root, path.substr(0, slash), 0755);
    if (!made.ok() && !made.Is(EEXIST)) return made.error();
  }
  if (file) {
    TRY(vfs::MakeNode(caller, caller.root, path, S_IFREG | 0644, 0));
  } else {
    TRY(vfs::MakeDirectory(caller, caller.root, path, 0755));
  }
  return Find(caller, path);
}

Result<void> MountAt(vfs::MountNamespace& mounts, const std::string& place,
                     RefPtr<vfs::Mount> mount) {
  vfs::Caller caller = RootCaller(mounts);
  vfs::Path where = TRY(FindOrMake(caller, place, false));
  return mounts.Attach(std::move(mount), where);
}

Result<void> MountDev(vfs::MountNamespace& mounts) {
  tmpfs::Options options;
  options.mode = 0755;
  TRY(MountAt(mounts, "/dev", tmpfs::NewMount(options, MS_NOSUID | MS_NOEXEC, "tmpfs")));
  vfs::Caller caller = RootCaller(mounts);
  vfs::Path dev = TRY(Find(caller, "/dev"));
  TRY(fs::PopulateDev(caller, dev, false));
  fs::DevptsOptions pts;
  pts.gid = 5;  // tty, in every distribution.
  TRY(MountAt(mounts, "/dev/pts", fs::NewDevptsMount(pts, MS_NOSUID | MS_NOEXEC, "devpts")));
  tmpfs::Options shared_memory;
  return MountAt(mounts, "/dev/shm", tmpfs::NewMount(shared_memory, MS_NOSUID | MS_NODEV, "shm"));
}

}  // namespace

vfs::Caller RootCaller(const vfs::MountNamespace& mounts) {
  vfs::Caller caller;
  caller.capabilities = kernel::kAllCapabilities;
  caller.umask = 0;
  caller.root = caller.working_directory = mounts.TopmostAt(mounts.RootPath());
  return caller;
}

absl::StatusOr<RefPtr<vfs::MountNamespace>> BuildMounts(const SentryConfig& config,
                                                        std::shared_ptr<gofer::Channel> channel) {
  auto pool = std::make_shared<gofer_fs::HostFilePool>();
  RefPtr<vfs::MountNamespace> mounts;
  for (const GoferMount& mount : config.mounts) {
    Result<RefPtr<vfs::Mount>> made = NewGoferMount(mount, channel, pool);
    if (!made.ok()) return Failed(absl::StrCat("mounting ", mount.source), made.error());
    if (!mounts) {
      mounts = MakeRef<vfs::MountNamespace>(*std::move(made));
      // Before binds, so that a bind may go below /dev.
      Result<void> dev = MountDev(*mounts);
      if (!dev.ok()) return Failed("mounting /dev", dev.error());
      continue;
    }
    Result<vfs::Path> where = FindOrMake(RootCaller(*mounts), mount.guest_path, mount.is_file);
    Result<void> attached = where.ok() ? mounts->Attach(*std::move(made), *where) : where.error();
    if (!attached.ok()) {
      return Failed(absl::StrCat("mounting ", mount.source, " on ", mount.guest_path),
                    attached.error());
    }
  }
  return mounts;
}

absl::Status MountKernelViews(kernel::Kernel& kernel) {
  constexpr unsigned long kFlags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
  Result<void> proc =
      MountAt(*kernel.mounts(), "/proc", NewMount(proc::NewRoot(kernel), kFlags, "proc"));
  if (!proc.ok()) return Failed("mounting /proc", proc.error());
  Result<void> sys = MountAt(*kernel.mounts(), "/sys",
                             NewMount(sys::NewRoot(kernel), kFlags | MS_RDONLY, "sysfs"));
  if (!sys.ok()) return Failed("mounting /sys", sys.error());
  return absl::OkStatus();
}

}  // namespace redoubt::boot
