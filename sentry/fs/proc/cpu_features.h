// SPDX-License-Identifier: Apache-2.0
//
// The "flags" of /proc/cpuinfo: names of CPUID's feature bits (arch/x86/include/asm/cpufeatures.h),
// as far as a program may use what they stand for. CPUID is not trapped: the guest finds the same.
#ifndef SENTRY_FS_PROC_CPU_FEATURES_H_
#define SENTRY_FS_PROC_CPU_FEATURES_H_

#include <cstdint>
#include <string>

namespace redoubt::proc {

// In the order that CPUID's texts are put together in.
struct CpuidResult {
  uint32_t a = 0, b = 0, c = 0, d = 0;
};
// Zeros beyond the processor's last leaf.
CpuidResult Cpuid(uint32_t leaf, uint32_t subleaf = 0);

std::string CpuFlags();

}  // namespace redoubt::proc

#endif  // SENTRY_FS_PROC_CPU_FEATURES_H_
