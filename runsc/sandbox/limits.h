// SPDX-License-Identifier: Apache-2.0
//
// What a guest is to see of a container's resources: LimitsOf at its start, LimitChange later.
#ifndef RUNSC_SANDBOX_LIMITS_H_
#define RUNSC_SANDBOX_LIMITS_H_

#include "runsc/oci/resources.h"
#include "sentry/boot/control.pb.h"
#include "sentry/kernel/sandbox_limits.h"

namespace redoubt::runsc {

kernel::SandboxLimits LimitsOf(const oci::LinuxResources& resources);
boot::SetLimits LimitChange(const oci::LinuxResources& resources);

}  // namespace redoubt::runsc

#endif  // RUNSC_SANDBOX_LIMITS_H_
