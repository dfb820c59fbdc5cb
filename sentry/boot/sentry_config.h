// SPDX-License-Identifier: Apache-2.0
//
// Everything a sentry is told at its start. The launcher fills it in and forks; nothing is parsed.
#ifndef SENTRY_BOOT_SENTRY_CONFIG_H_
#define SENTRY_BOOT_SENTRY_CONFIG_H_

#include <cstdint>
#include <string>
#include <vector>

#include "base/owned_fd.h"
#include "platform/registry.h"

namespace redoubt::boot {

// One attach point of the gofer and where the guest sees it.
struct GoferMount {
  uint32_t attach_point = 0;
  std::string guest_path;  // Absolute; "/" for the root.
  std::string source;      // As /proc/mounts shows it.
  bool read_only = true;
  bool overlay = false;  // Changes stay in the sentry's memory.
  bool shared = false;   // The host may change it while the guest runs.
  bool is_file = false;  // A bind of one file.
};

struct SentryConfig {
  const platform::PlatformType* platform = nullptr;

  OwnedFd control;  // See control.h.
  OwnedFd gofer;    // See gofer/protocol/channel.h.
  int log_fd = -1;  // Not owned: lives as long as the process.
  bool strace = false;
  bool log_filter_breaches = false;  // For developers; see host::FilterOptions.

  std::vector<GoferMount> mounts;  // The first is the root.

  // Descriptors 0, 1, 2 ... of the first process; an invalid one leaves the number closed.
  std::vector<OwnedFd> descriptors;
  bool terminal = false;  // --tty: the guest gets a pty of its own, joined to descriptors 0 and 1.

  std::string file;
  std::vector<std::string> arguments;
  std::vector<std::string> environment;
  std::string working_directory = "/";
  uint32_t uid = 0, gid = 0;
  std::vector<uint32_t> groups;
  uint64_t capabilities = 0;
  uint32_t umask = 022;
  std::string hostname = "redoubt";
  int max_tasks = 4096;
};

}  // namespace redoubt::boot

#endif  // SENTRY_BOOT_SENTRY_CONFIG_H_
