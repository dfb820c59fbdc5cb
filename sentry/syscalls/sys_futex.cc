// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/sys_futex.h"

#include <linux/futex.h>
#include <sys/syscall.h>

#include <algorithm>
#include <optional>

#include "sentry/kernel/kernel.h"
#include "sentry/kernel/restart.h"
#include "sentry/time/timer_queue.h"

namespace redoubt::syscalls {

namespace {

constexpr uint64_t kRobustListHeadSize = 24;  // sizeof(struct robust_list_head).

struct FutexCall {
  uint64_t word;
  int operation;
  uint32_t value;
  uint64_t fourth;
  uint64_t word2;
  uint32_t value3;
};

SyscallResult RunInStub(Task& task, const FutexCall& call) {
  return task.context().HostCall({.number = SYS_futex,
                                  .arguments = {call.word, static_cast<uint64_t>(call.operation),
                                                call.value, call.fourth, call.word2, call.value3}});
}

SyscallResult WaitFor(Task& task, const FutexCall& call, int64_t deadline);

// An interrupted wait with a relative timeout goes on with what is left of it, unless a handler
// runs (then EINTR).
SyscallResult RestartLater(Task& task, const FutexCall& call, int64_t deadline) {
  task.SetRestart([call, deadline](Task& t) { return WaitFor(t, call, deadline); });
  return Errno(kernel::ERESTART_RESTARTBLOCK);
}

// The host reads the remaining time from guest memory. It is put where a signal frame would go: on
// the guest's stack below the red zone, where nothing of the guest's can be.
SyscallResult WaitFor(Task& task, const FutexCall& call, int64_t deadline) {
  constexpr uint64_t kBelowRedZone = 128 + 64;
  int64_t left = std::max<int64_t>(deadline - time::Now(time::Clock::kMonotonic), 0);
  FutexCall again = call;
  again.fourth = (task.registers().rsp - kBelowRedZone) & ~uint64_t{15};
  if (!task.CopyOut(again.fourth, abi::FromNanoseconds(left)).ok()) return Errno(EINTR);
  SyscallResult result = RunInStub(task, again);
  if (result.Is(EINTR)) return RestartLater(task, call, deadline);
  return result;
}

SyscallResult Wait(Task& task, const FutexCall& call) {
  const bool relative = (call.operation & FUTEX_CMD_MASK) == FUTEX_WAIT;
  int64_t deadline = time::kNever;
  if (call.fourth != 0) {
    abi::Timespec timeout = TRY(task.CopyIn<abi::Timespec>(call.fourth));
    if (!timeout.IsValid()) return Errno(EINVAL);
    deadline = time::DeadlineAfter(time::Clock::kMonotonic, abi::ToNanoseconds(timeout));
  }
  SyscallResult result = RunInStub(task, call);
  if (!result.Is(EINTR)) return result;
  if (call.fourth == 0) return Errno(kernel::ERESTARTSYS);
  // An absolute timeout stays true when the same call is made again.
  if (!relative) return Errno(kernel::ERESTARTNOHAND);
  return RestartLater(task, call, deadline);
}

}  // namespace

SyscallResult SysFutex(Task& task, UserAddress word, FutexOperation operation, uint32_t value,
                       UserAddress timeout_or_value, UserAddress word2, uint32_t value3) {
  FutexCall call{word.address(),  operation, value, timeout_or_value.address(),
                 word2.address(), value3};
  const int command = operation & FUTEX_CMD_MASK;
  if ((operation & FUTEX_CLOCK_REALTIME) != 0 && command != FUTEX_WAIT_BITSET &&
      command != FUTEX_WAIT) {
    return Errno(ENOSYS);
  }
  switch (command) {
    case FUTEX_WAIT:
    case FUTEX_WAIT_BITSET:
      return Wait(task, call);
    case FUTEX_WAKE:
    case FUTEX_WAKE_BITSET:
    case FUTEX_REQUEUE:
    case FUTEX_CMP_REQUEUE:
    case FUTEX_WAKE_OP:
      return RunInStub(task, call);
  }
  return Errno(ENOSYS);  // Priority inheritance, and FUTEX_FD, which Linux has removed.
}

SyscallResult SysSetRobustList(Task& task, UserAddress head, uint64_t length) {
  if (length != kRobustListHeadSize) return Errno(EINVAL);
  // Walked by the sentry when the thread ends (kernel/robust_list.h).
  task.SetRobustList(head.address());
  return 0UL;
}

SyscallResult SysGetRobustList(Task& task, int32_t tid, UserOut<uint64_t> head,
                               UserOut<uint64_t> length) {
  // Only one's own: another's is read by its own thread alone.
  if (tid != 0 && tid != task.tid()) {
    TRY(task.kernel().tasks().Find(tid));
    return Errno(EPERM);
  }
  TRY(length.Write(task, kRobustListHeadSize));
  TRY(head.Write(task, task.robust_list()));
  return 0UL;
}

}  // namespace redoubt::syscalls
