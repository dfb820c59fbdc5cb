// SPDX-License-Identifier: Apache-2.0
//
// The second wall of the stubs. Guest code runs under PTRACE_SYSEMU and makes no host call at all;
// this filter is for calls that the sentry injects, should the sentry be taken over: memory calls,
// futexes, clocks, plain clones, the hand-over of a file, and no others.
#ifndef PLATFORM_PTRACE_STUB_FILTER_H_
#define PLATFORM_PTRACE_STUB_FILTER_H_

#include <linux/filter.h>

#include <vector>

namespace redoubt::platform::ptrace {

// Anything else fails with EPERM; a 32-bit call ends the stub.
std::vector<sock_filter> BuildStubFilter();

}  // namespace redoubt::platform::ptrace

#endif  // PLATFORM_PTRACE_STUB_FILTER_H_
