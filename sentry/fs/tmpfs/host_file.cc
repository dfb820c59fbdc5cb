// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/tmpfs/host_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>

#include "base/host/syscall.h"

namespace redoubt::tmpfs {

namespace {

// Of the descriptors a process may have (often 20,000), the share of large, unmapped files.
constexpr int kMaxUnrequired = 4096;
std::atomic<int> g_files{0};

int ReopenThroughProc(int fd) {
  char path[32];
  std::snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
  return open(path, O_RDONLY | O_CLOEXEC);
}

std::atomic<ReadOnlyReopener> g_reopener{&ReopenThroughProc};

}  // namespace

void SetReadOnlyReopener(ReadOnlyReopener reopener) { g_reopener.store(reopener); }

Result<HostFile> HostFile::Create(bool required) {
  if (!required && g_files.load(std::memory_order_relaxed) >= kMaxUnrequired) {
    return Errno(ENFILE);
  }
  int fd = static_cast<int>(TRY(
      host::Call([] { return memfd_create("redoubt-file", MFD_CLOEXEC | MFD_ALLOW_SEALING); })));
  g_files.fetch_add(1, std::memory_order_relaxed);
  return HostFile(OwnedFd(fd));
}

HostFile::~HostFile() {
  if (fd_) g_files.fetch_sub(1, std::memory_order_relaxed);
}

Result<size_t> HostFile::Read(std::span<std::byte> buffer, uint64_t offset) const {
  size_t done = 0;
  while (done < buffer.size()) {
    size_t n = TRY(host::Call([&] {
      return pread(fd_.get(), buffer.data() + done, buffer.size() - done,
                   static_cast<off_t>(offset + done));
    }));
    if (n == 0) break;
    done += n;
  }
  return done;
}

Result<size_t> HostFile::Write(std::span<const std::byte> data, uint64_t offset) {
  size_t done = 0;
  while (done < data.size()) {
    auto n = host::Call([&] {
      return pwrite(fd_.get(), data.data() + done, data.size() - done,
                    static_cast<off_t>(offset + done));
    });
    if (!n.ok() && done > 0) break;
    done += TRY(std::move(n));
  }
  return done;
}

Result<void> HostFile::Resize(uint64_t size) {
  TRY(host::Call([&] { return ftruncate(fd_.get(), static_cast<off_t>(size)); }));
  return {};
}

Result<void> HostFile::Allocate(int mode, uint64_t offset, uint64_t length) {
  TRY(host::Call([&] {
    return fallocate(fd_.get(), mode, static_cast<off_t>(offset), static_cast<off_t>(length));
  }));
  return {};
}

Result<uint64_t> HostFile::SeekData(uint64_t offset, bool hole) const {
  // The descriptor's own position serves nothing else.
  return TRY(host::Call(
      [&] { return lseek(fd_.get(), static_cast<off_t>(offset), hole ? SEEK_HOLE : SEEK_DATA); }));
}

Result<void> HostFile::AddSeals(uint32_t seals) {
  TRY(host::Call([&] { return fcntl(fd_.get(), F_ADD_SEALS, seals); }));
  return {};
}

uint64_t HostFile::Pages() const {
  struct stat status;
  if (!host::Call([&] { return fstat(fd_.get(), &status); }).ok()) return 0;
  return static_cast<uint64_t>(status.st_blocks) / 8;
}

int HostFile::MappableFd(bool writable) {
  if (writable) return fd_.get();
  if (!read_only_) read_only_.Reset(g_reopener.load()(fd_.get()));
  return read_only_ ? read_only_.get() : fd_.get();
}

}  // namespace redoubt::tmpfs
