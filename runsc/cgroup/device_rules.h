// SPDX-License-Identifier: Apache-2.0
//
// What both kinds of device control share: the list of rules, later ones over earlier ones.
#ifndef RUNSC_CGROUP_DEVICE_RULES_H_
#define RUNSC_CGROUP_DEVICE_RULES_H_

#include <string>
#include <vector>

#include "runsc/oci/resources.h"

namespace redoubt::cgroup {

// Adds what every container may use whatever its rules say (null, zero, full, random, urandom, tty,
// ptys; making nodes of any kind), as the other runtimes do.
std::vector<oci::DeviceRule> WithStandardDevices(std::vector<oci::DeviceRule> rules);

// As devices.allow and devices.deny take it: "c 1:3 rwm", "b *:* m", "a".
std::string DeviceRuleText(const oci::DeviceRule& rule);

}  // namespace redoubt::cgroup

#endif  // RUNSC_CGROUP_DEVICE_RULES_H_
