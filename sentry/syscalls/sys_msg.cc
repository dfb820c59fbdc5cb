// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/sys_msg.h"

#include <sys/msg.h>

#include "sentry/ipc/message_budget.h"
#include "sentry/ipc/message_queue.h"
#include "sentry/kernel/kernel.h"
#include "sentry/syscalls/blocking.h"
#include "sentry/syscalls/ipc_caller.h"

namespace redoubt::syscalls {

namespace {

using ipc::MessageQueue;

constexpr uint64_t kTypeSize = sizeof(int64_t);  // struct msgbuf's mtype.
constexpr int kCopy = 040000;                    // MSG_COPY

ipc::Registry<MessageQueue>& Queues(Task& task) { return task.kernel().ipc().queues; }

// Waits like BlockOn, but a signal always ends it with EINTR (msgsnd and msgrcv are never
// restarted).
template <typename Operation>
auto WaitFor(Task& task, MessageQueue& queue, EventMask events, bool wait, Operation operation)
    -> decltype(operation()) {
  auto result = wait ? BlockOn(task, queue.wait_queue(), events, kNoDeadline, operation)
                     : operation();
  if (result.Is(kernel::ERESTARTSYS)) return Errno(EINTR);
  return result;
}

struct MsgRequest {
  Task& task;
  int32_t id;
  int32_t command;
  uint64_t buffer;
  vfs::Caller caller;
};

SyscallResult Stat(const MsgRequest& request) {
  bool by_slot = request.command != IPC_STAT;
  ipc::Registry<MessageQueue>& queues = Queues(request.task);
  RefPtr<MessageQueue> queue = TRY(by_slot ? queues.AtSlot(request.id) : queues.Find(request.id));
  if (request.command != MSG_STAT_ANY) TRY(queue->CheckAccess(request.caller, ipc::kMayRead));
  msqid_ds status{};
  queue->DescribeQueue(status);
  TRY(request.task.CopyOut(request.buffer, status));
  return by_slot ? static_cast<uint64_t>(queue->id()) : 0UL;
}

SyscallResult Info(const MsgRequest& request) {
  ipc::Registry<MessageQueue>& queues = Queues(request.task);
  msginfo info{};
  info.msgmax = ipc::kMaxMessageSize;
  info.msgmnb = ipc::kMaxQueueBytes;
  info.msgmni = ipc::kMaxMessageQueues;
  info.msgssz = 16;
  info.msgseg = 0xffff;
  info.msgpool = ipc::kMaxMessageQueues * (ipc::kMaxQueueBytes / 1024);
  info.msgmap = info.msgtql = ipc::kMaxQueueBytes;
  if (request.command == MSG_INFO) {
    info.msgpool = static_cast<int>(queues.used());
    info.msgmap = info.msgtql = 0;
    for (const RefPtr<MessageQueue>& queue : queues.List()) {
      info.msgmap += static_cast<int>(queue->messages());
      info.msgtql += static_cast<int>(queue->bytes());
    }
  }
  TRY(request.task.CopyOut(request.buffer, info));
  return static_cast<uint64_t>(queues.HighestSlot());
}

SyscallResult Set(const MsgRequest& request) {
  msqid_ds status = TRY(request.task.CopyIn<msqid_ds>(request.buffer));
  RefPtr<MessageQueue> queue = TRY(Queues(request.task).Find(request.id));
  TRY(queue->CheckOwner(request.caller));
  TRY(queue->SetLimit(status.msg_qbytes, request.caller.HasCapability(CAP_SYS_RESOURCE)));
  queue->SetOwnership(status.msg_perm.uid, status.msg_perm.gid, status.msg_perm.mode);
  return 0UL;
}

SyscallResult Remove(const MsgRequest& request) {
  RefPtr<MessageQueue> queue = TRY(Queues(request.task).Find(request.id));
  TRY(queue->CheckOwner(request.caller));
  if (!Queues(request.task).Remove(*queue)) return Errno(EINVAL);  // Somebody was faster.
  // Nobody adds or takes a message any more: what is in it goes with it.
  ipc::ReleaseMessages(queue->messages(), queue->bytes());
  queue->WakeForRemoval();
  return 0UL;
}

}  // namespace

SyscallResult SysMsgget(Task& task, int32_t key, int32_t flags) {
  vfs::Caller caller = IpcCaller(task);
  auto make = [&]() -> Result<RefPtr<MessageQueue>> {
    return MakeRef<MessageQueue>(key, caller, static_cast<uint32_t>(flags));
  };
  auto check = [](MessageQueue&) -> Result<void> { return {}; };
  return static_cast<uint64_t>(TRY(Queues(task).Get(caller, key, flags, check, make)));
}

SyscallResult SysMsgsnd(Task& task, int32_t id, UserAddress user, uint64_t size, int32_t flags) {
  ipc::Message message;
  message.type = TRY(task.CopyIn<int64_t>(user.address()));
  if (size > ipc::kMaxMessageSize || id < 0) return Errno(EINVAL);
  if (message.type < 1) return Errno(EINVAL);
  message.text.resize(size);
  TRY(task.CopyIn(user.address() + kTypeSize, std::as_writable_bytes(std::span(message.text))));
  RefPtr<MessageQueue> queue = TRY(Queues(task).Find(id));
  TRY(queue->CheckAccess(IpcCaller(task), ipc::kMayWrite));
  TRY(WaitFor(task, *queue, EPOLLOUT, (flags & IPC_NOWAIT) == 0,
              [&] { return queue->Send(message, task.tgid()); }));
  return 0UL;
}

SyscallResult SysMsgrcv(Task& task, int32_t id, UserAddress user, uint64_t size, int64_t type,
                        int32_t flags) {
  if (id < 0 || static_cast<int64_t>(size) < 0) return Errno(EINVAL);
  if ((flags & kCopy) != 0) return Errno(ENOSYS);  // As without CONFIG_CHECKPOINT_RESTORE.
  RefPtr<MessageQueue> queue = TRY(Queues(task).Find(id));
  TRY(queue->CheckAccess(IpcCaller(task), ipc::kMayRead));
  bool wait = (flags & IPC_NOWAIT) == 0;
  ipc::Message message =
      TRY(WaitFor(task, *queue, EPOLLIN, wait, [&]() -> Result<ipc::Message> {
        Result<ipc::Message> taken = queue->Receive(type, size, flags, task.tgid());
        if (taken.Is(ENOMSG) && wait) return Errno(EAGAIN);
        return taken;
      }));
  TRY(task.CopyOut(user.address(), message.type));
  size_t length = std::min<uint64_t>(size, message.text.size());
  TRY(task.CopyOut(user.address() + kTypeSize,
                   std::as_bytes(std::span(message.text)).first(length)));
  return length;
}

SyscallResult SysMsgctl(Task& task, int32_t id, int32_t command, UserAddress buffer) {
  if (id < 0 || command < 0) return Errno(EINVAL);
  MsgRequest request{.task = task,
                     .id = id,
                     .command = command & ~kIpc64,
                     .buffer = buffer.address(),
                     .caller = IpcCaller(task)};
  switch (request.command) {
    case IPC_INFO:
    case MSG_INFO:
      return Info(request);
    case IPC_STAT:
    case MSG_STAT:
    case MSG_STAT_ANY:
      return Stat(request);
    case IPC_SET:
      return Set(request);
    case IPC_RMID:
      return Remove(request);
    default:
      return Errno(EINVAL);
  }
}

}  // namespace redoubt::syscalls
