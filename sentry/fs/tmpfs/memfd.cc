// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/tmpfs/memfd.h"

#include <fcntl.h>
#include <sys/mman.h>

#include "sentry/fs/tmpfs/regular_file.h"

namespace redoubt::tmpfs {

namespace {

constexpr size_t kMaxName = 249;      // NAME_MAX less "memfd:".
constexpr uint32_t kNoExecSeal = 8;   // MFD_NOEXEC_SEAL
constexpr uint32_t kExec = 0x10;      // MFD_EXEC
constexpr uint32_t kExecSeal = 0x20;  // F_SEAL_EXEC

// Linux's internal mount: no limit but the cgroup's.
TmpfsSuperblock& InternalSuperblock() {
  static auto* superblock =
      new RefPtr<TmpfsSuperblock>(MakeRef<TmpfsSuperblock>(Options{.size = 0, .inodes = 0}));
  return **superblock;
}

RegularFile* AsSealable(vfs::FileDescription& file) {
  auto* open = dynamic_cast<OpenRegularFile*>(&file);
  return open ? &open->file() : nullptr;
}

}  // namespace

Result<RefPtr<vfs::FileDescription>> CreateMemfd(std::string_view name, uint32_t flags,
                                                 const vfs::Caller& caller) {
  constexpr uint32_t kKnown = MFD_CLOEXEC | MFD_ALLOW_SEALING | kNoExecSeal | kExec;
  if ((flags & ~kKnown) != 0) return Errno(EINVAL);
  if ((flags & kNoExecSeal) != 0 && (flags & kExec) != 0) return Errno(EINVAL);
  if (name.size() > kMaxName) return Errno(EINVAL);
  bool no_exec = (flags & kNoExecSeal) != 0;
  vfs::CreateRequest request{.mode = S_IFREG | (no_exec ? 0666u : 0777u)};
  request.uid = caller.uid;
  request.gid = caller.gid;
  RefPtr<TmpfsInode> inode = TRY(NewInode(InternalSuperblock(), request));
  inode->MarkNameless(false);
  uint32_t seals = (flags & (MFD_ALLOW_SEALING | kNoExecSeal)) != 0 ? 0 : F_SEAL_SEAL;
  if (no_exec) seals |= kExecSeal;
  static_cast<RegularFile&>(*inode).SetInitialSeals(seals);
  std::string text = "/memfd:" + std::string(name) + " (deleted)";
  vfs::Path path{vfs::Mount::Anonymous(),
                 vfs::Dentry::CreateAnonymous(std::move(text), std::move(inode))};
  return MakeRef<OpenRegularFile>(std::move(path), O_RDWR | O_LARGEFILE);
}

Result<RefPtr<vfs::FileDescription>> CreateInternalFile(std::string text, uint32_t permissions,
                                                        const vfs::Caller& caller) {
  vfs::CreateRequest request{.mode = S_IFREG | permissions};
  request.uid = caller.uid;
  request.gid = caller.gid;
  RefPtr<TmpfsInode> inode = TRY(NewInode(InternalSuperblock(), request));
  inode->MarkNameless(false);
  static_cast<RegularFile&>(*inode).SetInitialSeals(F_SEAL_SEAL);
  vfs::Path path{vfs::Mount::Anonymous(),
                 vfs::Dentry::CreateAnonymous(std::move(text), std::move(inode))};
  return MakeRef<OpenRegularFile>(std::move(path), O_RDWR | O_LARGEFILE);
}

Result<void> AddSeals(vfs::FileDescription& file, uint32_t seals) {
  RegularFile* sealable = AsSealable(file);
  if (!sealable) return Errno(EINVAL);
  if (!file.writable()) return Errno(EPERM);
  return sealable->AddSeals(seals);
}

Result<uint32_t> GetSeals(vfs::FileDescription& file) {
  RegularFile* sealable = AsSealable(file);
  if (!sealable) return Errno(EINVAL);
  return sealable->GetSeals();
}

}  // namespace redoubt::tmpfs
