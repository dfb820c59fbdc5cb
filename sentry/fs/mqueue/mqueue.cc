// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/mqueue/mqueue.h"

#include <signal.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "sentry/vfs/attribute_change.h"

namespace redoubt::mqueue {

namespace {

// What the queues of each user may take, together. Bounded: a user is in it while he has a queue.
Mutex<LockRank::kLeaf> g_reserved_mu;
std::map<uint32_t, uint64_t>& Reserved() ABSL_EXCLUSIVE_LOCKS_REQUIRED(g_reserved_mu) {
  static auto* reserved = new std::map<uint32_t, uint64_t>();
  return *reserved;
}

}  // namespace

QueueInode::QueueInode(RefPtr<vfs::Superblock> superblock, const vfs::CreateRequest& request,
                       uint64_t number)
    : Inode(std::move(superblock), S_IFREG), owner_(request.uid) {
  attributes_.inode_number = number;
  attributes_.device = this->superblock()->device();
  attributes_.mode = S_IFREG | (request.mode & 07777);
  attributes_.uid = request.uid;
  attributes_.gid = request.gid;
  attributes_.size = 80;  // What Linux shows: the length of the description.
  attributes_.access_time = attributes_.modify_time = attributes_.change_time =
      attributes_.birth_time = vfs::Now();
}

QueueInode::~QueueInode() {
  if (reserved_ == 0) return;
  MutexLock lock(&g_reserved_mu);
  auto found = Reserved().find(owner_);
  found->second -= reserved_;
  if (found->second == 0) Reserved().erase(found);
}

Limits QueueInode::limits() const {
  MutexLock lock(&mu_);
  return limits_;
}

Result<void> QueueInode::SetLimits(const Limits& limits, uint64_t most) {
  constexpr uint64_t kPerMessage = 56;                    // A message's bookkeeping.
  constexpr uint64_t kMostOfAnybody = uint64_t{1} << 30;  // It is the sentry's memory.
  auto bytes = static_cast<uint64_t>(limits.messages) *
               (static_cast<uint64_t>(limits.message_size) + kPerMessage);
  {
    MutexLock lock(&g_reserved_mu);
    uint64_t& used = Reserved()[owner_];
    if (bytes > std::min(most, kMostOfAnybody) - std::min({used, most, kMostOfAnybody})) {
      if (used == 0) Reserved().erase(owner_);
      return Errno(EMFILE);
    }
    used += bytes;
    reserved_ = bytes;
  }
  MutexLock lock(&mu_);
  limits_ = limits;
  return {};
}

int64_t QueueInode::messages() const {
  MutexLock lock(&mu_);
  return count_;
}

Result<std::optional<Registration>> QueueInode::Send(Message message) {
  std::optional<Registration> told;
  {
    MutexLock lock(&mu_);
    if (count_ >= limits_.messages) return Errno(EAGAIN);
    if (count_ == 0 && receivers_ == 0) told = std::exchange(registration_, std::nullopt);
    ++count_;
    bytes_ += message.text.size();
    messages_[message.priority].push_back(std::move(message.text));
    attributes_.modify_time = attributes_.change_time = vfs::Now();
  }
  wait_queue_.Wake(EPOLLIN | EPOLLRDNORM);
  return told;
}

Result<Message> QueueInode::Receive() {
  Message message;
  {
    MutexLock lock(&mu_);
    if (count_ == 0) return Errno(EAGAIN);
    auto highest = messages_.begin();
    message.priority = highest->first;
    message.text = std::move(highest->second.front());
    highest->second.pop_front();
    if (highest->second.empty()) messages_.erase(highest);
    --count_;
    bytes_ -= message.text.size();
    attributes_.access_time = attributes_.change_time = vfs::Now();
  }
  wait_queue_.Wake(EPOLLOUT | EPOLLWRNORM);
  return message;
}

void QueueInode::AddReceiver(int change) {
  MutexLock lock(&mu_);
  receivers_ += change;
}

Result<void> QueueInode::Register(const Registration& registration) {
  MutexLock lock(&mu_);
  if (registration_) return Errno(EBUSY);
  registration_ = registration;
  return {};
}

void QueueInode::Unregister(int tgid) {
  MutexLock lock(&mu_);
  if (registration_ && registration_->tgid == tgid) registration_ = std::nullopt;
}

std::string QueueInode::Describe() const {
  MutexLock lock(&mu_);
  Registration shown = registration_.value_or(Registration{});
  int notify = registration_ ? (shown.signal != 0 ? SIGEV_SIGNAL : SIGEV_NONE) : 0;
  return absl::StrFormat("QSIZE:%-10d NOTIFY:%-5d SIGNO:%-5d NOTIFY_PID:%-6d\n", bytes_, notify,
                         shown.signal, shown.tgid);
}

EventMask QueueInode::Readiness() const {
  MutexLock lock(&mu_);
  EventMask events = 0;
  if (count_ > 0) events |= EPOLLIN | EPOLLRDNORM;
  if (count_ < limits_.messages) events |= EPOLLOUT | EPOLLWRNORM;
  return events;
}

Result<vfs::Attributes> QueueInode::GetAttributes() {
  MutexLock lock(&mu_);
  return attributes_;
}

Result<void> QueueInode::SetAttributes(const vfs::AttributeChange& change) {
  MutexLock lock(&mu_);
  vfs::ApplyChange(change, attributes_);
  return {};
}

Result<RefPtr<vfs::FileDescription>> QueueInode::Open(const vfs::Path& path, uint32_t flags,
                                                      const vfs::Caller& caller) {
  return MakeRef<QueueFile>(path, flags);
}

void QueueInode::DropName() {
  MutexLock lock(&mu_);
  attributes_.links = 0;
}

EventMask QueueFile::Readiness(EventMask mask) { return queue().Readiness() & mask; }

void QueueFile::OnDescriptorClosed(int tgid) {
  queue().Unregister(tgid);
  GeneratedFile::OnDescriptorClosed(tgid);
}

QueueFile* AsQueue(vfs::FileDescription& file) { return dynamic_cast<QueueFile*>(&file); }

}  // namespace redoubt::mqueue
