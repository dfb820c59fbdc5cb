// SPDX-License-Identifier: Apache-2.0
#include "platform/seccomp_trap/notifier.h"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "base/log.h"

// Linux 6.6; later than the headers here.
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif

namespace redoubt::platform::seccomp_trap {
namespace {

bool IsOrdered(const seccomp_data& call, const OrderedCall& ordered) {
  if (call.nr != ordered.number) return false;
  for (unsigned i = 0; i < ordered.arguments.size(); ++i) {
    if (i != ordered.free_argument && call.args[i] != ordered.arguments[i]) return false;
  }
  return true;
}

}  // namespace

Notifier::Notifier(OwnedFd listener, std::function<void(int)> bury)
    : listener_(std::move(listener)), bury_(std::move(bury)) {
  // Wake the answered stub on this CPU: it is the only one that has something to do. Optional.
  ioctl(listener_.get(), SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
  thread_ = std::thread([this] { Run(); });
}

Notifier::~Notifier() { thread_.join(); }

bool Notifier::AddThread(int tid) {
  MutexLock lock(&mu_);
  return threads_.emplace(tid, std::nullopt).second;
}

void Notifier::RemoveThread(int tid) {
  MutexLock lock(&mu_);
  threads_.erase(tid);
}

void Notifier::Order(int tid, const OrderedCall& call) {
  MutexLock lock(&mu_);
  if (auto it = threads_.find(tid); it != threads_.end()) it->second = call;
}

void Notifier::Withdraw(int tid) {
  MutexLock lock(&mu_);
  if (auto it = threads_.find(tid); it != threads_.end()) it->second.reset();
}

uint64_t Notifier::ExpectChild(int file) {
  MutexLock lock(&mu_);
  while (true) {
    uint64_t token;
    CHECK(getrandom(&token, sizeof(token), 0) == sizeof(token));
    if (token != 0 && children_.emplace(token, Child{.file = file}).second) return token;
  }
}

bool Notifier::ChildArrives(uint64_t token, absl::Duration timeout) {
  absl::Time deadline = absl::Now() + timeout;
  MutexLock lock(&mu_);
  while (true) {
    const Child& child = children_.at(token);
    if (child.pid != 0 || child.cancelled) return true;
    if (child_arrived_.WaitWithDeadline(mu_.raw(), deadline)) {
      const Child& now = children_.at(token);
      return now.pid != 0 || now.cancelled;
    }
  }
}

std::optional<int> Notifier::AwaitChild(uint64_t token, absl::Duration timeout) {
  absl::Time deadline = absl::Now() + timeout;
  MutexLock lock(&mu_);
  while (true) {
    Child child = children_.at(token);
    if (child.pid != 0 || child.cancelled) {
      children_.erase(token);
      return child.pid != 0 ? std::optional(child.pid) : std::nullopt;
    }
    if (!child_arrived_.WaitWithDeadline(mu_.raw(), deadline)) continue;
    if (children_.at(token).pid != 0) continue;
    children_.erase(token);
    return std::nullopt;
  }
}

void Notifier::CancelChild(uint64_t token) {
  MutexLock lock(&mu_);
  if (auto it = children_.find(token); it != children_.end()) it->second.cancelled = true;
  child_arrived_.SignalAll();
}

void Notifier::Run() {
  while (!stopping_) {
    seccomp_notif call;
    std::memset(&call, 0, sizeof(call));
    if (ioctl(listener_.get(), SECCOMP_IOCTL_NOTIF_RECV, &call) == 0) {
      Answer(call);
    } else if (errno == ENOENT) {
      // That stub has died meanwhile; or no stub is left (Linux >= 6.11).
      pollfd state{listener_.get(), 0, 0};
      if (poll(&state, 1, 0) == 1 && (state.revents & POLLHUP)) return;
    } else if (errno != EINTR) {
      LOG(Error, "seccomp listener: errno %d", errno);
      return;
    }
  }
}

void Notifier::Answer(const seccomp_notif& call) {
  Verdict verdict;
  bool known;
  {
    MutexLock lock(&mu_);
    known = threads_.contains(static_cast<int>(call.pid));
    verdict = JudgeLocked(call);
    if (verdict.error == 0 && verdict.file >= 0) verdict.error = Inject(call.id, verdict.file);
  }
  seccomp_notif_resp response{};
  response.id = call.id;
  if (verdict.error == 0) {
    response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
  } else {
    response.error = -verdict.error;
  }
  // ENOENT: it has died meanwhile.
  if (known || verdict.error == 0) {
    ioctl(listener_.get(), SECCOMP_IOCTL_NOTIF_SEND, &response);
  } else {
    bury_(static_cast<int>(call.pid));
  }
}

Notifier::Verdict Notifier::JudgeLocked(const seccomp_notif& call) {
  auto thread = threads_.find(static_cast<int>(call.pid));
  if (thread == threads_.end()) return JudgeChildLocked(call);
  const std::optional<OrderedCall>& ordered = thread->second;
  if (!ordered || !IsOrdered(call.data, *ordered)) return {};
  Verdict verdict{.error = 0, .file = ordered->file};
  thread->second.reset();  // Once.
  return verdict;
}

Notifier::Verdict Notifier::JudgeChildLocked(const seccomp_notif& call) {
  if (call.data.nr != SYS_mmap) return {};
  const auto* a = call.data.args;
  uint64_t token = ForkToken::FromArguments(a[2], a[4]);
  auto it = children_.find(token);
  if (it == children_.end() || it->second.pid != 0) return {};
  std::array<uint64_t, 6> expected = {kSlots,
                                      kSlotsSize,
                                      PROT_READ | PROT_WRITE | ForkToken::InProtection(token),
                                      MAP_SHARED | MAP_FIXED,
                                      kStubFd | ForkToken::InDescriptor(token),
                                      0};
  if (!std::equal(expected.begin(), expected.end(), a)) return {};
  it->second.pid = static_cast<int>(call.pid);
  threads_.emplace(it->second.pid, std::nullopt);
  child_arrived_.SignalAll();
  return {.error = 0, .file = it->second.file};
}

int Notifier::Inject(uint64_t id, int file) {
  seccomp_notif_addfd request{};
  request.id = id;
  request.flags = SECCOMP_ADDFD_FLAG_SETFD;
  request.srcfd = static_cast<uint32_t>(file);
  request.newfd = kStubFd;
  request.newfd_flags = O_CLOEXEC;
  return ioctl(listener_.get(), SECCOMP_IOCTL_NOTIF_ADDFD, &request) < 0 ? errno : 0;
}

}  // namespace redoubt::platform::seccomp_trap
