// SPDX-License-Identifier: Apache-2.0
//
// EngineConfig: the lines of an engine's configuration that make a runtime known to it. What else
// is in the files is left as it is.
//
//   EngineConfig docker = EngineConfig::All("/", {"runsc", "/usr/local/bin/runsc"})[1];
//   absl::StatusOr<std::string> file = docker.Install();
#ifndef RUNSC_CMD_ENGINE_CONFIG_H_
#define RUNSC_CMD_ENGINE_CONFIG_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace redoubt::runsc {

struct RuntimeEntry {
  std::string name;  // As `--runtime` or a RuntimeClass's handler gives it.
  std::string path;  // Of the program; empty when it is to be forgotten.
};

struct EngineConfig {
  const char* engine;   // "podman"
  const char* program;  // Who has it is asked to use it.
  // Give the file that was changed, or why it was not.
  std::function<absl::StatusOr<std::string>()> install, uninstall;

  // podman, docker, containerd. `prefix` is put before every path, for images and tests.
  static std::vector<EngineConfig> All(const std::string& prefix, const RuntimeEntry& runtime);
};

}  // namespace redoubt::runsc

#endif  // RUNSC_CMD_ENGINE_CONFIG_H_
