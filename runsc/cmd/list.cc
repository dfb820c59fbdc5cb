// SPDX-License-Identifier: Apache-2.0
//
// runsc list [--format table|json] [--quiet]
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "nlohmann/json.hpp"
#include "runsc/cmd/commands.h"
#include "runsc/container/state.h"

namespace redoubt::runsc {

namespace {

struct ListFlags {
  std::string format = "table";
  bool quiet = false;
};

std::string OwnerName(uint32_t uid) { return uid == 0 ? "root" : "#" + std::to_string(uid); }

void PrintTable(const std::vector<Container>& containers) {
  printf("%-20s %-8s %-9s %-40s %-32s %s\n", "ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER");
  for (const Container& container : containers) {
    const State& state = container.state();
    std::string status = container.Status();
    printf("%-20s %-8d %-9s %-40s %-32s %s\n", state.id.c_str(),
           status == "stopped" ? 0 : state.monitor.pid, status.c_str(), state.bundle.c_str(),
           state.created.c_str(), OwnerName(state.owner).c_str());
  }
}

void PrintJson(const std::vector<Container>& containers) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Container& container : containers) {
    nlohmann::ordered_json entry = nlohmann::ordered_json::parse(container.Describe());
    entry["owner"] = OwnerName(container.state().owner);
    list.push_back(std::move(entry));
  }
  // runc's answer for none.
  std::string text = list.empty() ? "null" : list.dump();
  printf("%s\n", text.c_str());
}

int List(const Globals& globals, const ListFlags& flags) {
  std::vector<Container> containers;
  for (const std::string& id : Container::List(globals.StateRoot())) {
    absl::StatusOr<Container> container = Container::Look(globals.StateRoot(), id);
    if (container.ok()) containers.push_back(*std::move(container));
  }
  if (flags.quiet) {
    for (const Container& container : containers) printf("%s\n", container.state().id.c_str());
  } else if (flags.format == "json") {
    PrintJson(containers);
  } else {
    PrintTable(containers);
  }
  return 0;
}

}  // namespace

void AddListCommand(CommandLine line) {
  CLI::App* command = line.app.add_subcommand("list", "List containers");
  auto flags = std::make_shared<ListFlags>();
  command->add_option("--format,-f", flags->format, "table or json")
      ->check(CLI::IsMember({"table", "json"}));
  command->add_flag("--quiet,-q", flags->quiet, "Names only");
  command->callback(
      [flags, line] { *line.run = [flags, line] { return List(line.globals, *flags); }; });
}

}  // namespace redoubt::runsc
