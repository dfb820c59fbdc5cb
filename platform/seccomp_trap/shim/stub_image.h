// SPDX-License-Identifier: Apache-2.0
//
// The stub executable, embedded: what the zygote is started from.
#ifndef PLATFORM_SECCOMP_TRAP_SHIM_STUB_IMAGE_H_
#define PLATFORM_SECCOMP_TRAP_SHIM_STUB_IMAGE_H_

#include <span>

namespace redoubt::platform::seccomp_trap {
std::span<const unsigned char> StubImage();
}  // namespace redoubt::platform::seccomp_trap

#endif  // PLATFORM_SECCOMP_TRAP_SHIM_STUB_IMAGE_H_
