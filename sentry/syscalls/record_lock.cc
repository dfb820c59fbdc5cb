// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/record_lock.h"

#include <fcntl.h>
#include <unistd.h>

#include "sentry/syscalls/blocking.h"
#include "sentry/vfs/lock_table.h"

namespace redoubt::syscalls {

namespace {

using vfs::LockOwner;
using vfs::RecordRange;

// struct flock.
struct Flock {
  int16_t type = 0;
  int16_t whence = 0;
  int32_t padding = 0;
  int64_t start = 0;
  int64_t length = 0;
  int32_t pid = 0;
  int32_t padding2 = 0;
};
static_assert(sizeof(Flock) == sizeof(struct flock));
static_assert(offsetof(Flock, start) == offsetof(struct flock, l_start));
static_assert(offsetof(Flock, pid) == offsetof(struct flock, l_pid));

Result<int64_t> BaseOf(vfs::FileDescription& file, int16_t whence) {
  switch (whence) {
    case SEEK_SET:
      return int64_t{0};
    case SEEK_CUR:
      // What has no position is at 0.
      return file.Seek(0, SEEK_CUR).value_or(0);
    case SEEK_END: {
      vfs::Attributes attributes = TRY(file.GetAttributes());
      return static_cast<int64_t>(attributes.size);
    }
    default:
      return Errno(EINVAL);
  }
}

// flock64_to_posix_lock(): the bytes that `lock` names; a negative length lies before the start.
Result<RecordRange> RangeOf(vfs::FileDescription& file, const Flock& lock) {
  int64_t start = TRY(BaseOf(file, lock.whence));
  if (__builtin_add_overflow(start, lock.start, &start)) return Errno(EOVERFLOW);
  if (start < 0) return Errno(EINVAL);
  int64_t end = static_cast<int64_t>(RecordRange::kToEnd);
  if (lock.length > 0) {
    if (__builtin_add_overflow(start, lock.length - 1, &end)) return Errno(EOVERFLOW);
  } else if (lock.length < 0) {
    if (start + lock.length < 0) return Errno(EINVAL);
    end = start - 1;
    start += lock.length;
  }
  return RecordRange{static_cast<uint64_t>(start), static_cast<uint64_t>(end)};
}

bool IsOfd(int command) {
  return command == F_OFD_SETLK || command == F_OFD_SETLKW || command == F_OFD_GETLK;
}

Result<LockOwner> OwnerOf(Task& task, vfs::FileDescription& file, int command, const Flock& lock) {
  if (!IsOfd(command)) return LockOwner::Process(task.tgid());
  if (lock.pid != 0) return Errno(EINVAL);
  return LockOwner::OpenFile(file);
}

Result<void> CheckType(vfs::FileDescription& file, int16_t type) {
  switch (type) {
    case F_RDLCK:
      if (!file.readable()) return Errno(EBADF);
      return {};
    case F_WRLCK:
      if (!file.writable()) return Errno(EBADF);
      return {};
    case F_UNLCK:
      return {};
    default:
      return Errno(EINVAL);
  }
}

// F_SETLKW and F_OFD_SETLKW.
Result<void> WaitForLock(Task& task, vfs::LockTable& locks, const LockOwner& owner,
                         const RecordRange& range, bool exclusive) {
  bool watch_deadlock = owner.description == nullptr;
  Result<void> result =
      BlockOn(task, locks.wait_queue(), EPOLLOUT, kNoDeadline, [&]() -> Result<void> {
        Result<void> set = locks.SetRecord(owner, range, exclusive);
        if (!set.Is(EAGAIN) || !watch_deadlock) return set;
        TRY(locks.BeginWait(task.tgid(), range, exclusive));
        return set;
      });
  if (watch_deadlock) vfs::LockTable::EndWait(task.tgid());
  return result;
}

}  // namespace

SyscallResult SetRecordLock(Task& task, vfs::FileDescription& file, int command,
                            uint64_t argument) {
  Flock lock = TRY(task.CopyIn<Flock>(argument));
  RecordRange range = TRY(RangeOf(file, lock));
  LockOwner owner = TRY(OwnerOf(task, file, command, lock));
  TRY(CheckType(file, lock.type));
  vfs::LockTable& locks = file.inode()->locks();
  if (lock.type == F_UNLCK) {
    TRY(locks.ClearRecord(owner, range));
    return 0UL;
  }
  bool exclusive = lock.type == F_WRLCK;
  if (command == F_SETLKW || command == F_OFD_SETLKW) {
    TRY(WaitForLock(task, locks, owner, range, exclusive));
  } else {
    TRY(locks.SetRecord(owner, range, exclusive));
  }
  return 0UL;
}

SyscallResult GetRecordLock(Task& task, vfs::FileDescription& file, int command,
                            uint64_t argument) {
  Flock lock = TRY(task.CopyIn<Flock>(argument));
  if (lock.type != F_RDLCK && lock.type != F_WRLCK) return Errno(EINVAL);
  RecordRange range = TRY(RangeOf(file, lock));
  LockOwner owner = TRY(OwnerOf(task, file, command, lock));
  auto conflict = file.inode()->locks().FindConflict(owner, range, lock.type == F_WRLCK);
  if (!conflict) {
    lock.type = F_UNLCK;
  } else {
    const RecordRange& held = conflict->range;
    lock.type = conflict->exclusive ? F_WRLCK : F_RDLCK;
    lock.whence = SEEK_SET;
    lock.start = static_cast<int64_t>(held.start);
    lock.length =
        held.end == RecordRange::kToEnd ? 0 : static_cast<int64_t>(held.end - held.start + 1);
    lock.pid = conflict->owner.description != nullptr ? -1 : conflict->owner.tgid;
  }
  TRY(task.CopyOut(argument, lock));
  return 0UL;
}

}  // namespace redoubt::syscalls
