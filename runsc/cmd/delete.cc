// SPDX-License-Identifier: Apache-2.0
//
// runsc delete [--force] ID
#include <memory>

#include "absl/strings/str_cat.h"
#include "runsc/cmd/commands.h"
#include "runsc/container/create.h"

namespace redoubt::runsc {

namespace {

struct DeleteFlags {
  std::string id;
  bool force = false;
};

absl::Status Delete(const Globals& globals, const DeleteFlags& flags) {
  std::string root = globals.StateRoot();
  absl::StatusOr<Container> container = Container::Open(root, flags.id, absl::Seconds(15));
  // A command that hangs must not keep a container for ever.
  if (flags.force && absl::IsDeadlineExceeded(container.status())) {
    container = Container::Look(root, flags.id);
  }
  if (absl::IsNotFound(container.status()) && flags.force) return absl::OkStatus();
  if (!container.ok()) return container.status();
  std::string status = container->Status();
  if (!flags.force && status != "stopped" && status != "created") {
    return absl::FailedPreconditionError(absl::StrCat("cannot delete container ", flags.id,
                                                      " that is not stopped: ", status,
                                                      ": container still running"));
  }
  return DestroyContainer(*container);
}

}  // namespace

void AddDeleteCommand(CommandLine line) {
  CLI::App* command = line.app.add_subcommand("delete", "Delete a container");
  auto flags = std::make_shared<DeleteFlags>();
  command->add_flag("--force,-f", flags->force, "Kill it first; no error if there is none");
  command->add_option("ID", flags->id, "The container")->required();
  command->callback([flags, line] {
    *line.run = [flags, line] { return Finish(line.globals, Delete(line.globals, *flags)); };
  });
}

}  // namespace redoubt::runsc
