// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/sys_mount.h"

#include <fcntl.h>
#include <sys/mount.h>

#include "sentry/kernel/kernel.h"
#include "sentry/syscalls/mount_tree.h"
#include "sentry/syscalls/path_lookup.h"

namespace redoubt::syscalls {

namespace {

constexpr size_t kDataLimit = 4095;
constexpr size_t kTypeLimit = 255;
constexpr unsigned long kMagic = 0xC0ED0000, kMagicMask = 0xffff0000;  // MS_MGC_VAL.
constexpr unsigned long kPropagation = MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE;

struct Request {
  vfs::Caller caller;
  std::string source;
  vfs::Path target;
  std::string type;
  std::string data;
  unsigned long flags = 0;
};

SyscallResult Remount(const Request& request) {
  if (!IsMountRoot(request.target)) return Errno(EINVAL);
  request.target.mount->set_flags(request.flags & kPerMount);
  return 0UL;
}

// MS_PRIVATE is what all mounts are, and a slave of nobody is private; sharing is not served.
SyscallResult ChangePropagation(const Request& request) {
  if (!IsMountRoot(request.target)) return Errno(EINVAL);
  if ((request.flags & MS_SHARED) != 0) return Errno(EINVAL);
  return 0UL;
}

SyscallResult Bind(Task& task, const Request& request) {
  if (request.source.empty()) return Errno(EINVAL);
  vfs::Path source = TRY(LookupAt(task, request.caller, AT_FDCWD, request.source, 0));
  RefPtr<vfs::MountNamespace> tree = TRY(CopyTree(task, source, (request.flags & MS_REC) != 0));
  TRY(task.fs()->mounts()->Move(tree->root(), request.target));
  return 0UL;
}

SyscallResult Move(Task& task, const Request& request) {
  if (request.source.empty()) return Errno(EINVAL);
  vfs::Path source = TRY(LookupAt(task, request.caller, AT_FDCWD, request.source, 0));
  if (!IsMountRoot(source)) return Errno(EINVAL);
  TRY(task.fs()->mounts()->Move(source.mount, request.target));
  return 0UL;
}

SyscallResult MountNew(Task& task, const Request& request) {
  RefPtr<vfs::Mount> mount = TRY(NewFilesystem(task, {.type = request.type,
                                                      .source = request.source,
                                                      .data = request.data,
                                                      .flags = request.flags}));
  TRY(task.fs()->mounts()->Attach(std::move(mount), request.target));
  return 0UL;
}

Result<Request> ReadRequest(Task& task, UserPath source, UserPath target, UserString type,
                            uint64_t flags, uint64_t data) {
  Request request;
  request.flags = flags;
  if ((request.flags & kMagicMask) == kMagic) request.flags &= ~kMagicMask;
  if (type) request.type = TRY(type.Read(task, kTypeLimit, EINVAL));
  if (source) request.source = TRY(source.Read(task));
  std::string path = TRY(target.Read(task));
  if (data != 0 && (request.flags & (MS_BIND | MS_MOVE | MS_REMOUNT | kPropagation)) == 0) {
    request.data = TRY(task.CopyInString(data, kDataLimit, EINVAL));
  }
  request.caller = task.MakeCaller();
  request.target = TRY(LookupAt(task, request.caller, AT_FDCWD, path, 0));
  return request;
}

}  // namespace

SyscallResult SysMount(Task& task, UserPath source, UserPath target, UserString type,
                       uint64_t flags, UserAddress data) {
  Request request = TRY(ReadRequest(task, source, target, type, flags, data.address()));
  if (!request.caller.HasCapability(CAP_SYS_ADMIN)) return Errno(EPERM);
  if ((request.flags & MS_REMOUNT) != 0) return Remount(request);
  if ((request.flags & MS_BIND) != 0) return Bind(task, request);
  if ((request.flags & kPropagation) != 0) return ChangePropagation(request);
  if ((request.flags & MS_MOVE) != 0) return Move(task, request);
  return MountNew(task, request);
}

SyscallResult SysPivotRoot(Task& task, UserPath user_root, UserPath user_old) {
  vfs::Caller caller = task.MakeCaller();
  if (!caller.HasCapability(CAP_SYS_ADMIN)) return Errno(EPERM);
  std::string root = TRY(user_root.Read(task)), old = TRY(user_old.Read(task));
  vfs::Path new_root = TRY(LookupAt(task, caller, AT_FDCWD, root, 0));
  vfs::Path put_old = TRY(LookupAt(task, caller, AT_FDCWD, old, 0));
  if (!new_root.dentry->inode()->IsDirectory() || !put_old.dentry->inode()->IsDirectory()) {
    return Errno(ENOTDIR);
  }
  vfs::Path old_root = caller.root;
  if (new_root.mount == old_root.mount || put_old.mount == old_root.mount) return Errno(EBUSY);
  RefPtr<vfs::MountNamespace> mounts = task.fs()->mounts();
  // A chroot(2) is no root of a mount, and only the namespace's own root can be exchanged.
  if (!IsMountRoot(old_root) || old_root.mount != mounts->root()) return Errno(EINVAL);
  TRY(mounts->PivotRoot(new_root, put_old));
  // Everybody who stood at the old root stands at the new one.
  kernel::TaskSet& tasks = task.kernel().tasks();
  for (const RefPtr<kernel::ThreadGroup>& group : tasks.Groups()) {
    std::vector<RefPtr<Task>> members;
    {
      MutexLock lock(&tasks.mu_);
      members = group->tasks;
    }
    for (const RefPtr<Task>& member : members) {
      RefPtr<kernel::FsContext> fs = member->fs();
      if (fs && fs->mounts() == mounts) fs->ReplacePlace(old_root, new_root);
    }
  }
  return 0UL;
}

SyscallResult SysUmount2(Task& task, UserPath user_target, int32_t flags) {
  if ((flags & ~(MNT_FORCE | MNT_DETACH | MNT_EXPIRE | UMOUNT_NOFOLLOW)) != 0) {
    return Errno(EINVAL);
  }
  // A mount is never marked as expired, which is what the first call with it says.
  if ((flags & MNT_EXPIRE) != 0) return Errno((flags & ~MNT_EXPIRE) != 0 ? EINVAL : EAGAIN);
  std::string path = TRY(user_target.Read(task));
  vfs::Caller caller = task.MakeCaller();
  int walk = (flags & UMOUNT_NOFOLLOW) != 0 ? AT_SYMLINK_NOFOLLOW : 0;
  vfs::Path target = TRY(LookupAt(task, caller, AT_FDCWD, path, walk));
  if (!caller.HasCapability(CAP_SYS_ADMIN)) return Errno(EPERM);
  if (!IsMountRoot(target)) return Errno(EINVAL);
  // Detach counts references: only this one may be ours.
  RefPtr<vfs::Mount> mount = std::move(target.mount);
  target = {};
  TRY(task.fs()->mounts()->Detach(mount, (flags & MNT_DETACH) != 0));
  return 0UL;
}

}  // namespace redoubt::syscalls
