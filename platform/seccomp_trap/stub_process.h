// SPDX-License-Identifier: Apache-2.0
//
// A guest process: its stub, its slots, and which of them are in use.
//
// References are held by the contexts in it and by the sentry (AddressSpace). When the last one
// goes the stub is killed and, once dead, reaped. The first thread of a stub never ends before the
// others: the host would take the address space away from the process id. It stays in the shim.
#ifndef PLATFORM_SECCOMP_TRAP_STUB_PROCESS_H_
#define PLATFORM_SECCOMP_TRAP_STUB_PROCESS_H_

#include <atomic>
#include <bitset>
#include <vector>

#include "absl/time/time.h"
#include "base/sync/mutex.h"
#include "platform/platform.h"
#include "platform/seccomp_trap/call_sites.h"
#include "platform/seccomp_trap/machine.h"
#include "platform/seccomp_trap/slots.h"

namespace redoubt::platform::seccomp_trap {

class StubProcess final : public AddressSpace, public Mortal {
 public:
  // Slot `first_slot` is the first thread's, which counts as one thread.
  StubProcess(Machine& machine, Slots slots, uint32_t first_slot);
  ~StubProcess() override;

  Result<size_t> CopyIn(uint64_t address, std::span<std::byte> buffer) override;
  Result<size_t> CopyOut(uint64_t address, std::span<const std::byte> buffer) override;
  int host_pid() const override { return pid_; }
  uint64_t CpuTimeNs() const override;

  // The stub exists now. Once, before anybody else uses this object.
  Result<void> Adopt(int pid);

  Slots& slots() { return slots_; }
  uint32_t first_slot() const { return first_slot_; }
  // The first thread's Context is made at most once.
  bool ClaimFirstThread() { return !first_claimed_.exchange(true); }

  // A thread comes and goes. EAGAIN when all slots are taken. True from DropThread: that was the
  // last one.
  Result<uint32_t> AddThread();
  bool DropThread();
  bool HasOneThread();
  // Nobody uses `slot` any more; there never was a thread in it.
  void FreeSlot(uint32_t slot);
  // The same for a slot whose thread says that it has ended. That is the guest's word: the slot is
  // free when the host says so, too. Who adds a thread looks; one that has stayed is the process's
  // death.
  void FreeSlotOf(uint32_t slot, int tid);
  // The host has given this number to a new thread.
  void NoteThread(int tid);

  bool dead() const { return death_signal_.load(std::memory_order_acquire) != 0; }
  int death_signal() const { return death_signal_.load(std::memory_order_acquire); }
  void Kill();
  void KillAndWait();

  CallSites& call_sites() { return call_sites_; }

  // Held while kStubFd is in use in this stub.
  Mutex<LockRank::kPlatform>& descriptor_mu() { return descriptor_mu_; }

 private:
  static constexpr absl::Duration kLeavePatience = absl::Seconds(5);
  struct Leaver {
    int tid;
    uint32_t slot;
    absl::Time since;
  };

  void OnHostDeath(int signal) override;
  // Frees the slots of those that have gone. False when one should have gone long ago.
  bool LookAtLeaversLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  Machine& machine_;
  Slots slots_;
  const uint32_t first_slot_;
  int pid_ = -1;
  std::atomic<bool> first_claimed_ = false;
  std::atomic<int> death_signal_ = 0;
  CallSites call_sites_;
  Mutex<LockRank::kPlatform> descriptor_mu_;
  Mutex<LockRank::kLeaf> mu_;
  std::bitset<kMaxThreads> used_ ABSL_GUARDED_BY(mu_);
  uint32_t threads_ ABSL_GUARDED_BY(mu_) = 1;
  std::vector<Leaver> leavers_ ABSL_GUARDED_BY(mu_);
};

}  // namespace redoubt::platform::seccomp_trap

#endif  // PLATFORM_SECCOMP_TRAP_STUB_PROCESS_H_
