// SPDX-License-Identifier: Apache-2.0
//
// runsc state ID
#include <cstdio>
#include <memory>

#include "runsc/cmd/commands.h"
#include "runsc/container/state.h"

namespace redoubt::runsc {

namespace {

absl::Status ShowState(const Globals& globals, const std::string& id) {
  absl::StatusOr<Container> container = Container::Look(globals.StateRoot(), id);
  if (!container.ok()) return container.status();
  printf("%s\n", container->Describe().c_str());
  return absl::OkStatus();
}

}  // namespace

void AddStateCommand(CommandLine line) {
  CLI::App* command = line.app.add_subcommand("state", "Show a container's state as JSON");
  auto id = std::make_shared<std::string>();
  command->add_option("ID", *id, "The container")->required();
  command->callback([id, line] {
    *line.run = [id, line] { return Finish(line.globals, ShowState(line.globals, *id)); };
  });
}

}  // namespace redoubt::runsc
