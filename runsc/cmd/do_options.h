// SPDX-License-Identifier: Apache-2.0
//
// The values of runsc do's options: --bind, --rw, --user.
#ifndef RUNSC_CMD_DO_OPTIONS_H_
#define RUNSC_CMD_DO_OPTIONS_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace redoubt::runsc {

struct Bind {
  std::string host_path;   // Absolute, exists.
  std::string guest_path;  // Absolute.
  bool read_only = true;
};

// HOST[:GUEST][:rw|ro]. A relative HOST is taken from the working directory; it must exist.
absl::StatusOr<Bind> ParseBind(const std::string& text);
// --rw DIR: the same place in the guest, writable.
absl::StatusOr<Bind> ParseWritable(const std::string& directory);

struct UserIds {
  uint32_t uid = 0, gid = 0;
};
// UID[:GID], numbers; without GID it is the same number.
absl::StatusOr<UserIds> ParseUser(const std::string& text);

// `path` made absolute and free of symlinks; it must exist.
absl::StatusOr<std::string> ResolveHostPath(const std::string& path);

}  // namespace redoubt::runsc

#endif  // RUNSC_CMD_DO_OPTIONS_H_
