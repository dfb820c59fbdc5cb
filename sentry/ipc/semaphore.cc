// SPDX-License-Identifier: Apache-2.0
#include "sentry/ipc/semaphore.h"

#include <algorithm>
#include <cstdlib>

#include "sentry/vfs/attributes.h"

namespace redoubt::ipc {

namespace {

std::atomic<int> g_semaphores{0};

}  // namespace

int SemaphoresInUse() { return g_semaphores.load(std::memory_order_relaxed); }

SemaphoreSet::SemaphoreSet(int32_t key, const vfs::Caller& creator, uint32_t mode, int count)
    : Object(key, creator, mode),
      semaphores_(static_cast<size_t>(count)),
      changed_(vfs::Now().seconds) {
  g_semaphores.fetch_add(count, std::memory_order_relaxed);
}

SemaphoreSet::~SemaphoreSet() { g_semaphores.fetch_sub(count(), std::memory_order_relaxed); }

Result<void> SemaphoreSet::TryLocked(std::span<const sembuf> operations, size_t* blocked_on) {
  Result<void> result;
  size_t done = 0;
  for (; done < operations.size(); ++done) {
    const sembuf& operation = operations[done];
    int& value = semaphores_[operation.sem_num].value;
    bool waits = operation.sem_op == 0 ? value != 0 : value + operation.sem_op < 0;
    if (waits) {
      *blocked_on = done;
      result = Errno(EAGAIN);
      break;
    }
    if (value + operation.sem_op > kMaxSemaphoreValue) {
      *blocked_on = operations.size();
      result = Errno(ERANGE);
      break;
    }
    value += operation.sem_op;
  }
  if (result.ok()) return result;
  while (done > 0) {
    --done;
    semaphores_[operations[done].sem_num].value -= operations[done].sem_op;
  }
  return result;
}

// ERANGE when an adjustment would leave its range; nothing is recorded then.
Result<void> SemaphoreSet::RecordUndoLocked(std::span<const sembuf> operations, UndoList& undo) {
  undo.Touched(id());  // First: it is what drops the entry.
  auto& adjustments = undo_[&undo];
  adjustments.resize(semaphores_.size());
  std::vector<int32_t> next = adjustments;
  for (const sembuf& operation : operations) {
    if ((operation.sem_flg & SEM_UNDO) == 0) continue;
    int32_t& adjustment = next[operation.sem_num];
    adjustment -= operation.sem_op;
    if (std::abs(adjustment) > kMaxSemaphoreValue) return Errno(ERANGE);
  }
  adjustments = std::move(next);
  return {};
}

Result<void> SemaphoreSet::Operate(std::span<const sembuf> operations, UndoList* undo, int pid,
                                   size_t* blocked_on) {
  *blocked_on = operations.size();
  bool alters = false, undoes = false;
  {
    MutexLock lock(&mu_);
    if (removed()) return Errno(EIDRM);
    for (const sembuf& operation : operations) {
      if (operation.sem_num >= semaphores_.size()) return Errno(EFBIG);
      alters = alters || operation.sem_op != 0;
      undoes = undoes || (operation.sem_op != 0 && (operation.sem_flg & SEM_UNDO) != 0);
    }
    TRY(TryLocked(operations, blocked_on));
    if (undoes && undo != nullptr) {
      Result<void> recorded = RecordUndoLocked(operations, *undo);
      if (!recorded.ok()) {
        for (const sembuf& done : operations) semaphores_[done.sem_num].value -= done.sem_op;
        return recorded;
      }
    }
    for (const sembuf& operation : operations) semaphores_[operation.sem_num].last_pid = pid;
    operated_ = vfs::Now().seconds;
  }
  if (alters) wait_queue_.Wake(EPOLLIN);
  return {};
}

void SemaphoreSet::NoteWaiting(const sembuf& operation, int change) {
  MutexLock lock(&mu_);
  Semaphore& semaphore = semaphores_[operation.sem_num];
  (operation.sem_op == 0 ? semaphore.waiting_zero : semaphore.waiting_increase) += change;
}

Result<int> SemaphoreSet::Value(int number) {
  MutexLock lock(&mu_);
  if (number < 0 || number >= count()) return Errno(EINVAL);
  return semaphores_[static_cast<size_t>(number)].value;
}

Result<int> SemaphoreSet::LastPid(int number) {
  MutexLock lock(&mu_);
  if (number < 0 || number >= count()) return Errno(EINVAL);
  return semaphores_[static_cast<size_t>(number)].last_pid;
}

Result<int> SemaphoreSet::WaitingForIncrease(int number) {
  MutexLock lock(&mu_);
  if (number < 0 || number >= count()) return Errno(EINVAL);
  return semaphores_[static_cast<size_t>(number)].waiting_increase;
}

Result<int> SemaphoreSet::WaitingForZero(int number) {
  MutexLock lock(&mu_);
  if (number < 0 || number >= count()) return Errno(EINVAL);
  return semaphores_[static_cast<size_t>(number)].waiting_zero;
}

std::vector<uint16_t> SemaphoreSet::Values() {
  std::vector<uint16_t> values;
  MutexLock lock(&mu_);
  for (const Semaphore& semaphore : semaphores_) {
    values.push_back(static_cast<uint16_t>(semaphore.value));
  }
  return values;
}

Result<void> SemaphoreSet::SetValue(int number, int value, int pid) {
  if (value < 0 || value > kMaxSemaphoreValue) return Errno(ERANGE);
  {
    MutexLock lock(&mu_);
    if (removed()) return Errno(EIDRM);
    if (number < 0 || number >= count()) return Errno(EINVAL);
    auto index = static_cast<size_t>(number);
    semaphores_[index].value = value;
    semaphores_[index].last_pid = pid;
    for (auto& [list, adjustments] : undo_) adjustments[index] = 0;
    changed_ = vfs::Now().seconds;
  }
  wait_queue_.Wake(EPOLLIN);
  return {};
}

Result<void> SemaphoreSet::SetValues(std::span<const uint16_t> values, int pid) {
  for (uint16_t value : values) {
    if (value > kMaxSemaphoreValue) return Errno(ERANGE);
  }
  {
    MutexLock lock(&mu_);
    if (removed()) return Errno(EIDRM);
    for (size_t i = 0; i < semaphores_.size() && i < values.size(); ++i) {
      semaphores_[i].value = values[i];
      semaphores_[i].last_pid = pid;
    }
    undo_.clear();
    changed_ = vfs::Now().seconds;
  }
  wait_queue_.Wake(EPOLLIN);
  return {};
}

void SemaphoreSet::Changed() {
  MutexLock lock(&mu_);
  changed_ = vfs::Now().seconds;
}

void SemaphoreSet::WakeForRemoval() { wait_queue_.Wake(EPOLLIN | EPOLLHUP); }

void SemaphoreSet::DescribeSet(semid_ds& status) {
  Describe(status.sem_perm);
  MutexLock lock(&mu_);
  status.sem_otime = operated_;
  status.sem_ctime = changed_;
  status.sem_nsems = semaphores_.size();
}

// exit_sem(): a value that would leave its range stops at the end of it.
void SemaphoreSet::ApplyUndo(const UndoList& list, int pid) {
  {
    MutexLock lock(&mu_);
    auto found = undo_.find(&list);
    if (found == undo_.end()) return;
    for (size_t i = 0; i < semaphores_.size(); ++i) {
      if (found->second[i] == 0) continue;
      int value = semaphores_[i].value + found->second[i];
      semaphores_[i].value = std::clamp(value, 0, kMaxSemaphoreValue);
      semaphores_[i].last_pid = pid;
    }
    undo_.erase(found);
    operated_ = vfs::Now().seconds;
  }
  wait_queue_.Wake(EPOLLIN);
}

UndoList::~UndoList() {
  for (int id : touched_) {
    Result<RefPtr<SemaphoreSet>> set = sets_.Find(id);
    if (set.ok()) (*set)->ApplyUndo(*this, pid_.load(std::memory_order_relaxed));
  }
}

void UndoList::Touched(int id) {
  MutexLock lock(&mu_);
  touched_.insert(id);
}

}  // namespace redoubt::ipc
