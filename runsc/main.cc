// SPDX-License-Identifier: Apache-2.0
//
// runsc: the command of Redoubt.
#include <fcntl.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <functional>
#include <string>

#include "runsc/cmd/do.h"
#include "runsc/cmd/exit_codes.h"
#include "runsc/cmd/help.h"
#include "runsc/version.h"

namespace redoubt::runsc {
namespace {

// One line for a person, whatever CLI11 would say.
int UsageError(const CLI::Error& error) {
  fprintf(stderr, "runsc: %s; try: runsc help\n", error.what());
  return kExitFailure;
}

// The first flag-like word before `--` that no option took: CLI11 would run it as the command.
std::string StrayFlag(int argc, char** argv, const CLI::App& app) {
  for (const CLI::App* command : app.get_subcommands()) {
    std::vector<std::string> remaining = command->remaining();
    if (remaining.empty() || remaining[0].size() < 2 || remaining[0][0] != '-') continue;
    if (remaining[0] == "--") continue;
    // A command of that name is possible after `--`.
    bool separated = false;
    for (int i = 1; i < argc && argv[i] != remaining[0]; ++i) {
      separated = separated || std::string(argv[i]) == "--";
    }
    if (!separated) return remaining[0];
  }
  return "";
}

int Main(int argc, char** argv) {
  CLI::App app("Runs untrusted Linux programs on a kernel of their own.", "runsc");
  app.set_version_flag("--version,-v", VersionText());
  app.set_help_flag("--help,-h", "Show this help");
  app.require_subcommand(1);
  std::function<int()> run;
  AddDoCommand(app, &run);
  AddHelpCommand(app, &run);
  try {
    app.parse(argc, argv);
    std::string stray = StrayFlag(argc, argv, app);
    if (!stray.empty()) throw CLI::ExtrasError({"unknown flag " + stray});
  } catch (const CLI::Success& asked) {
    return app.exit(asked);
  } catch (const CLI::Error& error) {
    return UsageError(error);
  }
  return run();
}

}  // namespace
}  // namespace redoubt::runsc

int main(int argc, char** argv) { return redoubt::runsc::Main(argc, argv); }
