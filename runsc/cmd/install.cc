// SPDX-License-Identifier: Apache-2.0
//
// runsc install|uninstall [--name NAME] [--prefix DIR] [ENGINE...]: makes this program known to
// podman, Docker and containerd (those that are installed, when none is named), or unknown again.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "runsc/cmd/engine_config.h"
#include "runsc/cmd/setup.h"

namespace redoubt::runsc {

namespace {

struct InstallFlags {
  std::string name = "runsc", prefix = "/";
  std::vector<std::string> engines;
};

bool IsInPath(const std::string& program) {
  const char* search = getenv("PATH");
  for (const auto& folder :
       absl::StrSplit(search == nullptr ? "/usr/sbin:/usr/bin" : search, ':')) {
    if (access(absl::StrCat(folder, "/", program).c_str(), X_OK) == 0) return true;
  }
  return access(absl::StrCat("/usr/sbin/", program).c_str(), X_OK) == 0;
}

absl::StatusOr<std::string> OwnPath() {
  std::array<char, PATH_MAX> path;
  ssize_t size = readlink("/proc/self/exe", path.data(), path.size());
  if (size <= 0) return absl::InternalError("this program's own path is unknown");
  return std::string(path.data(), static_cast<size_t>(size));
}

bool IsWanted(const EngineConfig& config, const InstallFlags& flags) {
  if (flags.engines.empty()) return IsInPath(config.program);
  return std::find(flags.engines.begin(), flags.engines.end(), config.engine) !=
         flags.engines.end();
}

absl::Status Change(const InstallFlags& flags, bool install) {
  absl::StatusOr<std::string> path = OwnPath();
  if (!path.ok()) return path.status();
  int changed = 0;
  for (const EngineConfig& config : EngineConfig::All(flags.prefix, {flags.name, *path})) {
    if (!IsWanted(config, flags)) continue;
    absl::StatusOr<std::string> file = install ? config.install() : config.uninstall();
    if (!file.ok()) return file.status();
    printf("%s: %s\n", config.engine, file->c_str());
    ++changed;
  }
  if (changed == 0)
    return absl::NotFoundError("no engine found; name one: podman docker containerd");
  return absl::OkStatus();
}

void AddOne(CommandLine line, const char* name, const char* description, bool install) {
  CLI::App* command = line.app.add_subcommand(name, description);
  auto flags = std::make_shared<InstallFlags>();
  command->add_option("--name", flags->name, "What the engines call it");
  command->add_option("--prefix", flags->prefix, "Change the files below DIR")->type_name("DIR");
  command->add_option("ENGINE", flags->engines, "podman, docker, containerd")
      ->check(CLI::IsMember({"podman", "docker", "containerd"}));
  command->callback([flags, line, install] {
    *line.run = [flags, line, install] { return Finish(line.globals, Change(*flags, install)); };
  });
}

}  // namespace

void AddInstallCommands(CommandLine line) {
  AddOne(line, "install", "Make runsc known to container engines", true);
  AddOne(line, "uninstall", "Take that back", false);
}

}  // namespace redoubt::runsc
