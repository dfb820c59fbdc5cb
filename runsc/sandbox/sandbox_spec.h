// SPDX-License-Identifier: Apache-2.0
//
// SandboxSpec: one sandbox as a person asked for it, before anything is made.
#ifndef RUNSC_SANDBOX_SANDBOX_SPEC_H_
#define RUNSC_SANDBOX_SANDBOX_SPEC_H_

#include <cstdint>
#include <string>
#include <vector>

#include "platform/registry.h"

namespace redoubt::runsc {

struct Bind {
  std::string host_path;   // Absolute, exists.
  std::string guest_path;  // Absolute.
  bool read_only = true;
};

struct SandboxSpec {
  const platform::PlatformType* platform = nullptr;

  std::string root = "/";   // The host directory that is the guest's root, under an overlay.
  std::vector<Bind> binds;  // Mounted over it in this order.

  std::vector<std::string> command;
  std::vector<std::string> environment;
  std::string working_directory;  // In the guest.
  uint32_t uid = 0, gid = 0;
  std::vector<uint32_t> groups;
  uint32_t umask = 022;
  std::string hostname = "redoubt";
  bool terminal = false;

  std::string debug_log;  // A file; empty: none.
  bool strace = false;
};

}  // namespace redoubt::runsc

#endif  // RUNSC_SANDBOX_SANDBOX_SPEC_H_
