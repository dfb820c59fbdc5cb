// SPDX-License-Identifier: Apache-2.0
//
// runsc pause ID, runsc resume ID
#include <memory>

#include "absl/strings/str_cat.h"
#include "runsc/cmd/commands.h"
#include "runsc/container/create.h"

namespace redoubt::runsc {

namespace {

absl::Status Change(const Globals& globals, const std::string& id, bool pause) {
  absl::StatusOr<Container> container = Container::Open(globals.StateRoot(), id);
  if (!container.ok()) return container.status();
  std::string status = container->Status();
  if (pause && status != "running" && status != "created") {
    return absl::FailedPreconditionError(status == "paused"
                                             ? "container paused already"
                                             : "container not running or created: " + status);
  }
  if (!pause && status != "paused") {
    return absl::FailedPreconditionError("container not paused");
  }
  if (container->state().cgroup_paths.empty()) {
    return absl::FailedPreconditionError("the container has no cgroup, and so cannot be paused");
  }
  absl::StatusOr<std::unique_ptr<cgroup::Cgroup>> group = CgroupOf(*container);
  if (!group.ok()) return group.status();
  absl::Status changed = pause ? (*group)->Freeze() : (*group)->Thaw();
  if (!changed.ok()) return changed;
  container->state().status = pause ? "paused" : "running";
  return container->Save();
}

void AddOne(CommandLine line, const char* name, const char* description, bool pause) {
  CLI::App* command = line.app.add_subcommand(name, description);
  auto id = std::make_shared<std::string>();
  command->add_option("ID", *id, "The container")->required();
  command->callback([id, line, pause] {
    *line.run = [id, line, pause] {
      return Finish(line.globals, Change(line.globals, *id, pause));
    };
  });
}

}  // namespace

void AddPauseCommands(CommandLine line) {
  AddOne(line, "pause", "Freeze all processes of a container", true);
  AddOne(line, "resume", "Let them go on", false);
}

}  // namespace redoubt::runsc
