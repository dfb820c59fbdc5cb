// SPDX-License-Identifier: Apache-2.0
//
// startContainer hooks: their programs are the container's, and so run in the sandbox.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/host/syscall.h"
#include "runsc/container/control_client.h"
#include "runsc/container/exec.h"

namespace redoubt::runsc {

namespace {

boot::ProcessSpec ProcessOf(const oci::Hook& hook, const oci::Process& process) {
  boot::ProcessSpec spec;
  spec.set_file(hook.path);
  for (const std::string& word : hook.args) spec.add_arguments(word);
  if (hook.args.empty()) spec.add_arguments(hook.path);
  for (const std::string& variable : hook.env) spec.add_environment(variable);
  spec.set_working_directory("/");
  spec.set_umask(022);
  boot::CapabilitySets* sets = spec.mutable_capabilities();
  sets->set_bounding(process.capabilities.bounding);
  sets->set_permitted(process.capabilities.bounding);
  sets->set_effective(process.capabilities.bounding);
  return spec;
}

absl::StatusOr<int> Await(ControlClient& client, const oci::Hook& hook) {
  int milliseconds = hook.timeout_seconds.has_value() ? *hook.timeout_seconds * 1000 : -1;
  pollfd answer = {client.fd(), POLLIN, 0};
  if (host::Call([&] { return poll(&answer, 1, milliseconds); }).value_or(0) == 0) {
    return absl::DeadlineExceededError(
        absl::StrCat("hook ran past specified timeout of ", *hook.timeout_seconds, ".0s"));
  }
  absl::StatusOr<boot::ControlEvent> event = client.Receive();
  if (!event.ok()) return event.status();
  return event->exited().status();
}

absl::Status RunStartHook(const Container& container, const oci::Hook& hook,
                          const oci::Process& process) {
  // The connection's end is the hook's, should it take too long.
  absl::StatusOr<ControlClient> client = ControlClient::Connect(container);
  if (!client.ok()) return client.status();
  Result<OwnedFd> spec = boot::WriteProcessSpec(ProcessOf(hook, process));
  if (!spec.ok()) return absl::InternalError("the hook's description is too large");
  std::string state = container.Describe("created");
  OwnedFd input(memfd_create("state", MFD_CLOEXEC)), null(open("/dev/null", O_RDWR | O_CLOEXEC));
  (void)host::Call([&] { return pwrite(input.get(), state.data(), state.size(), 0); });
  std::array<int, 4> fds = {spec->get(), input.get(), null.get(), null.get()};
  boot::ControlRequest request;
  request.mutable_exec()->set_before_start(true);
  absl::StatusOr<boot::ControlEvent> started = client->Call(std::move(request), fds);
  if (!started.ok()) return started.status();
  absl::StatusOr<int> status = Await(*client, hook);
  if (!status.ok()) return status.status();
  if (*status == 0) return absl::OkStatus();
  return absl::UnknownError(WIFEXITED(*status) ? absl::StrCat("exit status ", WEXITSTATUS(*status))
                                               : absl::StrCat("signal ", WTERMSIG(*status)));
}

}  // namespace

absl::Status RunStartHooks(const Container& container, const oci::Spec& spec) {
  const std::vector<oci::Hook>& hooks = spec.hooks.start_container;
  for (size_t i = 0; i < hooks.size(); ++i) {
    absl::Status status = RunStartHook(container, hooks[i], spec.process);
    if (status.ok()) continue;
    return absl::UnknownError(absl::StrCat("error running startContainer hook #", i, ": ",
                                           std::string(status.message())));
  }
  return absl::OkStatus();
}

}  // namespace redoubt::runsc
