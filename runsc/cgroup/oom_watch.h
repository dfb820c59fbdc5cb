// SPDX-License-Identifier: Apache-2.0
//
// OomWatch: tells when a cgroup ran out of memory. Poll its descriptor for reading, beside others;
// then Take() says whether the host has killed a process since the last time.
//
//   absl::StatusOr<OomWatch> watch = OomWatch::Start(*group);
//   ... poll(watch->fd()) ...  if (watch->Take()) Report("oom");
//
// v1: an eventfd registered for memory.oom_control. v2: inotify on memory.events.
#ifndef RUNSC_CGROUP_OOM_WATCH_H_
#define RUNSC_CGROUP_OOM_WATCH_H_

#include "absl/status/statusor.h"
#include "base/owned_fd.h"
#include "runsc/cgroup/cgroup.h"

namespace redoubt::cgroup {

class OomWatch {
 public:
  // `group` must outlive the watch. Fails when it has no memory controller.
  static absl::StatusOr<OomWatch> Start(Cgroup& group);
  int fd() const { return events_.get(); }
  // Empties the descriptor; true when there were new kills. Also false once the cgroup is gone.
  bool Take();

 private:
  OomWatch(Cgroup* group, OwnedFd control, OwnedFd events, uint64_t kills)
      : group_(group), control_(std::move(control)), events_(std::move(events)), kills_(kills) {}
  Cgroup* group_;
  OwnedFd control_;  // v1: memory.oom_control stays open while the event is registered.
  OwnedFd events_;
  uint64_t kills_;
};

}  // namespace redoubt::cgroup

#endif  // RUNSC_CGROUP_OOM_WATCH_H_
