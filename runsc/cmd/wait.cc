// SPDX-License-Identifier: Apache-2.0
//
// runsc wait ID: waits for a container's end, and prints {"id", "exitStatus"}.
#include <sys/wait.h>

#include <cstdio>
#include <memory>

#include "absl/strings/numbers.h"
#include "nlohmann/json.hpp"
#include "runsc/cmd/commands.h"
#include "runsc/container/control_client.h"
#include "runsc/container/state.h"

namespace redoubt::runsc {

namespace {

// Of one that has ended: what the monitor left, or what its killer wanted.
int RecordedStatus(const Container& container) {
  absl::StatusOr<std::string> text = oci::ReadTextFile(container.path() + "/exit_status");
  int status = SIGKILL;
  if (text.ok()) (void)absl::SimpleAtoi(*text, &status);
  return status;
}

absl::StatusOr<int> WaitForEnd(const Container& container) {
  absl::StatusOr<ControlClient> client = ControlClient::Connect(container);
  if (!client.ok()) return RecordedStatus(container);
  boot::ControlRequest request;
  request.mutable_wait();
  absl::StatusOr<boot::ControlEvent> event = client->Call(std::move(request));
  if (event.ok() && event->has_exited()) return event->exited().status();
  return RecordedStatus(container);
}

absl::Status Wait(const Globals& globals, const std::string& id) {
  absl::StatusOr<Container> container = Container::Look(globals.StateRoot(), id);
  if (!container.ok()) return container.status();
  absl::StatusOr<int> status = WaitForEnd(*container);
  if (!status.ok()) return status.status();
  int code = WIFSIGNALED(*status) ? 128 + WTERMSIG(*status) : WEXITSTATUS(*status);
  nlohmann::ordered_json answer = {{"id", id}, {"exitStatus", code}};
  printf("%s\n", answer.dump().c_str());
  return absl::OkStatus();
}

}  // namespace

void AddWaitCommand(CommandLine line) {
  CLI::App* command = line.app.add_subcommand("wait", "Wait for a container's end");
  auto id = std::make_shared<std::string>();
  command->add_option("ID", *id, "The container")->required();
  command->callback([id, line] {
    *line.run = [id, line] { return Finish(line.globals, Wait(line.globals, *id)); };
  });
}

}  // namespace redoubt::runsc
