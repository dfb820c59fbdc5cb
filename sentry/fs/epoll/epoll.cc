// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/epoll/epoll.h"

#include <utility>

#include "sentry/fs/anon/anonymous_inode.h"
#include "sentry/fs/epoll/epoll_set.h"

namespace redoubt::fs {

namespace {

// What may stand with EPOLLEXCLUSIVE.
constexpr uint32_t kExclusiveAllowed =
    EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE;

// The EPOLLEXCLUSIVE rules of epoll_ctl(2). The flag is otherwise a hint: all waiters are woken.
Result<void> CheckExclusive(int op, const vfs::FileDescription& file, uint32_t events) {
  if ((events & EPOLLEXCLUSIVE) == 0 || op == EPOLL_CTL_DEL) return {};
  if (op == EPOLL_CTL_MOD || dynamic_cast<const EpollFile*>(&file) != nullptr ||
      (events & ~kExclusiveAllowed) != 0) {
    return Errno(EINVAL);
  }
  return {};
}

}  // namespace

Result<RefPtr<EpollFile>> EpollFile::Create(uint32_t flags) {
  if ((flags & ~EPOLL_CLOEXEC) != 0) return Errno(EINVAL);
  return MakeRef<EpollFile>(MakeAnonymousPath(AnonymousKind::kAnonymous, "eventpoll", 0600, 0, 0),
                            MakeRef<EpollSet>());
}

EpollFile::EpollFile(vfs::Path path, RefPtr<EpollSet> set)
    : FileDescription(std::move(path), O_RDWR), set_(std::move(set)) {}

EpollFile::~EpollFile() { set_->Clear(); }

NestingNode& EpollFile::nesting() { return set_->nesting(); }

Result<void> EpollFile::Control(int op, int fd, vfs::FileDescription& file,
                                const abi::EpollEvent& event) {
  if (file.wait_queue() == nullptr) return Errno(EPERM);
  if (&file == this) return Errno(EINVAL);
  TRY(CheckExclusive(op, file, event.events));
  switch (op) {
    case EPOLL_CTL_ADD:
      return set_->Add(fd, file, event);
    case EPOLL_CTL_MOD:
      return set_->Modify(fd, file, event);
    case EPOLL_CTL_DEL:
      return set_->Delete(fd, file);
    default:
      return Errno(EINVAL);
  }
}

size_t EpollFile::Collect(std::span<abi::EpollEvent> events) { return set_->Collect(events); }

EventMask EpollFile::Readiness(EventMask mask) {
  if ((mask & (EPOLLIN | EPOLLRDNORM)) == 0) return 0;
  return set_->HasReady() ? mask & (EPOLLIN | EPOLLRDNORM) : 0;
}

WaitQueue* EpollFile::wait_queue() { return &set_->wait_queue(); }

}  // namespace redoubt::fs
