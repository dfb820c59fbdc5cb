// SPDX-License-Identifier: Apache-2.0
//
// The options of a mount in config.json (mount(8)'s words), sorted into what they mean.
#ifndef RUNSC_OCI_MOUNT_OPTIONS_H_
#define RUNSC_OCI_MOUNT_OPTIONS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace redoubt::oci {

struct MountOptions {
  unsigned long flags = 0;  // MS_RDONLY, MS_NOSUID ...
  bool bind = false;
  bool recursive = false;            // rbind.
  bool recursive_read_only = false;  // rro: mounts below the source too.
  std::string data;                  // What is left, for the file system: "size=64m,mode=1777".
};

// The last of two that contradict each other counts. An error names an option that is refused.
absl::StatusOr<MountOptions> ParseMountOptions(const std::vector<std::string>& options);

// All that are known, for `runsc features`.
std::vector<std::string> KnownMountOptions();

}  // namespace redoubt::oci

#endif  // RUNSC_OCI_MOUNT_OPTIONS_H_
