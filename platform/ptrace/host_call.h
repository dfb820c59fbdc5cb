// SPDX-License-Identifier: Apache-2.0
//
// Host calls by injection: the tracee runs `syscall; int3` of the stub's own code, untouched by
// SYSEMU, and its SIGTRAP brings the result. One stop a call, where syscall entry and exit stops
// would be two or three.
#ifndef PLATFORM_PTRACE_HOST_CALL_H_
#define PLATFORM_PTRACE_HOST_CALL_H_

#include <atomic>

#include "base/result.h"
#include "platform/platform.h"
#include "platform/ptrace/stub_image.h"
#include "platform/ptrace/tracee.h"

namespace redoubt::platform::ptrace {

// Makes the call at `site` in the attached tracee, whose registers are lost. ESRCH if it dies.
// A call that may block, and only such a one, ends with EINTR once `*interrupted` holds (null:
// never); whoever sets it sends the interrupt signal afterwards. Other calls are carried through.
SyscallResult InjectCall(Tracee& tracee, const CallSite& site, const HostCallRequest& request,
                         const std::atomic<bool>* interrupted = nullptr);

// Whether the call may sleep for a time that others decide.
bool MayBlock(const HostCallRequest& request);

}  // namespace redoubt::platform::ptrace

#endif  // PLATFORM_PTRACE_HOST_CALL_H_
