// SPDX-License-Identifier: Apache-2.0
//
// /proc/{stat,uptime,loadavg,cpuinfo}: processors and the time they spent.
#ifndef SENTRY_FS_PROC_SYSTEM_CPU_H_
#define SENTRY_FS_PROC_SYSTEM_CPU_H_

#include <string>

#include "base/result.h"
#include "sentry/kernel/kernel.h"

namespace redoubt::proc {

Result<std::string> SystemStat(kernel::Kernel& kernel);
Result<std::string> Uptime(kernel::Kernel& kernel);
Result<std::string> Loadavg(kernel::Kernel& kernel);
// cpuinfo.cc. The processors' frequency is measured from the first call of the second on.
Result<std::string> Cpuinfo(kernel::Kernel& kernel);
void StartMeasuringFrequency();

}  // namespace redoubt::proc

#endif  // SENTRY_FS_PROC_SYSTEM_CPU_H_
