// SPDX-License-Identifier: Apache-2.0
//
// The seccomp filter of a process of ours (the sentry, the gofer), made from a list that a person
// can read: each allowed call stands there with its reason, everything else ends the process.
//
//   std::vector<AllowedCall> calls = host::CommonCalls();
//   calls.push_back({SYS_fsync, "makes a guest's fsync(2) true", {}});
//   TRY(host::InstallFilter(calls, {.refused = host::CommonRefusals()}));
//
// (The stubs' filter is another thing: it is written by hand, see platform/seccomp_trap.)
#ifndef BASE_HOST_FILTER_H_
#define BASE_HOST_FILTER_H_

#include <span>
#include <string>
#include <vector>

#include "base/host/allowed_call.h"
#include "base/result.h"

namespace redoubt::host {

// A call that fails with `error` instead of ending the process: one that the C library tries first
// and does without.
struct RefusedCall {
  long number = 0;
  int error = 0;
  const char* reason = "";
};

struct FilterOptions {
  std::vector<RefusedCall> refused;
  // For developers: a call that is not in the list is logged by name and fails with EPERM, and the
  // process lives on. Uses SIGSYS.
  bool log_and_refuse = false;
};

// Installs the filter for all threads of the process, with no_new_privs. Cannot be undone.
Result<void> InstallFilter(std::span<const AllowedCall> calls, const FilterOptions& options);

// The list as text, one call a line: name, argument rules, reason.
std::string DescribeFilter(std::span<const AllowedCall> calls, const FilterOptions& options);

// The name of a system call of this machine, or its number as text.
std::string SyscallName(long number);

}  // namespace redoubt::host

#endif  // BASE_HOST_FILTER_H_
