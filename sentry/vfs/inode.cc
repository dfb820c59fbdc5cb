// SPDX-License-Identifier: Apache-2.0
#include "sentry/vfs/inode.h"

#include <sys/sysmacros.h>

#include "sentry/vfs/file_description.h"
#include "sentry/vfs/lock_table.h"
#include "sentry/vfs/notify.h"
#include "sentry/vfs/path.h"

namespace redoubt::vfs {

namespace {

// Anonymous devices have major 0; minor 0 is left out, since st_dev 0 means "unknown" to some.
uint64_t NextDevice() {
  static std::atomic<uint32_t> next{1};
  return makedev(0, next.fetch_add(1, std::memory_order_relaxed));
}

// Of several threads that make the same object, the first one's stays.
template <typename T>
T& MadeOnce(std::atomic<T*>& slot) {
  T* made = slot.load(std::memory_order_acquire);
  if (made) return *made;
  auto fresh = std::make_unique<T>();
  if (slot.compare_exchange_strong(made, fresh.get(), std::memory_order_acq_rel)) {
    return *fresh.release();
  }
  return *made;
}

}  // namespace

Superblock::Superblock(std::string_view type) : type_(type), device_(NextDevice()) {}

Superblock::~Superblock() = default;

void Superblock::SetDentryLimit(size_t limit) {
  MutexLock lock(&tree_mu_);
  dentry_limit_ = limit;
}

Inode::Inode(RefPtr<Superblock> superblock, uint32_t type)
    : superblock_(std::move(superblock)), type_(type) {}

Inode::~Inode() {
  delete locks_.load(std::memory_order_acquire);
  delete watches_.load(std::memory_order_acquire);
}

Result<std::vector<RefPtr<Inode>>> Inode::LookupPath(std::span<const std::string_view> names) {
  RefPtr<Inode> first = TRY(Lookup(names[0]));
  std::vector<RefPtr<Inode>> found;
  found.push_back(std::move(first));
  return found;
}

Result<Path> Inode::FollowMagicLink(const Caller& caller) { return Errno(ELOOP); }

LockTable& Inode::locks() { return MadeOnce(locks_); }

WatchList& Inode::watches() { return MadeOnce(watches_); }

bool Inode::watched() const {
  WatchList* list = watches_if_any();
  return list && !list->empty();
}

RefPtr<InodeAttachment> Inode::attachment() const {
  MutexLock lock(&attachment_mu_);
  return attachment_;
}

RefPtr<InodeAttachment> Inode::Attach(RefPtr<InodeAttachment> wanted) {
  MutexLock lock(&attachment_mu_);
  if (!attachment_) attachment_ = std::move(wanted);
  return attachment_;
}

void Inode::Detach(const InodeAttachment* attached) {
  RefPtr<InodeAttachment> dropped;  // Dies outside the lock.
  MutexLock lock(&attachment_mu_);
  if (attachment_ == attached) dropped = std::move(attachment_);
}

}  // namespace redoubt::vfs
