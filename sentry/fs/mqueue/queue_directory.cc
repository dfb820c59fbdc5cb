// SPDX-License-Identifier: Apache-2.0
//
// The one directory of an mqueue file system.
#include <dirent.h>

#include <algorithm>
#include <utility>

#include "sentry/fs/mqueue/mqueue.h"

namespace redoubt::mqueue {

namespace {

constexpr uint64_t kMqueueMagic = 0x19800202;

class QueueSuperblock : public vfs::Superblock {
 public:
  QueueSuperblock() : Superblock("mqueue") {}
  Result<vfs::FilesystemStatus> Status() override {
    vfs::FilesystemStatus status;
    status.magic = kMqueueMagic;
    return status;
  }
};

// Changes are serialised by the VFS; mu_ guards them against readers.
class QueueDirectory : public vfs::Inode {
 public:
  explicit QueueDirectory(RefPtr<vfs::Superblock> superblock)
      : Inode(std::move(superblock), S_IFDIR), made_(vfs::Now()) {}

  Result<vfs::Attributes> GetAttributes() override {
    vfs::Attributes attributes;
    attributes.inode_number = kRootNumber;
    attributes.device = superblock()->device();
    attributes.mode = S_IFDIR | S_ISVTX | 0777;
    attributes.links = 2;
    attributes.access_time = attributes.modify_time = attributes.change_time =
        attributes.birth_time = made_;
    return attributes;
  }

  Result<RefPtr<vfs::Inode>> Lookup(std::string_view name) override {
    MutexLock lock(&mu_);
    auto found = queues_.find(name);
    if (found == queues_.end()) return Errno(ENOENT);
    return RefPtr<vfs::Inode>(found->second.queue);
  }

  Result<RefPtr<vfs::Inode>> Create(std::string_view name,
                                    const vfs::CreateRequest& request) override {
    if ((request.mode & S_IFMT) != S_IFREG) return Errno(EPERM);
    MutexLock lock(&mu_);
    if (queues_.size() >= kMaxQueues) return Errno(ENOSPC);
    uint64_t number = kRootNumber + static_cast<uint64_t>(next_offset_);
    auto queue = MakeRef<QueueInode>(superblock(), request, number);
    queues_.emplace(std::string(name), Entry{next_offset_++, queue});
    return RefPtr<vfs::Inode>(std::move(queue));
  }

  Result<void> Unlink(std::string_view name, vfs::Inode& child) override {
    RefPtr<QueueInode> gone;
    MutexLock lock(&mu_);
    auto found = queues_.find(name);
    if (found == queues_.end()) return Errno(ENOENT);
    gone = std::move(found->second.queue);
    queues_.erase(found);
    gone->DropName();
    return {};
  }

  Result<int64_t> ReadDirectory(int64_t offset, vfs::DirectorySink& sink) override {
    std::map<int64_t, std::pair<std::string, uint64_t>> listing;
    {
      MutexLock lock(&mu_);
      for (const auto& [name, entry] : queues_) {
        listing.emplace(entry.offset,
                        std::pair(name, kRootNumber + static_cast<uint64_t>(entry.offset)));
      }
    }
    for (auto at = listing.lower_bound(std::max(offset, kFirstOffset)); at != listing.end(); ++at) {
      vfs::DirectoryEntry entry{.name = at->second.first,
                                .inode_number = at->second.second,
                                .type = DT_REG,
                                .next_offset = at->first + 1};
      if (!sink.Add(entry)) return at->first;
      offset = at->first + 1;
    }
    return offset;
  }

  Result<RefPtr<vfs::FileDescription>> Open(const vfs::Path& path, uint32_t flags,
                                            const vfs::Caller& caller) override {
    return MakeRef<vfs::FileDescription>(path, flags);
  }

 private:
  static constexpr uint64_t kRootNumber = 1;
  static constexpr int64_t kFirstOffset = 3;
  struct Entry {
    int64_t offset = 0;
    RefPtr<QueueInode> queue;
  };
  const vfs::FileTime made_;
  // Above the queues' own locks, which have the same rank: a directory before what is in it.
  Mutex<LockRank::kInode> mu_;
  std::map<std::string, Entry, std::less<>> queues_ ABSL_GUARDED_BY(mu_);
  int64_t next_offset_ ABSL_GUARDED_BY(mu_) = kFirstOffset;
};

}  // namespace

RefPtr<vfs::Mount> MountIn(RefPtr<vfs::Mount>& slot) {
  static Mutex<LockRank::kLeaf> mu;
  {
    MutexLock lock(&mu);
    if (slot) return slot;
  }
  auto superblock = MakeRef<QueueSuperblock>();
  RefPtr<vfs::Inode> root = MakeRef<QueueDirectory>(superblock);
  auto dentry = MakeRef<vfs::Dentry>(superblock, nullptr, "", std::move(root));
  auto made = MakeRef<vfs::Mount>(superblock, std::move(dentry), 0, "mqueue");
  MutexLock lock(&mu);
  if (!slot) slot = std::move(made);
  return slot;
}

RefPtr<vfs::Mount> MountAgain(RefPtr<vfs::Mount>& slot, unsigned long flags, std::string source) {
  RefPtr<vfs::Mount> first = MountIn(slot);
  return MakeRef<vfs::Mount>(first->superblock(), first->root(), flags, std::move(source));
}

}  // namespace redoubt::mqueue
