// SPDX-License-Identifier: Apache-2.0
#include "runsc/cmd/engine_config.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"

namespace redoubt::runsc {

namespace {

using Json = nlohmann::ordered_json;

absl::Status Failed(const std::string& path) {
  return absl::InternalError(absl::StrCat(path, ": ", strerror(errno)));
}

// Empty when there is none.
std::string Read(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void MakeParents(const std::string& path) {
  for (size_t slash = path.find('/', 1); slash != std::string::npos;
       slash = path.find('/', slash + 1)) {
    (void)mkdir(path.substr(0, slash).c_str(), 0755);
  }
}

// Whole or not at all: an engine may start in this moment.
absl::StatusOr<std::string> Write(const std::string& path, const std::string& text) {
  MakeParents(path);
  std::string temporary = absl::StrCat(path, ".runsc-", getpid());
  {
    std::ofstream file(temporary);
    file << text << std::flush;
    if (!file) return Failed(temporary);
  }
  if (rename(temporary.c_str(), path.c_str()) != 0) return Failed(path);
  return path;
}

absl::StatusOr<std::string> Remove(const std::string& path) {
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return Failed(path);
  return path;
}

std::string Quoted(const std::string& text) { return nlohmann::json(text).dump(); }

// podman reads every file of the folder, after containers.conf.
std::string PodmanText(const RuntimeEntry& runtime) {
  return absl::StrCat("# Written by runsc install.\n[engine.runtimes]\n", Quoted(runtime.name),
                      " = [", Quoted(runtime.path), "]\n");
}

// Docker has one file. An empty path removes the entry.
absl::StatusOr<std::string> ChangeDocker(const std::string& path, const RuntimeEntry& runtime) {
  std::string text = Read(path);
  Json config = text.find_first_not_of(" \t\r\n") == std::string::npos
                    ? Json::object()
                    : Json::parse(text, nullptr, false);
  if (!config.is_object() || (config.contains("runtimes") && !config["runtimes"].is_object())) {
    return absl::InvalidArgumentError(absl::StrCat(path, " is not Docker's configuration"));
  }
  if (runtime.path.empty()) {
    if (!config.contains("runtimes") || config["runtimes"].erase(runtime.name) == 0) return path;
    if (config["runtimes"].empty()) config.erase("runtimes");
  } else {
    config["runtimes"][runtime.name] = {{"path", runtime.path}};
  }
  return Write(path, config.dump(4) + "\n");
}

std::string ContainerdText(const RuntimeEntry& runtime) {
  std::string table = absl::StrCat("plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.",
                                   Quoted(runtime.name));
  return absl::StrCat("# Written by runsc install.\nversion = 2\n[", table,
                      "]\n  runtime_type = \"io.containerd.runc.v2\"\n[", table,
                      ".options]\n  BinaryName = ", Quoted(runtime.path), "\n");
}

// containerd reads a folder only when its main file says so, before the first table.
absl::StatusOr<std::string> InstallContainerd(const std::string& prefix,
                                              const RuntimeEntry& runtime) {
  std::string main = prefix + "/etc/containerd/config.toml";
  std::string folder = "/etc/containerd/conf.d";
  std::string file = absl::StrCat(prefix, folder, "/", runtime.name, ".toml");
  std::string text = Read(main);
  if (text.find("version = 2") == std::string::npos && !text.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat(main, " is not in containerd's format 2; see docs/kubernetes.md"));
  }
  bool imports = text.find(folder) != std::string::npos;
  if (!imports && text.find("imports") != std::string::npos) {
    return absl::FailedPreconditionError(
        absl::StrCat(main, " has a list of imports; add \"", folder, "/*.toml\" to it first"));
  }
  absl::StatusOr<std::string> written = Write(file, ContainerdText(runtime));
  if (!written.ok() || imports) return written;
  std::string head = absl::StrCat("imports = [\"", folder, "/*.toml\"]\n");
  if (text.empty()) head += "version = 2\n";
  absl::StatusOr<std::string> changed = Write(main, head + text);
  return changed.ok() ? written : changed;
}

}  // namespace

std::vector<EngineConfig> EngineConfig::All(const std::string& prefix,
                                            const RuntimeEntry& runtime) {
  std::string root = prefix == "/" ? "" : prefix;
  std::string podman =
      absl::StrCat(root, "/etc/containers/containers.conf.d/50-", runtime.name, ".conf");
  std::string docker = root + "/etc/docker/daemon.json";
  std::string containerd = absl::StrCat(root, "/etc/containerd/conf.d/", runtime.name, ".toml");
  return {
      {"podman", "podman", [=] { return Write(podman, PodmanText(runtime)); },
       [=] { return Remove(podman); }},
      {"docker", "dockerd", [=] { return ChangeDocker(docker, runtime); },
       [=] {
         return ChangeDocker(docker, {runtime.name, ""});
       }},
      {"containerd", "containerd", [=] { return InstallContainerd(root, runtime); },
       [=] { return Remove(containerd); }},
  };
}

}  // namespace redoubt::runsc
