// SPDX-License-Identifier: Apache-2.0
//
// Commands that are no OCI runtime's: they set up a machine or a shell for runsc.
#ifndef RUNSC_CMD_SETUP_H_
#define RUNSC_CMD_SETUP_H_

#include "runsc/cmd/globals.h"

namespace redoubt::runsc {

void AddInstallCommands(CommandLine line);  // install, uninstall.
void AddCompletionCommand(CommandLine line);

}  // namespace redoubt::runsc

#endif  // RUNSC_CMD_SETUP_H_
