// SPDX-License-Identifier: Apache-2.0
//
// runsc do [flags] -- CMD ARGS: runs one command in a sandbox over the host's own files.
#ifndef RUNSC_CMD_DO_H_
#define RUNSC_CMD_DO_H_

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

namespace redoubt::runsc {

// Adds the command to `app`. `*run` is set when it was chosen; it gives the exit status.
// `separated`: the first `--` of the command line and all after it, which `app` does not parse.
void AddDoCommand(CLI::App& app, const std::vector<std::string>& separated,
                  std::function<int()>* run);

}  // namespace redoubt::runsc

#endif  // RUNSC_CMD_DO_H_
