// SPDX-License-Identifier: Apache-2.0
//
// runsc do [flags] -- CMD ARGS: runs one command in a sandbox over the host's own files.
#ifndef RUNSC_CMD_DO_H_
#define RUNSC_CMD_DO_H_

#include <CLI/CLI.hpp>
#include <functional>

namespace redoubt::runsc {

// Adds the command to `app`. `*run` is set when it was chosen; it gives the exit status.
void AddDoCommand(CLI::App& app, std::function<int()>* run);

}  // namespace redoubt::runsc

#endif  // RUNSC_CMD_DO_H_
