// SPDX-License-Identifier: Apache-2.0
#include "platform/seccomp_trap/warden.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <vector>

#include "base/check.h"

namespace redoubt::platform::seccomp_trap {
namespace {

constexpr int kTickMilliseconds = 1000;

// How child `pid` ended; it stays a zombie.
int DeathSignal(int pid) {
  siginfo_t info{};
  if (waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT | __WALL) != 0) return SIGKILL;
  return info.si_code == CLD_EXITED ? SIGKILL : info.si_status;
}

void Reap(int pid) {
  siginfo_t info{};
  waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | __WALL);
}

}  // namespace

Warden::Warden() : epoll_(epoll_create1(EPOLL_CLOEXEC)), wake_(eventfd(0, EFD_CLOEXEC)) {
  CHECK(epoll_ && wake_);
  epoll_event event{.events = EPOLLIN, .data = {.u64 = 0}};
  CHECK(epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event) == 0);
  thread_ = std::thread([this] { Run(); });
}

Warden::~Warden() {
  {
    MutexLock lock(&mu_);
    stopping_ = true;
  }
  Wake();
  thread_.join();
}

Result<void> Warden::Watch(int pid, Mortal& mortal) {
  OwnedFd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!pidfd) return Errno(errno);
  MutexLock lock(&mu_);
  epoll_event event{.events = EPOLLIN | EPOLLONESHOT, .data = {.u64 = static_cast<uint64_t>(pid)}};
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, pidfd.get(), &event) != 0) return Errno(errno);
  Ward& ward = wards_[pid];
  ward.pidfd = std::move(pidfd);
  ward.mortal = &mortal;
  highest_pid_ = std::max(highest_pid_, pid);
  return {};
}

void Warden::Abandon(int pid) {
  MutexLock lock(&mu_);
  auto it = wards_.find(pid);
  if (it == wards_.end()) return;
  if (it->second.dead) {
    Reap(pid);
    wards_.erase(it);
    return;
  }
  it->second.mortal = nullptr;
  kill(pid, SIGKILL);
}

void Warden::Bury(int pid) {
  MutexLock lock(&mu_);
  kill(pid, SIGKILL);
  if (!wards_.contains(pid)) Reap(pid);
}

bool Warden::EndedUnwatched(int pid) {
  MutexLock lock(&mu_);
  siginfo_t info{};
  return !wards_.contains(pid) &&
         waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0 &&
         info.si_pid == pid;
}

void Warden::SuspectStray() {
  MutexLock lock(&mu_);
  strays_.Suspect();
  if (!ticking_) Wake();
  ticking_ = true;
}

void Warden::AwaitDeath(int pid) {
  absl::Time deadline = absl::Now() + kPatience;
  MutexLock lock(&mu_);
  while (true) {
    auto it = wards_.find(pid);
    if (it == wards_.end() || it->second.dead) return;
    if (died_.WaitWithDeadline(mu_.raw(), deadline)) return;
  }
}

void Warden::Expect(Awaited& awaited, uint64_t run) {
  MutexLock lock(&mu_);
  deadlines_[&awaited] = {.run = run, .due = absl::Now() + kPatience};
  if (!ticking_) Wake();
  ticking_ = true;
}

void Warden::Forget(Awaited& awaited) {
  MutexLock lock(&mu_);
  deadlines_.erase(&awaited);
}

void Warden::Wake() {
  uint64_t one = 1;
  CHECK(write(wake_.get(), &one, sizeof(one)) == sizeof(one));
}

void Warden::Run() {
  while (!Finished()) {
    std::array<epoll_event, 16> events;
    int count = epoll_wait(epoll_.get(), events.data(), events.size(), TimeoutMilliseconds());
    for (int i = 0; i < count; ++i) {
      if (events[i].data.u64 != 0) {
        OnDeath(static_cast<int>(events[i].data.u64));
      } else {
        uint64_t ignored;
        CHECK(read(wake_.get(), &ignored, sizeof(ignored)) == sizeof(ignored));
      }
    }
    CheckDeadlines();
    HuntStrays();
  }
}

bool Warden::Finished() {
  MutexLock lock(&mu_);
  return stopping_ && wards_.empty();
}

int Warden::TimeoutMilliseconds() {
  MutexLock lock(&mu_);
  ticking_ = !deadlines_.empty() || strays_.hunting();
  return ticking_ ? kTickMilliseconds : -1;
}

void Warden::OnDeath(int pid) {
  MutexLock lock(&mu_);
  auto it = wards_.find(pid);
  if (it == wards_.end()) return;
  if (it->second.mortal == nullptr) {
    Reap(pid);
    wards_.erase(it);
  } else {
    it->second.dead = true;
    it->second.mortal->OnHostDeath(DeathSignal(pid));
  }
  died_.SignalAll();
}

void Warden::CheckDeadlines() {
  MutexLock lock(&mu_);
  absl::Time now = absl::Now();
  for (auto it = deadlines_.begin(); it != deadlines_.end();) {
    auto [awaited, deadline] = *it;
    bool still = awaited->StillInRun(deadline.run);
    if (still && now < deadline.due) {
      ++it;
      continue;
    }
    if (still) awaited->GiveUp();
    deadlines_.erase(it++);
  }
}

void Warden::HuntStrays() {
  // Numbers are given out in turn: a stray's is not far above those of the known.
  constexpr int kMargin = 4096;
  MutexLock lock(&mu_);
  if (!strays_.hunting()) return;
  strays_.Hunt(highest_pid_ + kMargin,
               [this](int pid) ABSL_NO_THREAD_SAFETY_ANALYSIS { return wards_.contains(pid); });
}

}  // namespace redoubt::platform::seccomp_trap
