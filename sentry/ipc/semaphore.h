// SPDX-License-Identifier: Apache-2.0
//
// System V semaphores (semop(2), Linux's ipc/sem.c): sets whose members change together or not at
// all. Nothing here blocks: Operate gives EAGAIN and the caller waits on the set's queue.
//
// SEM_UNDO: the adjustments are kept with the set, by UndoList. A list belongs to the tasks that
// share it (CLONE_SYSVSEM); when the last one drops it, all sets are adjusted.
#ifndef SENTRY_IPC_SEMAPHORE_H_
#define SENTRY_IPC_SEMAPHORE_H_

#include <sys/sem.h>

#include <set>
#include <span>

#include "absl/container/flat_hash_map.h"
#include "base/sync/wait_queue.h"
#include "sentry/ipc/object.h"

namespace redoubt::ipc {

inline constexpr int kMaxSemaphoreSets = 32000;      // SEMMNI
inline constexpr int kMaxSemaphoresInSet = 32000;    // SEMMSL
inline constexpr int kMaxSemaphores = 1024000;       // SEMMNS: what the sentry is willing to keep.
inline constexpr int kMaxSemaphoreValue = 32767;     // SEMVMX
inline constexpr int kMaxSemaphoreOperations = 500;  // SEMOPM

class UndoList;
class SemaphoreSet;

// References are held by the registry and by calls.
class SemaphoreSet : public Object, public RefCounted<SemaphoreSet> {
 public:
  SemaphoreSet(int32_t key, const vfs::Caller& creator, uint32_t mode, int count);
  ~SemaphoreSet();

  int count() const { return static_cast<int>(semaphores_.size()); }
  WaitQueue& wait_queue() { return wait_queue_; }

  // All of `operations`, or EAGAIN; then `blocked_on` is the operation that would wait. EFBIG for a
  // semaphore out of the set, ERANGE, EIDRM. `undo` may be null when none has SEM_UNDO.
  Result<void> Operate(std::span<const sembuf> operations, UndoList* undo, int pid,
                       size_t* blocked_on);
  // Counts a sleeper for GETNCNT and GETZCNT.
  void NoteWaiting(const sembuf& operation, int change);

  // semctl(2). ERANGE for values out of range, EINVAL for numbers.
  Result<int> Value(int number);
  Result<int> LastPid(int number);
  Result<int> WaitingForIncrease(int number);
  Result<int> WaitingForZero(int number);
  std::vector<uint16_t> Values();
  Result<void> SetValue(int number, int value, int pid);
  Result<void> SetValues(std::span<const uint16_t> values, int pid);
  void Changed();         // IPC_SET: sem_ctime.
  void WakeForRemoval();  // After RMID.
  void DescribeSet(struct semid_ds& status);

  // An exiting list's adjustments.
  void ApplyUndo(const UndoList& list, int pid);

 private:
  struct Semaphore {
    int value = 0;
    int last_pid = 0;
    int waiting_increase = 0;
    int waiting_zero = 0;
  };
  // What the operations make of the values so far, undone when one would wait.
  Result<void> TryLocked(std::span<const sembuf> operations, size_t* blocked_on)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  Result<void> RecordUndoLocked(std::span<const sembuf> operations, UndoList& undo)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  WaitQueue wait_queue_;
  Mutex<LockRank::kPipe> mu_;
  std::vector<Semaphore> semaphores_;  // Its size never changes; the rest under mu_.
  absl::flat_hash_map<const UndoList*, std::vector<int32_t>> undo_ ABSL_GUARDED_BY(mu_);
  int64_t operated_ ABSL_GUARDED_BY(mu_) = 0;
  int64_t changed_ ABSL_GUARDED_BY(mu_) = 0;
};

// The sets that a process, or several that share the list, must adjust when it ends. References
// are held by its tasks.
class UndoList : public RefCounted<UndoList> {
 public:
  explicit UndoList(Registry<SemaphoreSet>& sets) : sets_(sets) {}
  ~UndoList();
  void Touched(int id);
  void set_pid(int pid) { pid_.store(pid, std::memory_order_relaxed); }

 private:
  Registry<SemaphoreSet>& sets_;
  std::atomic<int> pid_{0};  // Who is told to have done it: the last one that used the list.
  Mutex<LockRank::kLeaf> mu_;
  std::set<int> touched_ ABSL_GUARDED_BY(mu_);
};

// How many semaphores all sets together have.
int SemaphoresInUse();

}  // namespace redoubt::ipc

#endif  // SENTRY_IPC_SEMAPHORE_H_
