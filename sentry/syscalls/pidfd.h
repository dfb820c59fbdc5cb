// SPDX-License-Identifier: Apache-2.0
//
// pidfds: descriptors that stand for a process (pidfd_open(2)). Readable when it has ended.
//
// A PidFd holds its process: the number may be given to another, the pidfd still means the first.
#ifndef SENTRY_SYSCALLS_PIDFD_H_
#define SENTRY_SYSCALLS_PIDFD_H_

#include "sentry/kernel/thread_group.h"
#include "sentry/syscalls/args.h"
#include "sentry/vfs/file_description.h"

namespace redoubt::syscalls {

class PidFd final : public vfs::FileDescription {
 public:
  // `flags`: O_NONBLOCK or 0. CLONE_PIDFD makes one before its process: `group` is null until Bind.
  static RefPtr<PidFd> Create(RefPtr<kernel::ThreadGroup> group, uint32_t flags);
  PidFd(vfs::Path path, uint32_t flags, RefPtr<kernel::ThreadGroup> group);

  // Once, before anybody can wait on it.
  void Bind(RefPtr<kernel::ThreadGroup> group);
  // Null until Bind.
  RefPtr<kernel::ThreadGroup> group() const;

  Result<size_t> Read(std::span<std::byte> buffer) override { return Errno(EINVAL); }
  Result<size_t> Write(std::span<const std::byte> data, const vfs::Caller& caller) override {
    return Errno(EINVAL);
  }
  EventMask Readiness(EventMask mask) override;
  WaitQueue* wait_queue() override;

 private:
  mutable Mutex<LockRank::kLeaf> group_mu_;
  RefPtr<kernel::ThreadGroup> group_ ABSL_GUARDED_BY(group_mu_);
};

// The process that descriptor `fd` stands for; EBADF when it is no pidfd.
Result<RefPtr<kernel::ThreadGroup>> GroupOfPidfd(Task& task, int fd);

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_PIDFD_H_
