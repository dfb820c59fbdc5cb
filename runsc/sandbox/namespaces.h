// SPDX-License-Identifier: Apache-2.0
//
// Processes in namespaces of their own (namespaces(7), user_namespaces(7)).
//
//   IdMaps maps = IdMaps::ForSentry();
//   TRY child = StartInNamespaces(CLONE_NEWUSER | CLONE_NEWPID, maps, [&] { ...; return 0; });
#ifndef RUNSC_SANDBOX_NAMESPACES_H_
#define RUNSC_SANDBOX_NAMESPACES_H_

#include <sys/types.h>

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "base/owned_fd.h"

namespace redoubt::runsc {

// What a user namespace's uid_map and gid_map get.
struct IdMaps {
  std::string uid_map, gid_map;
  bool deny_setgroups = false;  // An ordinary user may map its gid only without setgroups(2).
  // The ids that the child takes inside.
  uint32_t uid = 0, gid = 0;

  // The sentry: when root starts it, an unprivileged id of its own, else the caller's.
  static IdMaps ForSentry();
  // The gofer of an ordinary user: the caller, as itself.
  static IdMaps ForGofer();
};

// A child process and a descriptor of it.
struct Child {
  pid_t pid = -1;
  OwnedFd pidfd;
};

// Forks a child into new namespaces (`flags`: CLONE_NEW*). With CLONE_NEWUSER the maps are written
// and taken before `body` runs. The child dies with this process, and exits with what `body` gives.
absl::StatusOr<Child> StartInNamespaces(uint64_t flags, const IdMaps& maps,
                                        const std::function<int()>& body);

// Whether this machine lets this user make user namespaces, or why not.
absl::Status CheckUserNamespaces();

}  // namespace redoubt::runsc

#endif  // RUNSC_SANDBOX_NAMESPACES_H_
