// SPDX-License-Identifier: Apache-2.0
//
// Which Linux the sentry says it is, under this folder's names: see abi/linux/version.h.
#ifndef SENTRY_SYSCALLS_LINUX_VERSION_H_
#define SENTRY_SYSCALLS_LINUX_VERSION_H_

#include "abi/linux/version.h"

namespace redoubt::syscalls {

using abi::kLinuxRelease;
using abi::kLinuxVersion;
using abi::kMachine;
using abi::kSystemName;

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_LINUX_VERSION_H_
