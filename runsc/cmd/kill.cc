// SPDX-License-Identifier: Apache-2.0
//
// runsc kill [--all] ID [SIGNAL]
#include <poll.h>
#include <signal.h>

#include <memory>

#include "absl/strings/str_cat.h"
#include "base/host/syscall.h"
#include "runsc/cmd/commands.h"
#include "runsc/cmd/signal_name.h"
#include "runsc/container/control_client.h"
#include "runsc/container/create.h"

namespace redoubt::runsc {

namespace {

struct KillFlags {
  std::string id, signal = "SIGTERM";
  bool all = false;
};

bool Answered(ControlClient& client) {
  constexpr int kMilliseconds = 5000;
  pollfd answer = {client.fd(), POLLIN, 0};
  return host::Call([&] { return poll(&answer, 1, kMilliseconds); }).value_or(0) > 0;
}

absl::Status SendSignal(const Container& container, int number, bool all, bool paused) {
  absl::StatusOr<ControlClient> client = ControlClient::Connect(container);
  if (!client.ok()) return client.status();
  boot::ControlRequest request;
  request.mutable_signal()->set_number(number);
  request.mutable_signal()->set_to_all(all);
  absl::StatusOr<uint64_t> sent = client->Send(std::move(request));
  if (!sent.ok()) return sent.status();
  if (paused) {
    // Who stands still does not answer; only death needs no resume.
    if (number != SIGKILL) return absl::OkStatus();
    absl::StatusOr<std::unique_ptr<cgroup::Cgroup>> group = CgroupOf(container);
    return group.ok() ? (*group)->Thaw() : group.status();
  }
  if (!Answered(*client)) {
    if (number != SIGKILL) return absl::DeadlineExceededError("the sandbox does not answer");
    (void)container.state().monitor.KillAndWait(absl::Seconds(5));
    return absl::OkStatus();
  }
  absl::Status answer = client->Receive().status();
  // It ended while we spoke, as was wanted.
  return absl::IsFailedPrecondition(answer) && number == SIGKILL ? absl::OkStatus() : answer;
}

absl::Status Kill(const Globals& globals, const KillFlags& flags) {
  std::optional<int> number = ParseSignal(flags.signal);
  if (!number.has_value()) {
    return absl::InvalidArgumentError(absl::StrCat("unknown signal \"", flags.signal, "\""));
  }
  absl::StatusOr<Container> container = Container::Look(globals.StateRoot(), flags.id);
  if (!container.ok()) return container.status();
  std::string status = container->Status();
  if (status == "stopped") {
    return flags.all ? absl::OkStatus() : absl::FailedPreconditionError("container not running");
  }
  if (status == "creating") return absl::FailedPreconditionError("container not running");
  return SendSignal(*container, *number, flags.all, status == "paused");
}

}  // namespace

void AddKillCommand(CommandLine line) {
  CLI::App* command = line.app.add_subcommand("kill", "Send a signal to a container");
  auto flags = std::make_shared<KillFlags>();
  command->add_flag("--all,-a", flags->all, "To every process of it");
  command->add_option("ID", flags->id, "The container")->required();
  command->add_option("SIGNAL", flags->signal, "A name or a number; SIGTERM by default");
  command->callback([flags, line] {
    *line.run = [flags, line] { return Finish(line.globals, Kill(line.globals, *flags)); };
  });
}

}  // namespace redoubt::runsc
