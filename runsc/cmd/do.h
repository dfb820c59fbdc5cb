// SPDX-License-Identifier: Apache-2.0
//
// runsc do [flags] -- CMD ARGS: runs one command in a sandbox over the host's own files.
#ifndef RUNSC_CMD_DO_H_
#define RUNSC_CMD_DO_H_

#include "runsc/cmd/globals.h"

namespace redoubt::runsc {

void AddDoCommand(CommandLine line);

}  // namespace redoubt::runsc

#endif  // RUNSC_CMD_DO_H_
