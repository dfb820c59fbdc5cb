// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/sys_mqueue.h"

#include <fcntl.h>
#include <mqueue.h>
#include <signal.h>

#include "sentry/fs/mqueue/mqueue.h"
#include "sentry/kernel/kernel.h"
#include "sentry/kernel/signal_send.h"
#include "sentry/syscalls/blocking.h"
#include "sentry/syscalls/install_file.h"
#include "sentry/syscalls/poll_set.h"
#include "sentry/syscalls/sys_timer.h"
#include "sentry/time/clock.h"
#include "sentry/vfs/operations.h"

namespace redoubt::syscalls {

namespace {

static_assert(sizeof(QueueAttributes) == sizeof(mq_attr));

vfs::Path QueueRoot(Task& task) {
  RefPtr<vfs::Mount> mount = mqueue::MountIn(task.kernel().ipc().message_queue_mount);
  RefPtr<vfs::Dentry> root = mount->root();
  return vfs::Path{std::move(mount), std::move(root)};
}

// One component: libc has taken the leading slash off.
Result<std::string> ReadName(Task& task, UserPath user) {
  std::string name = TRY(user.Read(task));
  if (name.empty()) return Errno(ENOENT);
  if (name.find('/') != std::string::npos || name == "." || name == "..") return Errno(EACCES);
  if (name.size() > 255) return Errno(ENAMETOOLONG);
  return name;
}

// mq_attr_ok().
Result<mqueue::Limits> CheckLimits(Task& task, const QueueAttributes& wanted) {
  bool privileged = task.credentials()->HasCapability(CAP_SYS_RESOURCE);
  int64_t messages = privileged ? mqueue::kHardMaxMessages : mqueue::kMaxMessages;
  int64_t size = privileged ? mqueue::kHardMaxMessageSize : mqueue::kMaxMessageSize;
  if (wanted.max_messages <= 0 || wanted.message_size <= 0 || wanted.max_messages > messages ||
      wanted.message_size > size) {
    return Errno(EINVAL);
  }
  return mqueue::Limits{.messages = wanted.max_messages, .message_size = wanted.message_size};
}

// The queue is made, or was there already (EEXIST).
Result<FileRef> CreateQueue(Task& task, const vfs::Caller& caller, const std::string& name,
                            uint32_t flags, uint32_t mode, UserIn<QueueAttributes> user) {
  mqueue::Limits limits;
  if (user) limits = TRY(CheckLimits(task, TRY(user.Read(task))));
  vfs::Path made = TRY(vfs::MakeNodeAt(caller, QueueRoot(task), name, S_IFREG | (mode & 0777), 0));
  uint64_t most = task.group()->limit(RLIMIT_MSGQUEUE).current;
  Result<void> set =
      static_cast<mqueue::QueueInode&>(*made.dentry->inode()).SetLimits(limits, most);
  if (!set.ok()) {
    (void)vfs::Unlink(caller, QueueRoot(task), name);
    return set.error();
  }
  return made.dentry->inode()->Open(made, flags, caller);
}

Result<FileRef> OpenQueue(Task& task, const std::string& name, uint32_t flags, uint32_t mode,
                          UserIn<QueueAttributes> user) {
  vfs::Caller caller = task.MakeCaller();
  uint32_t kept = flags & (O_ACCMODE | O_NONBLOCK);
  if ((flags & O_CREAT) != 0) {
    Result<FileRef> made = CreateQueue(task, caller, name, kept, mode, user);
    if (!made.Is(EEXIST) || (flags & O_EXCL) != 0) return made;
  }
  return vfs::Open(caller, QueueRoot(task), name, {.flags = kept});
}

struct QueueRef {
  FileRef file;
  mqueue::QueueFile* queue = nullptr;
};

Result<QueueRef> GetQueue(Task& task, int fd) {
  QueueRef found;
  found.file = TRY(task.fd_table()->GetForIo(fd));
  found.queue = mqueue::AsQueue(*found.file);
  if (found.queue == nullptr) return Errno(EBADF);
  return found;
}

// The time-outs are points of the realtime clock.
Result<Deadline> ReadDeadline(Task& task, UserIn<abi::Timespec> user) {
  if (!user) return kNoDeadline;
  abi::Timespec until = TRY(user.Read(task));
  if (!until.IsValid()) return Errno(EINVAL);
  int64_t left = abi::ToNanoseconds(until) - time::Now(time::Clock::kRealtime);
  return DeadlineIn(std::max<int64_t>(left, 0));
}

void Tell(Task& sender, const mqueue::Registration& registration) {
  if (registration.signal == 0) return;
  auto group = sender.kernel().tasks().FindGroup(registration.tgid);
  if (!group.ok()) return;
  kernel::SignalInfo info =
      kernel::UserSignal(registration.signal, sender.tgid(), sender.credentials()->uid, SI_MESGQ);
  info.fields.sender.value = registration.value;
  (void)kernel::SendSignal(**group, info);
}

// A receiver that waits, for as long as it does.
class ReceiverMark {
 public:
  explicit ReceiverMark(mqueue::QueueInode& queue) : queue_(queue) { queue_.AddReceiver(1); }
  ~ReceiverMark() { queue_.AddReceiver(-1); }

