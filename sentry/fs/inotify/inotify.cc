// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/inotify/inotify.h"

#include <sys/inotify.h>
#include <sys/ioctl.h>

#include <cstring>
#include <limits>
#include <utility>

#include "absl/strings/str_format.h"
#include "sentry/fs/anon/anonymous_inode.h"
#include "sentry/vfs/inode.h"

namespace redoubt::fs {

namespace {

// What a user has, of instances or of watches.
class UserCount {
 public:
  explicit UserCount(int limit) : limit_(limit) {}
  bool Take(uint32_t uid) {
    MutexLock lock(&mu_);
    int& count = counts_[uid];
    if (count >= limit_) return false;
    ++count;
    return true;
  }
  void Give(uint32_t uid) {
    MutexLock lock(&mu_);
    auto found = counts_.find(uid);
    if (--found->second == 0) counts_.erase(found);
  }

 private:
  const int limit_;
  Mutex<LockRank::kLeaf> mu_;
  absl::flat_hash_map<uint32_t, int> counts_ ABSL_GUARDED_BY(mu_);
};

UserCount& Instances() {
  static auto* count = new UserCount(kInotifyMaxUserInstances);
  return *count;
}

UserCount& Watches() {
  static auto* count = new UserCount(kInotifyMaxUserWatches);
  return *count;
}

}  // namespace

// The name is padded with zeroes, at least one, to whole structures.
size_t InotifyGroup::Event::Size() const {
  constexpr size_t kUnit = sizeof(inotify_event);
  return kUnit + (name.empty() ? 0 : (name.size() + 1 + kUnit - 1) / kUnit * kUnit);
}

bool InotifyGroup::Event::SameAs(const Event& other) const {
  return mask == other.mask && wd == other.wd && name == other.name && (mask & IN_IGNORED) == 0;
}

InotifyGroup::~InotifyGroup() = default;

void InotifyGroup::QueueLocked(Event event) {
  if (!events_.empty() && events_.back().SameAs(event)) return;
  if (events_.size() >= kInotifyMaxQueuedEvents) {
    if ((events_.back().mask & IN_Q_OVERFLOW) != 0) return;
    event = Event{.wd = -1, .mask = IN_Q_OVERFLOW, .cookie = 0, .name = {}};
  }
  events_.push_back(std::move(event));
  wait_queue_.Wake(EPOLLIN | EPOLLRDNORM);
}

void InotifyGroup::Queue(int wd, const vfs::NotifyEvent& event) {
  MutexLock lock(&mu_);
  if (!watches_.contains(wd)) return;  // It was removed meanwhile.
  uint32_t mask = event.mask & ~uint32_t{IN_IGNORED};
  QueueLocked({.wd = wd, .mask = mask, .cookie = event.cookie, .name = std::string(event.name)});
}

void InotifyGroup::Forget(const InotifyWatch& watch) {
  RefPtr<InotifyWatch> kept;  // Dies after the lock.
  MutexLock lock(&mu_);
  auto found = watches_.find(watch.wd());
  if (found == watches_.end() || found->second.get() != &watch) return;
  kept = std::move(found->second);
  watches_.erase(found);
  by_inode_.erase(watch.inode().get());
  Watches().Give(uid_);
  QueueLocked({.wd = watch.wd(), .mask = IN_IGNORED, .cookie = 0, .name = {}});
}

Result<int> InotifyGroup::UpdateLocked(InotifyWatch& watch, uint32_t mask) {
  if ((mask & IN_MASK_CREATE) != 0) return Errno(EEXIST);
  constexpr uint32_t kKept = IN_ALL_EVENTS | IN_EXCL_UNLINK | IN_ONESHOT;
  uint32_t old = (mask & IN_MASK_ADD) != 0 ? watch.mask() : 0;
  watch.set_mask(old | (mask & kKept));
  return watch.wd();
}

Result<int> InotifyGroup::AddWatch(const RefPtr<vfs::Inode>& inode, uint32_t mask) {
  constexpr uint32_t kKept = IN_ALL_EVENTS | IN_EXCL_UNLINK | IN_ONESHOT;
  vfs::WatchList& list = inode->watches();
  RefPtr<InotifyWatch> watch;
  {
    MutexLock lock(&mu_);
    auto known = by_inode_.find(inode.get());
    if (known != by_inode_.end()) {
      watch = RefPtr<InotifyWatch>(known->second);
      TRY(UpdateLocked(*watch, mask));
    }
  }
  if (watch) {
    list.Refresh();
    return watch->wd();
  }
  if (!Watches().Take(uid_)) return Errno(ENOSPC);
  {
    MutexLock lock(&mu_);
    do {
      last_wd_ = last_wd_ == std::numeric_limits<int>::max() ? 1 : last_wd_ + 1;
    } while (watches_.contains(last_wd_));
    watch = MakeRef<InotifyWatch>(RefPtr<InotifyGroup>(this), inode, last_wd_, mask & kKept);
    watches_[last_wd_] = watch;
    by_inode_[inode.get()] = watch.get();
  }
  list.Add(RefPtr<vfs::Watch>(watch));
  return watch->wd();
}

Result<void> InotifyGroup::RemoveWatch(int wd) {
  RefPtr<InotifyWatch> watch;
  {
    MutexLock lock(&mu_);
    auto found = watches_.find(wd);
    if (found == watches_.end()) return Errno(EINVAL);
    watch = found->second;
  }
  watch->inode()->watches().Remove(watch.get());
  Forget(*watch);
  return {};
}

void InotifyGroup::RemoveAll() {
  std::map<int, RefPtr<InotifyWatch>> watches;
  {
    MutexLock lock(&mu_);
    watches.swap(watches_);
    by_inode_.clear();
  }
  for (const auto& [wd, watch] : watches) {
    watch->inode()->watches().Remove(watch.get());
    Watches().Give(uid_);
  }
}

Result<size_t> InotifyGroup::Read(std::span<std::byte> buffer) {
  MutexLock lock(&mu_);
  if (events_.empty()) return Errno(EAGAIN);
  size_t done = 0;
  while (!events_.empty()) {
    const Event& event = events_.front();
    size_t size = event.Size();
    if (size > buffer.size() - done) break;
    inotify_event header{};
    header.wd = event.wd;
    header.mask = event.mask;
    header.cookie = event.cookie;
    header.len = static_cast<uint32_t>(size - sizeof(header));
    std::byte* at = buffer.data() + done;
    std::memset(at, 0, size);
    std::memcpy(at, &header, sizeof(header));
    std::memcpy(at + sizeof(header), event.name.data(), event.name.size());
    done += size;
    events_.pop_front();
  }
  if (done == 0) return Errno(EINVAL);
  return done;
}

size_t InotifyGroup::BytesQueued() {
  MutexLock lock(&mu_);
  size_t bytes = 0;
  for (const Event& event : events_) bytes += event.Size();
  return bytes;
}

std::string InotifyGroup::Describe() {
  std::map<int, RefPtr<InotifyWatch>> watches;
  {
    MutexLock lock(&mu_);
    watches = watches_;
  }
  std::string text;
  for (const auto& [wd, watch] : watches) {
    auto attributes = watch->inode()->GetAttributes();
    if (!attributes.ok()) continue;
    absl::StrAppendFormat(&text, "inotify wd:%x ino:%x sdev:%x mask:%x ignored_mask:0 \n", wd,
                          attributes->inode_number, attributes->device,
                          watch->mask() & (IN_ALL_EVENTS | IN_EXCL_UNLINK | IN_ONESHOT));
  }
  return text;
}

void InotifyWatch::OnEvent(const vfs::NotifyEvent& event) {
  uint32_t mask = this->mask();
  if (event.unlinked && (mask & IN_EXCL_UNLINK) != 0) return;
  if ((mask & IN_ONESHOT) == 0) return group_->Queue(wd_, event);
  if (fired_.exchange(true, std::memory_order_acq_rel)) return;
  group_->Queue(wd_, event);
  inode_->watches().Remove(this);
  group_->Forget(*this);
}

Result<RefPtr<Inotify>> Inotify::Create(uint32_t flags, uint32_t uid) {
  if (!Instances().Take(uid)) return Errno(EMFILE);
  vfs::Path path = MakeAnonymousPath(AnonymousKind::kAnonymous, "inotify", 0600, 0, 0);
  return MakeRef<Inotify>(std::move(path), O_RDONLY | (flags & IN_NONBLOCK), uid);
}

Inotify::Inotify(vfs::Path path, uint32_t flags, uint32_t uid)
    : FileDescription(std::move(path), flags), uid_(uid), group_(MakeRef<InotifyGroup>(uid)) {}

Inotify::~Inotify() {
  group_->RemoveAll();
  Instances().Give(uid_);
}

EventMask Inotify::Readiness(EventMask mask) {
  return group_->BytesQueued() > 0 ? mask & (EPOLLIN | EPOLLRDNORM) : 0;
}

Result<uint64_t> Inotify::Ioctl(const vfs::IoctlRequest& request) {
  if (request.command != FIONREAD) return Errno(ENOTTY);
  auto bytes = static_cast<int32_t>(group_->BytesQueued());
  TRY(request.memory.CopyOut(request.argument, std::as_bytes(std::span(&bytes, 1))));
  return uint64_t{0};
}

}  // namespace redoubt::fs
