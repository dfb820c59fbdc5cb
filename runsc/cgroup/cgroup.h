// SPDX-License-Identifier: Apache-2.0
//
// Cgroup: the control group of one container on the host, made through the file system (the "fs"
// or "cgroupfs" driver), on a host with cgroup v1, v2, or both (then the v1 controllers count).
//
//   create:   auto group = TRY(Cgroup::Resolve({.cgroups_path = spec.linux.cgroups_path,
//                                               .container_id = id}));
//             group->Create();  group->Enter(pid);  group->Apply(resources);
//             state.cgroup_paths = group->paths();
//   later:    auto group = TRY(Cgroup::FromPaths(state.cgroup_paths));
//             group->Freeze(); group->Thaw(); group->Signal(SIGKILL); group->Delete(...);
//
// One cgroup v1 container is a directory in each hierarchy, hence the map of paths; on v2 the map
// has one entry, with the empty name. Errors are one line for a person, and name file and value.
//
// Rules taken from runc, because engines and their tests depend on them: a relative path starts at
// the caller's own cgroup; without privileges (rootless), a cgroup that was not asked for by name
// and cannot be made is left out, and only then a limit for it is an error; device rules that a
// user may not set are left out.
#ifndef RUNSC_CGROUP_CGROUP_H_
#define RUNSC_CGROUP_CGROUP_H_

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "nlohmann/json_fwd.hpp"
#include "runsc/oci/resources.h"

namespace redoubt::cgroup {

// Controller ("memory", "name=systemd", ...; "" for the unified hierarchy) to directory.
using Paths = std::map<std::string, std::string>;

struct Request {
  std::string cgroups_path =
      {};  // linux.cgroupsPath. Empty: the container's id, in our own cgroup.
  std::string container_id = {};
  bool systemd = false;   // --systemd-cgroup
  bool rootless = false;  // What lack of privilege refuses is left out where runc does so.
};

// Where the host tells of its cgroups. Tests put a tree of their own there.
struct HostView {
  std::string mountinfo = "/proc/self/mountinfo";
  std::string own_cgroups = "/proc/self/cgroup";
  std::string systemd = "/run/systemd/system";  // Exists where systemd runs.
};

class Cgroup {
 public:
  // Finds the directories; makes nothing. Refuses the systemd driver, and a path in its form.
  static absl::StatusOr<std::unique_ptr<Cgroup>> Resolve(const Request& request,
                                                         const HostView& host = {});
  // From what a state file kept. An empty map is a container without cgroup: all calls succeed and
  // do nothing, but a limit is refused.
  static absl::StatusOr<std::unique_ptr<Cgroup>> FromPaths(Paths paths, bool rootless = false);
  // The cgroup that this process is in: to come back to.
  static absl::StatusOr<std::unique_ptr<Cgroup>> Own(const HostView& host = {});
  virtual ~Cgroup() = default;

  const Paths& paths() const { return paths_; }
  // The directory of one controller; empty when it has none. On v2, always the one directory.
  std::string PathOf(const std::string& controller) const;
  virtual bool is_v2() const = 0;

  // Makes the directories that are missing. What it made is removed again when it fails.
  virtual absl::Status Create() = 0;
  // Moves the whole process (all its threads).
  absl::Status Enter(pid_t pid);
  // Sets what is set in `resources`: at create, and for `update`.
  virtual absl::Status Apply(const oci::LinuxResources& resources) = 0;
  // The "data" of `runsc events --stats`, in runc's shape.
  virtual absl::StatusOr<nlohmann::json> Stats() = 0;

  // Freeze returns when all processes stand still.
  virtual absl::Status Freeze() = 0;
  virtual absl::Status Thaw() = 0;
  virtual absl::StatusOr<bool> IsFrozen() = 0;

  // Host pids, in all cgroups below too. An absent directory has none.
  absl::StatusOr<std::vector<pid_t>> Processes();
  // To every process; frozen ones are thawed after SIGKILL, so that they can die.
  absl::Status Signal(int signal);
  // Removes the directories and all below; retries while dying processes leave. Absent is success.
  absl::Status Delete(absl::Duration deadline = absl::Seconds(10));
  bool Exists() const;

  // How many processes the host has killed for lack of memory here, so far.
  virtual absl::StatusOr<uint64_t> OomKills() = 0;
  // The memory limit in force, own or of a cgroup above; nothing when there is none.
  virtual std::optional<uint64_t> MemoryLimit() = 0;

 protected:
  Cgroup(Paths paths, bool rootless, bool explicit_path)
      : paths_(std::move(paths)), rootless_(rootless), explicit_path_(explicit_path) {}
  bool rootless() const { return rootless_; }
  bool explicit_path() const { return explicit_path_; }  // The user named it; else it is our idea.
  Paths paths_;

 private:
  // The directories by which processes are counted, entered and removed, each once.
  std::vector<std::string> Directories() const;
  const bool rootless_;
  const bool explicit_path_;
};

// What the host should enforce for a container with these limits that runs in a sandbox. The host
// counts the sandbox's own threads, and each thread of a guest twice (who runs it, who serves it);
// the sentry keeps the guest to the exact number.
oci::LinuxResources WithRoomForSandbox(oci::LinuxResources resources);

}  // namespace redoubt::cgroup

#endif  // RUNSC_CGROUP_CGROUP_H_
