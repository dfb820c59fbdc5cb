// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/mount_tree.h"

#include <fcntl.h>

#include <utility>

#include "absl/container/flat_hash_map.h"
#include "sentry/fs/mqueue/mqueue.h"
#include "sentry/fs/tmpfs/tmpfs.h"
#include "sentry/kernel/kernel.h"

namespace redoubt::syscalls {

namespace {

using vfs::MountNamespace;

class DetachedTree final : public vfs::FileDescription {
 public:
  DetachedTree(vfs::Path path, RefPtr<MountNamespace> tree)
      : FileDescription(std::move(path), O_PATH), tree_(std::move(tree)) {}

 private:
  const RefPtr<MountNamespace> tree_;
};

RefPtr<vfs::Mount> CopyOf(const vfs::Mount& mount, RefPtr<vfs::Dentry> root) {
  return MakeRef<vfs::Mount>(mount.superblock(), std::move(root), mount.flags(), mount.source());
}

// Whether `dentry` is `above` or lies below it.
bool IsBelow(const vfs::Dentry& dentry, const vfs::Dentry& above) {
  ReaderMutexLock lock(&dentry.superblock()->tree_mu_);
  for (const vfs::Dentry* up = &dentry; up != nullptr; up = up->parentLocked().get()) {
    if (up == &above) return true;
  }
  return false;
}

// What is mounted below `source` goes below the root of `copy` too.
Result<void> CopyBelow(MountNamespace& copy, const vfs::Path& source,
                       const std::vector<MountNamespace::Entry>& entries) {
  absl::flat_hash_map<const vfs::Mount*, RefPtr<vfs::Mount>> copies{
      {source.mount.get(), copy.root()}};
  for (const MountNamespace::Entry& entry : entries) {
    auto parent = copies.find(entry.parent.get());
    if (parent == copies.end() || entry.mount == source.mount) continue;
    if (entry.parent == source.mount && !IsBelow(*entry.mountpoint, *source.dentry)) continue;
    RefPtr<vfs::Mount> mount = CopyOf(*entry.mount, entry.mount->root());
    TRY(copy.Attach(mount, vfs::Path{parent->second, entry.mountpoint}));
    copies[entry.mount.get()] = std::move(mount);
  }
  return {};
}

// Another mount of a file system that the sandbox has one instance of.
Result<RefPtr<vfs::Mount>> MountAgain(kernel::Task& task, const FilesystemRequest& request) {
  for (const MountNamespace::Entry& entry : task.fs()->mounts()->List()) {
    if (entry.mount->superblock()->type() != request.type) continue;
    return MakeRef<vfs::Mount>(entry.mount->superblock(), entry.mount->root(),
                               request.flags & kPerMount, request.source);
  }
  return Errno(ENODEV);
}

}  // namespace

bool IsMountRoot(const vfs::Path& path) { return path.dentry == path.mount->root(); }

bool IsFilesystemType(std::string_view type) {
  return type == "tmpfs" || type == "ramfs" || type == "mqueue" || type == "proc" ||
         type == "sysfs" || type == "devpts";
}

Result<RefPtr<vfs::Mount>> NewFilesystem(kernel::Task& task, const FilesystemRequest& request) {
  if (!IsFilesystemType(request.type)) return Errno(ENODEV);
  unsigned long flags = request.flags & kPerMount;
  if (request.type == "tmpfs" || request.type == "ramfs") {
    tmpfs::Options options = TRY(tmpfs::ParseOptions(request.data));
    return tmpfs::NewMount(options, flags, request.source);
  }
  if (request.type == "mqueue") {
    return mqueue::MountAgain(task.kernel().ipc().message_queue_mount, flags, request.source);
  }
  return MountAgain(task, request);
}

Result<RefPtr<MountNamespace>> CopyTree(kernel::Task& task, const vfs::Path& source,
                                        bool recursive) {
  RefPtr<MountNamespace> mounts = task.fs()->mounts();
  if (!mounts->Has(*source.mount)) return Errno(EINVAL);
  std::vector<MountNamespace::Entry> entries = mounts->List();
  auto copy = MakeRef<MountNamespace>(CopyOf(*source.mount, source.dentry), true);
  if (recursive) TRY(CopyBelow(*copy, source, entries));
  return copy;
}

kernel::FileRef OpenDetached(RefPtr<MountNamespace> tree) {
  RefPtr<vfs::Mount> mount = tree->root();
  RefPtr<vfs::Dentry> root = mount->root();
  return MakeRef<DetachedTree>(vfs::Path{std::move(mount), std::move(root)}, std::move(tree));
}

}  // namespace redoubt::syscalls
