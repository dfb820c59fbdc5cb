// SPDX-License-Identifier: Apache-2.0
//
// runsc events [--stats] [--interval T] ID: figures of a container's cgroup, one JSON line each.
#include <poll.h>

#include <cstdio>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/host/syscall.h"
#include "nlohmann/json.hpp"
#include "runsc/cgroup/oom_watch.h"
#include "runsc/cmd/commands.h"
#include "runsc/container/create.h"

namespace redoubt::runsc {

namespace {

struct EventsFlags {
  std::string id, interval = "5s";
  bool stats = false;
};

void Print(const char* type, const std::string& id, nlohmann::json data) {
  nlohmann::ordered_json line = {{"type", type}, {"id", id}};
  if (!data.is_null()) line["data"] = std::move(data);
  printf("%s\n", line.dump().c_str());
  fflush(stdout);
}

absl::Status PrintStats(cgroup::Cgroup& group, const std::string& id) {
  absl::StatusOr<nlohmann::json> stats = group.Stats();
  if (!stats.ok()) return stats.status();
  Print("stats", id, *std::move(stats));
  return absl::OkStatus();
}

// Until the container ends.
absl::Status Follow(const Container& container, cgroup::Cgroup& group, absl::Duration interval) {
  OwnedFd process = container.state().monitor.Open();
  absl::StatusOr<cgroup::OomWatch> watch = cgroup::OomWatch::Start(group);
  absl::Time next = absl::Now() + interval;
  while (process.valid()) {
    pollfd fds[] = {{process.get(), POLLIN, 0}, {watch.ok() ? watch->fd() : -1, POLLIN, 0}};
    absl::Duration left = std::max(next - absl::Now(), absl::ZeroDuration());
    int milliseconds = static_cast<int>(absl::ToInt64Milliseconds(left)) + 1;
    (void)host::Call([&] { return poll(fds, 2, milliseconds); });
    if (fds[1].revents != 0 && watch->Take()) Print("oom", container.state().id, nullptr);
    if (fds[0].revents != 0) break;
    if (absl::Now() < next) continue;
    next += interval;
    if (absl::Status status = PrintStats(group, container.state().id); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status Events(const Globals& globals, const EventsFlags& flags) {
  absl::Duration interval;
  if (!absl::ParseDuration(flags.interval, &interval) || interval <= absl::ZeroDuration()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--interval ", flags.interval, ": want a time above zero, as 5s"));
  }
  absl::StatusOr<Container> container = Container::Look(globals.StateRoot(), flags.id);
  if (!container.ok()) return container.status();
  if (container->Status() == "stopped") {
    return absl::FailedPreconditionError(
        absl::StrCat("container with id ", flags.id, " is not running: container not running"));
  }
  absl::StatusOr<std::unique_ptr<cgroup::Cgroup>> group = CgroupOf(*container);
  if (!group.ok()) return group.status();
  if (flags.stats) return PrintStats(**group, flags.id);
  return Follow(*container, **group, interval);
}

}  // namespace

void AddEventsCommand(CommandLine line) {
  CLI::App* command = line.app.add_subcommand("events", "Show a container's figures and events");
  auto flags = std::make_shared<EventsFlags>();
  command->add_flag("--stats", flags->stats, "Once");
  command->add_option("--interval", flags->interval, "Between two; 5s by default")
      ->type_name("TIME");
  command->add_option("ID", flags->id, "The container")->required();
  command->callback([flags, line] {
    *line.run = [flags, line] { return Finish(line.globals, Events(line.globals, *flags)); };
  });
}

}  // namespace redoubt::runsc
