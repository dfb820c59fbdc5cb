// SPDX-License-Identifier: Apache-2.0
//
// Supervisor: what a launcher does while its sandbox lives: passes signals on, carries requests of
// runsc's commands to the sentry and the answers back, notices when the sentry or the gofer is
// gone.
//
//   Supervisor supervisor(std::move(launched), {.start_at_once = true, .signals = fd});
//   absl::StatusOr<SandboxOutcome> outcome = supervisor.Run();
//
// A client is a connection to `listener`. Its requests get ids of the supervisor's own on the way
// to the sentry, so that clients need not know of each other. A process that a client had started
// dies with the client's connection.
#ifndef RUNSC_SANDBOX_SUPERVISOR_H_
#define RUNSC_SANDBOX_SUPERVISOR_H_

#include <poll.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/owned_fd.h"
#include "runsc/sandbox/launch.h"
#include "runsc/sandbox/sandbox.h"

namespace redoubt::runsc {

struct SupervisorOptions {
  bool start_at_once = false;  // The first process need not wait for a Start.
  int signals = -1;            // A signalfd of what is passed on to the first process.
  int listener = -1;           // A listening socket for clients; -1: none.
  int log = -1;                // A pipe's end where the sandbox's log comes out; see last_log().
  int abort = -1;              // When it is readable or closed before the container is there: end.
  std::function<void()> on_created;
};

class Supervisor {
 public:
  Supervisor(LaunchedSandbox sandbox, SupervisorOptions options);
  ~Supervisor();

  // Until the sentry has told the end, or has ended without a word.
  absl::StatusOr<SandboxOutcome> Run();
  pid_t sentry_pid() const { return sandbox_.sentry.pid(); }
  pid_t gofer_pid() const { return sandbox_.gofer.pid(); }

 private:
  struct Client;
  // A request on its way. `client` is null when the client has gone.
  struct Pending {
    Client* client = nullptr;
    uint64_t client_id = 0;
    bool is_exec = false;
    bool answered = false;  // An Exec that has started, and will end.
  };

  void ForwardSignal();
  void Accept();
  void ReadClient(Client& client);
  void PassOn(Client& client, boot::ControlRequest request, const std::vector<OwnedFd>& fds);
  void DropClient(Client& client);
  void TakeEvent();
  void HandleContainerEvent(const boot::ControlEvent& event);
  void AnswerClient(boot::ControlEvent event);
  void TellWaiters();
  void ReadLog();
  bool LastWord();
  std::vector<pollfd> PollSet() const;
  void HandleReady(const std::vector<pollfd>& ready);
  absl::Status Lost(const char* what);

  LaunchedSandbox sandbox_;
  const SupervisorOptions options_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::map<uint64_t, Pending> pending_;
  uint64_t next_id_ = 2;  // 0 is the container's own; 1 its Start when that is at once.
  size_t unanswered_ = 0;
  bool created_ = false;
  bool lost_ = false;
  std::string log_tail_;
  std::optional<SandboxOutcome> outcome_;
};

}  // namespace redoubt::runsc

#endif  // RUNSC_SANDBOX_SUPERVISOR_H_
