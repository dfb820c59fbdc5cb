// SPDX-License-Identifier: Apache-2.0
//
// What System V's three kinds of objects have in common (sysvipc(7), Linux's ipc/util.c): a key, an
// id, an owner with nine permission bits, and a table that finds them by either.
//
//   Registry<MessageQueue> queues(kMaxQueues);
//   RefPtr<MessageQueue> queue = TRY(queues.Get(caller, key, flags, check, make));
//   RefPtr<MessageQueue> queue = TRY(queues.Find(id));   // EINVAL, EIDRM
//
// An id is a slot and a sequence number, so that an old id does not name a new object.
#ifndef SENTRY_IPC_OBJECT_H_
#define SENTRY_IPC_OBJECT_H_

#include <sys/ipc.h>

#include <atomic>
#include <cstdint>
#include <vector>

#include "base/ref_counted.h"
#include "base/result.h"
#include "base/sync/mutex.h"
#include "sentry/vfs/caller.h"

namespace redoubt::ipc {

inline constexpr uint32_t kMayRead = 4, kMayWrite = 2;
inline constexpr int kSlotBits = 15;

// Owner and mode, as IPC_STAT shows them and IPC_SET changes them.
struct Ownership {
  uint32_t uid = 0, gid = 0;
  uint32_t creator_uid = 0, creator_gid = 0;
  uint32_t mode = 0;  // Nine bits, and what the kind adds (SHM_DEST).
};

class Object {
 public:
  Object(int32_t key, const vfs::Caller& creator, uint32_t mode);

  int32_t key() const { return key_.load(std::memory_order_relaxed); }
  int id() const { return id_; }
  bool removed() const { return removed_.load(std::memory_order_acquire); }

  Ownership ownership() const;
  // ipcperms(): EACCES unless `caller` may do all of `may` (kMayRead, kMayWrite).
  Result<void> CheckAccess(const vfs::Caller& caller, uint32_t may) const;
  // The owner, the creator, or CAP_SYS_ADMIN: EPERM.
  Result<void> CheckOwner(const vfs::Caller& caller) const;
  // IPC_SET.
  void SetOwnership(uint32_t uid, uint32_t gid, uint32_t mode);
  void AddModeBits(uint32_t bits);
  // Fills an ipc64_perm.
  void Describe(struct ipc_perm& permissions) const;

 private:
  template <typename T>
  friend class Registry;
  std::atomic<int32_t> key_;
  int id_ = 0;  // Set before others see it.
  std::atomic<bool> removed_{false};
  mutable Mutex<LockRank::kLeaf> ownership_mu_;
  Ownership ownership_ ABSL_GUARDED_BY(ownership_mu_);
};

// T is RefCounted<T> and an Object. References are held by the registry until RMID, and by calls.
template <typename T>
class Registry {
 public:
  explicit Registry(size_t limit) : limit_(limit) {}

  // xxxget(2): the object of `key`, or a new one. `check(object)` says whether an old one fits
  // (EINVAL), `make()` gives a new one. ENOENT, EEXIST, EACCES, ENOSPC.
  template <typename Check, typename Make>
  Result<int> Get(const vfs::Caller& caller, int32_t key, int flags, Check check, Make make);
  // EINVAL for an id that names nothing.
  Result<RefPtr<T>> Find(int id) const;
  // The object in a slot, for xxx_STAT: EINVAL when it is empty.
  Result<RefPtr<T>> AtSlot(int slot) const;
  // RMID: nobody finds it any more. False when somebody else was faster.
  bool Remove(T& object);
  // A key no longer finds it (a segment that is marked to go).
  void HideKey(T& object) { object.key_.store(IPC_PRIVATE, std::memory_order_relaxed); }

  std::vector<RefPtr<T>> List() const;
  size_t used() const;
  // The highest slot in use; 0 when none.
  int HighestSlot() const;

 private:
  Result<int> AddLocked(RefPtr<T> object) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const size_t limit_;
  mutable Mutex<LockRank::kInode> mu_;
  std::vector<RefPtr<T>> slots_ ABSL_GUARDED_BY(mu_);
  size_t used_ ABSL_GUARDED_BY(mu_) = 0;
  int sequence_ ABSL_GUARDED_BY(mu_) = 0;
};

template <typename T>
template <typename Check, typename Make>
Result<int> Registry<T>::Get(const vfs::Caller& caller, int32_t key, int flags, Check check,
                             Make make) {
  MutexLock lock(&mu_);
  if (key != IPC_PRIVATE) {
    for (const RefPtr<T>& object : slots_) {
      if (!object || object->key() != key) continue;
      if ((flags & IPC_CREAT) != 0 && (flags & IPC_EXCL) != 0) return Errno(EEXIST);
      TRY(check(*object));
      TRY(object->CheckAccess(caller, (flags >> 6 | flags >> 3 | flags) & 7));
      return object->id();
    }
    if ((flags & IPC_CREAT) == 0) return Errno(ENOENT);
  }
  if (used_ >= limit_) return Errno(ENOSPC);
  RefPtr<T> made = TRY(make());
  return AddLocked(std::move(made));
}

template <typename T>
Result<int> Registry<T>::AddLocked(RefPtr<T> object) {
  size_t slot = 0;
  while (slot < slots_.size() && slots_[slot]) ++slot;
  if (slot == slots_.size()) slots_.emplace_back();
  object->id_ = (sequence_ << kSlotBits) | static_cast<int>(slot);
  sequence_ = (sequence_ + 1) & 0x7fff;
  ++used_;
  int id = object->id_;
  slots_[slot] = std::move(object);
  return id;
}

template <typename T>
Result<RefPtr<T>> Registry<T>::Find(int id) const {
  RefPtr<T> object = TRY(AtSlot(id < 0 ? -1 : id & ((1 << kSlotBits) - 1)));
  if (object->id() != id) return Errno(EINVAL);
  return object;
}

template <typename T>
Result<RefPtr<T>> Registry<T>::AtSlot(int slot) const {
  ReaderMutexLock lock(&mu_);
  if (slot < 0 || static_cast<size_t>(slot) >= slots_.size()) return Errno(EINVAL);
  RefPtr<T> object = slots_[static_cast<size_t>(slot)];
  if (!object) return Errno(EINVAL);
  return object;
}

template <typename T>
bool Registry<T>::Remove(T& object) {
  RefPtr<T> dropped;  // Dies after the lock.
  MutexLock lock(&mu_);
  RefPtr<T>& slot = slots_[static_cast<size_t>(object.id() & ((1 << kSlotBits) - 1))];
  if (slot.get() != &object) return false;
  dropped = std::move(slot);
  --used_;
  object.removed_.store(true, std::memory_order_release);
  return true;
}

template <typename T>
std::vector<RefPtr<T>> Registry<T>::List() const {
  std::vector<RefPtr<T>> objects;
  ReaderMutexLock lock(&mu_);
  for (const RefPtr<T>& object : slots_) {
    if (object) objects.push_back(object);
  }
  return objects;
}

template <typename T>
size_t Registry<T>::used() const {
  ReaderMutexLock lock(&mu_);
  return used_;
}

template <typename T>
int Registry<T>::HighestSlot() const {
  ReaderMutexLock lock(&mu_);
  for (size_t slot = slots_.size(); slot > 0; --slot) {
    if (slots_[slot - 1]) return static_cast<int>(slot - 1);
  }
  return 0;
}

}  // namespace redoubt::ipc

#endif  // SENTRY_IPC_OBJECT_H_
