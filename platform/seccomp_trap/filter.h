// SPDX-License-Identifier: Apache-2.0
//
// The wall: the seccomp filter of every stub, as a BPF program.
//
//   any 32-bit call, any x32 number                        TRAP
//   futex: WAIT, WAKE, their BITSET forms, (CMP_)REQUEUE   ALLOW
//   sched_yield                                            ALLOW
//   memory calls off the shim (native_memory.h)            ALLOW
//   from the shim's gate only:
//     rt_sigreturn, exit, close, madvise(the slots, DONTFORK)   ALLOW
//     the calls of IsNotifiedCall                               USER_NOTIF: the notifier lets pass
//                                                               exactly what the sentry has ordered
//   everything else                                        TRAP: SIGSYS, a request to the sentry
//
// A guest may jump to the gate. What it gains: it forges its own registers and host signal mask
// (rt_sigreturn), ends its own thread, closes a descriptor that only itself could map, or moves its
// own memory unseen (mremap).
#ifndef PLATFORM_SECCOMP_TRAP_FILTER_H_
#define PLATFORM_SECCOMP_TRAP_FILTER_H_

#include <linux/filter.h>

#include <vector>

#include "platform/seccomp_trap/protocol.h"

namespace redoubt::platform::seccomp_trap {

// Without `native_memory_calls` the sentry sees each memory call.
std::vector<sock_filter> BuildFilter(const ShimInfo& shim, bool native_memory_calls);

// A second filter, for a thread whose every call is to reach the sentry (the host obeys the
// stricter one): what guest code may do natively under the first one traps. The gate is left alone,
// and `guest_call`, where the sentry's orders run as guest code.
std::vector<sock_filter> BuildReportingFilter(const ShimInfo& shim);

// Calls that the sentry may order a stub to make.
bool IsNotifiedCall(long number);

// futex operations that the filter allows natively (without FUTEX_PRIVATE and CLOCK_REALTIME).
bool IsNativeFutex(uint64_t operation);

}  // namespace redoubt::platform::seccomp_trap

#endif  // PLATFORM_SECCOMP_TRAP_FILTER_H_
