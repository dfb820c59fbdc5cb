// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/host/host_poller.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "base/check.h"
#include "base/host/syscall.h"

namespace redoubt::fs {

namespace {
constexpr uint64_t kStopId = 0;
}  // namespace

absl::StatusOr<std::unique_ptr<HostPoller>> HostPoller::Create() {
  OwnedFd epoll(epoll_create1(EPOLL_CLOEXEC));
  OwnedFd stop(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  epoll_event event{.events = EPOLLIN, .data = {.u64 = kStopId}};
  if (!epoll || !stop || epoll_ctl(epoll.get(), EPOLL_CTL_ADD, stop.get(), &event) != 0) {
    return absl::InternalError(std::string("cannot set up the host poller: ") + strerror(errno));
  }
  std::unique_ptr<HostPoller> poller(new HostPoller(std::move(epoll), std::move(stop)));
  poller->thread_ = std::thread([raw = poller.get()] { raw->Run(); });
  return poller;
}

HostPoller::HostPoller(OwnedFd epoll, OwnedFd stop)
    : epoll_(std::move(epoll)), stop_(std::move(stop)) {}

HostPoller::~HostPoller() {
  const uint64_t one = 1;
  CHECK(write(stop_.get(), &one, sizeof(one)) == sizeof(one));
  thread_.join();
  MutexLock lock(&mu_);
  CHECK(registrations_.empty());
}

Result<void> HostPoller::Arm(int fd, Source* source, EventMask events) {
  MutexLock lock(&mu_);
  auto [entry, is_new] = ids_.try_emplace(source, next_id_);
  if (is_new) registrations_[next_id_++] = {source, fd, 0};
  Registration& registration = registrations_[entry->second];
  if ((events & ~registration.armed) == 0) return {};
  epoll_event event{.events = registration.armed | events | EPOLLONESHOT,
                    .data = {.u64 = entry->second}};
  const Result<unsigned> done = host::Call(
      [&] { return epoll_ctl(epoll_.get(), is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event); });
  if (!done.ok()) {
    if (is_new) {
      registrations_.erase(entry->second);
      ids_.erase(entry);
    }
    return done.error();
  }
  registration.armed |= events;
  return {};
}

void HostPoller::Remove(int fd, Source* source) {
  MutexLock lock(&mu_);
  auto found = ids_.find(source);
  if (found == ids_.end()) return;
  registrations_.erase(found->second);
  ids_.erase(found);
  CHECK(epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr) == 0);
}

void HostPoller::Deliver(uint64_t id, EventMask events) {
  MutexLock lock(&mu_);
  auto found = registrations_.find(id);
  if (found == registrations_.end()) return;
  found->second.armed = 0;
  found->second.source->OnHostEvents(events);
}

void HostPoller::Run() {
  std::array<epoll_event, 16> events{};
  while (true) {
    const int count = epoll_wait(epoll_.get(), events.data(), events.size(), -1);
    CHECK(count >= 0 || errno == EINTR);
    for (int i = 0; i < count; ++i) {
      if (events[i].data.u64 == kStopId) return;
      Deliver(events[i].data.u64, events[i].events);
    }
  }
}

}  // namespace redoubt::fs
