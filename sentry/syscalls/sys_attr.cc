// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/sys_attr.h"

#include <fcntl.h>
#include <linux/securebits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sentry/kernel/credentials.h"
#include "sentry/syscalls/path_lookup.h"
#include "sentry/syscalls/transfer.h"
#include "sentry/vfs/notify.h"
#include "sentry/vfs/operations.h"
#include "sentry/vfs/permission.h"

namespace redoubt::syscalls {

namespace {

using vfs::TimeChange;

SyscallResult ChangeModeAt(Task& task, int dirfd, UserPath user_path, uint32_t mode, int flags) {
  std::string path = TRY(user_path.Read(task));
  vfs::Caller caller = task.MakeCaller();
  vfs::Path place = TRY(LookupAt(task, caller, dirfd, path, flags));
  TRY(vfs::ChangeMode(caller, place, mode & 07777));
  return 0UL;
}

SyscallResult ChangeOwnerAt(Task& task, int dirfd, UserPath user_path, uint32_t uid, uint32_t gid,
                            int flags) {
  std::string path = TRY(user_path.Read(task));
  vfs::Caller caller = task.MakeCaller();
  vfs::Path place = TRY(LookupAt(task, caller, dirfd, path, flags));
  TRY(vfs::ChangeOwner(caller, place, uid, gid));
  return 0UL;
}

struct BothTimes {
  TimeChange access;  // To now, unless set.
  TimeChange modify;
};

Result<TimeChange> FromTimespec(const abi::Timespec& time) {
  if (time.nanoseconds == UTIME_NOW) return TimeChange{.kind = TimeChange::Kind::kNow, .time = {}};
  if (time.nanoseconds == UTIME_OMIT) {
    return TimeChange{.kind = TimeChange::Kind::kOmit, .time = {}};
  }
  if (time.nanoseconds < 0 || time.nanoseconds >= abi::kNanosecondsPerSecond) return Errno(EINVAL);
  return TimeChange{.kind = TimeChange::Kind::kSet,
                    .time = {time.seconds, static_cast<uint32_t>(time.nanoseconds)}};
}

Result<TimeChange> FromTimeval(const abi::Timeval& time) {
  if (time.microseconds < 0 || time.microseconds >= 1'000'000) return Errno(EINVAL);
  return TimeChange{.kind = TimeChange::Kind::kSet,
                    .time = {time.seconds, static_cast<uint32_t>(time.microseconds * 1000)}};
}

SyscallResult ChangeTimesAt(Task& task, int dirfd, UserPath user_path, const BothTimes& times,
                            int flags) {
  std::string path = TRY(user_path.Read(task));
  vfs::Caller caller = task.MakeCaller();
  vfs::Path place = TRY(LookupAt(task, caller, dirfd, path, flags));
  TRY(vfs::ChangeTimes(caller, place, times.access, times.modify));
  return 0UL;
}

// futimens(3): libc gives a null path.
SyscallResult ChangeTimesOf(Task& task, int fd, const BothTimes& times, int flags) {
  if (flags != 0) return Errno(EINVAL);
  FileRef file = TRY(task.fd_table()->GetForIo(fd));
  TRY(vfs::ChangeTimes(task.MakeCaller(), file->path(), times.access, times.modify));
  return 0UL;
}

Result<BothTimes> ReadTimevals(Task& task, UserIn<FileTimevals> user) {
  BothTimes times;
  if (!user) return times;
  FileTimevals given = TRY(user.Read(task));
  times.access = TRY(FromTimeval(given.access));
  times.modify = TRY(FromTimeval(given.modify));
  return times;
}

// access(2) asks for the real ids: what a set-user-ID program's user may do.
vfs::Caller RealCaller(Task& task) {
  vfs::Caller caller = task.MakeCaller();
  RefPtr<kernel::Credentials> credentials = task.credentials();
  caller.uid = credentials->uid;
  caller.gid = credentials->gid;
  if ((credentials->securebits & SECBIT_NO_SETUID_FIXUP) == 0) {
    caller.capabilities = credentials->uid == 0 ? credentials->permitted : 0;
  }
  return caller;
}

SyscallResult AccessAt(Task& task, int dirfd, UserPath user_path, int32_t mode, int flags) {
  if ((mode & ~(R_OK | W_OK | X_OK)) != 0) return Errno(EINVAL);
  std::string path = TRY(user_path.Read(task));
  vfs::Caller caller = (flags & AT_EACCESS) != 0 ? task.MakeCaller() : RealCaller(task);
  vfs::Path place = TRY(LookupAt(task, caller, dirfd, path, flags));
  if (mode != F_OK) TRY(vfs::Access(caller, place, static_cast<uint32_t>(mode)));
  return 0UL;
}

// RLIMIT_FSIZE tells by a signal too.
SyscallResult AfterTruncate(Task& task, const Result<void>& result) {
  if (result.ok()) return 0UL;
  if (result.Is(EFBIG)) SignalSelf(task, SIGXFSZ);
  return result.error();
}

Result<void> TruncateOpenFile(const vfs::Caller& caller, vfs::FileDescription& file,
                              uint64_t length) {
  vfs::Attributes attributes = TRY(file.GetAttributes());
  if (length > attributes.size && length > caller.file_size_limit) return Errno(EFBIG);
  vfs::AttributeChange change;
  change.size = length;
  uint32_t mode = vfs::ModeAfterWrite(caller, attributes);
  if (mode != (attributes.mode & 07777)) change.mode = mode;
  TRY(file.SetAttributes(change));
  vfs::NotifyFile(file, IN_MODIFY);
  return {};
}

}  // namespace

SyscallResult SysChmod(Task& task, UserPath path, FileMode mode) {
  return ChangeModeAt(task, AT_FDCWD, path, mode, 0);
}

SyscallResult SysFchmodat(Task& task, DirFd dirfd, UserPath path, FileMode mode) {
  return ChangeModeAt(task, dirfd, path, mode, 0);
}

SyscallResult SysFchmodat2(Task& task, DirFd dirfd, UserPath path, FileMode mode, int32_t flags) {
  if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) != 0) return Errno(EINVAL);
  return ChangeModeAt(task, dirfd, path, mode, flags);
}

