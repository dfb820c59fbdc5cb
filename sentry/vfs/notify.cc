// SPDX-License-Identifier: Apache-2.0
#include "sentry/vfs/notify.h"

#include <algorithm>
#include <string>

#include "sentry/vfs/dentry.h"
#include "sentry/vfs/file_description.h"
#include "sentry/vfs/inode.h"

namespace redoubt::vfs {

namespace internal {
std::atomic<int> g_watches{0};
}  // namespace internal

namespace {

constexpr uint32_t kSelfOnly = IN_DELETE_SELF | IN_MOVE_SELF;

WatchList* ListOf(const Inode& inode, uint32_t mask) {
  WatchList* list = inode.watches_if_any();
  return list && list->Wants(mask) ? list : nullptr;
}

Mutex<LockRank::kLeaf> g_listeners_mu;
std::vector<RefPtr<FileListener>>& Listeners() ABSL_EXCLUSIVE_LOCKS_REQUIRED(g_listeners_mu) {
  static auto* listeners = new std::vector<RefPtr<FileListener>>();
  return *listeners;
}
std::atomic<int> g_listeners{0};

void TellListeners(FileDescription& file, uint32_t mask) {
  if (g_listeners.load(std::memory_order_acquire) == 0) return;
  std::vector<RefPtr<FileListener>> hearers;
  {
    MutexLock lock(&g_listeners_mu);
    hearers = Listeners();
  }
  for (const RefPtr<FileListener>& listener : hearers) listener->OnFileEvent(file, mask);
}

uint32_t DirectoryBit(const Inode& inode) { return inode.IsDirectory() ? IN_ISDIR : 0; }

void TellSelf(Inode& inode, uint32_t mask, bool unlinked) {
  WatchList* list = ListOf(inode, mask);
  if (!list) return;
  // inotify shows no IN_ISDIR where the watched file itself moves or goes.
  uint32_t bits = mask | ((mask & kSelfOnly) != 0 ? 0 : DirectoryBit(inode));
  list->Tell({.mask = bits, .cookie = 0, .name = {}, .unlinked = unlinked});
}

// Ends all watches of an inode.
void EndWatches(Inode& inode) {
  WatchList* list = inode.watches_if_any();
  if (!list) return;
  for (const RefPtr<Watch>& watch : list->TakeAll()) watch->OnGone();
}

}  // namespace

WatchList::~WatchList() {
  internal::g_watches.fetch_sub(static_cast<int>(watches_.size()), std::memory_order_relaxed);
}

void WatchList::RefreshLocked() {
  uint32_t mask = 0;
  for (const RefPtr<Watch>& watch : watches_) mask |= watch->mask();
  mask_.store(mask, std::memory_order_relaxed);
  occupied_.store(!watches_.empty(), std::memory_order_release);
}

void WatchList::Refresh() {
  MutexLock lock(&mu_);
  RefreshLocked();
}

void WatchList::Add(RefPtr<Watch> watch) {
  internal::g_watches.fetch_add(1, std::memory_order_relaxed);
  MutexLock lock(&mu_);
  watches_.push_back(std::move(watch));
  RefreshLocked();
}

bool WatchList::Remove(const Watch* watch) {
  RefPtr<Watch> removed;  // Dropped after the lock.
  MutexLock lock(&mu_);
  auto found = std::find(watches_.begin(), watches_.end(), watch);
  if (found == watches_.end()) return false;
  removed = std::move(*found);
  watches_.erase(found);
  internal::g_watches.fetch_sub(1, std::memory_order_relaxed);
  RefreshLocked();
  return true;
}

std::vector<RefPtr<Watch>> WatchList::TakeAll() {
  std::vector<RefPtr<Watch>> taken;
  MutexLock lock(&mu_);
  taken.swap(watches_);
  internal::g_watches.fetch_sub(static_cast<int>(taken.size()), std::memory_order_relaxed);
  RefreshLocked();
  return taken;
}

void WatchList::Tell(const NotifyEvent& event) {
  std::vector<RefPtr<Watch>> hearers;
  {
    MutexLock lock(&mu_);
    for (const RefPtr<Watch>& watch : watches_) {
      if ((watch->mask() & event.mask & IN_ALL_EVENTS) != 0 || (event.mask & IN_UNMOUNT) != 0) {
        hearers.push_back(watch);
      }
    }
  }
  for (const RefPtr<Watch>& watch : hearers) watch->OnEvent(event);
}

void NotifyInode(Inode& inode, uint32_t mask) {
  if (!AnyWatches()) [[likely]]
    return;
  TellSelf(inode, mask, false);
}

void NotifyChild(Inode& directory, uint32_t mask, std::string_view name, const Inode& child,
                 uint32_t cookie) {
  if (!AnyWatches()) [[likely]]
    return;
  WatchList* list = ListOf(directory, mask);
  if (list) list->Tell({.mask = mask | DirectoryBit(child), .cookie = cookie, .name = name});
}

void NotifyDentry(Dentry& dentry, uint32_t mask) {
  if (!AnyWatches()) [[likely]]
    return;
  if (dentry.IsNegative() || dentry.IsAnonymous()) return;
  RefPtr<Inode> directory;
  std::string name;
  bool unlinked = false;
  {
    ReaderMutexLock lock(&dentry.superblock()->tree_mu_);
    unlinked = dentry.deletedLocked();
    const Dentry* parent = dentry.parentLocked().get();
    if (parent && ListOf(*parent->inode(), mask)) {
      directory = parent->inode();
      name = dentry.nameLocked();
    }
  }
  Inode& inode = *dentry.inode();
  if (directory) {
    directory->watches_if_any()->Tell(
        {.mask = mask | DirectoryBit(inode), .cookie = 0, .name = name, .unlinked = unlinked});
  }
  TellSelf(inode, mask, unlinked);
}

void NotifyFile(FileDescription& file, uint32_t mask) {
  if (!AnyWatches()) [[likely]]
    return;
  if (!file.tells_watches()) return;
  if ((mask & IN_ALL_EVENTS) != 0) NotifyDentry(*file.path().dentry, mask);
  TellListeners(file, mask);
}

void AddFileListener(RefPtr<FileListener> listener) {
  MutexLock lock(&g_listeners_mu);
  Listeners().push_back(std::move(listener));
  g_listeners.fetch_add(1, std::memory_order_release);
  internal::g_watches.fetch_add(1, std::memory_order_relaxed);
}

void RemoveFileListener(const FileListener* listener) {
  RefPtr<FileListener> removed;  // Dropped after the lock.
  MutexLock lock(&g_listeners_mu);
  auto found = std::find(Listeners().begin(), Listeners().end(), listener);
  if (found == Listeners().end()) return;
  removed = std::move(*found);
  Listeners().erase(found);
  g_listeners.fetch_sub(1, std::memory_order_release);
  internal::g_watches.fetch_sub(1, std::memory_order_relaxed);
}

uint32_t NextMoveCookie() {
  static std::atomic<uint32_t> next{1};
  uint32_t cookie = next.fetch_add(1, std::memory_order_relaxed);
  return cookie != 0 ? cookie : NextMoveCookie();
}

void NotifyNameDied(Inode& inode) {
  WatchList* list = inode.watches_if_any();
  if (!list || list->empty()) return;
  auto attributes = inode.GetAttributes();
  if (!inode.IsDirectory() && attributes.ok() && attributes->links > 0) return;
  TellSelf(inode, IN_DELETE_SELF, false);
  EndWatches(inode);
}

void NotifyUnmounted(Superblock& superblock, const Dentry& root) {
  if (!AnyWatches()) [[likely]]
    return;
  std::vector<RefPtr<Inode>> watched;
  if (root.inode() && root.inode()->watched()) watched.push_back(root.inode());
  superblock.CollectWatched(watched);
  for (const RefPtr<Inode>& inode : watched) {
    if (WatchList* list = inode->watches_if_any()) {
      list->Tell({.mask = IN_UNMOUNT | DirectoryBit(*inode), .cookie = 0, .name = {}});
    }
    EndWatches(*inode);
  }
}

}  // namespace redoubt::vfs
