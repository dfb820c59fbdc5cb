// SPDX-License-Identifier: Apache-2.0
//
// Which Linux the sentry says it is: uname(2), /proc/version, /proc/sys/kernel. Programs decide by
// it which calls to try, so it is the release whose system-call table ours follows.
#ifndef ABI_LINUX_VERSION_H_
#define ABI_LINUX_VERSION_H_

namespace redoubt::abi {

inline constexpr char kSystemName[] = "Linux";
inline constexpr char kLinuxRelease[] = "6.1.0-redoubt";
inline constexpr char kLinuxVersion[] = "#1 SMP PREEMPT_DYNAMIC Redoubt";
inline constexpr char kMachine[] = "x86_64";

}  // namespace redoubt::abi

#endif  // ABI_LINUX_VERSION_H_
