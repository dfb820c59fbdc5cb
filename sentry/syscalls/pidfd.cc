// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/pidfd.h"

#include "sentry/fs/anon/anonymous_inode.h"
#include "sentry/kernel/kernel.h"

namespace redoubt::syscalls {

RefPtr<PidFd> PidFd::Create(RefPtr<kernel::ThreadGroup> group, uint32_t flags) {
  vfs::Path path = fs::MakeAnonymousPath(fs::AnonymousKind::kAnonymous, "pidfd", 0600, 0, 0);
  return MakeRef<PidFd>(std::move(path), O_RDWR | flags, std::move(group));
}

PidFd::PidFd(vfs::Path path, uint32_t flags, RefPtr<kernel::ThreadGroup> group)
    : FileDescription(std::move(path), flags), group_(std::move(group)) {}

void PidFd::Bind(RefPtr<kernel::ThreadGroup> group) {
  MutexLock lock(&group_mu_);
  group_ = std::move(group);
}

RefPtr<kernel::ThreadGroup> PidFd::group() const {
  MutexLock lock(&group_mu_);
  return group_;
}

EventMask PidFd::Readiness(EventMask mask) {
  RefPtr<kernel::ThreadGroup> process = group();
  if (!process) return 0;
  MutexLock lock(&process->kernel().tasks().mu_);
  return process->zombie || process->reaped ? mask & (EPOLLIN | EPOLLRDNORM) : 0;
}

WaitQueue* PidFd::wait_queue() {
  RefPtr<kernel::ThreadGroup> process = group();
  return process ? &process->group_events : nullptr;
}

Result<RefPtr<kernel::ThreadGroup>> GroupOfPidfd(Task& task, int fd) {
  FileRef file = TRY(task.fd_table()->Get(fd));
  auto* pidfd = dynamic_cast<PidFd*>(file.get());
  if (pidfd == nullptr) return Errno(EBADF);
  RefPtr<kernel::ThreadGroup> group = pidfd->group();
  if (!group) return Errno(ESRCH);
  return group;
}

}  // namespace redoubt::syscalls
