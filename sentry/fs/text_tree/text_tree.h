// SPDX-License-Identifier: Apache-2.0
//
// A fixed tree of generated text files: what /sys and the unchanging part of /proc are. Made whole
// when it is mounted, never changed afterwards; only the texts differ from read to read.
//
//   auto superblock = MakeRef<TreeSuperblock>("sysfs", kSysfsMagic);
//   TextTree tree(MakeRef<TreeDirectory>(superblock, 0555, TextTree::kRootNumber));
//   tree.AddFile("kernel/notes", 0444, [] { return std::string("..."); });
//   tree.AddLink("mounts", "self/mounts");
//   RefPtr<vfs::Inode> root = tree.root();
//
// Everything belongs to root. Directories on the way to a file are made as needed.
#ifndef SENTRY_FS_TEXT_TREE_TEXT_TREE_H_
#define SENTRY_FS_TEXT_TREE_TEXT_TREE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "sentry/vfs/caller.h"
#include "sentry/vfs/file_description.h"
#include "sentry/vfs/inode.h"

namespace redoubt::fs {

// The whole text, as a read from offset 0 finds it. Runs without locks.
using ReadText = std::function<Result<std::string>()>;
// What one write(2) brought, at most kMaxTextWrite bytes.
using WriteText = std::function<Result<void>(std::string_view text, const vfs::Caller& caller)>;
inline constexpr size_t kMaxTextWrite = 4096;

class TreeSuperblock : public vfs::Superblock {
 public:
  TreeSuperblock(std::string_view type, uint64_t magic, bool needs_revalidation = false)
      : Superblock(type), magic_(magic), needs_revalidation_(needs_revalidation) {}
  Result<vfs::FilesystemStatus> Status() override;
  bool NeedsRevalidation() const override { return needs_revalidation_; }

 private:
  const uint64_t magic_;
  const bool needs_revalidation_;
};

// A file of root's with a fixed mode.
class TreeInode : public vfs::Inode {
 public:
  // `mode` with its type.
  TreeInode(RefPtr<vfs::Superblock> superblock, uint32_t mode, uint64_t number);
  Result<vfs::Attributes> GetAttributes() override;
  // Truncation is accepted, since shells open with O_TRUNC to write; nothing else changes.
  Result<void> SetAttributes(const vfs::AttributeChange& change) override;
  Result<RefPtr<vfs::FileDescription>> Open(const vfs::Path& path, uint32_t flags,
                                            const vfs::Caller& caller) override;
  // What nobody may write is closed to root too, as sysctls and sysfs attributes are.
  Result<void> CheckAccess(const vfs::Caller& caller, uint32_t may) override;
  uint32_t mode() const { return mode_; }
  uint64_t number() const { return number_; }

 private:
  const uint32_t mode_;
  const uint64_t number_;
  const vfs::FileTime made_;
};

class TreeDirectory : public TreeInode {
 public:
  TreeDirectory(RefPtr<vfs::Superblock> superblock, uint32_t permissions, uint64_t number)
      : TreeInode(std::move(superblock), S_IFDIR | permissions, number) {}
  // Before anyone else sees the tree.
  void Add(std::string_view name, RefPtr<TreeInode> child);
  RefPtr<TreeInode> Find(std::string_view name) const;

  Result<vfs::Attributes> GetAttributes() override;
  Result<RefPtr<vfs::Inode>> Lookup(std::string_view name) override;
  Result<int64_t> ReadDirectory(int64_t offset, vfs::DirectorySink& sink) override;

 protected:
  // Where ReadDirectory ends.
  int64_t EndOffset() const { return 3 + static_cast<int64_t>(children_.size()); }

 private:
  std::map<std::string, RefPtr<TreeInode>, std::less<>> children_;
};

class TextInode : public TreeInode {
 public:
  TextInode(RefPtr<vfs::Superblock> superblock, uint32_t permissions, uint64_t number,
            ReadText read, WriteText write);
  Result<RefPtr<vfs::FileDescription>> Open(const vfs::Path& path, uint32_t flags,
                                            const vfs::Caller& caller) override;

 private:
  const ReadText read_;
  const WriteText write_;  // May be empty.
};

// An ordinary symlink.
class LinkInode : public TreeInode {
 public:
  LinkInode(RefPtr<vfs::Superblock> superblock, uint64_t number, std::string target)
      : TreeInode(std::move(superblock), S_IFLNK | 0777, number), target_(std::move(target)) {}
  Result<std::string> ReadLink() override { return target_; }

 private:
  const std::string target_;
};

// An open text file.
class TextFile : public vfs::GeneratedFile {
 public:
  TextFile(vfs::Path path, uint32_t flags, ReadText read, WriteText write)
      : GeneratedFile(std::move(path), flags), read_(std::move(read)), write_(std::move(write)) {}
  // EIO when it takes no writes; E2BIG is never given: Linux cuts at a page, so does this.
  Result<size_t> PWrite(std::span<const std::byte> data, uint64_t offset,
                        const vfs::Caller& caller) override;

 protected:
  Result<std::string> Generate() override { return read_(); }

 private:
  const ReadText read_;
  const WriteText write_;
};

// Builds the tree.
class TextTree {
 public:
  static constexpr uint64_t kRootNumber = 1;
  explicit TextTree(RefPtr<TreeDirectory> root) : root_(std::move(root)) {}

  void AddFile(std::string_view path, uint32_t permissions, ReadText read,
               WriteText write = nullptr);
  void AddLink(std::string_view path, std::string target);
  void AddDirectory(std::string_view path);
  void AddInode(std::string_view path, RefPtr<TreeInode> inode);
  uint64_t NextNumber() { return ++last_number_; }
  const RefPtr<TreeDirectory>& root() const { return root_; }

 private:
  TreeDirectory& MakeDirectories(std::string_view path);

  const RefPtr<TreeDirectory> root_;
  uint64_t last_number_ = kRootNumber;
};

}  // namespace redoubt::fs

#endif  // SENTRY_FS_TEXT_TREE_TEXT_TREE_H_
