// SPDX-License-Identifier: Apache-2.0
//
// Spec: a bundle's config.json (the OCI runtime-spec) as plain values, checked.
//
//   absl::StatusOr<Spec> spec = LoadSpec(bundle);      // BUNDLE/config.json
//   if (!spec.ok()) ... "config.json: process.cwd: must be absolute, is \"tmp\""
//
// Any ociVersion 1.x is taken, and keys that nobody knows are ignored, as the specification asks.
// An error is one line: where, what, and what would be right.
#ifndef RUNSC_OCI_SPEC_H_
#define RUNSC_OCI_SPEC_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "runsc/oci/resources.h"

namespace redoubt::oci {

struct Mount {
  std::string destination, type, source;
  std::vector<std::string> options;
};

// Each set a mask by capability number.
struct Capabilities {
  uint64_t bounding = 0, effective = 0, permitted = 0, inheritable = 0, ambient = 0;
};

struct Rlimit {
  int resource = 0;  // RLIMIT_*
  uint64_t soft = 0, hard = 0;
};

struct ConsoleSize {
  uint16_t height = 0, width = 0;
};

struct Process {
  bool terminal = false;
  ConsoleSize console_size;
  uint32_t uid = 0, gid = 0;
  std::vector<uint32_t> additional_gids;
  std::optional<uint32_t> umask;
  std::vector<std::string> args, env;
  std::string cwd;
  Capabilities capabilities;
  std::vector<Rlimit> rlimits;
  bool no_new_privileges = false;
  std::optional<int> oom_score_adj;
  bool has_security_label = false;  // AppArmor or SELinux: neither exists in the sandbox.
};

struct Hook {
  std::string path;
  std::vector<std::string> args, env;
  std::optional<int> timeout_seconds;
};

struct Hooks {
  std::vector<Hook> prestart, create_runtime, create_container, start_container, poststart,
      poststop;
};

struct Namespace {
  std::string type, path;
};

struct Device {
  std::string path;
  char type = 'c';
  uint32_t major = 0, minor = 0;
  uint32_t file_mode = 0666;
  uint32_t uid = 0, gid = 0;
};

struct IdMapping {
  uint32_t container_id = 0, host_id = 0, size = 0;
};

struct Linux {
  std::vector<Namespace> namespaces;
  std::vector<IdMapping> uid_mappings, gid_mappings;
  std::vector<Device> devices;
  std::vector<std::pair<std::string, std::string>> sysctl;
  std::string cgroups_path;
  LinuxResources resources;
  std::vector<std::string> masked_paths, readonly_paths;
  std::string rootfs_propagation;
  std::string seccomp;  // Its JSON, for CompileSeccomp; empty: none.
};

struct Spec {
  std::string oci_version;
  std::string root_path;  // Absolute.
  bool root_readonly = false;
  std::string hostname, domainname;
  std::vector<Mount> mounts;
  Process process;
  Hooks hooks;
  std::map<std::string, std::string> annotations;
  Linux linux_;

  // Null: the container asks for none of this type.
  const Namespace* FindNamespace(std::string_view type) const;
};

// Reads and checks `directory`/config.json; relative paths in it start at `bundle`.
absl::StatusOr<Spec> LoadSpec(const std::string& directory, const std::string& bundle);
inline absl::StatusOr<Spec> LoadSpec(const std::string& bundle) { return LoadSpec(bundle, bundle); }
absl::StatusOr<Spec> ParseSpec(std::string_view text, const std::string& bundle);
// The runtime-spec's process object: what `exec --process` reads.
absl::StatusOr<Process> ParseProcess(std::string_view text);

// A whole small file (at most 16 MiB), or why it cannot be read.
absl::StatusOr<std::string> ReadTextFile(const std::string& path);

}  // namespace redoubt::oci

#endif  // RUNSC_OCI_SPEC_H_
