// SPDX-License-Identifier: Apache-2.0
#include "sentry/kernel/async_signals.h"

#include <fcntl.h>
#include <signal.h>

#include <utility>

#include "sentry/kernel/current_task.h"
#include "sentry/kernel/kernel.h"
#include "sentry/kernel/signal_send.h"

namespace redoubt::kernel {

namespace {

// More than this of events that wait to be told are one.
constexpr size_t kMaxPending = 1024;
constexpr int kOwnerTask = 0, kOwnerGroup = 2;

// sigio_perm().
bool MaySignal(const vfs::FileDescription::SignalOwner& owner, const Task& target) {
  RefPtr<Credentials> to = target.credentials();
  return owner.euid == 0 || owner.euid == to->suid || owner.euid == to->uid ||
         owner.uid == to->suid || owner.uid == to->uid;
}

}  // namespace

void SendToOwner(Kernel& kernel, const vfs::FileDescription::SignalOwner& owner, int fd, int code,
                 int64_t band) {
  if (owner.id == 0) return;
  SignalInfo info = KernelSignal(SIGIO);
  if (owner.signal != 0) {
    info.signal = owner.signal;
    info.code = code;
    info.fields.poll.band = band;
    info.fields.poll.fd = fd;
  }
  TaskSet& tasks = kernel.tasks();
  MutexLock lock(&tasks.mu_);
  if (owner.type == kOwnerTask) {
    Result<RefPtr<Task>> task = tasks.FindLocked(owner.id);
    if (task.ok() && MaySignal(owner, **task)) (void)SendSignalLocked(tasks, **task, info);
    return;
  }
  for (const RefPtr<ThreadGroup>& group : tasks.GroupsLocked()) {
    bool meant = owner.type == kOwnerGroup ? group->process_group->id == owner.id
                                           : group->tgid() == owner.id;
    if (meant && MaySignal(owner, *group->leader)) (void)SendSignalLocked(tasks, *group, info);
  }
}

// In the queue of one file. References are held by AsyncSignals and by the file.
class AsyncListener : public vfs::ReleaseListener, public WaitEntry {
 public:
  AsyncListener(AsyncSignals& signals, vfs::FileDescription& file, int fd)
      : signals_(signals), file_(file), fd_(fd) {}

  void Notify(EventMask events) override {
    signals_.Post({.owner = file_.signal_owner(), .fd = fd_, .events = events});
  }
  void OnFileReleased(vfs::FileDescription& file) override {
    file.wait_queue()->Remove(this);
    signals_.Forget(file);
  }

 private:
  AsyncSignals& signals_;
  vfs::FileDescription& file_;  // Outlives its place in the file's queue.
  const int fd_;
};

AsyncSignals::~AsyncSignals() {
  std::thread thread;
  {
    MutexLock lock(&mu_);
    stop_ = true;
    thread = std::move(thread_);
  }
  parker_.Unpark();
  if (thread.joinable()) thread.join();
}

bool AsyncSignals::Enable(vfs::FileDescription& file, int fd) {
  WaitQueue* queue = file.wait_queue();
  if (queue == nullptr) return false;
  auto listener = MakeRef<AsyncListener>(*this, file, fd);
  {
    MutexLock lock(&mu_);
    if (!listeners_.emplace(&file, listener).second) return true;
    if (!thread_.joinable()) thread_ = std::thread([this] { Run(); });
  }
  file.AddReleaseListener(listener);
  queue->Add(listener.get(), EPOLLIN | EPOLLOUT | EPOLLRDNORM | EPOLLWRNORM | EPOLLPRI);
  return true;
}

void AsyncSignals::Disable(vfs::FileDescription& file) {
  RefPtr<vfs::ReleaseListener> listener;
  {
    MutexLock lock(&mu_);
    auto found = listeners_.find(&file);
    if (found == listeners_.end()) return;
    listener = std::move(found->second);
    listeners_.erase(found);
  }
  file.wait_queue()->Remove(static_cast<AsyncListener*>(listener.get()));
  file.RemoveReleaseListener(listener.get());
}

void AsyncSignals::Forget(const vfs::FileDescription& file) {
  RefPtr<vfs::ReleaseListener> dropped;
  MutexLock lock(&mu_);
  auto found = listeners_.find(&file);
  if (found == listeners_.end()) return;
  dropped = std::move(found->second);
  listeners_.erase(found);
}

void AsyncSignals::Post(Event event) {
  {
    MutexLock lock(&mu_);
    if (pending_.size() >= kMaxPending) return;
    pending_.push_back(event);
    has_pending_.store(true, std::memory_order_release);
  }
  if (CurrentTask() == nullptr) parker_.Unpark();
}

void AsyncSignals::Deliver() {
  std::vector<Event> events;
  {
    MutexLock lock(&mu_);
    has_pending_.store(false, std::memory_order_relaxed);
    events.swap(pending_);
  }
  for (const Event& event : events) {
    bool in = (event.events & (EPOLLIN | EPOLLRDNORM | EPOLLHUP | EPOLLERR)) != 0;
    SendToOwner(kernel_, event.owner, event.fd, in ? POLL_IN : POLL_OUT,
                in ? EPOLLIN | EPOLLRDNORM : EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND);
  }
}

void AsyncSignals::Run() {
  while (true) {
    {
      MutexLock lock(&mu_);
      if (stop_) return;
    }
    DeliverPending();
    parker_.Park(std::nullopt);
  }
}

}  // namespace redoubt::kernel
