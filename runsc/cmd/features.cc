// SPDX-License-Identifier: Apache-2.0
//
// runsc features: what this runtime knows, as the runtime-spec's features.md has it.
#include <cstdio>

#include "nlohmann/json.hpp"
#include "runsc/cmd/commands.h"
#include "runsc/oci/capabilities.h"
#include "runsc/oci/mount_options.h"
#include "runsc/version.h"

namespace redoubt::runsc {

namespace {

int PrintFeatures() {
  nlohmann::ordered_json features;
  features["ociVersionMin"] = "1.0.0";
  features["ociVersionMax"] = kOciVersion;
  features["hooks"] = {"prestart",       "createRuntime", "createContainer",
                       "startContainer", "poststart",     "poststop"};
  features["mountOptions"] = oci::KnownMountOptions();
  nlohmann::ordered_json& section = features["linux"];
  section["namespaces"] = {"cgroup", "ipc", "mount", "network", "pid", "user", "uts"};
  section["capabilities"] = oci::CapabilityNames();
  section["cgroup"] = {
      {"v1", true}, {"v2", true}, {"systemd", false}, {"systemdUser", false}, {"rdma", true}};
  section["seccomp"] = {{"enabled", true}};
  section["apparmor"] = {{"enabled", false}};
  section["selinux"] = {{"enabled", false}};
  section["intelRdt"] = {{"enabled", false}};
  section["mountExtensions"] = {{"idmap", {{"enabled", false}}}};
  features["annotations"] = {{"org.redoubt.runsc.version", kVersion}};
  printf("%s\n", features.dump(4).c_str());
  return 0;
}

}  // namespace

void AddFeaturesCommand(CommandLine line) {
  CLI::App* command = line.app.add_subcommand("features", "Show what this runtime knows, as JSON");
  command->callback([line] { *line.run = [] { return PrintFeatures(); }; });
}

}  // namespace redoubt::runsc
