// SPDX-License-Identifier: Apache-2.0
//
// runsc exec [flags] ID COMMAND ARGS, or runsc exec --process FILE [flags] ID
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "runsc/cmd/commands.h"
#include "runsc/container/exec.h"
#include "runsc/oci/capabilities.h"

namespace redoubt::runsc {

namespace {

constexpr int kExecFailed = 255;  // As runc.

struct ExecFlags {
  ExecOptions options;
  std::string process_file, user, cwd, apparmor, process_label;
  std::vector<std::string> environment, capabilities, groups, cgroups;
  bool tty = false, no_new_privileges = false;
};

absl::Status SetUser(const std::string& text, oci::Process* process) {
  std::vector<std::string> parts = absl::StrSplit(text, ':');
  uint32_t uid = 0, gid = process->gid;
  bool good = parts.size() <= 2 && absl::SimpleAtoi(parts[0], &uid) &&
              (parts.size() == 1 || absl::SimpleAtoi(parts[1], &gid));
  if (!good) {
    return absl::InvalidArgumentError(absl::StrCat("--user ", text, ": want UID[:GID], numbers"));
  }
  process->uid = uid;
  process->gid = gid;
  return absl::OkStatus();
}

absl::Status AddCapabilities(const std::vector<std::string>& names, oci::Process* process) {
  for (const std::string& name : names) {
    std::optional<int> number = oci::CapabilityNumber(name);
    if (!number.has_value()) {
      return absl::InvalidArgumentError(absl::StrCat("--cap ", name, ": no such capability"));
    }
    uint64_t bit = uint64_t{1} << *number;
    process->capabilities.bounding |= bit;
    process->capabilities.effective |= bit;
    process->capabilities.permitted |= bit;
  }
  return absl::OkStatus();
}

// What the flags change of the container's own process.
absl::Status ApplyFlags(const ExecFlags& flags, std::vector<std::string> command,
                        oci::Process* process) {
  process->args = std::move(command);
  process->terminal = flags.tty;
  if (!flags.cwd.empty()) process->cwd = flags.cwd;
  if (process->cwd.empty() || process->cwd[0] != '/') {
    return absl::InvalidArgumentError(absl::StrCat("--cwd ", flags.cwd, ": must be absolute"));
  }
  if (flags.no_new_privileges) process->no_new_privileges = true;
  process->env.insert(process->env.end(), flags.environment.begin(), flags.environment.end());
  for (const std::string& group : flags.groups) {
    uint32_t gid = 0;
    if (!absl::SimpleAtoi(group, &gid)) {
      return absl::InvalidArgumentError(
          absl::StrCat("--additional-gids ", group, ": want a number"));
    }
    process->additional_gids.push_back(gid);
  }
  if (absl::Status status = AddCapabilities(flags.capabilities, process); !status.ok()) {
    return status;
  }
  return flags.user.empty() ? absl::OkStatus() : SetUser(flags.user, process);
}

absl::StatusOr<oci::Process> ReadProcessFile(const std::string& path) {
  absl::StatusOr<std::string> text = oci::ReadTextFile(path);
  if (!text.ok()) return text.status();
  absl::StatusOr<oci::Process> process = oci::ParseProcess(*text);
  if (process.ok()) return process;
  return absl::InvalidArgumentError(
      absl::StrCat("--process ", path, ": ", std::string(process.status().message())));
}

absl::StatusOr<int> Exec(const Globals& globals, const ExecFlags& flags,
                         std::vector<std::string> words) {
  FillStandardDescriptors();
  if (words.empty()) return absl::InvalidArgumentError("exec: which container?");
  if (words[0].starts_with("-")) {
    return absl::InvalidArgumentError(
        absl::StrCat("exec: unknown flag ", words[0], "; try: runsc help exec"));
  }
  absl::StatusOr<Container> container = Container::Look(globals.StateRoot(), words[0]);
  if (!container.ok()) return container.status();
  words.erase(words.begin());
  ExecOptions options = flags.options;
  if (!flags.process_file.empty()) {
    absl::StatusOr<oci::Process> process = ReadProcessFile(flags.process_file);
    if (!process.ok()) return process.status();
    options.process = *std::move(process);
    if (flags.tty) options.process.terminal = true;
  } else {
    if (words.empty()) return absl::InvalidArgumentError("exec: process args cannot be empty");
    absl::StatusOr<oci::Spec> spec = container->LoadConfig();
    if (!spec.ok()) return spec.status();
    options.process = spec->process;
    absl::Status applied = ApplyFlags(flags, std::move(words), &options.process);
    if (!applied.ok()) return applied;
  }
  return ExecInContainer(*container, options);
}

void AddFlags(CLI::App& command, ExecFlags* flags) {
  ExecOptions& options = flags->options;
  command.add_option("--process,-p", flags->process_file, "Read the process from FILE")
      ->type_name("FILE");
  command.add_flag("--tty,-t", flags->tty, "Give it a terminal");
  command.add_flag("--detach,-d", options.detach, "Leave it running");
  command.add_option("--pid-file", options.pid_file, "Write its pid on the host to FILE")
      ->type_name("FILE");
  command.add_option("--console-socket", options.console_socket,
                     "Send the terminal's master to this socket");
  command.add_option("--user,-u", flags->user, "Run as this user")->type_name("UID[:GID]");
  command.add_option("--cwd", flags->cwd, "Working directory")->type_name("DIR");
  command.add_option("--env,-e", flags->environment, "Set a variable")
      ->type_name("NAME=VALUE")
      ->expected(1)
      ->allow_extra_args(false)
      ->take_all();
  command.add_option("--cap,-c", flags->capabilities, "Add a capability")
      ->expected(1)
      ->allow_extra_args(false)
      ->take_all();
  command.add_option("--additional-gids,-g", flags->groups, "Add a group")
      ->expected(1)
      ->allow_extra_args(false)
      ->take_all();
  command.add_flag("--no-new-privs", flags->no_new_privileges, "It may gain no privileges");
  command.add_option("--preserve-fds", options.preserve_fds, "Pass N descriptors from 3 on")
      ->type_name("N")
      ->check(CLI::Range(0, 16));
  command.add_flag("--ignore-paused", options.ignore_paused, "Also in a paused container");
  command.add_option("--apparmor", flags->apparmor, "Accepted");
  command.add_option("--process-label", flags->process_label, "Accepted");
  command.add_option("--cgroup", flags->cgroups, "Accepted")
      ->expected(1)
      ->allow_extra_args(false)
      ->take_all();
}

}  // namespace

void AddExecCommand(CommandLine line) {
  CLI::App* command = line.app.add_subcommand("exec", "Run one more process in a container");
  command->prefix_command();
  auto flags = std::make_shared<ExecFlags>();
  AddFlags(*command, flags.get());
  command->callback([command, flags, line] {
    *line.run = [command, flags, line] {
      std::vector<std::string> words = command->remaining();
      // A `--` behind the container's name is the command's own.
      size_t skip = words.empty() && !line.separated.empty() ? 1 : 0;
      words.insert(words.end(), line.separated.begin() + static_cast<ptrdiff_t>(skip),
                   line.separated.end());
      absl::StatusOr<int> code = Exec(line.globals, *flags, std::move(words));
      return code.ok() ? *code : Report(line.globals, code.status(), kExecFailed);
    };
  });
}

}  // namespace redoubt::runsc
