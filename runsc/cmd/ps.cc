// SPDX-License-Identifier: Apache-2.0
//
// runsc ps [--format table|json] ID: the processes of a container. As JSON, their numbers on the
// host, which engines look up there; as a table, the container's own.
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "nlohmann/json.hpp"
#include "runsc/cmd/commands.h"
#include "runsc/container/control_client.h"
#include "runsc/container/create.h"

namespace redoubt::runsc {

namespace {

struct PsFlags {
  std::string id, format = "table";
  std::vector<std::string> ps_options;  // runc gives them to ps(1).
};

absl::StatusOr<std::vector<pid_t>> HostProcesses(const Container& container) {
  absl::StatusOr<std::unique_ptr<cgroup::Cgroup>> group = CgroupOf(container);
  if (!group.ok()) return group.status();
  absl::StatusOr<std::vector<pid_t>> pids = (*group)->Processes();
  if (!pids.ok() || !pids->empty()) return pids;
  return std::vector<pid_t>{container.state().monitor.pid};
}

// Hours, minutes and seconds.
std::string Clock(uint64_t nanoseconds) {
  uint64_t seconds = nanoseconds / 1'000'000'000;
  return absl::StrFormat("%02d:%02d:%02d", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

absl::Status PrintTable(const Container& container) {
  absl::StatusOr<ControlClient> client = ControlClient::Connect(container);
  if (!client.ok()) return client.status();
  boot::ControlRequest request;
  request.mutable_list_processes();
  absl::StatusOr<boot::ControlEvent> event = client->Call(std::move(request));
  if (!event.ok()) return event.status();
  printf("%-8s %7s %7s %10s %9s %s\n", "UID", "PID", "PPID", "ELAPSED", "TIME", "CMD");
  for (const boot::Process& process : event->processes().processes()) {
    printf("%-8u %7d %7d %10s %9s %s\n", process.uid(), process.pid(), process.parent(),
           Clock(static_cast<uint64_t>(process.age_nanoseconds())).c_str(),
           Clock(process.cpu_nanoseconds()).c_str(), process.name().c_str());
  }
  return absl::OkStatus();
}

absl::Status Ps(const Globals& globals, const PsFlags& flags) {
  absl::StatusOr<Container> container = Container::Look(globals.StateRoot(), flags.id);
  if (!container.ok()) return container.status();
  if (container->Status() == "stopped") {
    return absl::FailedPreconditionError("container not running");
  }
  if (flags.format == "table") return PrintTable(*container);
  absl::StatusOr<std::vector<pid_t>> pids = HostProcesses(*container);
  if (!pids.ok()) return pids.status();
  printf("%s\n", nlohmann::json(*pids).dump().c_str());
  return absl::OkStatus();
}

}  // namespace

void AddPsCommand(CommandLine line) {
  CLI::App* command = line.app.add_subcommand("ps", "Show a container's processes");
  auto flags = std::make_shared<PsFlags>();
  command->add_option("--format,-f", flags->format, "table or json")
      ->check(CLI::IsMember({"table", "json"}));
  command->add_option("ID", flags->id, "The container")->required();
  command->add_option("OPTIONS", flags->ps_options, "Accepted");
  command->callback([flags, line] {
    *line.run = [flags, line] { return Finish(line.globals, Ps(line.globals, *flags)); };
  });
}

}  // namespace redoubt::runsc
