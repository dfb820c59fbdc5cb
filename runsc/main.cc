// SPDX-License-Identifier: Apache-2.0
//
// runsc: the command of Redoubt.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "runsc/cmd/commands.h"
#include "runsc/cmd/do.h"
#include "runsc/cmd/exit_codes.h"
#include "runsc/cmd/globals.h"
#include "runsc/cmd/help.h"
#include "runsc/cmd/setup.h"
#include "runsc/sandbox/process_title.h"
#include "runsc/version.h"

namespace redoubt::runsc {
namespace {

// One line for a person, whatever CLI11 would say.
int UsageError(const CLI::Error& error) {
  fprintf(stderr, "runsc: %s; try: runsc help\n", error.what());
  return kExitFailure;
}

bool IsSeparator(const char* word) { return std::string_view(word) == "--"; }

void AddCommands(CommandLine line) {
  AddDoCommand(line);
  AddHelpCommand(line.app, line.run);
  for (auto* add :
       {&AddCreateCommand, &AddStartCommand, &AddRunCommand, &AddStateCommand, &AddListCommand,
        &AddKillCommand, &AddDeleteCommand, &AddExecCommand, &AddPsCommand, &AddPauseCommands,
        &AddWaitCommand, &AddEventsCommand, &AddUpdateCommand, &AddSpecCommand, &AddFeaturesCommand,
        &AddCheckpointCommands, &AddInstallCommands, &AddCompletionCommand}) {
    add(line);
  }
}

int Main(int argc, char** argv) {
  SetProcessTitleArea(argc, argv);
  CLI::App app("Runs untrusted Linux programs on a kernel of their own.", "runsc");
  app.set_version_flag("--version,-v", VersionText());
  app.set_help_flag("--help,-h", "Show this help");
  std::function<int()> run;
  Globals globals;
  AddGlobalFlags(app, &globals);
  // What follows the first `--` is the guest's command, word for word; CLI11 must not look at it.
  char** separator = std::find_if(argv, argv + argc, IsSeparator);
  std::vector<std::string> separated(separator, argv + argc);
  AddCommands({.app = app, .globals = globals, .separated = separated, .run = &run});
  try {
    app.parse(static_cast<int>(separator - argv), argv);
  } catch (const CLI::Success& asked) {
    return app.exit(asked);
  } catch (const CLI::Error& error) {
    return UsageError(error);
  }
  if (run) {
    if (absl::Status opened = OpenLogs(globals); !opened.ok()) return Report(globals, opened);
    return run();
  }
  // CLI11 says only that something is missing; the user wants to know what it was.
  std::string word = separator > argv + 1 ? argv[1] : "";
  if (word.empty()) fprintf(stderr, "runsc: no command; try: runsc help\n");
  if (!word.empty()) {
    fprintf(stderr, "runsc: unknown command %s; try: runsc help\n", word.c_str());
  }
  return kExitFailure;
}

}  // namespace
}  // namespace redoubt::runsc

int main(int argc, char** argv) { return redoubt::runsc::Main(argc, argv); }
