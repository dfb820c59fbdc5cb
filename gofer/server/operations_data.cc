// SPDX-License-Identifier: Apache-2.0
//
// Descriptors for file data, directory listings, the file system as a whole.
#include <dirent.h>
#include <fcntl.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <cstring>
#include <string_view>

#include "base/host/syscall.h"
#include "gofer/protocol/validate.h"
#include "gofer/server/operations.h"
#include "gofer/server/own_descriptors.h"

namespace redoubt::gofer {
namespace {

bool IsDots(std::string_view name) { return name == "." || name == ".."; }

// What getdents64(2) gave, without "." and "..".
void AddEntries(const char* data, size_t size, Response* response) {
  size_t offset = 0;
  while (offset < size) {
    const auto* entry = reinterpret_cast<const dirent64*>(data + offset);
    offset += entry->d_reclen;
    response->set_cookie(entry->d_off);
    // A host file system may hold names that are none (a broken disk, a hostile FUSE server).
    if (IsDots(entry->d_name) || !IsValidName(entry->d_name)) continue;
    DirectoryEntry* answer = response->add_entries();
    answer->set_name(entry->d_name);
    answer->set_inode(entry->d_ino);
    answer->set_type(entry->d_type & 0xf);
  }
}

}  // namespace

// Only called where the type is known: the descriptor's own link in /proc/self/fd cannot lead to
// another file than the one that was looked at.
Result<OwnedFd> Reopen(int fd, int flags) {
  DescriptorPath path(fd);
  unsigned opened =
      TRY(host::Call([&] { return open(path.get(), flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC); }));
  return OwnedFd(static_cast<int>(opened));
}

Result<void> Operations::Open(const OpenRequest& request, Response* response, OwnedFd* fd) {
  Node* node = TRY(nodes_.Find(request.handle()));
  int access = static_cast<int>(request.access());
  if (access == O_PATH && (node->IsDirectory() || node->IsRegular())) {
    int path = TRY(nodes_.Fd(node));
    TRY(FillStatus(path, response->mutable_status()));
    *fd = TRY(Reopen(path, O_PATH));
    return {};
  }
  if (access != O_RDONLY && access != O_WRONLY && access != O_RDWR) return Errno(EINVAL);
  if (node->IsDirectory()) {
    if (access != O_RDONLY) return Errno(EISDIR);
  } else if (!node->IsRegular()) {
    return Errno(node->type == S_IFLNK ? ELOOP : ENXIO);
  }
  if (node->read_only && access != O_RDONLY) return Errno(EROFS);
  OwnedFd opened = TRY(Reopen(TRY(nodes_.Fd(node)), access));
  if (access != O_RDONLY) {
    // An overlay may have copied the file up, and given it another number.
    node->identity = IdentityOf(TRY(StatFd(opened.get())));
  }
  *fd = std::move(opened);
  return {};
}

Result<void> Operations::ReadDirectory(const ReadDirectoryRequest& request, Response* response) {
  Node* node = TRY(FindDirectory(request.directory()));
  OwnedFd fd = TRY(Reopen(TRY(nodes_.Fd(node)), O_RDONLY | O_DIRECTORY));
  if (request.cookie() != 0) {
    TRY(host::Call([&] { return lseek(fd.get(), request.cookie(), SEEK_SET); }));
  }
  // Until the page is full or the end is seen, so that a small directory takes one trip.
  alignas(dirent64) char page[kDirectoryPageBytes];
  size_t filled = 0;
  while (sizeof(page) - filled >= sizeof(dirent64)) {
    size_t size =
        TRY(host::Call([&] { return getdents64(fd.get(), page + filled, sizeof(page) - filled); }));
    if (size == 0) {
      response->set_end(true);
      break;
    }
    filled += size;
  }
  AddEntries(page, filled, response);
  return {};
}

Result<void> Operations::Status(const StatusRequest& request, Response* response) {
  Node* node = TRY(nodes_.Find(request.handle()));
  return FillStatus(TRY(nodes_.Fd(node)), response->mutable_status());
}

Result<void> Operations::FillStatus(int fd, FilesystemStatus* answer) {
  struct statfs status;
  TRY(host::Call([&] { return fstatfs(fd, &status); }));
  answer->set_magic(static_cast<uint64_t>(status.f_type));
  answer->set_block_size(static_cast<uint64_t>(status.f_bsize));
  answer->set_blocks(status.f_blocks);
  answer->set_blocks_free(status.f_bfree);
  answer->set_blocks_available(status.f_bavail);
  answer->set_files(status.f_files);
  answer->set_files_free(status.f_ffree);
  answer->set_name_length(static_cast<uint64_t>(status.f_namelen));
  return {};
}

Result<void> Operations::Sync(const SyncRequest& request) {
  Node* node = TRY(nodes_.Find(request.handle()));
  if (!node->IsDirectory() && !node->IsRegular()) return Errno(EINVAL);
  OwnedFd fd = TRY(Reopen(TRY(nodes_.Fd(node)), O_RDONLY));
  TRY(host::Call([&] { return request.filesystem() ? syncfs(fd.get()) : fsync(fd.get()); }));
  return {};
}

}  // namespace redoubt::gofer