SyscallResult SysFchmod(Task& task, FdNumber fd, FileMode mode) {
  FileRef file = TRY(task.fd_table()->GetForIo(fd));
  TRY(vfs::ChangeMode(task.MakeCaller(), file->path(), mode & 07777));
  return 0UL;
}

SyscallResult SysChown(Task& task, UserPath path, uint32_t uid, uint32_t gid) {
  return ChangeOwnerAt(task, AT_FDCWD, path, uid, gid, 0);
}

SyscallResult SysLchown(Task& task, UserPath path, uint32_t uid, uint32_t gid) {
  return ChangeOwnerAt(task, AT_FDCWD, path, uid, gid, AT_SYMLINK_NOFOLLOW);
}

SyscallResult SysFchown(Task& task, FdNumber fd, uint32_t uid, uint32_t gid) {
  FileRef file = TRY(task.fd_table()->GetForIo(fd));
  TRY(vfs::ChangeOwner(task.MakeCaller(), file->path(), uid, gid));
  return 0UL;
}

SyscallResult SysFchownat(Task& task, DirFd dirfd, UserPath path, uint32_t uid, uint32_t gid,
                          int32_t flags) {
  if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) != 0) return Errno(EINVAL);
  return ChangeOwnerAt(task, dirfd, path, uid, gid, flags);
}

SyscallResult SysUtime(Task& task, UserPath path, UserIn<OldFileTimes> user) {
  BothTimes times;
  if (user) {
    OldFileTimes given = TRY(user.Read(task));
    times.access = {.kind = TimeChange::Kind::kSet, .time = {given.access, 0}};
    times.modify = {.kind = TimeChange::Kind::kSet, .time = {given.modify, 0}};
  }
  return ChangeTimesAt(task, AT_FDCWD, path, times, 0);
}

SyscallResult SysUtimes(Task& task, UserPath path, UserIn<FileTimevals> user) {
  BothTimes times = TRY(ReadTimevals(task, user));
  return ChangeTimesAt(task, AT_FDCWD, path, times, 0);
}

SyscallResult SysFutimesat(Task& task, DirFd dirfd, UserPath path, UserIn<FileTimevals> user) {
  BothTimes times = TRY(ReadTimevals(task, user));
  if (!path && dirfd != AT_FDCWD) return ChangeTimesOf(task, dirfd, times, 0);
  return ChangeTimesAt(task, dirfd, path, times, 0);
}

SyscallResult SysUtimensat(Task& task, DirFd dirfd, UserPath path, UserIn<FileTimespecs> user,
                           int32_t flags) {
  BothTimes times;
  if (user) {
    FileTimespecs given = TRY(user.Read(task));
    // Nothing to change: not even the path is looked at.
    if (given.access.nanoseconds == UTIME_OMIT && given.modify.nanoseconds == UTIME_OMIT) {
      return 0UL;
    }
    times.access = TRY(FromTimespec(given.access));
    times.modify = TRY(FromTimespec(given.modify));
  }
  if (!path && dirfd != AT_FDCWD) return ChangeTimesOf(task, dirfd, times, flags);
  if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) != 0) return Errno(EINVAL);
  return ChangeTimesAt(task, dirfd, path, times, flags);
}

SyscallResult SysTruncate(Task& task, UserPath user_path, int64_t length) {
  if (length < 0) return Errno(EINVAL);
  std::string path = TRY(user_path.Read(task));
  vfs::Caller caller = task.MakeCaller();
  vfs::Path place = TRY(LookupAt(task, caller, AT_FDCWD, path, 0));
  return AfterTruncate(task, vfs::Truncate(caller, place, static_cast<uint64_t>(length)));
}

SyscallResult SysFtruncate(Task& task, FdNumber fd, int64_t length) {
  if (length < 0) return Errno(EINVAL);
  FileRef file = TRY(task.fd_table()->GetForIo(fd));
  // Linux: EINVAL, not EBADF, here.
  if (!file->inode()->IsRegular() || !file->writable()) return Errno(EINVAL);
  return AfterTruncate(task,
                       TruncateOpenFile(task.MakeCaller(), *file, static_cast<uint64_t>(length)));
}

SyscallResult SysAccess(Task& task, UserPath path, int32_t mode) {
  return AccessAt(task, AT_FDCWD, path, mode, 0);
}

SyscallResult SysFaccessat(Task& task, DirFd dirfd, UserPath path, int32_t mode) {
  return AccessAt(task, dirfd, path, mode, 0);
}

SyscallResult SysFaccessat2(Task& task, DirFd dirfd, UserPath path, int32_t mode, int32_t flags) {
  if ((flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) != 0) return Errno(EINVAL);
  return AccessAt(task, dirfd, path, mode, flags);
}

}  // namespace redoubt::syscalls
