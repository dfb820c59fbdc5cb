// SPDX-License-Identifier: Apache-2.0
//
// The signal mask that ppoll(2), pselect(2) and epoll_pwait(2) hold while they wait.
#ifndef SENTRY_SYSCALLS_TEMPORARY_MASK_H_
#define SENTRY_SYSCALLS_TEMPORARY_MASK_H_

#include "sentry/syscalls/args.h"

namespace redoubt::syscalls {

// set_user_sigmask(): nothing for a null pointer; EINVAL for a wrong size.
inline Result<void> SetTemporaryMask(Task& task, uint64_t mask, uint64_t size) {
  if (mask == 0) return {};
  if (size != sizeof(abi::SignalSet)) return Errno(EINVAL);
  task.SetTemporaryMask(TRY(task.CopyIn<abi::SignalSet>(mask)));
  return {};
}

// The call's end: a signal that interrupted it is to be delivered under the temporary mask, so only
// an uninterrupted call takes the old one back here. `interrupted` is the errno that says so.
template <typename T>
void EndTemporaryMask(Task& task, const Result<T>& result, int interrupted) {
  if (!result.Is(interrupted)) task.RestoreTemporaryMask();
}

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_TEMPORARY_MASK_H_
