// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/anon/anonymous_inode.h"

#include <array>
#include <atomic>
#include <string>
#include <utility>

#include "sentry/vfs/attribute_change.h"

namespace redoubt::fs {

namespace {

constexpr uint64_t kPipefsMagic = 0x50495045;
constexpr uint64_t kSockfsMagic = 0x534F434B;
constexpr uint64_t kAnonInodefsMagic = 0x09041934;

class AnonymousSuperblock : public vfs::Superblock {
 public:
  AnonymousSuperblock(std::string_view type, uint64_t magic) : Superblock(type), magic_(magic) {}
  Result<vfs::FilesystemStatus> Status() override {
    vfs::FilesystemStatus status;
    status.magic = magic_;
    return status;
  }

 private:
  const uint64_t magic_;
};

const RefPtr<vfs::Superblock>& SuperblockOf(AnonymousKind kind) {
  // Never destroyed: open files outlive main's end.
  static const auto* superblocks = new std::array<RefPtr<vfs::Superblock>, 3>{
      MakeRef<AnonymousSuperblock>("pipefs", kPipefsMagic),
      MakeRef<AnonymousSuperblock>("sockfs", kSockfsMagic),
      MakeRef<AnonymousSuperblock>("anon_inodefs", kAnonInodefsMagic)};
  return (*superblocks)[static_cast<size_t>(kind)];
}

std::string NameOf(AnonymousKind kind, std::string_view name, uint64_t number) {
  switch (kind) {
    case AnonymousKind::kPipe:
      return "pipe:[" + std::to_string(number) + "]";
    case AnonymousKind::kSocket:
      return "socket:[" + std::to_string(number) + "]";
    case AnonymousKind::kAnonymous:
      break;
  }
  return "anon_inode:[" + std::string(name) + "]";
}

}  // namespace

AnonymousInode::AnonymousInode(AnonymousKind kind, uint32_t mode, uint32_t uid, uint32_t gid)
    : Inode(SuperblockOf(kind), mode & S_IFMT) {
  static std::atomic<uint64_t> next_number{1};
  attributes_.inode_number = next_number.fetch_add(1, std::memory_order_relaxed);
  attributes_.device = superblock()->device();
  attributes_.mode = mode;
  attributes_.uid = uid;
  attributes_.gid = gid;
  attributes_.access_time = attributes_.modify_time = attributes_.change_time =
      attributes_.birth_time = vfs::Now();
}

Result<vfs::Attributes> AnonymousInode::GetAttributes() {
  MutexLock lock(&mu_);
  return attributes_;
}

Result<void> AnonymousInode::SetAttributes(const vfs::AttributeChange& change) {
  if (change.size) return Errno(EINVAL);
  MutexLock lock(&mu_);
  vfs::ApplyChange(change, attributes_);
  return {};
}

Result<RefPtr<vfs::FileDescription>> AnonymousInode::Open(const vfs::Path& path, uint32_t flags,
                                                          const vfs::Caller& caller) {
  return Errno(ENXIO);
}

vfs::Path MakeAnonymousPath(AnonymousKind kind, std::string_view name, uint32_t mode, uint32_t uid,
                            uint32_t gid) {
  return MakeAnonymousPath(kind, name, MakeRef<AnonymousInode>(kind, mode, uid, gid));
}

vfs::Path MakeAnonymousPath(AnonymousKind kind, std::string_view name,
                            RefPtr<AnonymousInode> inode) {
  std::string text = NameOf(kind, name, inode->number());
  return vfs::Path{vfs::Mount::Anonymous(),
                   vfs::Dentry::CreateAnonymous(std::move(text), std::move(inode))};
}

}  // namespace redoubt::fs
