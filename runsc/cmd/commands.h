// SPDX-License-Identifier: Apache-2.0
//
// The commands of an OCI runtime, with runc's names, flags and exit codes. Each is in a file of its
// name; `do` and `help` have headers of their own.
#ifndef RUNSC_CMD_COMMANDS_H_
#define RUNSC_CMD_COMMANDS_H_

#include "runsc/cmd/globals.h"

namespace redoubt::runsc {

void AddCreateCommand(CommandLine line);
void AddStartCommand(CommandLine line);
void AddRunCommand(CommandLine line);
void AddStateCommand(CommandLine line);
void AddListCommand(CommandLine line);
void AddKillCommand(CommandLine line);
void AddDeleteCommand(CommandLine line);
void AddExecCommand(CommandLine line);
void AddPsCommand(CommandLine line);
void AddPauseCommands(CommandLine line);  // pause, resume.
void AddWaitCommand(CommandLine line);
void AddEventsCommand(CommandLine line);
void AddUpdateCommand(CommandLine line);
void AddSpecCommand(CommandLine line);
void AddFeaturesCommand(CommandLine line);
void AddCheckpointCommands(CommandLine line);  // checkpoint, restore: refused.

}  // namespace redoubt::runsc

#endif  // RUNSC_CMD_COMMANDS_H_
