// SPDX-License-Identifier: Apache-2.0
//
// runsc start ID
#include <memory>

#include "runsc/cmd/commands.h"
#include "runsc/container/create.h"

namespace redoubt::runsc {

namespace {

absl::Status Start(const Globals& globals, const std::string& id) {
  absl::StatusOr<Container> container = Container::Open(globals.StateRoot(), id);
  if (!container.ok()) return container.status();
  return StartContainer(*container);
}

}  // namespace

void AddStartCommand(CommandLine line) {
  CLI::App* command = line.app.add_subcommand("start", "Start a created container's process");
  auto id = std::make_shared<std::string>();
  command->add_option("ID", *id, "The container")->required();
  command->callback([id, line] {
    *line.run = [id, line] { return Finish(line.globals, Start(line.globals, *id)); };
  });
}

}  // namespace redoubt::runsc
