// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/sys_sem.h"

#include <sys/sem.h>

#include "sentry/ipc/semaphore.h"
#include "sentry/kernel/kernel.h"
#include "sentry/syscalls/blocking.h"
#include "sentry/syscalls/ipc_caller.h"
#include "sentry/syscalls/poll_set.h"

namespace redoubt::syscalls {

namespace {

using ipc::SemaphoreSet;

ipc::UndoList* UndoOf(Task& task, std::span<const sembuf> operations) {
  bool needed = false;
  for (const sembuf& operation : operations) {
    needed = needed || (operation.sem_flg & SEM_UNDO) != 0;
  }
  if (!needed) return nullptr;
  if (!task.semaphore_undo) {
    task.semaphore_undo = MakeRef<ipc::UndoList>(task.kernel().ipc().semaphores);
  }
  task.semaphore_undo->set_pid(task.tgid());
  return task.semaphore_undo.get();
}

// Counts the caller among the sleepers while it is one.
class WaitingMark {
 public:
  WaitingMark(SemaphoreSet& set, const sembuf& operation) : set_(set), operation_(operation) {
    set_.NoteWaiting(operation_, 1);
  }
  ~WaitingMark() { set_.NoteWaiting(operation_, -1); }

 private:
  SemaphoreSet& set_;
  const sembuf operation_;
};

// EAGAIN when the time is over; a signal always ends it with EINTR.
Result<void> OperateOrWait(Task& task, SemaphoreSet& set, std::span<const sembuf> operations,
                           Deadline deadline) {
  ipc::UndoList* undo = UndoOf(task, operations);
  ScopedWait wait(task, set.wait_queue(), EPOLLIN);
  while (true) {
    task.PrepareToSleep();
    size_t blocked_on = 0;
    Result<void> done = set.Operate(operations, undo, task.tgid(), &blocked_on);
    if (!done.Is(EAGAIN)) return done;
    if ((operations[blocked_on].sem_flg & IPC_NOWAIT) != 0) return done;
    WaitingMark mark(set, operations[blocked_on]);
    Result<void> slept = task.Sleep(deadline);
    if (slept.Is(ETIMEDOUT)) return Errno(EAGAIN);
    if (!slept.ok()) return Errno(EINTR);
  }
}

SyscallResult Operate(Task& task, int32_t id, uint64_t address, uint64_t count,
                      Deadline deadline) {
  if (count < 1 || id < 0) return Errno(EINVAL);
  if (count > ipc::kMaxSemaphoreOperations) return Errno(E2BIG);
  std::vector<sembuf> operations(count);
  TRY(task.CopyIn(address, std::as_writable_bytes(std::span(operations))));
  RefPtr<SemaphoreSet> set = TRY(task.kernel().ipc().semaphores.Find(id));
  bool alters = false;
  for (const sembuf& operation : operations) {
    if (operation.sem_num >= set->count()) return Errno(EFBIG);
    alters = alters || operation.sem_op != 0;
  }
  TRY(set->CheckAccess(IpcCaller(task), alters ? ipc::kMayWrite : ipc::kMayRead));
  TRY(OperateOrWait(task, *set, operations, deadline));
  return 0UL;
}

struct SemRequest {
  Task& task;
  int32_t id;
  int32_t number;
  int32_t command;
  uint64_t argument;
  vfs::Caller caller;

