// SPDX-License-Identifier: Apache-2.0
//
// System V message queues (msgsnd(2), Linux's ipc/msg.c). Nothing here blocks: a full queue and one
// without a fitting message give EAGAIN and ENOMSG; the caller waits on wait_queue().
#ifndef SENTRY_IPC_MESSAGE_QUEUE_H_
#define SENTRY_IPC_MESSAGE_QUEUE_H_

#include <sys/msg.h>

#include <deque>
#include <string>

#include "base/sync/wait_queue.h"
#include "sentry/ipc/object.h"

namespace redoubt::ipc {

inline constexpr int kMaxMessageQueues = 32000;    // MSGMNI
inline constexpr uint64_t kMaxMessageSize = 8192;  // MSGMAX
inline constexpr uint64_t kMaxQueueBytes = 16384;  // MSGMNB

struct Message {
  int64_t type = 0;
  std::string text;
};

// References are held by the registry and by calls.
class MessageQueue : public Object, public RefCounted<MessageQueue> {
 public:
  MessageQueue(int32_t key, const vfs::Caller& creator, uint32_t mode);

  WaitQueue& wait_queue() { return wait_queue_; }
  // EAGAIN while it is full, EIDRM. Takes the message when it succeeds.
  Result<void> Send(Message& message, int pid);
  // msgrcv(2)'s choice by `type` and `flags`: ENOMSG, E2BIG, EIDRM.
  Result<Message> Receive(int64_t type, uint64_t size, int flags, int pid);
  void DescribeQueue(struct msqid_ds& status);
  // IPC_SET. EPERM for more than the default limit without CAP_SYS_RESOURCE.
  Result<void> SetLimit(uint64_t bytes, bool privileged);
  void WakeForRemoval() { wait_queue_.Wake(EPOLLIN | EPOLLOUT | EPOLLHUP); }
  uint64_t bytes();
  uint64_t messages();

 private:
  std::deque<Message>::iterator FindLocked(int64_t type, int flags)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  WaitQueue wait_queue_;
  Mutex<LockRank::kPipe> mu_;
  std::deque<Message> messages_ ABSL_GUARDED_BY(mu_);
  uint64_t bytes_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t limit_ ABSL_GUARDED_BY(mu_) = kMaxQueueBytes;
  int64_t sent_ ABSL_GUARDED_BY(mu_) = 0, received_ ABSL_GUARDED_BY(mu_) = 0;
  int64_t changed_ ABSL_GUARDED_BY(mu_);
  int sender_ ABSL_GUARDED_BY(mu_) = 0, receiver_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace redoubt::ipc

#endif  // SENTRY_IPC_MESSAGE_QUEUE_H_
