// SPDX-License-Identifier: Apache-2.0
//
// What is kept of a container between two commands: a directory ROOT/ID with
//   state.json    the State below, replaced atomically
//   config.json   the bundle's, as it was at create
//   control.sock  where its launcher listens (see monitor.h)
//
//   TRY Container c = Container::Open(root, id);       // Waits for whoever changes it.
//   if (c.Status() != "running") ...
//   c.state().status = "paused";  c.Save();
//
// Changing commands hold the directory's lock (flock(2)); looking ones need none, and so work from
// a hook that a changing one waits for. What is true of the processes is looked up, not believed.
#ifndef RUNSC_CONTAINER_STATE_H_
#define RUNSC_CONTAINER_STATE_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/owned_fd.h"
#include "runsc/cgroup/cgroup.h"
#include "runsc/container/process_id.h"
#include "runsc/oci/spec.h"

namespace redoubt::runsc {

struct State {
  std::string oci_version, id, bundle, rootfs;
  std::string status = "creating";  // As last written; see Container::Status().
  std::string created;              // RFC 3339.
  uint32_t owner = 0;
  ProcessId creator;                 // The create command, while it is at work.
  ProcessId monitor, sentry, gofer;  // `monitor` is the container's pid.
  cgroup::Paths cgroup_paths;
  bool rootless = false;
  std::map<std::string, std::string> annotations;
};

// The spec's word for a container: [A-Za-z0-9_+.-], no dot names, at most 1024 bytes.
absl::Status CheckContainerId(std::string_view id);

class Container {
 public:
  // A new directory, locked. ALREADY_EXISTS.
  static absl::StatusOr<Container> Create(const std::string& root, const std::string& id);
  // An existing one, locked unless `lock_deadline` is zero (a look). NOT_FOUND. When the deadline
  // passes, DEADLINE_EXCEEDED.
  static absl::StatusOr<Container> Open(const std::string& root, const std::string& id,
                                        absl::Duration lock_deadline = absl::Seconds(60));
  static absl::StatusOr<Container> Look(const std::string& root, const std::string& id) {
    return Open(root, id, absl::ZeroDuration());
  }
  // The ids there are, sorted.
  static std::vector<std::string> List(const std::string& root);

  State& state() { return state_; }
  const State& state() const { return state_; }
  int directory() const { return directory_.get(); }
  const std::string& path() const { return path_; }

  // "creating", "created", "running", "paused" or "stopped", as it is now.
  std::string Status() const;
  absl::Status Save();
  // The configuration it was created with.
  absl::StatusOr<oci::Spec> LoadConfig() const { return oci::LoadSpec(path_, state_.bundle); }
  // In a forked child: the lock stays the parent's alone.
  void LeaveLock();
  absl::Status WriteFile(const std::string& name, const std::string& content);
  // Removes the directory and all in it.
  absl::Status Remove();
  // The state as the specification shows it to hooks and to `runsc state`, as JSON text.
  std::string Describe() const { return Describe(Status()); }
  std::string Describe(const std::string& status) const;

 private:
  Container(std::string path, OwnedFd directory)
      : path_(std::move(path)), directory_(std::move(directory)) {}
  absl::Status Load();

  std::string path_;
  OwnedFd directory_;  // Holds the lock.
  State state_;
};

}  // namespace redoubt::runsc

#endif  // RUNSC_CONTAINER_STATE_H_
