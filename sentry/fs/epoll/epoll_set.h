// SPDX-License-Identifier: Apache-2.0
//
// EpollSet: what an epoll watches, and EpollItem: one file in it. See epoll.h for lifetimes.
#ifndef SENTRY_FS_EPOLL_EPOLL_SET_H_
#define SENTRY_FS_EPOLL_EPOLL_SET_H_

#include <cstddef>
#include <span>
#include <utility>

#include "abi/linux/epoll.h"
#include "absl/container/flat_hash_map.h"
#include "base/ref_counted.h"
#include "base/result.h"
#include "base/sync/wait_queue.h"
#include "sentry/fs/epoll/nesting.h"
#include "sentry/vfs/file_description.h"

namespace redoubt::fs {

class EpollSet;

// References are held by the set while the item is in it, and by the file's list of listeners.
class EpollItem final : public vfs::ReleaseListener, public WaitEntry {
 public:
  EpollItem(RefPtr<EpollSet> set, int fd, vfs::FileDescription* file);
  ~EpollItem() override;

  void Notify(EventMask events) override;
  void OnFileReleased(vfs::FileDescription& file) override;

 private:
  friend class EpollSet;
  const RefPtr<EpollSet> set_;
  const int fd_;
  // Whole while the item is in the set.
  vfs::FileDescription* const file_;
  // The inner epoll when the file is one.
  NestingNode* nested_ = nullptr;

  // Guarded by the set's mu_.
  bool in_set_ = false;
  uint64_t data_ = 0;
  // What the guest asked for, with EPOLLET and so on. Written under mu_, read by Notify.
  std::atomic<uint32_t> events_{0};

  // Guarded by the set's ready_mu_.
  bool queued_ = false;
  EpollItem* previous_ready_ = nullptr;
  EpollItem* next_ready_ = nullptr;
};

// References are held by the EpollFile and by each item.
class EpollSet : public RefCounted<EpollSet> {
 public:
  EpollSet() = default;
  ~EpollSet();

  Result<void> Add(int fd, vfs::FileDescription& file, const abi::EpollEvent& event);
  Result<void> Modify(int fd, vfs::FileDescription& file, const abi::EpollEvent& event);
  Result<void> Delete(int fd, vfs::FileDescription& file);
  size_t Collect(std::span<abi::EpollEvent> events);
  bool HasReady();
  // The epoll goes: nothing is watched any more.
  void Clear();

  WaitQueue& wait_queue() { return wait_queue_; }
  NestingNode& nesting() { return nesting_; }

 private:
  friend class EpollItem;
  using Key = std::pair<int, const vfs::FileDescription*>;

  EventMask Ready(EpollItem& item) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Starts to listen and notes what is ready already.
  void WatchLocked(EpollItem& item) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Takes the item out of everything, the file's listeners included.
  void DetachLocked(EpollItem& item) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // The ready list. Push gives false when the item is there already.
  bool PushReady(EpollItem& item);
  EpollItem* PopReady();
  void RemoveReady(EpollItem& item);
  size_t ReadyCount();

  WaitQueue wait_queue_;
  NestingNode nesting_;
  Mutex<LockRank::kEpoll> mu_;
  absl::flat_hash_map<Key, RefPtr<EpollItem>> items_ ABSL_GUARDED_BY(mu_);

  Mutex<LockRank::kLeaf> ready_mu_;
  EpollItem* first_ready_ ABSL_GUARDED_BY(ready_mu_) = nullptr;
  EpollItem* last_ready_ ABSL_GUARDED_BY(ready_mu_) = nullptr;
  size_t ready_count_ ABSL_GUARDED_BY(ready_mu_) = 0;
};

}  // namespace redoubt::fs

#endif  // SENTRY_FS_EPOLL_EPOLL_SET_H_
