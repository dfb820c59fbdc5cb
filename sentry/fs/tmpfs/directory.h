// SPDX-License-Identifier: Apache-2.0
//
// A directory of a tmpfs. Each entry has a number of its own, never used again, which is its d_off:
// so a reader's position stays right while entries come and go.
//
// Changes are serialised by the VFS (see sentry/vfs/inode.h); mu_ guards them against readers. No
// two directories are ever locked at once.
#ifndef SENTRY_FS_TMPFS_DIRECTORY_H_
#define SENTRY_FS_TMPFS_DIRECTORY_H_

#include <map>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "sentry/fs/tmpfs/inode.h"

namespace redoubt::tmpfs {

class Directory : public TmpfsInode {
 public:
  using TmpfsInode::TmpfsInode;
  ~Directory() override;

  Result<RefPtr<vfs::Inode>> Lookup(std::string_view name) override;
  Result<RefPtr<vfs::Inode>> Create(std::string_view name,
                                    const vfs::CreateRequest& request) override;
  Result<RefPtr<vfs::Inode>> CreateNameless(const vfs::CreateRequest& request) override;
  Result<void> Link(std::string_view name, vfs::Inode& target) override;
  Result<void> Unlink(std::string_view name, vfs::Inode& child) override;
  Result<void> RemoveDirectory(std::string_view name, vfs::Inode& child) override;
  Result<void> Rename(std::string_view name, vfs::Inode& child, vfs::Inode& new_directory,
                      std::string_view new_name, vfs::Inode* replaced, unsigned flags) override;
  Result<int64_t> ReadDirectory(int64_t offset, vfs::DirectorySink& sink) override;
  Result<RefPtr<vfs::FileDescription>> Open(const vfs::Path& path, uint32_t flags,
                                            const vfs::Caller& caller) override;

 private:
  struct Entry {
    std::string name;
    RefPtr<TmpfsInode> inode;
  };
  using Entries = std::map<int64_t, Entry>;  // By d_off; nodes never move.

  bool IsEmpty() const;
  Result<void> CheckAlive() const;
  void Insert(std::string_view name, RefPtr<TmpfsInode> inode);
  void Erase(std::string_view name);
  void Replace(std::string_view name, RefPtr<TmpfsInode> inode);
  void CountSubdirectoryLocked(const TmpfsInode& child, int change)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  Result<void> Exchange(std::string_view name, TmpfsInode& child, Directory& to,
                        std::string_view new_name, TmpfsInode& other);
  void FillAttributesLocked(vfs::Attributes& attributes) const override
      ABSL_SHARED_LOCKS_REQUIRED(mu_);

  Entries entries_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<std::string_view, Entries::iterator> by_name_ ABSL_GUARDED_BY(mu_);
  int64_t next_offset_ ABSL_GUARDED_BY(mu_) = 3;  // 1 and 2 are "." and "..".
  bool removed_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace redoubt::tmpfs

#endif  // SENTRY_FS_TMPFS_DIRECTORY_H_
