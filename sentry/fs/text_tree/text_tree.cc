// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/text_tree/text_tree.h"

#include <dirent.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "sentry/vfs/permission.h"

namespace redoubt::fs {

Result<vfs::FilesystemStatus> TreeSuperblock::Status() {
  vfs::FilesystemStatus status;
  status.magic = magic_;
  return status;
}

TreeInode::TreeInode(RefPtr<vfs::Superblock> superblock, uint32_t mode, uint64_t number)
    : Inode(std::move(superblock), mode & S_IFMT),
      mode_(mode),
      number_(number),
      made_(vfs::Now()) {}

Result<vfs::Attributes> TreeInode::GetAttributes() {
  vfs::Attributes attributes;
  attributes.inode_number = number_;
  attributes.device = superblock()->device();
  attributes.mode = mode_;
  attributes.block_size = 1024;
  attributes.access_time = attributes.modify_time = made_;
  attributes.change_time = attributes.birth_time = made_;
  return attributes;
}

Result<void> TreeInode::SetAttributes(const vfs::AttributeChange& change) {
  if (change.mode || change.uid || change.gid) return Errno(EPERM);
  if (change.access_time || change.modify_time) return Errno(EPERM);
  return {};
}

Result<RefPtr<vfs::FileDescription>> TreeInode::Open(const vfs::Path& path, uint32_t flags,
                                                     const vfs::Caller& caller) {
  return MakeRef<vfs::FileDescription>(path, flags);
}

Result<void> TreeInode::CheckAccess(const vfs::Caller& caller, uint32_t may) {
  bool writes = (may & vfs::kMayWrite) != 0;
  if (writes && !IsDirectory() && (mode_ & 0222) == 0) return Errno(EACCES);
  return {};
}

void TreeDirectory::Add(std::string_view name, RefPtr<TreeInode> child) {
  bool added = children_.emplace(name, std::move(child)).second;
  CHECK(added);
}

RefPtr<TreeInode> TreeDirectory::Find(std::string_view name) const {
  auto it = children_.find(name);
  return it == children_.end() ? nullptr : it->second;
}

Result<vfs::Attributes> TreeDirectory::GetAttributes() {
  vfs::Attributes attributes = TRY(TreeInode::GetAttributes());
  auto is_directory = [](const auto& child) { return child.second->IsDirectory(); };
  attributes.links =
      2 + static_cast<uint32_t>(std::count_if(children_.begin(), children_.end(), is_directory));
  return attributes;
}

Result<RefPtr<vfs::Inode>> TreeDirectory::Lookup(std::string_view name) {
  RefPtr<TreeInode> child = Find(name);
  if (!child) return Errno(ENOENT);
  return RefPtr<vfs::Inode>(std::move(child));
}

Result<int64_t> TreeDirectory::ReadDirectory(int64_t offset, vfs::DirectorySink& sink) {
  offset = std::max<int64_t>(offset, 3);
  if (offset >= EndOffset()) return offset;
  auto it = std::next(children_.begin(), offset - 3);
  for (; it != children_.end(); ++it, ++offset) {
    const auto& [name, child] = *it;
    vfs::DirectoryEntry entry{.name = name,
                              .inode_number = child->number(),
                              .type = static_cast<uint8_t>(IFTODT(child->type())),
                              .next_offset = offset + 1};
    if (!sink.Add(entry)) break;
  }
  return offset;
}

TextInode::TextInode(RefPtr<vfs::Superblock> superblock, uint32_t permissions, uint64_t number,
                     ReadText read, WriteText write)
    : TreeInode(std::move(superblock), S_IFREG | permissions, number),
      read_(std::move(read)),
      write_(std::move(write)) {}

Result<RefPtr<vfs::FileDescription>> TextInode::Open(const vfs::Path& path, uint32_t flags,
                                                     const vfs::Caller& caller) {
  return MakeRef<TextFile>(path, flags, read_, write_);
}

Result<size_t> TextFile::PWrite(std::span<const std::byte> data, uint64_t offset,
                                const vfs::Caller& caller) {
  if (!write_) return Errno(EIO);
  size_t size = std::min(data.size(), kMaxTextWrite);
  TRY(write_(std::string_view(reinterpret_cast<const char*>(data.data()), size), caller));
  return size;
}

TreeDirectory& TextTree::MakeDirectories(std::string_view path) {
  TreeDirectory* at = root_.get();
  while (!path.empty()) {
    std::string_view name = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(path.size(), name.size() + 1));
    RefPtr<TreeInode> next = at->Find(name);
    if (!next) {
      next = MakeRef<TreeDirectory>(root_->superblock(), 0555, NextNumber());
      at->Add(name, next);
    }
    CHECK(next->IsDirectory());
    at = static_cast<TreeDirectory*>(next.get());  // Its parent keeps it.
  }
  return *at;
}

void TextTree::AddInode(std::string_view path, RefPtr<TreeInode> inode) {
  size_t slash = path.rfind('/');
  bool top = slash == std::string_view::npos;
  TreeDirectory& parent = MakeDirectories(top ? std::string_view() : path.substr(0, slash));
  parent.Add(top ? path : path.substr(slash + 1), std::move(inode));
}

void TextTree::AddFile(std::string_view path, uint32_t permissions, ReadText read,
                       WriteText write) {
  AddInode(path, MakeRef<TextInode>(root_->superblock(), permissions, NextNumber(), std::move(read),
                                    std::move(write)));
}

void TextTree::AddLink(std::string_view path, std::string target) {
  AddInode(path, MakeRef<LinkInode>(root_->superblock(), NextNumber(), std::move(target)));
}

void TextTree::AddDirectory(std::string_view path) { MakeDirectories(path); }

}  // namespace redoubt::fs
