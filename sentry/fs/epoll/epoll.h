// SPDX-License-Identifier: Apache-2.0
//
// epoll(7) (Linux's fs/eventpoll.c).
//
//   RefPtr<EpollFile> epoll = TRY(EpollFile::Create(flags));            // epoll_create1
//   TRY(epoll->Control(EPOLL_CTL_ADD, fd, file, event));                // epoll_ctl
//   size_t n = epoll->Collect(events);                                  // epoll_wait: 0 means wait
//                                                                       // on wait_queue() for
//                                                                       EPOLLIN.
// Who keeps what alive. An item refers to its file by a plain pointer: when the last reference to
// the file goes, the file (still whole: FileDescription::OnRelease runs before any destructor)
// calls the item, which takes EpollSet::mu_ and unlinks itself. So under mu_, an item that is in
// the set has a whole file, whose Readiness() may be asked even while the file waits for mu_ to go
// away. Nobody takes a reference to a file from an item, so no epoll thread ever drops a last one.
//
// When the epoll goes, it takes its items out of their files, under mu_ too.
//
// Locks: mu_ (kEpoll; an outer set before an inner one) is held while files are asked, ready_mu_
// (leaf) guards the ready list, since Notify runs under the file's wait queue.
#ifndef SENTRY_FS_EPOLL_EPOLL_H_
#define SENTRY_FS_EPOLL_EPOLL_H_

#include <cstddef>
#include <span>

#include "abi/linux/epoll.h"
#include "base/ref_counted.h"
#include "base/result.h"
#include "sentry/vfs/file_description.h"

namespace redoubt::fs {

class EpollSet;
class NestingNode;

class EpollFile : public vfs::FileDescription {
 public:
  // `flags`: EPOLL_CLOEXEC or EINVAL.
  static Result<RefPtr<EpollFile>> Create(uint32_t flags);
  EpollFile(vfs::Path path, RefPtr<EpollSet> set);
  ~EpollFile() override;

  // epoll_ctl(2). `fd` and `file` together name the item. `event` is ignored for EPOLL_CTL_DEL.
  Result<void> Control(int op, int fd, vfs::FileDescription& file, const abi::EpollEvent& event);
  // Fills in what is ready now; never waits.
  size_t Collect(std::span<abi::EpollEvent> events);

  // For epoll_set.cc: this epoll's place among nested ones.
  NestingNode& nesting();

  EventMask Readiness(EventMask mask) override;
  WaitQueue* wait_queue() override;
  Result<size_t> Read(std::span<std::byte> buffer) override { return Errno(EINVAL); }
  Result<size_t> Write(std::span<const std::byte> data, const vfs::Caller& caller) override {
    return Errno(EINVAL);
  }

 private:
  const RefPtr<EpollSet> set_;
};

}  // namespace redoubt::fs

#endif  // SENTRY_FS_EPOLL_EPOLL_H_
