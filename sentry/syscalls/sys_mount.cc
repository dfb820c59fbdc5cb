// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/sys_mount.h"

#include <fcntl.h>
#include <sys/mount.h>

#include "sentry/fs/tmpfs/tmpfs.h"
#include "sentry/kernel/kernel.h"
#include "sentry/syscalls/path_lookup.h"

namespace redoubt::syscalls {

namespace {

constexpr size_t kDataLimit = 4095;
constexpr size_t kTypeLimit = 255;
constexpr unsigned long kMagic = 0xC0ED0000, kMagicMask = 0xffff0000;  // MS_MGC_VAL.
constexpr unsigned long kPerMount = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME |
                                    MS_NODIRATIME | MS_RELATIME | MS_SYNCHRONOUS;
constexpr unsigned long kPropagation = MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE;

struct Request {
  vfs::Caller caller;
  std::string source;
  vfs::Path target;
  std::string type;
  std::string data;
  unsigned long flags = 0;
};

bool IsMountRoot(const vfs::Path& path) { return path.dentry == path.mount->root(); }

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

// Mounts below the source are not taken along (MS_REC).
SyscallResult Bind(Task& task, const Request& request) {
  if (request.source.empty()) return Errno(EINVAL);
  vfs::Path source = TRY(LookupAt(task, request.caller, AT_FDCWD, request.source, 0));
  auto mount = MakeRef<vfs::Mount>(source.mount->superblock(), source.dentry, source.mount->flags(),
                                   source.mount->source());
  TRY(task.kernel().mounts()->Attach(std::move(mount), request.target));
  return 0UL;
}

SyscallResult Move(Task& task, const Request& request) {
  if (request.source.empty()) return Errno(EINVAL);
  vfs::Path source = TRY(LookupAt(task, request.caller, AT_FDCWD, request.source, 0));
  if (!IsMountRoot(source)) return Errno(EINVAL);
  TRY(task.kernel().mounts()->Move(source.mount, request.target));
  return 0UL;
}

// Another mount of a file system that the sandbox has one instance of: proc, devpts.
Result<RefPtr<vfs::Mount>> MountAgain(Task& task, const Request& request) {
  for (const vfs::MountNamespace::Entry& entry : task.kernel().mounts()->List()) {
    if (entry.mount->superblock()->type() != request.type) continue;
    return MakeRef<vfs::Mount>(entry.mount->superblock(), entry.mount->root(),
                               request.flags & kPerMount, request.source);
  }
  return Errno(ENODEV);
}

Result<RefPtr<vfs::Mount>> NewMount(Task& task, const Request& request) {
  if (request.type == "tmpfs" || request.type == "ramfs") {
    tmpfs::Options options = TRY(tmpfs::ParseOptions(request.data));
    return tmpfs::NewMount(options, request.flags & kPerMount, request.source);
  }
  if (request.type == "proc" || request.type == "sysfs" || request.type == "devpts" ||
      request.type == "mqueue") {
    return MountAgain(task, request);
  }
  return Errno(ENODEV);
}

SyscallResult MountNew(Task& task, const Request& request) {
  RefPtr<vfs::Mount> mount = TRY(NewMount(task, request));
  TRY(task.kernel().mounts()->Attach(std::move(mount), request.target));
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
  TRY(task.kernel().mounts()->Detach(mount, (flags & MNT_DETACH) != 0));
  return 0UL;
}

}  // namespace redoubt::syscalls
