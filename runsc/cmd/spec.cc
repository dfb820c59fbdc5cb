// SPDX-License-Identifier: Apache-2.0
//
// runsc spec [--bundle DIR] [--rootless]: writes a config.json to start from.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "absl/strings/str_cat.h"
#include "base/owned_fd.h"
#include "runsc/cmd/commands.h"
#include "runsc/oci/template.h"

namespace redoubt::runsc {

namespace {

struct SpecFlags {
  std::string bundle = ".";
  bool rootless = false;
};

absl::Status WriteSpec(const SpecFlags& flags) {
  std::string path = flags.bundle + "/config.json";
  std::string text = oci::TemplateConfig(flags.rootless, geteuid(), getegid());
  OwnedFd file(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (!file.valid() && errno == EEXIST) {
    return absl::AlreadyExistsError(absl::StrCat("File ", path, " exists. Remove it first"));
  }
  if (!file.valid() || write(file.get(), text.data(), text.size()) < 0) {
    return absl::InternalError(absl::StrCat(path, ": ", strerror(errno)));
  }
  return absl::OkStatus();
}

}  // namespace

void AddSpecCommand(CommandLine line) {
  CLI::App* command = line.app.add_subcommand("spec", "Write a config.json to start from");
  auto flags = std::make_shared<SpecFlags>();
  command->add_option("--bundle,-b", flags->bundle, "Where; the working directory by default")
      ->type_name("DIR");
  command->add_flag("--rootless", flags->rootless, "For an ordinary user");
  command->callback([flags, line] {
    *line.run = [flags, line] { return Finish(line.globals, WriteSpec(*flags)); };
  });
}

}  // namespace redoubt::runsc
