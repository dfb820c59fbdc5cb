// SPDX-License-Identifier: Apache-2.0
//
// HostFile: a memfd that holds one file's bytes once the file is large or mapped. Its host size is
// the guest's size exactly, so that a mapping faults past the end as it should.
#ifndef SENTRY_FS_TMPFS_HOST_FILE_H_
#define SENTRY_FS_TMPFS_HOST_FILE_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/owned_fd.h"
#include "base/result.h"

namespace redoubt::tmpfs {

// How a second, read-only descriptor of a memfd is opened; gives -1 when it cannot. The default
// goes through /proc/self/fd. The sentry, which sees no procfs of its own, sets another.
using ReadOnlyReopener = int (*)(int fd);
void SetReadOnlyReopener(ReadOnlyReopener reopener);

class HostFile {
 public:
  // `required`: the caller cannot do without (mmap). Otherwise ENFILE once many files have one,
  // so that large files never use up the sentry's descriptors.
  static Result<HostFile> Create(bool required);
  HostFile(HostFile&& other) noexcept = default;
  HostFile& operator=(HostFile&& other) = delete;
  ~HostFile();

  Result<size_t> Read(std::span<std::byte> buffer, uint64_t offset) const;
  Result<size_t> Write(std::span<const std::byte> data, uint64_t offset);
  Result<void> Resize(uint64_t size);
  // fallocate(2) with `mode`.
  Result<void> Allocate(int mode, uint64_t offset, uint64_t length);
  Result<uint64_t> SeekData(uint64_t offset, bool hole) const;
  Result<void> AddSeals(uint32_t seals);
  // Pages that the host keeps for it, also those written through mappings.
  uint64_t Pages() const;

  // What a stub maps. Without `writable` a read-only descriptor, so that the host refuses to make
  // the mapping writable later.
  int MappableFd(bool writable);

 private:
  explicit HostFile(OwnedFd fd) : fd_(std::move(fd)) {}
  OwnedFd fd_;
  OwnedFd read_only_;
};

}  // namespace redoubt::tmpfs

#endif  // SENTRY_FS_TMPFS_HOST_FILE_H_
