// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/sys_move_mount.h"

#include <fcntl.h>
#include <sys/mount.h>

#include <bit>

#include "sentry/syscalls/extensible_struct.h"
#include "sentry/syscalls/install_file.h"
#include "sentry/syscalls/mount_attributes.h"
#include "sentry/syscalls/mount_tree.h"
#include "sentry/syscalls/path_lookup.h"

namespace redoubt::syscalls {

namespace {

constexpr uint32_t kRecursive = AT_RECURSIVE;
constexpr uint64_t kPageSize = 4096;

// struct mount_attr.
struct MountAttributes {
  uint64_t set = 0;
  uint64_t clear = 0;
  uint64_t propagation = 0;
  uint64_t user_namespace_fd = 0;
};
static_assert(sizeof(MountAttributes) == sizeof(mount_attr));

bool MayMount(Task& task) { return task.credentials()->HasCapability(CAP_SYS_ADMIN); }

// build_mount_kattr(). Mounts are private, and cannot be made anything else.
Result<void> Check(const MountAttributes& attributes) {
  constexpr uint64_t kKnown = kMountAttributes | MOUNT_ATTR_IDMAP;
  constexpr uint64_t kPropagation = MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE;
  if ((attributes.propagation & ~kPropagation) != 0) return Errno(EINVAL);
  if (std::popcount(attributes.propagation) > 1) return Errno(EINVAL);
  if ((attributes.propagation & MS_SHARED) != 0) return Errno(EINVAL);
  if (((attributes.set | attributes.clear) & ~kKnown) != 0) return Errno(EINVAL);
  // No file system here has mappings of ids.
  if (((attributes.set | attributes.clear) & MOUNT_ATTR_IDMAP) != 0) return Errno(EINVAL);
  uint64_t cleared = attributes.clear & MOUNT_ATTR__ATIME;
  if (cleared != 0 && cleared != MOUNT_ATTR__ATIME) return Errno(EINVAL);
  if (cleared == 0 && (attributes.set & MOUNT_ATTR__ATIME) != 0) return Errno(EINVAL);
  return {};
}

void Apply(const MountAttributes& attributes, unsigned long access_times, vfs::Mount& mount) {
  unsigned long flags = mount.flags();
  flags &= ~SimpleFlagsOf(attributes.clear);
  flags |= SimpleFlagsOf(attributes.set);
  if ((attributes.clear & MOUNT_ATTR__ATIME) != 0) {
    flags &= ~static_cast<unsigned long>(MS_NOATIME | MS_RELATIME);
    flags |= access_times;
  }
  mount.set_flags(flags);
}

}  // namespace

SyscallResult SysOpenTree(Task& task, DirFd dirfd, UserPath user_path, uint32_t flags) {
  constexpr uint32_t kKnown = AT_EMPTY_PATH | AT_NO_AUTOMOUNT | kRecursive | AT_SYMLINK_NOFOLLOW |
                              OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC;
  if ((flags & ~kKnown) != 0) return Errno(EINVAL);
  bool clone = (flags & OPEN_TREE_CLONE) != 0, recursive = (flags & kRecursive) != 0;
  if (recursive && !clone) return Errno(EINVAL);
  if (clone && !MayMount(task)) return Errno(EPERM);
  std::string path = TRY(user_path.Read(task));
  vfs::Path place = TRY(LookupAt(task, task.MakeCaller(), dirfd, path, static_cast<int>(flags)));
  bool close_on_exec = (flags & OPEN_TREE_CLOEXEC) != 0;
  if (!clone) {
    return InstallResult(task, MakeRef<vfs::FileDescription>(std::move(place), O_PATH),
                         close_on_exec);
  }
  return InstallResult(task, OpenDetached(TRY(CopyTree(task, place, recursive))), close_on_exec);
}

SyscallResult SysMoveMount(Task& task, DirFd from_dirfd, UserPath user_from, DirFd to_dirfd,
                           UserPath user_to, uint32_t flags) {
  if (!MayMount(task)) return Errno(EPERM);
  constexpr uint32_t kKnown = 0x77;  // MOVE_MOUNT__MASK without MOVE_MOUNT_SET_GROUP.
  if ((flags & ~kKnown) != 0) return Errno(EINVAL);
  int from_walk = (flags & MOVE_MOUNT_F_SYMLINKS) != 0 ? 0 : AT_SYMLINK_NOFOLLOW;
  int to_walk = (flags & MOVE_MOUNT_T_SYMLINKS) != 0 ? 0 : AT_SYMLINK_NOFOLLOW;
  if ((flags & MOVE_MOUNT_F_EMPTY_PATH) != 0) from_walk |= AT_EMPTY_PATH;
  if ((flags & MOVE_MOUNT_T_EMPTY_PATH) != 0) to_walk |= AT_EMPTY_PATH;
  vfs::Caller caller = task.MakeCaller();
  std::string from = TRY(user_from.Read(task)), to = TRY(user_to.Read(task));
  vfs::Path source = TRY(LookupAt(task, caller, from_dirfd, from, from_walk));
  vfs::Path target = TRY(LookupAt(task, caller, to_dirfd, to, to_walk));
  if (!IsMountRoot(source)) return Errno(EINVAL);
  bool directory = source.dentry->inode()->IsDirectory();
  if (directory != target.dentry->inode()->IsDirectory()) return Errno(EINVAL);
  TRY(task.fs()->mounts()->Move(source.mount, target));
  return 0UL;
}

SyscallResult SysMountSetattr(Task& task, DirFd dirfd, UserPath user_path, uint32_t flags,
                              UserAddress user, uint64_t size) {
  constexpr uint32_t kKnown = AT_EMPTY_PATH | kRecursive | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT;
  if ((flags & ~kKnown) != 0) return Errno(EINVAL);
  if (size > kPageSize) return Errno(E2BIG);
  if (size < sizeof(MountAttributes)) return Errno(EINVAL);
  if (!MayMount(task)) return Errno(EPERM);
  auto attributes = TRY(CopyInExtensible<MountAttributes>(task, user.address(), size));
  if ((attributes.set | attributes.clear | attributes.propagation) == 0) return 0UL;
  TRY(Check(attributes));
  unsigned long access_times = TRY(AccessTimeFlagsOf(attributes.set));
  std::string path = TRY(user_path.Read(task));
  vfs::Path place = TRY(LookupAt(task, task.MakeCaller(), dirfd, path, static_cast<int>(flags)));
  if (!IsMountRoot(place)) return Errno(EINVAL);
  std::vector<RefPtr<vfs::Mount>> mounts = {place.mount};
  if ((flags & kRecursive) != 0) mounts = vfs::MountNamespace::Subtree(place.mount);
  for (const RefPtr<vfs::Mount>& mount : mounts) Apply(attributes, access_times, *mount);
  return 0UL;
}

}  // namespace redoubt::syscalls
