// SPDX-License-Identifier: Apache-2.0
#include "runsc/cmd/do_options.h"

#include <stdlib.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace redoubt::runsc {

absl::StatusOr<std::string> ResolveHostPath(const std::string& path) {
  char* resolved = realpath(path.c_str(), nullptr);
  if (resolved == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": ", strerror(errno)));
  }
  std::string result = resolved;
  free(resolved);
  return result;
}

absl::StatusOr<Bind> ParseBind(const std::string& text) {
  std::vector<std::string> parts = absl::StrSplit(text, ':');
  Bind bind;
  if (parts.size() > 1 && (parts.back() == "rw" || parts.back() == "ro")) {
    bind.read_only = parts.back() == "ro";
    parts.pop_back();
  }
  if (parts.empty() || parts.size() > 2 || parts[0].empty()) {
    return absl::InvalidArgumentError(absl::StrCat("--bind ", text, ": want HOST[:GUEST][:rw|ro]"));
  }
  absl::StatusOr<std::string> host = ResolveHostPath(parts[0]);
  if (!host.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--bind ", std::string(host.status().message())));
  }
  bind.host_path = *host;
  bind.guest_path = parts.size() == 2 ? parts[1] : bind.host_path;
  if (bind.guest_path.empty() || bind.guest_path[0] != '/') {
    return absl::InvalidArgumentError(
        absl::StrCat("--bind ", text, ": the guest's path must be absolute"));
  }
  if (bind.guest_path == "/") {
    return absl::InvalidArgumentError(
        absl::StrCat("--bind ", text, ": use --root-dir for another root"));
  }
  return bind;
}

absl::StatusOr<Bind> ParseWritable(const std::string& directory) {
  absl::StatusOr<std::string> host = ResolveHostPath(directory);
  if (!host.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("--rw ", std::string(host.status().message())));
  }
  if (*host == "/") return absl::InvalidArgumentError("--rw /: the root stays under its overlay");
  return Bind{*host, *host, false};
}

absl::StatusOr<UserIds> ParseUser(const std::string& text) {
  std::vector<std::string> parts = absl::StrSplit(text, ':');
  UserIds ids;
  constexpr uint32_t kNoId = ~uint32_t{0};
  bool good = !parts.empty() && parts.size() <= 2 && absl::SimpleAtoi(parts[0], &ids.uid) &&
              ids.uid != kNoId;
  ids.gid = ids.uid;
  if (good && parts.size() == 2) good = absl::SimpleAtoi(parts[1], &ids.gid) && ids.gid != kNoId;
  if (!good) {
    return absl::InvalidArgumentError(absl::StrCat("--user ", text, ": want UID[:GID], numbers"));
  }
  return ids;
}

}  // namespace redoubt::runsc
