// SPDX-License-Identifier: Apache-2.0
//
// Hierarchies: where this host has its cgroups mounted, and where a container's directories are in
// them. Pure reading; see cgroup.h for what is done there.
#ifndef RUNSC_CGROUP_HIERARCHY_H_
#define RUNSC_CGROUP_HIERARCHY_H_

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "runsc/cgroup/cgroup.h"

namespace redoubt::cgroup {

struct Hierarchy {
  std::string mount_point;
  std::string root = "/";  // The cgroup that is mounted there: not "/" inside a container.
};

struct Hierarchies {
  // v1 controllers, "name=systemd" too. With any here that is not a mere name, v1 counts.
  std::map<std::string, Hierarchy> v1;
  Hierarchy unified;  // Empty mount point: none.
  bool is_v2() const;

  static absl::StatusOr<Hierarchies> Read(const HostView& host);
};

// The directories for `request`, in all hierarchies that a container uses.
absl::StatusOr<Paths> ResolvePaths(const Request& request, const Hierarchies& hierarchies,
                                   const HostView& host);

// The directories of the cgroup that this process is in.
absl::StatusOr<Paths> OwnPaths(const Hierarchies& hierarchies, const HostView& host);

// `path` without "." and "..", which cannot lead above its start. Absolute stays absolute.
std::string CleanPath(const std::string& path);

}  // namespace redoubt::cgroup

#endif  // RUNSC_CGROUP_HIERARCHY_H_
