// SPDX-License-Identifier: Apache-2.0
//
// runsc create [flags] ID
#include <stdlib.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "absl/strings/str_cat.h"
#include "runsc/cmd/commands.h"
#include "runsc/cmd/create_flags.h"

namespace redoubt::runsc {

void AddCreateFlags(CLI::App& command, CreateFlags* flags) {
  CreateOptions& options = flags->options;
  command.add_option("--bundle,-b", options.bundle, "The bundle; the working directory by default")
      ->type_name("DIR");
  command.add_option("--pid-file", options.pid_file, "Write the container's pid to FILE")
      ->type_name("FILE");
  command.add_option("--console-socket", options.console_socket,
                     "Send the terminal's master to this socket");
  command.add_option("--preserve-fds", options.preserve_fds, "Pass N descriptors from 3 on")
      ->type_name("N")
      ->check(CLI::Range(0, 16));
  command.add_flag("--no-pivot", flags->no_pivot, "Accepted");
  command.add_flag("--no-new-keyring", flags->no_new_keyring, "Accepted");
  command.add_option("ID", options.id, "The container's name")->required();
}

absl::StatusOr<CreateOptions> CompleteOptions(const Globals& globals, const CreateFlags& flags) {
  FillStandardDescriptors();
  CreateOptions options = flags.options;
  options.root = globals.StateRoot();
  absl::StatusOr<const platform::PlatformType*> platform = globals.FindPlatform();
  if (!platform.ok()) return platform.status();
  options.platform = *platform;
  options.overlay = globals.overlay;
  options.keep_log = !globals.debug_log.empty();
  options.strace = globals.strace;
  options.systemd_cgroup = globals.systemd_cgroup;
  options.rootless = globals.IsRootless();
  std::string bundle = options.bundle.empty() ? "." : options.bundle;
  char* absolute = realpath(bundle.c_str(), nullptr);
  if (absolute == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat("--bundle ", bundle, ": ", strerror(errno)));
  }
  options.bundle = absolute;
  free(absolute);
  return options;
}

void AddCreateCommand(CommandLine line) {
  CLI::App* command = line.app.add_subcommand("create", "Create a container from a bundle");
  auto flags = std::make_shared<CreateFlags>();
  AddCreateFlags(*command, flags.get());
  command->callback([flags, line] {
    *line.run = [flags, line] {
      absl::StatusOr<CreateOptions> options = CompleteOptions(line.globals, *flags);
      if (!options.ok()) return Report(line.globals, options.status());
      return Finish(line.globals, CreateContainer(*options).status());
    };
  });
}

}  // namespace redoubt::runsc