 private:
  mqueue::QueueInode& queue_;
};

}  // namespace

SyscallResult SysMqOpen(Task& task, UserPath user_name, OpenFlags flags, FileMode mode,
                        UserIn<QueueAttributes> attributes) {
  std::string name = TRY(ReadName(task, user_name));
  FileRef file = TRY(OpenQueue(task, name, flags, mode & ~task.fs()->umask(), attributes));
  return InstallResult(task, std::move(file), true);
}

SyscallResult SysMqUnlink(Task& task, UserPath user_name) {
  std::string name = TRY(ReadName(task, user_name));
  TRY(vfs::Unlink(task.MakeCaller(), QueueRoot(task), name));
  return 0UL;
}

SyscallResult SysMqTimedsend(Task& task, FdNumber fd, UserBytesIn text, uint64_t size,
                             uint32_t priority, UserIn<abi::Timespec> timeout) {
  if (priority >= mqueue::kPriorities) return Errno(EINVAL);
  Deadline deadline = TRY(ReadDeadline(task, timeout));
  QueueRef found = TRY(GetQueue(task, fd));
  if (!found.file->writable()) return Errno(EBADF);
  mqueue::QueueInode& queue = found.queue->queue();
  if (size > static_cast<uint64_t>(queue.limits().message_size)) return Errno(EMSGSIZE);
  mqueue::Message message{.priority = priority, .text = std::string(size, '\0')};
  TRY(task.CopyIn(text.address(), std::as_writable_bytes(std::span(message.text))));
  std::optional<mqueue::Registration> told = TRY(BlockUntil(
      task, *found.file, EPOLLOUT, deadline, found.file->nonblocking(),
      [&]() -> Result<std::optional<mqueue::Registration>> { return queue.Send(message); }));
  if (told) Tell(task, *told);
  return 0UL;
}

SyscallResult SysMqTimedreceive(Task& task, FdNumber fd, UserBytesOut text, uint64_t size,
                                UserOut<uint32_t> priority, UserIn<abi::Timespec> timeout) {
  Deadline deadline = TRY(ReadDeadline(task, timeout));
  QueueRef found = TRY(GetQueue(task, fd));
  if (!found.file->readable()) return Errno(EBADF);
  mqueue::QueueInode& queue = found.queue->queue();
  if (size < static_cast<uint64_t>(queue.limits().message_size)) return Errno(EMSGSIZE);
  Result<mqueue::Message> message = queue.Receive();
  if (message.Is(EAGAIN) && !found.file->nonblocking()) {
    ReceiverMark mark(queue);
    message = BlockUntil(task, *found.file, EPOLLIN, deadline, false,
                         [&]() -> Result<mqueue::Message> { return queue.Receive(); });
  }
  if (!message.ok()) return message.error();
  TRY(priority.WriteIfSet(task, message->priority));
  TRY(task.CopyOut(text.address(), std::as_bytes(std::span(message->text))));
  return message->text.size();
}

SyscallResult SysMqNotify(Task& task, FdNumber fd, UserAddress user) {
  mqueue::Registration registration{.tgid = task.tgid()};
  if (user) {
    SignalEvent event = TRY(task.CopyIn<SignalEvent>(user.address()));
    // SIGEV_THREAD speaks of a netlink socket, which libc makes for it.
    if (event.notify != SIGEV_NONE && event.notify != SIGEV_SIGNAL) return Errno(EINVAL);
    if (event.notify == SIGEV_SIGNAL) {
      if (event.signal < 1 || event.signal > abi::kSignalCount) return Errno(EINVAL);
      registration.signal = event.signal;
    }
    registration.value = event.value;
  }
  QueueRef found = TRY(GetQueue(task, fd));
  if (user) {
    TRY(found.queue->queue().Register(registration));
  } else {
    found.queue->queue().Unregister(task.tgid());
  }
  return 0UL;
}

SyscallResult SysMqGetsetattr(Task& task, FdNumber fd, UserIn<QueueAttributes> user_next,
                              UserOut<QueueAttributes> user_old) {
  QueueAttributes next;
  if (user_next) {
    next = TRY(user_next.Read(task));
    if ((next.flags & ~int64_t{O_NONBLOCK}) != 0) return Errno(EINVAL);
  }
  QueueRef found = TRY(GetQueue(task, fd));
  mqueue::Limits limits = found.queue->queue().limits();
  QueueAttributes old{.flags = found.file->nonblocking() ? O_NONBLOCK : 0,
                      .max_messages = limits.messages,
                      .message_size = limits.message_size,
                      .messages = found.queue->queue().messages()};
  if (user_next) {
    uint32_t flags = found.file->flags() & ~uint32_t{O_NONBLOCK};
    TRY(found.file->SetStatusFlags(flags | static_cast<uint32_t>(next.flags)));
  }
  TRY(user_old.WriteIfSet(task, old));
  return 0UL;
}

}  // namespace redoubt::syscalls
