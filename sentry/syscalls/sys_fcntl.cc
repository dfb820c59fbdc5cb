// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/sys_fcntl.h"

#include <fcntl.h>

#include <cstdlib>

#include "sentry/fs/pipe/pipe_file.h"
#include "sentry/fs/tmpfs/memfd.h"
#include "sentry/kernel/kernel.h"
#include "sentry/syscalls/record_lock.h"
#include "sentry/vfs/permission.h"

namespace redoubt::syscalls {

namespace {

constexpr uint32_t kLargeFile = 0100000;

struct Request {
  int fd = -1;
  FileRef file;
  int command = 0;
  uint64_t argument = 0;
};

SyscallResult Duplicate(Task& task, const Request& request) {
  bool close_on_exec = request.command == F_DUPFD_CLOEXEC;
  uint64_t limit = task.FdLimit();
  int minimum = static_cast<int>(request.argument);
  if (minimum < 0 || static_cast<uint64_t>(minimum) >= limit) return Errno(EINVAL);
  return static_cast<uint64_t>(
      TRY(task.fd_table()->Install(request.file, close_on_exec, limit, minimum)));
}

SyscallResult GetDescriptorFlags(Task& task, const Request& request) {
  bool close_on_exec = TRY(task.fd_table()->GetCloseOnExec(request.fd));
  return close_on_exec ? uint64_t{FD_CLOEXEC} : 0UL;
}

SyscallResult SetDescriptorFlags(Task& task, const Request& request) {
  TRY(task.fd_table()->SetCloseOnExec(request.fd, (request.argument & FD_CLOEXEC) != 0));
  return 0UL;
}

SyscallResult GetStatusFlags(Task&, const Request& request) {
  uint32_t flags = request.file->flags();
  // Whatever open(2) gave is a large file on a 64-bit machine; pipes and sockets are not opened.
  bool opened =
      request.file->path().mount != vfs::Mount::Anonymous() || request.file->inode()->IsRegular();
  if (opened && !request.file->IsPathOnly()) flags |= kLargeFile;
  return uint64_t{flags};
}

// O_ASYNC is served where readiness changes; elsewhere it does not stick.
void SetAsync(Task& task, vfs::FileDescription& file, int fd, uint32_t& flags) {
  kernel::AsyncSignals& signals = task.kernel().async_signals();
  if ((flags & O_ASYNC) == 0) {
    if ((file.flags() & O_ASYNC) != 0) signals.Disable(file);
  } else if (!signals.Enable(file, fd)) {
    flags &= ~uint32_t{O_ASYNC};
  }
}

// setfl().
SyscallResult SetStatusFlags(Task& task, const Request& request) {
  uint32_t flags = static_cast<uint32_t>(request.argument);
  vfs::FileDescription& file = *request.file;
  if ((flags & O_NOATIME) != 0 && (file.flags() & O_NOATIME) == 0) {
    vfs::Attributes attributes = TRY(file.GetAttributes());
    if (!vfs::IsOwnerOrCapable(task.MakeCaller(), attributes)) return Errno(EPERM);
  }
  SetAsync(task, file, request.fd, flags);
  TRY(file.SetStatusFlags(flags));
  return 0UL;
}

// F_OWNER_TID, F_OWNER_PID, F_OWNER_PGRP; struct f_owner_ex.
struct OwnerEx {
  int32_t type = 0;
  int32_t pid = 0;
};
constexpr int32_t kOwnerTask = 0, kOwnerPid = 1, kOwnerGroup = 2;

void StoreOwner(Task& task, vfs::FileDescription& file, int32_t type, int32_t id) {
  vfs::FileDescription::SignalOwner owner = file.signal_owner();
  RefPtr<kernel::Credentials> credentials = task.credentials();
  owner.type = type;
  owner.id = id;
  owner.uid = credentials->uid;
  owner.euid = credentials->euid;
  file.SetSignalOwner(owner);
}

// Whether there is such a task, process or group: ESRCH.
Result<void> CheckOwner(Task& task, int32_t type, int32_t id) {
  kernel::TaskSet& tasks = task.kernel().tasks();
  if (id == 0) return {};
  if (type == kOwnerGroup) {
    for (const RefPtr<kernel::ThreadGroup>& group : tasks.Groups()) {
      MutexLock lock(&tasks.mu_);
      if (group->process_group && group->process_group->id == id) return {};
    }
    return Errno(ESRCH);
  }
  if (type == kOwnerTask) {
    TRY(tasks.Find(id));
  } else {
    TRY(tasks.FindGroup(id));
  }
  return {};
}

SyscallResult GetOwner(Task&, const Request& request) {
  // A group is a negative number, which is no error here: the upper half tells them apart.
  vfs::FileDescription::SignalOwner owner = request.file->signal_owner();
  if (owner.type == kOwnerTask) return 0UL;
  int64_t id = owner.type == kOwnerGroup ? -owner.id : owner.id;
  return static_cast<uint64_t>(id);
}

SyscallResult SetOwner(Task& task, const Request& request) {
  int32_t owner = static_cast<int32_t>(request.argument);
  if (owner == INT32_MIN) return Errno(EINVAL);
  int32_t type = owner < 0 ? kOwnerGroup : kOwnerPid;
  TRY(CheckOwner(task, type, std::abs(owner)));
  StoreOwner(task, *request.file, type, std::abs(owner));
  return 0UL;
}

SyscallResult GetOwnerEx(Task& task, const Request& request) {
  vfs::FileDescription::SignalOwner owner = request.file->signal_owner();
  TRY(task.CopyOut(request.argument, OwnerEx{.type = owner.type, .pid = owner.id}));
  return 0UL;
}

SyscallResult SetOwnerEx(Task& task, const Request& request) {
  OwnerEx owner = TRY(task.CopyIn<OwnerEx>(request.argument));
  if (owner.type < 0 || owner.type > kOwnerGroup || owner.pid < 0) return Errno(EINVAL);
  TRY(CheckOwner(task, owner.type, owner.pid));
  StoreOwner(task, *request.file, owner.type, owner.pid);
  return 0UL;
}

SyscallResult GetSignal(Task&, const Request& request) {
  return static_cast<uint64_t>(request.file->signal_owner().signal);
}

SyscallResult SetSignal(Task&, const Request& request) {
  if (request.argument > abi::kSignalCount) return Errno(EINVAL);
  vfs::FileDescription::SignalOwner owner = request.file->signal_owner();
  owner.signal = static_cast<int32_t>(request.argument);
  request.file->SetSignalOwner(owner);
  return 0UL;
}

// Nobody ever has a lease, and nobody gets one: EAGAIN is what a file in use gives.
SyscallResult GetLease(Task&, const Request&) { return uint64_t{F_UNLCK}; }

SyscallResult SetLease(Task& task, const Request& request) {
  int type = static_cast<int>(request.argument);
  if (type != F_RDLCK && type != F_WRLCK && type != F_UNLCK) return Errno(EINVAL);
  vfs::Attributes attributes = TRY(request.file->GetAttributes());
  vfs::Caller caller = task.MakeCaller();
  if (caller.uid != attributes.uid && !caller.HasCapability(CAP_LEASE)) return Errno(EACCES);
  if (!request.file->inode()->IsRegular()) return Errno(EINVAL);
  return Errno(EAGAIN);
}

SyscallResult GetPipeSize(Task&, const Request& request) {
  fs::Pipe* pipe = fs::PipeOf(*request.file);
  if (pipe == nullptr) return Errno(EBADF);
  return pipe->capacity();
}

SyscallResult SetPipeSize(Task& task, const Request& request) {
  fs::Pipe* pipe = fs::PipeOf(*request.file);
  if (pipe == nullptr) return Errno(EBADF);
  bool privileged = task.credentials()->HasCapability(CAP_SYS_RESOURCE);
  return TRY(pipe->SetCapacity(static_cast<uint32_t>(request.argument), privileged));
}

SyscallResult AddSeals(Task&, const Request& request) {
  if (request.argument > UINT32_MAX) return Errno(EINVAL);
  if (!request.file->writable()) return Errno(EPERM);
  TRY(tmpfs::AddSeals(*request.file, static_cast<uint32_t>(request.argument)));
  return 0UL;
}

SyscallResult GetSeals(Task&, const Request& request) {
  return uint64_t{TRY(tmpfs::GetSeals(*request.file))};
}

SyscallResult SetLock(Task& task, const Request& request) {
  return SetRecordLock(task, *request.file, request.command, request.argument);
}

SyscallResult GetLock(Task& task, const Request& request) {
  return GetRecordLock(task, *request.file, request.command, request.argument);
}

struct Command {
  int number;
  SyscallResult (*handler)(Task&, const Request&);
  bool on_path = false;  // Works on an O_PATH descriptor too.
};

constexpr Command kCommands[] = {
    {F_DUPFD, Duplicate, true},
    {F_DUPFD_CLOEXEC, Duplicate, true},
    {F_GETFD, GetDescriptorFlags, true},
    {F_SETFD, SetDescriptorFlags, true},
    {F_GETFL, GetStatusFlags, true},
    {F_SETFL, SetStatusFlags},
    {F_GETLK, GetLock},
    {F_SETLK, SetLock},
    {F_SETLKW, SetLock},
    {F_OFD_GETLK, GetLock},
    {F_OFD_SETLK, SetLock},
    {F_OFD_SETLKW, SetLock},
    {F_GETOWN, GetOwner},
    {F_SETOWN, SetOwner},
    {F_GETOWN_EX, GetOwnerEx},
    {F_SETOWN_EX, SetOwnerEx},
    {F_GETSIG, GetSignal},
    {F_SETSIG, SetSignal},
    {F_GETLEASE, GetLease},
    {F_SETLEASE, SetLease},
    {F_GETPIPE_SZ, GetPipeSize},
    {F_SETPIPE_SZ, SetPipeSize},
    {F_ADD_SEALS, AddSeals},
    {F_GET_SEALS, GetSeals},
};

}  // namespace

SyscallResult SysFcntl(Task& task, FdNumber fd, int32_t number, uint64_t argument) {
  Request request{.fd = fd, .file = nullptr, .command = number, .argument = argument};
  request.file = TRY(task.fd_table()->Get(fd));
  for (const Command& command : kCommands) {
    if (command.number != number) continue;
    if (request.file->IsPathOnly() && !command.on_path) return Errno(EBADF);
    return command.handler(task, request);
  }
  return Errno(request.file->IsPathOnly() ? EBADF : EINVAL);
}

}  // namespace redoubt::syscalls
