// SPDX-License-Identifier: Apache-2.0
#include "sentry/kernel/fd_table.h"

#include <utility>

namespace redoubt::kernel {

RefPtr<FdTable> FdTable::Fork() const {
  auto copy = MakeRef<FdTable>();
  MutexLock lock(&mu_);
  copy->slots_ = slots_;
  copy->first_free_ = first_free_;
  return copy;
}

Result<FileRef> FdTable::Get(int fd) const {
  MutexLock lock(&mu_);
  if (fd < 0 || static_cast<size_t>(fd) >= slots_.size()) return Errno(EBADF);
  const FileRef& file = slots_[static_cast<size_t>(fd)].file;
  if (!file) return Errno(EBADF);
  return file;
}

Result<FileRef> FdTable::GetForIo(int fd) const {
  FileRef file = TRY(Get(fd));
  if (file->IsPathOnly()) return Errno(EBADF);
  return file;
}

Result<int> FdTable::Install(FileRef file, bool close_on_exec, uint64_t limit, int minimum) {
  if (minimum < 0 || static_cast<uint64_t>(minimum) >= limit) {
    return Errno(minimum == 0 ? EMFILE : EINVAL);
  }
  MutexLock lock(&mu_);
  const size_t fd = FreeFromLocked(std::max(first_free_, static_cast<size_t>(minimum)));
  if (fd >= limit) return Errno(EMFILE);
  if (fd >= slots_.size()) slots_.resize(fd + 1);
  slots_[fd] = Slot{std::move(file), close_on_exec};
  if (static_cast<size_t>(minimum) <= first_free_) first_free_ = fd + 1;
  return static_cast<int>(fd);
}

size_t FdTable::FreeFromLocked(size_t fd) const {
  while (fd < slots_.size() && slots_[fd].file) ++fd;
  return fd;
}

Result<void> FdTable::CheckRoom(uint64_t limit) const {
  MutexLock lock(&mu_);
  if (FreeFromLocked(first_free_) >= limit) return Errno(EMFILE);
  return {};
}

Result<int> FdTable::InstallAt(FileRef file, int fd, bool close_on_exec, uint64_t limit, int tgid) {
  if (fd < 0 || static_cast<uint64_t>(fd) >= limit) return Errno(EBADF);
  FileRef old;
  {
    MutexLock lock(&mu_);
    size_t index = static_cast<size_t>(fd);
    if (index >= slots_.size()) slots_.resize(index + 1);
    old = std::exchange(slots_[index].file, std::move(file));
    slots_[index].close_on_exec = close_on_exec;
  }
  if (old) old->OnDescriptorClosed(tgid);
  return fd;
}

Result<void> FdTable::Close(int fd, int tgid) {
  FileRef old;
  {
    MutexLock lock(&mu_);
    if (fd < 0 || static_cast<size_t>(fd) >= slots_.size()) return Errno(EBADF);
    size_t index = static_cast<size_t>(fd);
    old = std::exchange(slots_[index].file, nullptr);
    if (!old) return Errno(EBADF);
    first_free_ = std::min(first_free_, index);
  }
  old->OnDescriptorClosed(tgid);
  return {};
}

void FdTable::CloseRange(unsigned first, unsigned last, int tgid) {
  std::vector<FileRef> closed;
  {
    MutexLock lock(&mu_);
    for (size_t fd = first; fd < slots_.size() && fd <= last; ++fd) {
      if (!slots_[fd].file) continue;
      closed.push_back(std::exchange(slots_[fd].file, nullptr));
      first_free_ = std::min(first_free_, fd);
    }
  }
  for (const FileRef& file : closed) file->OnDescriptorClosed(tgid);
}

void FdTable::SetCloseOnExecRange(unsigned first, unsigned last) {
  MutexLock lock(&mu_);
  for (size_t fd = first; fd < slots_.size() && fd <= last; ++fd) slots_[fd].close_on_exec = true;
}

Result<bool> FdTable::GetCloseOnExec(int fd) const {
  MutexLock lock(&mu_);
  if (fd < 0 || static_cast<size_t>(fd) >= slots_.size()) return Errno(EBADF);
  const Slot& slot = slots_[static_cast<size_t>(fd)];
  if (!slot.file) return Errno(EBADF);
  return slot.close_on_exec;
}

Result<void> FdTable::SetCloseOnExec(int fd, bool close_on_exec) {
  MutexLock lock(&mu_);
  if (fd < 0 || static_cast<size_t>(fd) >= slots_.size()) return Errno(EBADF);
  Slot& slot = slots_[static_cast<size_t>(fd)];
  if (!slot.file) return Errno(EBADF);
  slot.close_on_exec = close_on_exec;
  return {};
}

void FdTable::CloseForExec(int tgid) {
  std::vector<FileRef> closed;
  {
    MutexLock lock(&mu_);
    for (size_t fd = 0; fd < slots_.size(); ++fd) {
      if (!slots_[fd].file || !slots_[fd].close_on_exec) continue;
      closed.push_back(std::exchange(slots_[fd].file, nullptr));
      first_free_ = std::min(first_free_, fd);
    }
  }
  for (const FileRef& file : closed) file->OnDescriptorClosed(tgid);
}

void FdTable::DropUser(int tgid) {
  if (users_.fetch_sub(1, std::memory_order_acq_rel) == 1) CloseRange(0, ~0U, tgid);
}

std::vector<int> FdTable::List() const {
  MutexLock lock(&mu_);
  std::vector<int> result;
  for (size_t fd = 0; fd < slots_.size(); ++fd) {
    if (slots_[fd].file) result.push_back(static_cast<int>(fd));
  }
  return result;
}

}  // namespace redoubt::kernel
