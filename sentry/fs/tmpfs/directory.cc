// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/tmpfs/directory.h"

#include <linux/fs.h>

#include <vector>

#include "sentry/vfs/file_description.h"

namespace redoubt::tmpfs {

namespace {

constexpr uint64_t kEntrySize = 20;  // What Linux's tmpfs counts for st_size.

TmpfsInode& AsTmpfs(vfs::Inode& inode) { return static_cast<TmpfsInode&>(inode); }

}  // namespace

Directory::~Directory() {
  // Unmounting frees a whole tree; guests choose its depth, so this must not recurse.
  std::vector<Entries> pending;
  pending.push_back(std::move(entries_));
  while (!pending.empty()) {
    Entries entries = std::move(pending.back());
    pending.pop_back();
    for (auto& [offset, entry] : entries) {
      if (!entry.inode->IsDirectory() || entry.inode->ref_count() > 1) continue;
      auto& directory = static_cast<Directory&>(*entry.inode);
      MutexLock lock(&directory.mu_);
      directory.by_name_.clear();
      pending.push_back(std::move(directory.entries_));
      directory.entries_.clear();
    }
  }
}

Result<RefPtr<vfs::Inode>> Directory::Lookup(std::string_view name) {
  ReaderMutexLock lock(&mu_);
  auto found = by_name_.find(name);
  if (found == by_name_.end()) return Errno(ENOENT);
  return RefPtr<vfs::Inode>(found->second->second.inode);
}

bool Directory::IsEmpty() const {
  ReaderMutexLock lock(&mu_);
  return entries_.empty();
}

Result<void> Directory::CheckAlive() const {
  ReaderMutexLock lock(&mu_);
  if (removed_) return Errno(ENOENT);
  return {};
}

// ".." of a subdirectory is a link to this one.
void Directory::CountSubdirectoryLocked(const TmpfsInode& child, int change) {
  if (child.IsDirectory()) attributes_.links += static_cast<uint32_t>(change);
}

void Directory::Insert(std::string_view name, RefPtr<TmpfsInode> inode) {
  MutexLock lock(&mu_);
  CountSubdirectoryLocked(*inode, 1);
  Entry entry{.name = std::string(name), .inode = std::move(inode)};
  auto at = entries_.emplace_hint(entries_.end(), next_offset_++, std::move(entry));
  by_name_.emplace(at->second.name, at);
  TouchLocked();
}

void Directory::Erase(std::string_view name) {
  RefPtr<TmpfsInode> gone;  // Dies after the lock.
  MutexLock lock(&mu_);
  auto found = by_name_.find(name);
  if (found == by_name_.end()) return;
  auto at = found->second;
  by_name_.erase(found);
  gone = std::move(at->second.inode);
  entries_.erase(at);
  CountSubdirectoryLocked(*gone, -1);
  TouchLocked();
}

void Directory::Replace(std::string_view name, RefPtr<TmpfsInode> inode) {
  RefPtr<TmpfsInode> gone = std::move(inode);
  MutexLock lock(&mu_);
  auto found = by_name_.find(name);
  if (found == by_name_.end()) return;
  CountSubdirectoryLocked(*gone, 1);
  std::swap(found->second->second.inode, gone);
  CountSubdirectoryLocked(*gone, -1);
  TouchLocked();
}

Result<RefPtr<vfs::Inode>> Directory::Create(std::string_view name,
                                             const vfs::CreateRequest& request) {
  TRY(CheckAlive());
  RefPtr<TmpfsInode> inode = TRY(NewInode(tmpfs(), request));
  Insert(name, inode);
  return RefPtr<vfs::Inode>(std::move(inode));
}

Result<RefPtr<vfs::Inode>> Directory::CreateNameless(const vfs::CreateRequest& request) {
  RefPtr<TmpfsInode> inode = TRY(NewInode(tmpfs(), request));
  inode->MarkNameless(request.linkable);
  return RefPtr<vfs::Inode>(std::move(inode));
}

Result<void> Directory::Link(std::string_view name, vfs::Inode& target) {
  TRY(CheckAlive());
  TRY(AsTmpfs(target).AddLink());
  Insert(name, RefPtr<TmpfsInode>(&AsTmpfs(target)));
  return {};
}

Result<void> Directory::Unlink(std::string_view name, vfs::Inode& child) {
  AsTmpfs(child).DropLink();
  Erase(name);
  return {};
}

Result<void> Directory::RemoveDirectory(std::string_view name, vfs::Inode& child) {
  auto& directory = static_cast<Directory&>(child);
  {
    MutexLock lock(&directory.mu_);
    if (!directory.entries_.empty()) return Errno(ENOTEMPTY);
    directory.removed_ = true;
  }
  directory.DropLink();
  Erase(name);
  return {};
}

Result<void> Directory::Exchange(std::string_view name, TmpfsInode& child, Directory& to,
                                 std::string_view new_name, TmpfsInode& other) {
  RefPtr<TmpfsInode> first(&child), second(&other);
  Replace(name, std::move(second));
  to.Replace(new_name, std::move(first));
  return {};
}

Result<void> Directory::Rename(std::string_view name, vfs::Inode& child, vfs::Inode& new_directory,
                               std::string_view new_name, vfs::Inode* replaced, unsigned flags) {
  auto& to = static_cast<Directory&>(new_directory);
  TRY(to.CheckAlive());
  if ((flags & RENAME_EXCHANGE) != 0) {
    return Exchange(name, AsTmpfs(child), to, new_name, AsTmpfs(*replaced));
  }
  RefPtr<TmpfsInode> whiteout;
  if ((flags & RENAME_WHITEOUT) != 0) {
    whiteout = TRY(NewInode(tmpfs(), vfs::CreateRequest{.mode = S_IFCHR}));
  }
  if (replaced && replaced->IsDirectory()) {
    TRY(to.RemoveDirectory(new_name, *replaced));
  } else if (replaced) {
    TRY(to.Unlink(new_name, *replaced));
  }
  RefPtr<TmpfsInode> moved(&AsTmpfs(child));
  Erase(name);
  to.Insert(new_name, moved);
  if (whiteout) Insert(name, std::move(whiteout));
  return moved->SetAttributes({});  // Its change time.
}

Result<int64_t> Directory::ReadDirectory(int64_t offset, vfs::DirectorySink& sink) {
  ReaderMutexLock lock(&mu_);
  for (auto it = entries_.lower_bound(offset); it != entries_.end(); ++it) {
    const TmpfsInode& inode = *it->second.inode;
    vfs::DirectoryEntry entry{.name = it->second.name,
                              .inode_number = inode.inode_number(),
                              .type = static_cast<uint8_t>(inode.type() >> 12),
                              .next_offset = it->first + 1};
    if (!sink.Add(entry)) return it->first;
  }
  return next_offset_;
}

Result<RefPtr<vfs::FileDescription>> Directory::Open(const vfs::Path& path, uint32_t flags,
                                                     const vfs::Caller& caller) {
  return MakeRef<vfs::FileDescription>(path, flags);
}

void Directory::FillAttributesLocked(vfs::Attributes& attributes) const {
  attributes.size = entries_.size() * kEntrySize;
}

}  // namespace redoubt::tmpfs
