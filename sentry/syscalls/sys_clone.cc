// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/sys_clone.h"

#include <sched.h>

#include "sentry/kernel/clone.h"
#include "sentry/kernel/kernel.h"
#include "sentry/syscalls/extensible_struct.h"
#include "sentry/syscalls/install_file.h"
#include "sentry/syscalls/pidfd.h"

namespace redoubt::syscalls {

namespace {

constexpr uint64_t kSignalBits = CSIGNAL;
constexpr uint64_t kPageSize = 4096;
constexpr uint64_t kClearSignalHandlers = 0x100000000;  // CLONE_CLEAR_SIGHAND.
constexpr uint64_t kLegacyFlags = 0xffffffff;
constexpr uint64_t kMaximumNamespaceLevels = 32;  // MAX_PID_NS_LEVEL.

// clone3_args_valid() and the checks of copy_clone_args_from_user().
Result<void> CheckArguments(Task& task, const abi::CloneArguments& arguments) {
  if (arguments.set_tid_size > kMaximumNamespaceLevels) return Errno(EINVAL);
  if ((arguments.set_tid == 0) != (arguments.set_tid_size == 0)) return Errno(EINVAL);
  if (arguments.exit_signal > static_cast<uint64_t>(abi::kSignalCount)) return Errno(EINVAL);
  if ((arguments.flags & ~(kLegacyFlags | kClearSignalHandlers)) != 0) return Errno(EINVAL);
  if ((arguments.flags & (CLONE_DETACHED | (CSIGNAL & ~uint64_t{CLONE_NEWTIME}))) != 0) {
    return Errno(EINVAL);
  }
  if ((arguments.flags & (CLONE_SIGHAND | kClearSignalHandlers)) ==
      (CLONE_SIGHAND | kClearSignalHandlers)) {
    return Errno(EINVAL);
  }
  if ((arguments.flags & (CLONE_THREAD | CLONE_PARENT)) != 0 && arguments.exit_signal != 0) {
    return Errno(EINVAL);
  }
  if ((arguments.stack == 0) != (arguments.stack_size == 0)) return Errno(EINVAL);
  // Choosing the child's tid is for checkpoint and restore.
  if (arguments.set_tid_size != 0) return Errno(EPERM);
  return {};
}

// CLONE_PIDFD: the descriptor is there, and its number told, before the child is, so that no error
// can come after it.
SyscallResult CloneWithPidfd(Task& task, kernel::CloneRequest request) {
  if ((request.flags & (CLONE_THREAD | CLONE_DETACHED)) != 0) return Errno(EINVAL);
  RefPtr<PidFd> pidfd = PidFd::Create(nullptr, 0);
  int fd = TRY(InstallFile(task, pidfd, true));
  request.flags &= ~uint64_t{CLONE_PIDFD};
  Result<void> told = task.CopyOut(request.pidfd, int32_t{fd});
  SyscallResult child = told.ok() ? kernel::Clone(task, request) : told.error();
  if (!child.ok()) {
    (void)task.fd_table()->Close(fd, task.tgid());
    return child;
  }
  // A child that has been reaped already leaves a pidfd without a process: ESRCH for ever.
  Result<RefPtr<kernel::ThreadGroup>> group =
      task.kernel().tasks().FindGroup(static_cast<int>(*child));
  if (group.ok()) pidfd->Bind(*group);
  return child;
}

SyscallResult RunClone(Task& task, const kernel::CloneRequest& request) {
  if ((request.flags & CLONE_PIDFD) != 0) return CloneWithPidfd(task, request);
  return kernel::Clone(task, request);
}

}  // namespace

SyscallResult SysFork(Task& task) { return kernel::Clone(task, {.exit_signal = SIGCHLD}); }

SyscallResult SysVfork(Task& task) {
  return kernel::Clone(task, {.flags = CLONE_VFORK | CLONE_VM, .exit_signal = SIGCHLD});
}

SyscallResult SysClone(Task& task, CloneFlags flags, UserAddress stack, UserAddress parent_tid,
                       UserAddress child_tid, UserAddress tls) {
  kernel::CloneRequest request;
  request.flags = flags & kLegacyFlags & ~kSignalBits;
  request.exit_signal = static_cast<int>(flags & kSignalBits);
  request.stack = stack.address();
  request.child_tid = child_tid.address();
  request.tls = tls.address();
  // One register serves both.
  if ((flags & CLONE_PIDFD) != 0) {
    if ((flags & CLONE_PARENT_SETTID) != 0) return Errno(EINVAL);
    request.pidfd = parent_tid.address();
  } else {
    request.parent_tid = parent_tid.address();
  }
  return RunClone(task, request);
}

SyscallResult SysClone3(Task& task, UserIn<abi::CloneArguments> user, uint64_t size) {
  if (size > kPageSize) return Errno(E2BIG);
  if (size < abi::kCloneArgumentsMinimum) return Errno(EINVAL);
  abi::CloneArguments arguments =
      TRY(CopyInExtensible<abi::CloneArguments>(task, user.address(), size));
  TRY(CheckArguments(task, arguments));
  kernel::CloneRequest request;
  request.flags = arguments.flags;
  request.exit_signal = static_cast<int>(arguments.exit_signal);
  request.stack = arguments.stack + arguments.stack_size;
  request.parent_tid = arguments.parent_tid;
  request.child_tid = arguments.child_tid;
  request.tls = arguments.tls;
  request.pidfd = arguments.pidfd;
  return RunClone(task, request);
}

SyscallResult SysUnshare(Task& task, CloneFlags flags) {
  TRY(kernel::Unshare(task, flags));
  return 0UL;
}

SyscallResult SysSetTidAddress(Task& task, UserAddress address) {
  task.clear_child_tid = address.address();
  return static_cast<uint64_t>(task.tid());
}

}  // namespace redoubt::syscalls
