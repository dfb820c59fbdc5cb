// SPDX-License-Identifier: Apache-2.0
//
// cgroup v2 has no devices.allow: the rules become an eBPF program that the kernel asks at each
// open and mknod of a device. The last rule that matches decides; none: refused.
#ifndef RUNSC_CGROUP_DEVICE_PROGRAM_H_
#define RUNSC_CGROUP_DEVICE_PROGRAM_H_

#include <linux/bpf.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "runsc/oci/resources.h"

namespace redoubt::cgroup {

std::vector<bpf_insn> CompileDeviceProgram(const std::vector<oci::DeviceRule>& rules);

// Loads it and attaches it to the cgroup, in place of what an earlier call attached there.
absl::Status AttachDeviceProgram(const std::string& directory,
                                 const std::vector<bpf_insn>& program);

}  // namespace redoubt::cgroup

#endif  // RUNSC_CGROUP_DEVICE_PROGRAM_H_
