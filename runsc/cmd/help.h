// SPDX-License-Identifier: Apache-2.0
//
// runsc help [TOPIC].
#ifndef RUNSC_CMD_HELP_H_
#define RUNSC_CMD_HELP_H_

#include <CLI/CLI.hpp>
#include <functional>

namespace redoubt::runsc {

void AddHelpCommand(CLI::App& app, std::function<int()>* run);

}  // namespace redoubt::runsc

#endif  // RUNSC_CMD_HELP_H_
