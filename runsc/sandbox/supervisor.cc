// SPDX-License-Identifier: Apache-2.0
#include "runsc/sandbox/supervisor.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/host/syscall.h"

namespace redoubt::runsc {

namespace {

constexpr size_t kMostClients = 512;
constexpr size_t kMostUnanswered = 32;  // So that neither side ever waits for room in the socket.
constexpr size_t kLogTail = 4096;
constexpr uint64_t kOwnStart = 1;

}  // namespace

struct Supervisor::Client {
  explicit Client(OwnedFd socket) : socket(std::move(socket)) {}
  boot::ControlSocket socket;
  bool gone = false;
  std::optional<uint64_t> waiting;  // The id of its Wait.
};

Supervisor::Supervisor(LaunchedSandbox sandbox, SupervisorOptions options)
    : sandbox_(std::move(sandbox)), options_(std::move(options)) {}

Supervisor::~Supervisor() = default;

std::vector<pollfd> Supervisor::PollSet() const {
  bool room = unanswered_ < kMostUnanswered;
  std::vector<pollfd> set = {{sandbox_.control.fd(), POLLIN, 0},
                             {options_.signals, POLLIN, 0},
                             {sandbox_.sentry.pidfd(), POLLIN, 0},
                             {sandbox_.gofer.pidfd(), POLLIN, 0},
                             {room && created_ ? options_.listener : -1, POLLIN, 0},
                             {options_.log, POLLIN, 0},
                             {created_ ? -1 : options_.abort, POLLIN, 0}};
  for (const std::unique_ptr<Client>& client : clients_) {
    set.push_back({room ? client->socket.fd() : -1, POLLIN, 0});
  }
  return set;
}

absl::StatusOr<SandboxOutcome> Supervisor::Run() {
  while (!outcome_.has_value()) {
    std::vector<pollfd> ready = PollSet();
    if (!host::Call([&] { return poll(ready.data(), ready.size(), -1); }).ok()) {
      return absl::InternalError("poll failed");
    }
    if (ready[5].revents != 0) ReadLog();
    if (ready[6].revents != 0) return absl::CancelledError("nobody waits for the container");
    if (ready[1].revents != 0) ForwardSignal();
    if (ready[0].revents != 0) {
      TakeEvent();
    } else if ((ready[2].revents | ready[3].revents) != 0 && !LastWord()) {
      // Without its files a guest can only misbehave; caches must not make it look well.
      return Lost(ready[2].revents != 0 ? "the sentry" : "the gofer");
    }
    if (lost_) return Lost("the sentry");
    HandleReady(ready);
  }
  TellWaiters();
  return *std::move(outcome_);
}

void Supervisor::HandleReady(const std::vector<pollfd>& ready) {
  // Clients may be dropped on the way: by object, not by place.
  std::vector<Client*> readable;
  for (size_t i = 7; i < ready.size(); ++i) {
    if (ready[i].revents != 0) readable.push_back(clients_[i - 7].get());
  }
  for (Client* client : readable) {
    if (!client->gone) ReadClient(*client);
  }
  std::erase_if(clients_, [](const auto& client) { return client->gone; });
  if (ready[4].revents != 0) Accept();
}

// Whether the sentry has said something after all: it speaks first and goes then, and its gofer
// goes with it, but poll(2) looked at the control socket first.
bool Supervisor::LastWord() {
  constexpr int kGraceMilliseconds = 200;
  pollfd control = {sandbox_.control.fd(), POLLIN, 0};
  return host::Call([&] { return poll(&control, 1, kGraceMilliseconds); }).value_or(0) > 0;
}

absl::Status Supervisor::Lost(const char* what) {
  ReadLog();
  while (!log_tail_.empty() && log_tail_.back() == '\n') log_tail_.pop_back();
  std::string last = log_tail_.substr(log_tail_.rfind('\n') + 1);
  if (last.empty()) last = "see --debug-log";
  return absl::InternalError(absl::StrCat(what, " ended without a word; ", last));
}

void Supervisor::ReadLog() {
  if (options_.log < 0) return;
  std::array<char, 4096> buffer;
  pollfd log = {options_.log, POLLIN, 0};
  while (poll(&log, 1, 0) > 0 && (log.revents & POLLIN) != 0) {
    ssize_t got = read(options_.log, buffer.data(), buffer.size());
    if (got <= 0) return;
    log_tail_.append(buffer.data(), static_cast<size_t>(got));
    if (log_tail_.size() > kLogTail) log_tail_.erase(0, log_tail_.size() - kLogTail);
  }
}

void Supervisor::ForwardSignal() {
  signalfd_siginfo info;
  auto got = host::Call([&] { return read(options_.signals, &info, sizeof(info)); });
  if (!got.ok() || *got != sizeof(info)) return;
  boot::ControlRequest request;
  request.mutable_signal()->set_number(static_cast<int32_t>(info.ssi_signo));
  // The terminal's keys go to everybody in the foreground; kill(1) to one process.
  request.mutable_signal()->set_to_group(info.ssi_code == SI_KERNEL);
  (void)sandbox_.control.Send(request);
}

void Supervisor::Accept() {
  OwnedFd socket(accept4(options_.listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!socket.valid() || clients_.size() >= kMostClients) return;
  clients_.push_back(std::make_unique<Client>(std::move(socket)));
}

void Supervisor::ReadClient(Client& client) {
  std::vector<OwnedFd> fds;
  Result<boot::ControlRequest> request = client.socket.ReceiveRequest(&fds);
  if (request.Is(EAGAIN)) return;
  if (!request.ok()) return DropClient(client);
  if (request->has_wait()) {
    client.waiting = request->id();
    return;
  }
  PassOn(client, *std::move(request), fds);
}

void Supervisor::PassOn(Client& client, boot::ControlRequest request,
                        const std::vector<OwnedFd>& fds) {
  if (request.has_signal() && request.signal().process() != 0) {
    // The client knows the process by the id of its own Exec.
    uint64_t process = ~uint64_t{0};
    for (const auto& [id, pending] : pending_) {
      if (pending.client == &client && pending.client_id == request.signal().process()) {
        process = id;
      }
    }
    request.mutable_signal()->set_process(process);
  }
  uint64_t id = next_id_++;
  pending_[id] = {.client = &client, .client_id = request.id(), .is_exec = request.has_exec()};
  ++unanswered_;
  request.set_id(id);
  std::vector<int> numbers;
  for (const OwnedFd& fd : fds) numbers.push_back(fd.get());
  if (!sandbox_.control.Send(request, numbers).ok()) lost_ = true;
}

void Supervisor::DropClient(Client& client) {
  client.gone = true;
  for (auto& [id, pending] : pending_) {
    if (pending.client != &client) continue;
    pending.client = nullptr;
    if (!pending.is_exec) continue;
    boot::ControlRequest kill;
    kill.mutable_signal()->set_number(SIGKILL);
    kill.mutable_signal()->set_process(id);
    (void)sandbox_.control.Send(kill);
  }
}

void Supervisor::TakeEvent() {
  Result<boot::ControlEvent> event = sandbox_.control.ReceiveEvent();
  if (!event.ok()) {
    lost_ = true;
  } else if (event->id() <= kOwnStart) {
    HandleContainerEvent(*event);
  } else {
    AnswerClient(*std::move(event));
  }
}

void Supervisor::HandleContainerEvent(const boot::ControlEvent& event) {
  if (event.has_created()) {
    created_ = true;
    if (options_.on_created) options_.on_created();
    if (!options_.start_at_once) return;
    boot::ControlRequest start;
    start.set_id(kOwnStart);
    start.mutable_start();
    (void)sandbox_.control.Send(start);
  } else if (event.has_exited()) {
    outcome_.emplace();
    outcome_->status = event.exited().status();
  } else if (event.has_refused() && (event.id() == kOwnStart || !created_)) {
    outcome_.emplace();
    outcome_->start_error = event.refused().error() != 0 ? event.refused().error() : -1;
    outcome_->start_message = event.refused().message();
  }
}

void Supervisor::AnswerClient(boot::ControlEvent event) {
  auto found = pending_.find(event.id());
  if (found == pending_.end()) return;
  Pending& pending = found->second;
  if (!pending.answered) --unanswered_;
  pending.answered = true;
  Client* client = pending.client;
  bool goes_on = pending.is_exec && event.has_started();
  event.set_id(pending.client_id);
  if (goes_on && client == nullptr) {
    // It was dropped before its process was there to be killed.
    boot::ControlRequest kill;
    kill.mutable_signal()->set_number(SIGKILL);
    kill.mutable_signal()->set_process(found->first);
    (void)sandbox_.control.Send(kill);
  }
  if (!goes_on) pending_.erase(found);
  if (client != nullptr && !client->socket.Send(event).ok()) DropClient(*client);
}

void Supervisor::TellWaiters() {
  boot::ControlEvent event;
  event.mutable_exited()->set_status(outcome_->status);
  for (const std::unique_ptr<Client>& client : clients_) {
    if (!client->waiting.has_value()) continue;
    event.set_id(*client->waiting);
    (void)client->socket.Send(event);
  }
}

}  // namespace redoubt::runsc
