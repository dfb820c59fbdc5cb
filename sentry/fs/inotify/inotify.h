// SPDX-License-Identifier: Apache-2.0
//
// inotify(7): a queue of events on watched files (Linux's fs/notify/inotify).
//
//   RefPtr<Inotify> file = TRY(Inotify::Create(flags, uid));
//   int wd = TRY(file->AddWatch(inode, IN_CREATE | IN_DELETE));
//
// Inotify is the open file, InotifyGroup its queue and watches, which outlive it while a watch is
// being told of an event. Lock order: InotifyGroup::mu_ is below a WatchList's lock and is never
// held while one is taken.
#ifndef SENTRY_FS_INOTIFY_INOTIFY_H_
#define SENTRY_FS_INOTIFY_INOTIFY_H_

#include <cstdint>
#include <deque>
#include <map>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "sentry/vfs/file_description.h"
#include "sentry/vfs/notify.h"

namespace redoubt::fs {

// /proc/sys/fs/inotify.
inline constexpr size_t kInotifyMaxQueuedEvents = 16384;
inline constexpr int kInotifyMaxUserInstances = 128;
inline constexpr int kInotifyMaxUserWatches = 65536;

class InotifyWatch;

// References are held by the open file and by its watches.
class InotifyGroup : public RefCounted<InotifyGroup> {
 public:
  explicit InotifyGroup(uint32_t uid) : uid_(uid) {}
  ~InotifyGroup();

  Result<int> AddWatch(const RefPtr<vfs::Inode>& inode, uint32_t mask);
  Result<void> RemoveWatch(int wd);
  // The open file went: no watch remains.
  void RemoveAll();

  // Whole events, as read(2) gives them: EAGAIN when there are none, EINVAL when the first one does
  // not fit.
  Result<size_t> Read(std::span<std::byte> buffer);
  size_t BytesQueued();
  WaitQueue& wait_queue() { return wait_queue_; }
  std::string Describe();

  // From a watch: an event, or its end (IN_IGNORED).
  void Queue(int wd, const vfs::NotifyEvent& event);
  void Forget(const InotifyWatch& watch);

 private:
  struct Event {
    int32_t wd = 0;
    uint32_t mask = 0;
    uint32_t cookie = 0;
    std::string name;
    size_t Size() const;
    bool SameAs(const Event& other) const;
  };
  void QueueLocked(Event event) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  Result<int> UpdateLocked(InotifyWatch& watch, uint32_t mask) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const uint32_t uid_;  // Whose limits count.
  WaitQueue wait_queue_;
  Mutex<LockRank::kPipe> mu_;
  std::deque<Event> events_ ABSL_GUARDED_BY(mu_);
  std::map<int, RefPtr<InotifyWatch>> watches_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<const vfs::Inode*, InotifyWatch*> by_inode_ ABSL_GUARDED_BY(mu_);
  int last_wd_ ABSL_GUARDED_BY(mu_) = 0;
};

// Held by its group's table and by the inode's list; holds both.
class InotifyWatch : public vfs::Watch {
 public:
  InotifyWatch(RefPtr<InotifyGroup> group, RefPtr<vfs::Inode> inode, int wd, uint32_t mask)
      : group_(std::move(group)), inode_(std::move(inode)), wd_(wd), mask_(mask) {}

  uint32_t mask() const override { return mask_.load(std::memory_order_relaxed); }
  void set_mask(uint32_t mask) { mask_.store(mask, std::memory_order_relaxed); }
  void OnEvent(const vfs::NotifyEvent& event) override;
  void OnGone() override { group_->Forget(*this); }

  const RefPtr<vfs::Inode>& inode() const { return inode_; }
  int wd() const { return wd_; }

 private:
  const RefPtr<InotifyGroup> group_;
  const RefPtr<vfs::Inode> inode_;
  const int wd_;
  std::atomic<uint32_t> mask_;
  std::atomic<bool> fired_{false};  // IN_ONESHOT: it has.
};

class Inotify : public vfs::FileDescription {
 public:
  // `flags` of inotify_init1(2), checked. EMFILE beyond the user's instances.
  static Result<RefPtr<Inotify>> Create(uint32_t flags, uint32_t uid);
  Inotify(vfs::Path path, uint32_t flags, uint32_t uid);
  ~Inotify() override;

  // inotify_add_watch(2) of a file that was found and may be read; `mask` was checked.
  Result<int> AddWatch(const RefPtr<vfs::Inode>& inode, uint32_t mask) {
    return group_->AddWatch(inode, mask);
  }
  Result<void> RemoveWatch(int wd) { return group_->RemoveWatch(wd); }

  Result<size_t> Read(std::span<std::byte> buffer) override { return group_->Read(buffer); }
  EventMask Readiness(EventMask mask) override;
  WaitQueue* wait_queue() override { return &group_->wait_queue(); }
  Result<uint64_t> Ioctl(const vfs::IoctlRequest& request) override;  // FIONREAD.
  std::string DescribeState() override { return group_->Describe(); }

 private:
  const uint32_t uid_;
  const RefPtr<InotifyGroup> group_;
};

}  // namespace redoubt::fs

#endif  // SENTRY_FS_INOTIFY_INOTIFY_H_
