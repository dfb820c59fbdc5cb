// SPDX-License-Identifier: Apache-2.0
//
// SandboxSpec: one sandbox and its container as a person or an engine asked for them, before
// anything is made. `do` fills it in from flags, `create` from a config.json.
#ifndef RUNSC_SANDBOX_SANDBOX_SPEC_H_
#define RUNSC_SANDBOX_SANDBOX_SPEC_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "platform/registry.h"
#include "sentry/boot/sentry_config.h"

namespace redoubt::runsc {

// A tree (or one file) of the host that the gofer serves; its place in the list is the attach
// point's number.
struct GoferSource {
  std::string host_path;  // Absolute, exists.
  bool read_only = true;
  bool recursive = true;  // With what the host has mounted below it.
};

struct SandboxSpec {
  const platform::PlatformType* platform = nullptr;
  bool strace = false;

  std::vector<GoferSource> sources;       // 0 is the root.
  std::vector<boot::MountConfig> mounts;  // The first is the root.
  bool read_only_root = false;
  std::vector<boot::DeviceConfig> devices;
  std::vector<std::string> masked_paths, readonly_paths;
  std::vector<std::pair<std::string, std::string>> sysctl;

  boot::ProcessSpec process;
  bool make_working_directory = false;
  std::string hostname = "redoubt";
  std::string domainname;
  kernel::SandboxLimits limits;  // As the guest is to see them; the host's part is a cgroup.
};

}  // namespace redoubt::runsc

#endif  // RUNSC_SANDBOX_SANDBOX_SPEC_H_
