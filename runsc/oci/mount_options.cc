// SPDX-License-Identifier: Apache-2.0
#include "runsc/oci/mount_options.h"

#include <sys/mount.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "absl/strings/str_cat.h"

namespace redoubt::oci {

namespace {

struct Word {
  std::string_view name;
  unsigned long set = 0, clear = 0;
};

constexpr Word kWords[] = {
    {"async", 0, MS_SYNCHRONOUS},
    {"atime", 0, MS_NOATIME},
    {"defaults", 0, 0},
    {"dev", 0, MS_NODEV},
    {"diratime", 0, MS_NODIRATIME},
    {"dirsync", MS_DIRSYNC, 0},
    {"exec", 0, MS_NOEXEC},
    {"iversion", 0, 0},
    {"lazytime", 0, 0},
    {"loud", 0, 0},
    {"mand", 0, 0},
    {"noatime", MS_NOATIME, 0},
    {"nodev", MS_NODEV, 0},
    {"nodiratime", MS_NODIRATIME, 0},
    {"noexec", MS_NOEXEC, 0},
    {"noiversion", 0, 0},
    {"nolazytime", 0, 0},
    {"nomand", 0, 0},
    {"norelatime", 0, MS_RELATIME},
    {"nostrictatime", 0, 0},
    {"nosuid", MS_NOSUID, 0},
    {"nosymfollow", 0, 0},
    {"relatime", MS_RELATIME, 0},
    {"ro", MS_RDONLY, 0},
    {"rw", 0, MS_RDONLY},
    {"silent", 0, 0},
    {"strictatime", 0, 0},
    {"suid", 0, MS_NOSUID},
    {"symfollow", 0, 0},
    {"sync", MS_SYNCHRONOUS, 0},
};

// For the whole tree below a bind. Mounts below the source come with it as one file system here, so
// these are the same as without the r; but rro also closes what is mounted below.
constexpr std::string_view kRecursive[] = {
    "rro",       "rrw",          "rnosuid",      "rsuid",          "rnodev",
    "rdev",      "rnoexec",      "rexec",        "rnoatime",       "ratime",
    "rrelatime", "rnorelatime",  "rstrictatime", "rnostrictatime", "rnodiratime",
    "rdiratime", "rnosymfollow", "rsymfollow"};

// The sandbox has one mount namespace, and it shares nothing with the host's.
constexpr std::string_view kPropagation[] = {"private", "rprivate", "shared",     "rshared",
                                             "slave",   "rslave",   "unbindable", "runbindable"};

// Words for other parts of an engine.
constexpr std::string_view kIgnored[] = {"nofail", "copy-symlink", "src-nofollow"};

bool Contains(const auto& list, std::string_view name) {
  return std::find(std::begin(list), std::end(list), name) != std::end(list);
}

bool ApplyWord(std::string_view name, MountOptions* result) {
  for (const Word& word : kWords) {
    if (word.name != name) continue;
    result->flags = (result->flags | word.set) & ~word.clear;
    return true;
  }
  return false;
}

}  // namespace

absl::StatusOr<MountOptions> ParseMountOptions(const std::vector<std::string>& options) {
  MountOptions result;
  for (const std::string& option : options) {
    if (option == "bind" || option == "rbind") {
      result.bind = true;
      result.recursive = option == "rbind";
    } else if (option == "idmap" || option == "ridmap") {
      return absl::InvalidArgumentError(
          absl::StrCat("option ", option, ": id-mapped mounts are not supported"));
    } else if (Contains(kRecursive, option)) {
      ApplyWord(std::string_view(option).substr(1), &result);
      if (option == "rro") result.recursive_read_only = true;
      if (option == "rrw") result.recursive_read_only = false;
    } else if (ApplyWord(option, &result) || Contains(kPropagation, option) ||
               Contains(kIgnored, option)) {
      continue;
    } else {
      absl::StrAppend(&result.data, result.data.empty() ? "" : ",", option);
    }
  }
  return result;
}

std::vector<std::string> KnownMountOptions() {
  std::vector<std::string> names = {"bind", "rbind"};
  for (const Word& word : kWords) names.emplace_back(word.name);
  for (std::string_view name : kRecursive) names.emplace_back(name);
  for (std::string_view name : kPropagation) names.emplace_back(name);
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace redoubt::oci
