// SPDX-License-Identifier: Apache-2.0
#include "sentry/boot/control_server.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdint>
#include <string>
#include <thread>
#include <utility>

#include "base/log.h"
#include "sentry/boot/process_spec.h"
#include "sentry/fs/dev/devices.h"
#include "sentry/time/clock.h"

namespace redoubt::boot {

namespace {

constexpr size_t kMostGuests = 1024;
constexpr size_t kMostListed = 512;  // Fits into one message.

// A container that was created and not started is a process that waits: what ends one ends it.
bool EndsByDefault(int signal) {
  switch (signal) {
    case SIGCHLD:
    case SIGURG:
    case SIGWINCH:
    case SIGCONT:
    case SIGSTOP:
    case SIGTSTP:
    case SIGTTIN:
    case SIGTTOU:
      return false;
    default:
      return true;
  }
}

}  // namespace

void ControlServer::Send(uint64_t id, ControlEvent event) {
  event.set_id(id);
  if (!control_.Send(event).ok()) VLOG("the launcher is gone");
}

void ControlServer::SendFailed(uint64_t id, std::string message, int error) {
  ControlEvent event;
  event.mutable_refused()->set_message(std::move(message));
  event.mutable_refused()->set_error(error);
  Send(id, std::move(event));
}

void ControlServer::Report(End end) {
  absl::MutexLock lock(&mu_);
  ends_.push_back(end);
}

ControlServer::End ControlServer::NextEnd() {
  absl::MutexLock lock(&mu_);
  mu_.Await(absl::Condition(
      +[](std::deque<End>* ends) { return !ends->empty(); }, &ends_));
  End end = ends_.front();
  ends_.pop_front();
  return end;
}

std::shared_ptr<TerminalBridge> ControlServer::BridgeOf(uint64_t process) {
  absl::MutexLock lock(&mu_);
  auto guest = guests_.find(process);
  return guest == guests_.end() ? nullptr : guest->second.bridge;
}

void ControlServer::StartGuest(uint64_t id, uint64_t process, const ProcessSpec& spec,
                               std::vector<OwnedFd> descriptors) {
  // An end is not told before the start.
  absl::MutexLock starting(&start_mu_);
  Result<kernel::InitialProcess> start = MakeProcess(kernel_, spec, limits_);
  if (!start.ok()) return SendFailed(id, "not a process to start", start.error().value());
  bool bad_directory = false;
  Result<void> found = kernel::CheckProgram(CallerOf(kernel_, *start), *start, &bad_directory);
  if (!found.ok()) {
    int error = found.error().value();
    return SendFailed(id, StartMessage(spec, bad_directory, error),
                      bad_directory ? 0 : error);  // Not the command's fault.
  }
  absl::StatusOr<ProcessStdio> stdio =
      spec.terminal() ? stdio_.JoinTerminal(kernel_, std::move(descriptors), spec.uid())
                      : stdio_.Donate(std::move(descriptors));
  if (!stdio.ok()) return SendFailed(id, std::string(stdio.status().message()), 0);
  start->fd_table = std::move(stdio->table);
  start->terminal = stdio->terminal;
  if (process == 0 && stdio->terminal) fs::SetConsole(stdio->terminal);
  {
    // Before it runs: it may end at once.
    absl::MutexLock lock(&mu_);
    guests_[process] = Guest{.group = nullptr, .bridge = stdio->bridge};
  }
  // The end of the first process is the end of all others, and comes when they have gone.
  start->is_init = process == 0;
  if (process != 0) start->on_exit = [this, process](int status) { Report({process, status}); };
  Result<RefPtr<kernel::ThreadGroup>> group = kernel::StartProcess(kernel_, *std::move(start));
  if (!group.ok()) {
    absl::MutexLock lock(&mu_);
    guests_.erase(process);
    int error = group.error().value();
    return SendFailed(id, StartMessage(spec, false, error), error);
  }
  {
    absl::MutexLock lock(&mu_);
    auto guest = guests_.find(process);
    if (guest != guests_.end()) guest->second.group = *group;
  }
  ControlEvent event;
  event.mutable_started()->set_pid((*group)->tgid());
  Send(id, std::move(event));
}

void ControlServer::ServeStart(uint64_t id) {
  if (started_) return SendFailed(id, "the container has been started already", EEXIST);
  started_ = true;
  StartGuest(id, 0, first_, std::move(first_descriptors_));
  if (kernel_.first_process() == nullptr) return Report({0, 1 << 8});
  ReleaseSandbox();
  std::thread([this] { Report({0, kernel_.WaitForFirstProcess()}); }).detach();
}

void ControlServer::HoldSandbox() {
  MutexLock lock(&kernel_.tasks().mu_);
  kernel_.tasks().AddRunningLocked();
}

void ControlServer::ReleaseSandbox() {
  bool none_left;
  {
    MutexLock lock(&kernel_.tasks().mu_);
    none_left = kernel_.tasks().DropRunningLocked() == 0;
  }
  if (none_left) kernel_.OnAllTasksGone();
}

void ControlServer::ServeExec(uint64_t id, const Exec& exec, std::vector<OwnedFd> fds) {
  if (id == 0 || fds.empty()) return SendFailed(id, "not a process to start", EINVAL);
  {
    absl::MutexLock lock(&mu_);
    if (guests_.size() >= kMostGuests || guests_.contains(id)) {
      return SendFailed(id, "too many processes were started", EAGAIN);
    }
  }
  if (started_ == exec.before_start()) {
    return SendFailed(id, "cannot exec in a container that has not been started", ESRCH);
  }
  Result<ProcessSpec> spec = ReadProcessSpec(fds[0].get());
  if (!spec.ok()) return SendFailed(id, "not a process to start", spec.error().value());
  fds.erase(fds.begin());
  StartGuest(id, id, *spec, std::move(fds));
}

void ControlServer::ServeSignal(uint64_t id, const Signal& signal) {
  int number = signal.number();
  if (number < 0 || number > abi::kSignalCount) {
    return SendFailed(id, "no such signal", EINVAL);
  }
  ControlEvent done;
  done.mutable_done();
  if (number == SIGWINCH) {
    if (std::shared_ptr<TerminalBridge> bridge = BridgeOf(signal.process())) {
      bridge->UpdateWindowSize();  // Its own SIGWINCH goes to who has the terminal.
      return Send(id, std::move(done));
    }
  }
  if (kernel_.first_process() == nullptr) {
    if (number != 0 && EndsByDefault(number)) Report({0, number});
    return Send(id, std::move(done));
  }
  if (signal.to_all()) {
    if (number != 0) kernel::SendExternalSignalToAll(kernel_, number);
    return Send(id, std::move(done));
  }
  RefPtr<kernel::ThreadGroup> group;
  {
    absl::MutexLock lock(&mu_);
    auto guest = guests_.find(signal.process());
    if (guest != guests_.end()) group = guest->second.group;
  }
  if (!group) return SendFailed(id, "process already finished", ESRCH);
  if (number != 0) kernel::SendExternalSignal(*group, number, signal.to_group());
  Send(id, std::move(done));
}

void ControlServer::ServeListProcesses(uint64_t id) {
  ControlEvent event;
  Processes* list = event.mutable_processes();
  int64_t now = time::Now(time::Clock::kBoottime);
  kernel::TaskSet& tasks = kernel_.tasks();
  for (const RefPtr<kernel::ThreadGroup>& group : tasks.Groups()) {
    if (list->processes_size() >= static_cast<int>(kMostListed)) break;
    kernel::ResourceUsage usage = group->Usage();
    MutexLock lock(&tasks.mu_);
    if (group->zombie) continue;
    Process* process = list->add_processes();
    process->set_pid(group->tgid());
    process->set_parent(group->parent == nullptr ? 0 : group->parent->tgid());
    process->set_process_group(group->process_group->id);
    process->set_name(group->leader->name());
    process->set_uid(group->leader->credentials()->uid);
    process->set_cpu_nanoseconds(usage.user_ns + usage.system_ns);
    process->set_age_nanoseconds(now - group->start_time_ns);
  }
  Send(id, std::move(event));
}

void ControlServer::ServeSetLimits(uint64_t id, const SetLimits& change) {
  kernel::SandboxLimits limits = kernel_.limits();
  if (change.has_memory_bytes()) limits.memory_bytes = change.memory_bytes();
  if (change.has_cpu_quota_us()) {
    limits.cpu_quota_us = static_cast<int64_t>(std::min<uint64_t>(change.cpu_quota_us(), INT64_MAX));
  }
  if (change.cpu_period_us() != 0) limits.cpu_period_us = change.cpu_period_us();
  if (change.has_tasks()) {
    limits.tasks = static_cast<int>(std::min<uint32_t>(change.tasks(), INT_MAX));
  }
  kernel_.SetLimits(limits);
  ControlEvent done;
  done.mutable_done();
  Send(id, std::move(done));
}

void ControlServer::Serve(const ControlRequest& request, std::vector<OwnedFd> fds) {
  switch (request.request_case()) {
    case ControlRequest::kSignal:
      return ServeSignal(request.id(), request.signal());
    case ControlRequest::kStart:
      return ServeStart(request.id());
    case ControlRequest::kExec:
      return ServeExec(request.id(), request.exec(), std::move(fds));
    case ControlRequest::kListProcesses:
      return ServeListProcesses(request.id());
    case ControlRequest::kSetLimits:
      return ServeSetLimits(request.id(), request.set_limits());
    default:
      return SendFailed(request.id(), "no such request", EINVAL);
  }
}

// Until the launcher goes; without a launcher there is no sandbox.
void ControlServer::ServeRequests() {
  while (true) {
    std::vector<OwnedFd> fds;
    Result<ControlRequest> request = control_.ReceiveRequest(&fds);
    if (request.ok()) {
      Serve(*request, std::move(fds));
    } else if (request.Is(EPIPE) || request.Is(ECONNRESET)) {
      _exit(1);
    } else {
      LOG(Warning, "a request was not understood: errno %d", request.error().value());
      if (!request.Is(EBADMSG) && !request.Is(EMSGSIZE) && !request.Is(EMFILE)) _exit(1);
    }
  }
}

void ControlServer::ReportEnds() {
  while (true) {
    End end = NextEnd();
    // The terminal's text ends when nobody has it open, /dev/console included.
    if (end.process == 0) fs::SetConsole(nullptr);
    if (std::shared_ptr<TerminalBridge> bridge = BridgeOf(end.process)) bridge->Drain();
    absl::MutexLock starting(&start_mu_);
    ControlEvent event;
    event.mutable_exited()->set_status(end.status);
    Send(end.process, std::move(event));
    if (end.process == 0) _exit(0);
    absl::MutexLock lock(&mu_);
    guests_.erase(end.process);
  }
}

void ControlServer::Run(ProcessSpec spec, std::vector<OwnedFd> descriptors) {
  first_ = std::move(spec);
  first_descriptors_ = std::move(descriptors);
  HoldSandbox();
  ControlEvent created;
  created.mutable_created();
  Send(0, std::move(created));
  std::thread([this] { ServeRequests(); }).detach();
  ReportEnds();
}

}  // namespace redoubt::boot
