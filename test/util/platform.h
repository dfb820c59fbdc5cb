// SPDX-License-Identifier: Apache-2.0
//
// Where the test runs: natively, or on one of Redoubt's platforms.
//
// The same binary must see the same behaviour everywhere. The few legitimate differences are
// written down where they are tolerated, each with its reason:
//
//   // No network namespace of the host is visible: ...
//   if (!InSandbox()) EXPECT_THAT(...);

#ifndef REDOUBT_TEST_UTIL_PLATFORM_H_
#define REDOUBT_TEST_UTIL_PLATFORM_H_

#include <cstdlib>
#include <string>

namespace redoubt::test {

// "ptrace" or "seccomp_trap" inside the sandbox, empty natively; set by run_syscall_test.sh.
inline std::string PlatformName() {
  const char* name = getenv("REDOUBT_PLATFORM");
  return name == nullptr ? "" : name;
}

inline bool InSandbox() { return !PlatformName().empty(); }

}  // namespace redoubt::test

#endif  // REDOUBT_TEST_UTIL_PLATFORM_H_
