// SPDX-License-Identifier: Apache-2.0
//
// What is common to the commands that engines call: the flags before the command's name, and how an
// error is told.
#ifndef RUNSC_CMD_GLOBALS_H_
#define RUNSC_CMD_GLOBALS_H_

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "platform/registry.h"

namespace redoubt::runsc {

struct Globals {
  std::string root;  // Empty: StateRoot() finds it.
  std::string log;   // A file, for errors as records.
  std::string log_format = "text";
  std::string debug_log;  // A file, for the sandbox's own log.
  std::string rootless = "auto";
  std::string platform = "auto";
  std::string network;
  bool debug = false, systemd_cgroup = false, overlay = false, strace = false;

  // The state directory: the same for every command of a user, whatever its flags.
  std::string StateRoot() const;
  bool IsRootless() const;
  absl::StatusOr<const platform::PlatformType*> FindPlatform() const;
};

// What a command needs to add itself. `*run` is set to what it does when it was chosen.
struct CommandLine {
  CLI::App& app;
  const Globals& globals;
  // The first `--` of the command line and all after it, which `app` does not parse.
  const std::vector<std::string>& separated;
  std::function<int()>* run;
};

void AddGlobalFlags(CLI::App& app, Globals* globals);
// Opens the sandbox's log. Once, before the command runs.
absl::Status OpenLogs(const Globals& globals);

// Opens /dev/null where descriptor 0, 1 or 2 is closed, so that no file of ours gets its number.
// For commands that hand these on.
void FillStandardDescriptors();

// Tells an error on standard error and, as a record, in --log; gives `exit_code`.
int Report(const Globals& globals, const absl::Status& status, int exit_code = 1);
// 0, or an error told.
int Finish(const Globals& globals, const absl::Status& status);

}  // namespace redoubt::runsc

#endif  // RUNSC_CMD_GLOBALS_H_
