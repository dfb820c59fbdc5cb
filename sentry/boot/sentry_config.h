// SPDX-License-Identifier: Apache-2.0
//
// Everything a sentry is told at its start. The launcher fills it in and forks; nothing is parsed.
#ifndef SENTRY_BOOT_SENTRY_CONFIG_H_
#define SENTRY_BOOT_SENTRY_CONFIG_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/owned_fd.h"
#include "platform/registry.h"
#include "sentry/boot/control.pb.h"
#include "sentry/kernel/sandbox_limits.h"

namespace redoubt::boot {

enum class MountKind : uint8_t { kGofer, kTmpfs, kProc, kSysfs, kDevpts, kMqueue, kCgroup };

// One mount of the guest's first mount namespace.
struct MountConfig {
  MountKind kind = MountKind::kGofer;
  std::string guest_path;   // Absolute; "/" for the root.
  std::string source;       // As /proc/mounts shows it.
  unsigned long flags = 0;  // MS_RDONLY ...
  std::string data;         // mount(2)'s, for file systems that the sentry itself provides.

  // kGofer: the files of one attach point.
  uint32_t attach_point = 0;
  bool overlay = false;  // Changes stay in the sentry's memory.
  bool shared = false;   // The host may change it while the guest runs.
  bool is_file = false;  // A bind of one file.
};

// A device node to make.
struct DeviceConfig {
  std::string path;
  uint32_t type = 0;  // S_IFCHR ...
  uint64_t number = 0;
  uint32_t permissions = 0666;
  uint32_t uid = 0, gid = 0;
};

struct SentryConfig {
  const platform::PlatformType* platform = nullptr;

  OwnedFd control;  // See control.h.
  OwnedFd gofer;    // See gofer/protocol/channel.h.
  int log_fd = -1;  // Not owned: lives as long as the process.
  bool strace = false;
  bool log_filter_breaches = false;  // For developers; see host::FilterOptions.

  // In this order; the first is the root. The devices that every program expects are put into what
  // is at /dev then, if that is no gofer's; a tmpfs is mounted there if there is nothing.
  std::vector<MountConfig> mounts;
  bool read_only_root = false;  // Once the places of the other mounts are made.
  std::vector<DeviceConfig> devices;
  std::vector<std::string> masked_paths;    // Read as empty.
  std::vector<std::string> readonly_paths;  // Only closed for writing.
  std::vector<std::pair<std::string, std::string>> sysctl;

  ProcessSpec process;
  bool make_working_directory = false;  // The process's, when it is not there.
  // Descriptors 0, 1, 2 ... of the first process; an invalid one leaves the number closed.
  std::vector<OwnedFd> descriptors;

  std::string hostname = "redoubt";
  std::string domainname;  // Empty: none.
  int max_tasks = 4096;
  kernel::SandboxLimits limits;
};

}  // namespace redoubt::boot

#endif  // SENTRY_BOOT_SENTRY_CONFIG_H_
