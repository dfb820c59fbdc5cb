// SPDX-License-Identifier: Apache-2.0
//
// runsc checkpoint, runsc restore: not there yet, and said so.
#include <memory>

#include "runsc/cmd/commands.h"

namespace redoubt::runsc {

void AddCheckpointCommands(CommandLine line) {
  for (const char* name : {"checkpoint", "restore"}) {
    CLI::App* command = line.app.add_subcommand(name, "Not supported yet");
    command->allow_extras();
    command->callback([line, name = std::string(name)] {
      *line.run = [line, name] {
        return Report(line.globals,
                      absl::UnimplementedError(name + ": this runtime cannot save containers yet"));
      };
    });
  }
}

}  // namespace redoubt::runsc
