// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/epoll/epoll_set.h"

#include <utility>

#include "base/check.h"
#include "sentry/fs/epoll/epoll.h"

namespace redoubt::fs {

namespace {

// Bits of an item's events that are modes, not events (EP_PRIVATE_BITS).
constexpr uint32_t kModeBits = EPOLLWAKEUP | EPOLLONESHOT | EPOLLET | EPOLLEXCLUSIVE;
constexpr EventMask kAlways = EPOLLERR | EPOLLHUP;

// Items in all epolls of the sandbox (fs.epoll.max_user_watches): each costs the sentry some 200
// bytes, and a guest makes them without spending descriptors, by dup(2).
constexpr int kMaximumItems = 1 << 19;
std::atomic<int> g_items{0};

}  // namespace

EpollItem::EpollItem(RefPtr<EpollSet> set, int fd, vfs::FileDescription* file)
    : set_(std::move(set)), fd_(fd), file_(file) {
  g_items.fetch_add(1, std::memory_order_relaxed);
}

EpollItem::~EpollItem() { g_items.fetch_sub(1, std::memory_order_relaxed); }

// Under the file's wait queue's lock: this item is in that queue, so it is in its set.
void EpollItem::Notify(EventMask events) {
  const uint32_t wanted = events_.load(std::memory_order_relaxed);
  if ((wanted & ~kModeBits) == 0) return;  // A one-shot that has fired.
  if ((events & (wanted | kAlways)) == 0) return;
  if (set_->PushReady(*this)) set_->wait_queue_.Wake(EPOLLIN | EPOLLRDNORM);
}

void EpollItem::OnFileReleased(vfs::FileDescription& file) {
  MutexLock lock(&set_->mu_);
  if (!in_set_) return;
  // The caller holds a reference to this item: it does not go with the set's.
  set_->DetachLocked(*this);
}

EpollSet::~EpollSet() = default;

EventMask EpollSet::Ready(EpollItem& item) {
  const uint32_t wanted = item.events_.load(std::memory_order_relaxed);
  if ((wanted & ~kModeBits) == 0) return 0;
  const EventMask mask = (wanted & ~kModeBits) | kAlways;
  return item.file_->Readiness(mask) & mask;
}

void EpollSet::WatchLocked(EpollItem& item) {
  const EventMask mask = item.events_.load(std::memory_order_relaxed) & ~kModeBits;
  item.file_->wait_queue()->Add(&item, mask);
  if (Ready(item) != 0 && PushReady(item)) wait_queue_.Wake(EPOLLIN | EPOLLRDNORM);
}

void EpollSet::DetachLocked(EpollItem& item) {
  CHECK(item.in_set_);
  item.in_set_ = false;
  // First the wait queue: no Notify() comes after this, so nothing puts it back on the ready list.
  item.file_->wait_queue()->Remove(&item);
  RemoveReady(item);
  if (item.nested_ != nullptr) NestingNode::Unlink(nesting_, *item.nested_);
  item.nested_ = nullptr;
  vfs::FileDescription* const file = item.file_;
  const Key key(item.fd_, file);
  RefPtr<EpollItem> keep(&item);  // Outlives both entries below.
  items_.erase(key);
  file->RemoveReleaseListener(&item);
}

Result<void> EpollSet::Add(int fd, vfs::FileDescription& file, const abi::EpollEvent& event) {
  auto* inner = dynamic_cast<EpollFile*>(&file);
  RefPtr<EpollItem> item;  // Before the lock: an unused one goes after it.
  MutexLock lock(&mu_);
  if (items_.contains(Key(fd, &file))) return Errno(EEXIST);
  if (g_items.load(std::memory_order_relaxed) >= kMaximumItems) return Errno(ENOSPC);
  item = MakeRef<EpollItem>(RefPtr<EpollSet>(this), fd, &file);
  if (inner != nullptr) {
    TRY(NestingNode::Link(nesting_, inner->nesting()));
    item->nested_ = &inner->nesting();
  }
  item->data_ = event.data;
  item->events_.store(event.events | kAlways, std::memory_order_relaxed);
  item->in_set_ = true;
  items_.emplace(Key(fd, &file), item);
  file.AddReleaseListener(item);
  WatchLocked(*item);
  return {};
}

Result<void> EpollSet::Modify(int fd, vfs::FileDescription& file, const abi::EpollEvent& event) {
  MutexLock lock(&mu_);
  auto found = items_.find(Key(fd, &file));
  if (found == items_.end()) return Errno(ENOENT);
  EpollItem& item = *found->second;
  if ((item.events_.load(std::memory_order_relaxed) & EPOLLEXCLUSIVE) != 0) return Errno(EINVAL);
  // Out and in again: the queue keeps each entry's mask.
  file.wait_queue()->Remove(&item);
  item.data_ = event.data;
  item.events_.store(event.events | kAlways, std::memory_order_relaxed);
  WatchLocked(item);
  return {};
}

Result<void> EpollSet::Delete(int fd, vfs::FileDescription& file) {
  RefPtr<EpollItem> item;  // Goes after the lock.
  MutexLock lock(&mu_);
  auto found = items_.find(Key(fd, &file));
  if (found == items_.end()) return Errno(ENOENT);
  item = found->second;
  DetachLocked(*item);
  return {};
}

void EpollSet::Clear() {
  std::vector<RefPtr<EpollItem>> items;  // Go after the lock: each holds a reference to this set.
  MutexLock lock(&mu_);
  items.reserve(items_.size());
  for (const auto& [key, item] : items_) items.push_back(item);
  for (const RefPtr<EpollItem>& item : items) DetachLocked(*item);
}

size_t EpollSet::Collect(std::span<abi::EpollEvent> events) {
  MutexLock lock(&mu_);
  size_t done = 0;
  // Each item that is on the list now is looked at once: level-triggered ones go back to its end.
  for (size_t left = ReadyCount(); left > 0 && done < events.size(); --left) {
    EpollItem* item = PopReady();
    if (item == nullptr) break;
    // A Notify() from here on puts it back, so no event between the question and the answer is
    // lost.
    const EventMask ready = Ready(*item);
    if (ready == 0) continue;
    events[done].events = ready;
    events[done].data = item->data_;
    ++done;
    const uint32_t wanted = item->events_.load(std::memory_order_relaxed);
    if ((wanted & EPOLLONESHOT) != 0) {
      item->events_.store(wanted & kModeBits, std::memory_order_relaxed);
    } else if ((wanted & EPOLLET) == 0) {
      PushReady(*item);
    }
  }
  return done;
}

bool EpollSet::HasReady() {
  MutexLock lock(&mu_);
  for (size_t left = ReadyCount(); left > 0; --left) {
    EpollItem* item = PopReady();
    if (item == nullptr) return false;
    if (Ready(*item) == 0) continue;
    PushReady(*item);
    return true;
  }
  return false;
}

bool EpollSet::PushReady(EpollItem& item) {
  MutexLock lock(&ready_mu_);
  if (item.queued_) return false;
  item.queued_ = true;
  item.previous_ready_ = last_ready_;
  item.next_ready_ = nullptr;
  (last_ready_ != nullptr ? last_ready_->next_ready_ : first_ready_) = &item;
  last_ready_ = &item;
  ++ready_count_;
  return true;
}

EpollItem* EpollSet::PopReady() {
  EpollItem* item = nullptr;
  {
    MutexLock lock(&ready_mu_);
    item = first_ready_;
  }
  // Only holders of mu_ take items off the list.
  if (item != nullptr) RemoveReady(*item);
  return item;
}

void EpollSet::RemoveReady(EpollItem& item) {
  MutexLock lock(&ready_mu_);
  if (!item.queued_) return;
  item.queued_ = false;
  (item.previous_ready_ != nullptr ? item.previous_ready_->next_ready_ : first_ready_) =
      item.next_ready_;
  (item.next_ready_ != nullptr ? item.next_ready_->previous_ready_ : last_ready_) =
      item.previous_ready_;
  --ready_count_;
}

size_t EpollSet::ReadyCount() {
  MutexLock lock(&ready_mu_);
  return ready_count_;
}

}  // namespace redoubt::fs
