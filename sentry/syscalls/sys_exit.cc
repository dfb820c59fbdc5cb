// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/sys_exit.h"

#include <sys/wait.h>

#include "sentry/kernel/exit.h"
#include "sentry/kernel/job_control.h"
#include "sentry/syscalls/pidfd.h"
#include "sentry/syscalls/usage.h"

namespace redoubt::syscalls {

namespace {

using kernel::WaitRequest;
using kernel::WaitResult;

constexpr int kNoThread = 0x20000000, kAll = 0x40000000;  // __WNOTHREAD, __WALL.
constexpr int kClone = static_cast<int>(0x80000000);      // __WCLONE.
constexpr int kPidfd = 3;                                 // P_PIDFD.

void SetCommonOptions(WaitRequest& request, int options) {
  request.no_hang = (options & WNOHANG) != 0;
  request.continued = (options & WCONTINUED) != 0;
  request.only_clone_children = (options & kClone) != 0;
  request.all_children = (options & kAll) != 0;
}

// The si_* fields that waitid(2) fills: the words at 0 and at 16; the rest stays as it was.
struct WaitInfoHead {
  int32_t signal = 0, error = 0, code = 0;
};
struct WaitInfoTail {
  int32_t pid = 0;
  uint32_t uid = 0;
  int32_t status = 0;
};

Result<void> WriteInfo(Task& task, uint64_t address, const WaitResult& result) {
  WaitInfoHead head;
  WaitInfoTail tail;
  if (result.pid != 0) {
    head = {.signal = SIGCHLD, .code = result.code};
    tail = {result.pid, result.uid, kernel::WaitidStatus(result)};
  }
  TRY(task.CopyOut(address, head));
  return task.CopyOut(address + offsetof(abi::SignalInfo, fields), tail);
}

Result<void> SelectForWaitid(Task& task, int which, int id, WaitRequest& request) {
  switch (which) {
    case P_ALL:
      return {};
    case P_PID:
      if (id <= 0) return Errno(EINVAL);
      request.who = WaitRequest::Who::kProcess;
      request.id = id;
      return {};
    case P_PGID:
      if (id < 0) return Errno(EINVAL);
      request.who = WaitRequest::Who::kProcessGroup;
      request.id = id != 0 ? id : TRY(kernel::GetProcessGroup(task, 0));
      return {};
    case kPidfd:
      request.who = WaitRequest::Who::kProcess;
      request.id = TRY(GroupOfPidfd(task, id))->tgid();
      return {};
  }
  return Errno(EINVAL);
}

}  // namespace

SyscallResult SysExit(Task& task, int32_t code) {
  kernel::ExitTask(task, kernel::ExitedStatus(code));
  return 0UL;
}

SyscallResult SysExitGroup(Task& task, int32_t code) {
  kernel::ExitGroup(*task.group(), kernel::ExitedStatus(code));
  return 0UL;
}

SyscallResult SysWait4(Task& task, int32_t pid, UserOut<int32_t> status, int32_t options,
                       UserOut<abi::ResourceUsage> usage) {
  if ((options & ~(WNOHANG | WUNTRACED | WCONTINUED | kNoThread | kClone | kAll)) != 0) {
    return Errno(EINVAL);
  }
  if (pid == INT32_MIN) return Errno(ESRCH);
  WaitRequest request{.exited = true, .stopped = (options & WUNTRACED) != 0};
  SetCommonOptions(request, options);
  request.usage = static_cast<bool>(usage);
  if (pid > 0) {
    request.who = WaitRequest::Who::kProcess;
    request.id = pid;
  } else if (pid != -1) {
    request.who = WaitRequest::Who::kProcessGroup;
    request.id = pid < 0 ? -pid : TRY(kernel::GetProcessGroup(task, 0));
  }
  WaitResult result = TRY(kernel::Wait(task, request));
  if (result.pid == 0) return 0UL;
  TRY(status.WriteIfSet(task, result.status));
  TRY(usage.WriteIfSet(task, ToAbi(result.usage)));
  return static_cast<uint64_t>(result.pid);
}

SyscallResult SysWaitid(Task& task, int32_t which, int32_t id, UserOut<abi::SignalInfo> info,
                        int32_t options, UserOut<abi::ResourceUsage> usage) {
  constexpr int kStates = WEXITED | WSTOPPED | WCONTINUED;
  if ((options & ~(WNOHANG | WNOWAIT | kStates | kNoThread | kClone | kAll)) != 0) {
    return Errno(EINVAL);
  }
  if ((options & kStates) == 0) return Errno(EINVAL);
  WaitRequest request{.exited = (options & WEXITED) != 0,
                      .stopped = (options & WSTOPPED) != 0,
                      .keep = (options & WNOWAIT) != 0};
  SetCommonOptions(request, options);
  request.usage = static_cast<bool>(usage);
  TRY(SelectForWaitid(task, which, id, request));
  WaitResult result = TRY(kernel::Wait(task, request));
  if (result.pid != 0) TRY(usage.WriteIfSet(task, ToAbi(result.usage)));
  if (info) TRY(WriteInfo(task, info.address(), result));
  return 0UL;
}

}  // namespace redoubt::syscalls
