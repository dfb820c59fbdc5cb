// SPDX-License-Identifier: Apache-2.0
#include "sentry/kernel/task.h"

#include <fcntl.h>
#include <limits.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "sentry/kernel/kernel.h"
#include "sentry/kernel/thread_group.h"

namespace redoubt::kernel {

Task::Task(TaskParts parts)
    : kernel_(parts.kernel),
      group_(std::move(parts.group)),
      tid_(parts.tid),
      credentials_(std::move(parts.credentials)),
      name_(std::move(parts.name)),
      fd_table_(std::move(parts.fd_table)),
      fs_(std::move(parts.fs)),
      memory_(std::move(parts.memory)) {}

Task::~Task() = default;

int Task::tgid() const { return group_->tgid(); }

RefPtr<Credentials> Task::credentials() const {
  MutexLock lock(&mu_);
  return credentials_;
}

void Task::SetCredentials(RefPtr<Credentials> credentials) {
  MutexLock lock(&mu_);
  std::swap(credentials_, credentials);
  local_answers_stale_ = true;
}

std::string Task::name() const {
  MutexLock lock(&mu_);
  return name_;
}

void Task::SetName(std::string_view name) {
  MutexLock lock(&mu_);
  name_ = std::string(name.substr(0, 15));
}

// On the way of most calls that name a file: each lock is taken once, and nothing is counted but
// the two paths.
vfs::Caller Task::MakeCaller() const {
  vfs::Caller caller;
  caller.file_size_limit = group_->limit(RLIMIT_FSIZE).current;
  caller.tgid = group_->tgid();
  caller.tid = tid();
  MutexLock lock(&mu_);
  caller.uid = credentials_->fsuid;
  caller.gid = credentials_->fsgid;
  caller.groups = credentials_->groups;
  caller.capabilities = credentials_->effective;
  if (fs_) fs_->Describe(caller);
  return caller;
}

Result<vfs::Path> Task::StartPath(int dirfd) const {
  if (dirfd == AT_FDCWD) return fs()->working_directory();
  FileRef file = TRY(fd_table()->Get(dirfd));
  return file->path();
}

RefPtr<FdTable> Task::fd_table() const {
  MutexLock lock(&mu_);
  return fd_table_;
}

RefPtr<FsContext> Task::fs() const {
  MutexLock lock(&mu_);
  return fs_;
}

RefPtr<mm::MemoryMap> Task::memory() const {
  MutexLock lock(&mu_);
  return memory_;
}

void Task::SetFdTable(RefPtr<FdTable> table) {
  MutexLock lock(&mu_);
  std::swap(fd_table_, table);
}

void Task::SetFs(RefPtr<FsContext> fs) {
  MutexLock lock(&mu_);
  std::swap(fs_, fs);
}

void Task::SetMemory(RefPtr<mm::MemoryMap> memory) {
  MutexLock lock(&mu_);
  std::swap(memory_, memory);
}

uint64_t Task::FdLimit() const { return group_->limit(RLIMIT_NOFILE).current; }

Result<void> Task::CopyIn(uint64_t address, std::span<std::byte> buffer) {
  size_t copied = TRY(context_->CopyIn(address, buffer));
  if (copied == buffer.size()) return {};
  // A captured string ends where it ends; memory goes on.
  buffer = buffer.subspan(copied);
  if (TRY(context_->address_space()->CopyIn(address + copied, buffer)) != buffer.size())
    return Errno(EFAULT);
  return {};
}

Result<void> Task::CopyOut(uint64_t address, std::span<const std::byte> buffer) {
  size_t copied = TRY(context_->CopyOut(address, buffer));
  if (copied != buffer.size()) return Errno(EFAULT);
  return {};
}

Result<size_t> Task::CopyInSome(uint64_t address, std::span<std::byte> buffer) {
  return context_->CopyIn(address, buffer);
}

Result<size_t> Task::CopyOutSome(uint64_t address, std::span<const std::byte> buffer) {
  return context_->CopyOut(address, buffer);
}

Result<std::string> Task::CopyInString(uint64_t address, size_t limit, int too_long) {
  std::string result;
  std::byte chunk[256];
  while (true) {
    // Never reads past the string's own page unless the string goes on there.
    size_t to_page_end = mm::kPageSize - address % mm::kPageSize;
    size_t want = std::min({sizeof(chunk), to_page_end, limit + 1 - result.size()});
    size_t got = TRY(context_->CopyIn(address, std::span(chunk, want)));
    const char* text = reinterpret_cast<const char*>(chunk);
    const void* end = memchr(text, '\0', got);
    if (end != nullptr) {
      result.append(text, static_cast<const char*>(end));
      return result;
    }
    result.append(text, got);
    if (result.size() > limit) return Errno(too_long);
    if (got < want) return Errno(EFAULT);
    address += got;
  }
}

Result<std::string> Task::CopyInPath(uint64_t address) {
  return CopyInString(address, PATH_MAX - 1, ENAMETOOLONG);
}

std::span<std::byte> Task::IoBuffer(size_t size) {
  size = std::min(size, kIoBufferSize);
  if (size > io_buffer_size_) {
    // Small calls, which are most, do not pay for a large buffer.
    io_buffer_size_ = size <= 8192 ? 8192 : kIoBufferSize;
    io_buffer_ = std::make_unique_for_overwrite<std::byte[]>(io_buffer_size_);
  }
  return {io_buffer_.get(), size};
}

SyscallResult Task::RunRestart() {
  if (!restart_) return Errno(EINTR);
  auto restart = std::exchange(restart_, nullptr);
  return restart(*this);
}

char Task::StateLetter() const {
  MutexLock lock(&kernel_->tasks().mu_);
  switch (state_) {
    case State::kZombie:
      return 'Z';
    case State::kStopped:
      return 'T';
    case State::kRunning:
      // A task that is served right now is called running, one that waits for something sleeping.
      return sleeping_.load(std::memory_order_relaxed) ? 'S' : 'R';
  }
  UNREACHABLE();
}

}  // namespace redoubt::kernel
