// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/fanotify_group.h"

#include <algorithm>
#include <cstring>

#include "sentry/fs/anon/anonymous_inode.h"
#include "sentry/kernel/current_task.h"

namespace redoubt::syscalls {

namespace {

constexpr size_t kMaxEvents = 16384, kMaxMarks = 8192;
// What "unlimited" means: all is the sentry's memory.
constexpr size_t kMostEvents = 262144, kMostMarks = 65536;
constexpr size_t kMergeDepth = 128;  // How far back an event looks for its like, as on Linux.

// The directory that `dentry` is in; null at the top.
RefPtr<vfs::Inode> DirectoryOf(const vfs::Dentry& dentry) {
  if (dentry.IsAnonymous()) return nullptr;
  ReaderMutexLock lock(&dentry.superblock()->tree_mu_);
  const RefPtr<vfs::Dentry>& parent = dentry.parentLocked();
  return parent ? parent->inode() : nullptr;
}

uint64_t NumberOf(const void* object) { return reinterpret_cast<uintptr_t>(object); }

}  // namespace

FanotifyGroup::Target FanotifyGroup::Target::Of(Kind kind, const vfs::Path& place) {
  switch (kind) {
    case Kind::kInode:
      return {kind, NumberOf(place.dentry->inode().get()), place.dentry, nullptr};
    case Kind::kMount:
      return {kind, static_cast<uint64_t>(place.mount->id()), nullptr, nullptr};
    case Kind::kFilesystem:
      return {kind, NumberOf(place.mount->superblock().get()), nullptr, place.mount->superblock()};
  }
  return {};
}

Result<void> FanotifyGroup::AddMark(const Target& target, uint64_t mask, bool ignored,
                                    bool survives) {
  MutexLock lock(&mu_);
  Key key(target.kind, target.number);
  auto found = marks_.find(key);
  if (found == marks_.end()) {
    if (marks_.size() >= (options_.unlimited_marks ? kMostMarks : kMaxMarks)) return Errno(ENOSPC);
    found = marks_.emplace(key, Mark{}).first;
    found->second.dentry = target.dentry;
    found->second.superblock = target.superblock;
  }
  Mark& mark = found->second;
  (ignored ? mark.ignored : mark.mask) |= mask;
  mark.survives = mark.survives || survives;
  return {};
}

Result<void> FanotifyGroup::RemoveMark(const Target& target, uint64_t mask, bool ignored) {
  Mark removed;  // Dropped after the lock.
  MutexLock lock(&mu_);
  auto found = marks_.find(Key(target.kind, target.number));
  if (found == marks_.end()) return Errno(ENOENT);
  Mark& mark = found->second;
  (ignored ? mark.ignored : mark.mask) &= ~mask;
  constexpr uint64_t kFlags = FAN_EVENT_ON_CHILD | FAN_ONDIR;
  if (((mark.mask | mark.ignored) & ~kFlags) != 0) return {};
  removed = std::move(mark);
  marks_.erase(found);
  return {};
}

void FanotifyGroup::RemoveAll(Kind kind) {
  std::map<Key, Mark> removed;  // Dropped after the lock.
  MutexLock lock(&mu_);
  for (auto at = marks_.begin(); at != marks_.end();) {
    auto next = std::next(at);
    if (at->first.first == kind) removed.insert(marks_.extract(at));
    at = next;
  }
}

uint64_t FanotifyGroup::WantedLocked(const vfs::FileDescription& file, const vfs::Inode* directory,
                                     uint64_t event) {
  uint64_t wanted = 0, ignored = 0;
  auto ask = [&](Kind kind, uint64_t number, bool as_child) {
    auto found = marks_.find(Key(kind, number));
    if (found == marks_.end()) return;
    Mark& mark = found->second;
    if ((event & FAN_MODIFY) != 0 && !mark.survives) mark.ignored = 0;
    if (as_child && (mark.mask & FAN_EVENT_ON_CHILD) == 0) return;
    wanted |= mark.mask;
    ignored |= mark.ignored;
  };
  ask(Kind::kInode, NumberOf(file.inode().get()), false);
  if (directory != nullptr) ask(Kind::kInode, NumberOf(directory), true);
  ask(Kind::kMount, static_cast<uint64_t>(file.path().mount->id()), false);
  ask(Kind::kFilesystem, NumberOf(file.path().mount->superblock().get()), false);
  if (file.inode()->IsDirectory() && (wanted & FAN_ONDIR) == 0) return 0;
  return event & wanted & ~ignored;
}

bool FanotifyGroup::MergeLocked(const Event& event) {
  size_t looked_at = 0;
  for (auto at = events_.rbegin(); at != events_.rend() && looked_at < kMergeDepth;
       ++at, ++looked_at) {
    if (at->pid != event.pid || at->path != event.path) continue;
    at->mask |= event.mask;
    return true;
  }
  return false;
}

void FanotifyGroup::OnFileEvent(vfs::FileDescription& file, uint32_t mask) {
  RefPtr<vfs::Inode> directory = DirectoryOf(*file.path().dentry);
  Event event{.path = file.path()};
  if (const kernel::Task* task = kernel::CurrentTask()) {
    event.pid = options_.report_tid ? task->tid() : task->tgid();
  }
  {
    MutexLock lock(&mu_);
    event.mask = WantedLocked(file, directory.get(), mask);
    if (event.mask == 0 || MergeLocked(event)) return;
    if (events_.size() >= (options_.unlimited_queue ? kMostEvents : kMaxEvents)) {
      if (!events_.back().path.valid()) return;
      events_.push_back(Event{.mask = FAN_Q_OVERFLOW, .path = {}, .pid = 0});
    } else {
      events_.push_back(event);
    }
  }
  wait_queue_.Wake(EPOLLIN | EPOLLRDNORM);
}

bool FanotifyGroup::HasEvents() {
  MutexLock lock(&mu_);
  return !events_.empty();
}

Result<int> FanotifyGroup::OpenFor(const Event& event) const {
  if (!event.path.valid()) return FAN_NOFD;
  kernel::Task* task = kernel::CurrentTask();
  if (task == nullptr) return Errno(EINVAL);
  kernel::FileRef file =
      TRY(event.path.dentry->inode()->Open(event.path, options_.file_flags, task->MakeCaller()));
  return task->fd_table()->Install(std::move(file), options_.close_on_exec, task->FdLimit());
}

Result<size_t> FanotifyGroup::Read(std::span<std::byte> buffer) {
  constexpr size_t kSize = sizeof(fanotify_event_metadata);
  size_t done = 0;
  while (true) {
    Event event;
    {
      MutexLock lock(&mu_);
      if (events_.empty()) break;
      if (buffer.size() - done < kSize) return done > 0 ? Result<size_t>(done) : Errno(EINVAL);
      event = std::move(events_.front());
      events_.pop_front();
    }
    Result<int> fd = OpenFor(event);
    if (!fd.ok()) {
      if (done == 0) return fd.error();
      break;
    }
    fanotify_event_metadata told{};
    told.event_len = told.metadata_len = kSize;
    told.vers = FANOTIFY_METADATA_VERSION;
    told.mask = event.mask;
    told.fd = *fd;
    told.pid = event.pid;
    std::memcpy(buffer.data() + done, &told, kSize);
    done += kSize;
  }
  if (done == 0) return Errno(EAGAIN);
  return done;
}

RefPtr<FanotifyFile> FanotifyFile::Create(const FanotifyGroup::Options& options, uint32_t flags) {
  auto group = MakeRef<FanotifyGroup>(options);
  vfs::AddFileListener(group);
  vfs::Path path = fs::MakeAnonymousPath(fs::AnonymousKind::kAnonymous, "fanotify", 0600, 0, 0);
  return MakeRef<FanotifyFile>(std::move(path), O_RDWR | flags, std::move(group));
}

FanotifyFile::FanotifyFile(vfs::Path path, uint32_t flags, RefPtr<FanotifyGroup> group)
    : FileDescription(std::move(path), flags), group_(std::move(group)) {}

FanotifyFile::~FanotifyFile() { vfs::RemoveFileListener(group_.get()); }

EventMask FanotifyFile::Readiness(EventMask mask) {
  return group_->HasEvents() ? mask & (EPOLLIN | EPOLLRDNORM) : 0;
}

}  // namespace redoubt::syscalls