  ipc::Registry<SemaphoreSet>& sets() const { return task.kernel().ipc().semaphores; }
};

SyscallResult Stat(const SemRequest& request) {
  bool by_slot = request.command != IPC_STAT;
  RefPtr<SemaphoreSet> set =
      TRY(by_slot ? request.sets().AtSlot(request.id) : request.sets().Find(request.id));
  if (request.command != SEM_STAT_ANY) TRY(set->CheckAccess(request.caller, ipc::kMayRead));
  semid_ds status{};
  set->DescribeSet(status);
  TRY(request.task.CopyOut(request.argument, status));
  return by_slot ? static_cast<uint64_t>(set->id()) : 0UL;
}

SyscallResult Info(const SemRequest& request) {
  seminfo info{};
  info.semmni = ipc::kMaxSemaphoreSets;
  info.semmns = ipc::kMaxSemaphores;
  info.semmsl = ipc::kMaxSemaphoresInSet;
  info.semopm = ipc::kMaxSemaphoreOperations;
  info.semvmx = info.semaem = ipc::kMaxSemaphoreValue;
  info.semmap = info.semmnu = ipc::kMaxSemaphores;
  info.semume = ipc::kMaxSemaphoreOperations;
  info.semusz = 20;
  if (request.command == SEM_INFO) {
    info.semusz = static_cast<int>(request.sets().used());
    info.semaem = ipc::SemaphoresInUse();
  }
  TRY(request.task.CopyOut(request.argument, info));
  return static_cast<uint64_t>(request.sets().HighestSlot());
}

SyscallResult GetAll(const SemRequest& request) {
  RefPtr<SemaphoreSet> set = TRY(request.sets().Find(request.id));
  TRY(set->CheckAccess(request.caller, ipc::kMayRead));
  std::vector<uint16_t> values = set->Values();
  TRY(request.task.CopyOut(request.argument, std::as_bytes(std::span(values))));
  return 0UL;
}

SyscallResult SetAll(const SemRequest& request) {
  RefPtr<SemaphoreSet> set = TRY(request.sets().Find(request.id));
  TRY(set->CheckAccess(request.caller, ipc::kMayWrite));
  std::vector<uint16_t> values(static_cast<size_t>(set->count()));
  TRY(request.task.CopyIn(request.argument, std::as_writable_bytes(std::span(values))));
  TRY(set->SetValues(values, request.task.tgid()));
  return 0UL;
}

SyscallResult GetOne(const SemRequest& request) {
  RefPtr<SemaphoreSet> set = TRY(request.sets().Find(request.id));
  TRY(set->CheckAccess(request.caller, ipc::kMayRead));
  Result<int> value = Errno(EINVAL);
  switch (request.command) {
    case GETVAL:
      value = set->Value(request.number);
      break;
    case GETPID:
      value = set->LastPid(request.number);
      break;
    case GETNCNT:
      value = set->WaitingForIncrease(request.number);
      break;
    default:
      value = set->WaitingForZero(request.number);
      break;
  }
  return static_cast<uint64_t>(TRY(value));
}

SyscallResult SetOne(const SemRequest& request) {
  auto value = static_cast<int32_t>(request.argument);
  if (value < 0 || value > ipc::kMaxSemaphoreValue) return Errno(ERANGE);
  RefPtr<SemaphoreSet> set = TRY(request.sets().Find(request.id));
  if (request.number < 0 || request.number >= set->count()) return Errno(EINVAL);
  TRY(set->CheckAccess(request.caller, ipc::kMayWrite));
  TRY(set->SetValue(request.number, value, request.task.tgid()));
  return 0UL;
}

SyscallResult SetOwner(const SemRequest& request) {
  semid_ds status = TRY(request.task.CopyIn<semid_ds>(request.argument));
  RefPtr<SemaphoreSet> set = TRY(request.sets().Find(request.id));
  TRY(set->CheckOwner(request.caller));
  set->SetOwnership(status.sem_perm.uid, status.sem_perm.gid, status.sem_perm.mode);
  set->Changed();
  return 0UL;
}

SyscallResult Remove(const SemRequest& request) {
  RefPtr<SemaphoreSet> set = TRY(request.sets().Find(request.id));
  TRY(set->CheckOwner(request.caller));
  if (request.sets().Remove(*set)) set->WakeForRemoval();
  return 0UL;
}

}  // namespace

SyscallResult SysSemget(Task& task, int32_t key, int32_t count, int32_t flags) {
  if (count < 0 || count > ipc::kMaxSemaphoresInSet) return Errno(EINVAL);
  vfs::Caller caller = IpcCaller(task);
  auto check = [&](SemaphoreSet& set) -> Result<void> {
    if (count > set.count()) return Errno(EINVAL);
    return {};
  };
  auto make = [&]() -> Result<RefPtr<SemaphoreSet>> {
    if (count == 0) return Errno(EINVAL);
    if (ipc::SemaphoresInUse() + count > ipc::kMaxSemaphores) return Errno(ENOSPC);
    return MakeRef<SemaphoreSet>(key, caller, static_cast<uint32_t>(flags), count);
  };
  int id = TRY(task.kernel().ipc().semaphores.Get(caller, key, flags, check, make));
  return static_cast<uint64_t>(id);
}

SyscallResult SysSemop(Task& task, int32_t id, UserAddress operations, uint64_t count) {
  return Operate(task, id, operations.address(), count, kNoDeadline);
}

SyscallResult SysSemtimedop(Task& task, int32_t id, UserAddress operations, uint64_t count,
                            UserIn<abi::Timespec> timeout) {
  Deadline deadline = kNoDeadline;
  if (timeout) {
    abi::Timespec limit = TRY(timeout.Read(task));
    if (!limit.IsValid()) return Errno(EINVAL);
    deadline = DeadlineIn(abi::ToNanoseconds(limit));
  }
  return Operate(task, id, operations.address(), count, deadline);
}

SyscallResult SysSemctl(Task& task, int32_t id, int32_t number, int32_t command,
                        uint64_t argument) {
  if (id < 0) return Errno(EINVAL);
  SemRequest request{.task = task,
                     .id = id,
                     .number = number,
                     .command = command & ~kIpc64,
                     .argument = argument,
                     .caller = IpcCaller(task)};
  switch (request.command) {
    case IPC_INFO:
    case SEM_INFO:
      return Info(request);
    case IPC_STAT:
    case SEM_STAT:
    case SEM_STAT_ANY:
      return Stat(request);
    case GETALL:
      return GetAll(request);
    case SETALL:
      return SetAll(request);
    case GETVAL:
    case GETPID:
    case GETNCNT:
    case GETZCNT:
      return GetOne(request);
    case SETVAL:
      return SetOne(request);
    case IPC_SET:
      return SetOwner(request);
    case IPC_RMID:
      return Remove(request);
    default:
      return Errno(EINVAL);
  }
}

}  // namespace redoubt::syscalls
