// SPDX-License-Identifier: Apache-2.0
#include "runsc/cgroup/oom_watch.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "runsc/cgroup/files.h"

namespace redoubt::cgroup {

absl::StatusOr<OomWatch> OomWatch::Start(Cgroup& group) {
  absl::StatusOr<uint64_t> kills = group.OomKills();
  if (!kills.ok()) return kills.status();
  std::string directory = group.PathOf("memory");
  if (group.is_v2()) {
    OwnedFd events(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    std::string file = Join(directory, "memory.events");
    if (inotify_add_watch(events.get(), file.c_str(), IN_MODIFY) < 0) {
      return FileError("watch", file, Errno(errno));
    }
    return OomWatch(&group, OwnedFd(), std::move(events), *kills);
  }
  OwnedFd events(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  std::string file = Join(directory, "memory.oom_control");
  OwnedFd control(open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!control.valid() || !events.valid()) return FileError("open", file, Errno(errno));
  absl::Status status =
      SetFile(directory, "cgroup.event_control", absl::StrCat(events.get(), " ", control.get()));
  if (!status.ok()) return status;
  return OomWatch(&group, std::move(control), std::move(events), *kills);
}

bool OomWatch::Take() {
  char buffer[4096];
  while (read(events_.get(), buffer, sizeof(buffer)) > 0) {
  }
  // v1 tells before it kills and counts.
  for (int tries = control_.valid() ? 50 : 1; tries > 0 && group_->Exists(); --tries) {
    absl::StatusOr<uint64_t> kills = group_->OomKills();
    if (!kills.ok()) return false;
    if (*kills > kills_) {
      kills_ = *kills;
      return true;
    }
    if (tries > 1) absl::SleepFor(absl::Milliseconds(2));
  }
  return false;
}

}  // namespace redoubt::cgroup
