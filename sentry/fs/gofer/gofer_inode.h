// SPDX-License-Identifier: Apache-2.0
//
// GoferInode: one host file. It holds the gofer's handle, a copy of the attributes, and up to two
// host descriptors for the data and one for fstat. References as vfs::Inode says; the superblock's
// table holds none.
//
// Attributes: what the gofer said last. A write, or whatever else changes them behind the copy,
// sets stale_, and the next GetAttributes asks again - the host itself (fstat) where a descriptor
// is open, the gofer otherwise.
#ifndef SENTRY_FS_GOFER_GOFER_INODE_H_
#define SENTRY_FS_GOFER_GOFER_INODE_H_

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "sentry/fs/gofer/directory_listing.h"
#include "sentry/fs/gofer/gofer_superblock.h"
#include "sentry/fs/gofer/gofer_watch.h"
#include "sentry/fs/gofer/host_file.h"
#include "sentry/vfs/inode.h"

namespace redoubt::gofer_fs {

class GoferInode final : public vfs::Inode {
 public:
  // Takes over the node's handle.
  GoferInode(RefPtr<GoferSuperblock> superblock, HostKey key, const gofer::FileNode& node,
             const vfs::Attributes& attributes);
  ~GoferInode() override;

  const HostKey& key() const { return key_; }
  uint64_t handle() const { return handle_.load(std::memory_order_relaxed); }
  GoferSuperblock& gofer() const { return gofer_; }

  Result<vfs::Attributes> GetAttributes() override;
  Result<void> SetAttributes(const vfs::AttributeChange& change) override;

  Result<RefPtr<vfs::Inode>> Lookup(std::string_view name) override;
  Result<std::vector<RefPtr<vfs::Inode>>> LookupPath(
      std::span<const std::string_view> names) override;
  bool Revalidate(std::string_view name, vfs::Inode* child) override;
  bool StillHolds(const vfs::NameCheck& check) override;
  size_t RevalidatePath(std::span<const vfs::CachedName> names) override;
  Result<RefPtr<vfs::Inode>> Create(std::string_view name,
                                    const vfs::CreateRequest& request) override;
  Result<RefPtr<vfs::Inode>> CreateNameless(const vfs::CreateRequest& request) override;
  Result<void> Link(std::string_view name, vfs::Inode& target) override;
  Result<void> Unlink(std::string_view name, vfs::Inode& child) override;
  Result<void> RemoveDirectory(std::string_view name, vfs::Inode& child) override;
  Result<void> Rename(std::string_view name, vfs::Inode& child, vfs::Inode& new_directory,
                      std::string_view new_name, vfs::Inode* replaced, unsigned flags) override;
  Result<int64_t> ReadDirectory(int64_t offset, vfs::DirectorySink& sink) override;
  Result<std::string> ReadLink() override;
  Result<RefPtr<vfs::FileDescription>> Open(const vfs::Path& path, uint32_t flags,
                                            const vfs::Caller& caller) override;

  Result<std::string> GetXattr(std::string_view name) override;
  Result<void> SetXattr(std::string_view name, std::string_view value, int flags) override;
  Result<void> RemoveXattr(std::string_view name) override;
  Result<std::vector<std::string>> ListXattrs() override;

  // For the superblock: a walk found the file again, under a handle that is taken over.
  void FoundAgain(const gofer::FileNode& node, const vfs::Attributes& attributes);

  // For open files.
  // A descriptor to read or write with. To read, the writing one will do too.
  Result<HostFileUse> Use(Access access);
  // One that is open for no more than reading, or for both: for mappings.
  Result<HostFileUse> UseForMapping(Access access);
  void WasRead() {
    if (reads_show_.load(std::memory_order_relaxed)) MarkStale();
  }
  void MarkStale() {
    if (!stale_.load(std::memory_order_relaxed)) stale_.store(true, std::memory_order_relaxed);
  }
  // A shared mapping may write at any time from now on.
  void MarkAlwaysStale() { always_stale_.store(true, std::memory_order_relaxed); }
  void AddWriter() { writers_.fetch_add(1, std::memory_order_relaxed); }
  void DropWriter();
  void AddReader();  // Of the directory.
  void DropReader();
  Result<void> SyncOnHost();

 private:
  Result<vfs::Attributes> RefreshLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // False: no descriptor is open, or what it says is not all.
  Result<bool> RefreshHereLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void StoreLocked(const vfs::Attributes& attributes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // The same for what the gofer told: the owner too.
  void StoreToldLocked(const vfs::Attributes& attributes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Store(const gofer::Attributes& host);
  // What fstat of an open descriptor says.
  Result<void> StatLocked(int fd) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // In a shared tree, gofer_watch.cc. The state of a directory's names; 0: unknown.
  uint64_t Epoch();
  uint64_t EpochLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // The gofer had to be asked about this file: is it time for a descriptor?
  void CountTrip();
  void CountTripLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void DonateNameLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  HostFile& file(Access access) { return files_[static_cast<size_t>(access)]; }
  Result<HostFileUse> DonateLocked(Access access) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void TakeNewFile(OwnedFd fd);
  bool TruncateHere(uint64_t size);

  Result<void> Remove(std::string_view name, vfs::Inode& child, bool is_directory);
  void EntriesChanged(const gofer::Attributes& host);
  void LostName(bool is_exchange);
  bool ListingHoldsLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  Result<void> FetchListingLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  RefPtr<GoferInode> Self() { return RefPtr<GoferInode>(this); }

  GoferSuperblock& gofer_;
  const HostKey key_;
  std::atomic<uint64_t> handle_;

  std::array<HostFile, 2> files_;        // By Access.
  std::atomic<bool> write_only_{false};  // The writing descriptor cannot read.
  std::atomic<int> writers_{0};
  std::atomic<bool> stale_{false};
  std::atomic<bool> always_stale_{false};
  std::atomic<bool> reads_show_{true};  // Reading may move the access time (relatime).
  std::atomic<bool> no_file_capabilities_{false};
  bool linkable_ = true;

  Mutex<LockRank::kInode> mu_;
  vfs::Attributes attributes_ ABSL_GUARDED_BY(mu_);
  const std::unique_ptr<SharedState> watch_ ABSL_PT_GUARDED_BY(mu_);  // Null in an exclusive tree.
  std::string link_target_ ABSL_GUARDED_BY(mu_);
  std::unique_ptr<DirectoryListing> listing_ ABSL_GUARDED_BY(mu_);
  int readers_ ABSL_GUARDED_BY(mu_) = 0;  // Open files of this directory.
};

}  // namespace redoubt::gofer_fs

#endif  // SENTRY_FS_GOFER_GOFER_INODE_H_
