// SPDX-License-Identifier: Apache-2.0
#include "sentry/ipc/message_queue.h"

#include <algorithm>
#include <utility>

#include "sentry/ipc/message_budget.h"
#include "sentry/vfs/attributes.h"

namespace redoubt::ipc {

MessageQueue::MessageQueue(int32_t key, const vfs::Caller& creator, uint32_t mode)
    : Object(key, creator, mode), changed_(vfs::Now().seconds) {}

Result<void> MessageQueue::Send(Message& message, int pid) {
  {
    MutexLock lock(&mu_);
    if (removed()) return Errno(EIDRM);
    // Empty messages are counted too, lest there be no end of them.
    if (message.text.size() + bytes_ > limit_ || messages_.size() + 1 > limit_) {
      return Errno(EAGAIN);
    }
    TRY(ChargeMessage(message.text.size()));
    bytes_ += message.text.size();
    messages_.push_back(std::move(message));
    sender_ = pid;
    sent_ = vfs::Now().seconds;
  }
  wait_queue_.Wake(EPOLLIN);
  return {};
}

std::deque<Message>::iterator MessageQueue::FindLocked(int64_t type, int flags) {
  if (type == 0) return messages_.begin();
  if (type > 0) {
    bool except = (flags & MSG_EXCEPT) != 0;
    return std::find_if(messages_.begin(), messages_.end(),
                        [&](const Message& message) { return (message.type == type) != except; });
  }
  // The first of the lowest type up to -type.
  int64_t most = type == INT64_MIN ? INT64_MAX : -type;
  auto best = messages_.end();
  for (auto at = messages_.begin(); at != messages_.end(); ++at) {
    if (at->type <= most && (best == messages_.end() || at->type < best->type)) best = at;
  }
  return best;
}

Result<Message> MessageQueue::Receive(int64_t type, uint64_t size, int flags, int pid) {
  Message message;
  {
    MutexLock lock(&mu_);
    if (removed()) return Errno(EIDRM);
    auto found = FindLocked(type, flags);
    if (found == messages_.end()) return Errno(ENOMSG);
    if (found->text.size() > size && (flags & MSG_NOERROR) == 0) return Errno(E2BIG);
    message = std::move(*found);
    messages_.erase(found);
    bytes_ -= message.text.size();
    ReleaseMessages(1, message.text.size());
    receiver_ = pid;
    received_ = vfs::Now().seconds;
  }
  wait_queue_.Wake(EPOLLOUT);
  return message;
}

void MessageQueue::DescribeQueue(msqid_ds& status) {
  Describe(status.msg_perm);
  MutexLock lock(&mu_);
  status.msg_stime = sent_;
  status.msg_rtime = received_;
  status.msg_ctime = changed_;
  status.__msg_cbytes = bytes_;
  status.msg_qnum = messages_.size();
  status.msg_qbytes = limit_;
  status.msg_lspid = sender_;
  status.msg_lrpid = receiver_;
}

Result<void> MessageQueue::SetLimit(uint64_t bytes, bool privileged) {
  constexpr uint64_t kMost = 1 << 20;  // What the sentry keeps for anybody.
  if (bytes > kMaxQueueBytes && !privileged) return Errno(EPERM);
  {
    MutexLock lock(&mu_);
    limit_ = std::min(bytes, kMost);
    changed_ = vfs::Now().seconds;
  }
  wait_queue_.Wake(EPOLLIN | EPOLLOUT);
  return {};
}

uint64_t MessageQueue::bytes() {
  MutexLock lock(&mu_);
  return bytes_;
}

uint64_t MessageQueue::messages() {
  MutexLock lock(&mu_);
  return messages_.size();
}

}  // namespace redoubt::ipc
