// SPDX-License-Identifier: Apache-2.0
//
// The seccomp-trap platform. Stubs run guest code natively behind a seccomp filter; a system call
// becomes SIGSYS, whose handler in the stub (the shim) hands it to the sentry through shared
// memory. README.md in this folder tells the whole story.
#ifndef PLATFORM_SECCOMP_TRAP_SECCOMP_TRAP_H_
#define PLATFORM_SECCOMP_TRAP_SECCOMP_TRAP_H_

#include "platform/registry.h"

namespace redoubt::platform {
const PlatformType& SeccompTrapPlatformType();
}  // namespace redoubt::platform

#endif  // PLATFORM_SECCOMP_TRAP_SECCOMP_TRAP_H_
