// SPDX-License-Identifier: Apache-2.0
//
// The ptrace platform's AddressSpace: a stub process and the guest threads in it.
#ifndef PLATFORM_PTRACE_ADDRESS_SPACE_H_
#define PLATFORM_PTRACE_ADDRESS_SPACE_H_

#include <atomic>
#include <memory>
#include <vector>

#include "base/sync/mutex.h"
#include "platform/platform.h"
#include "platform/ptrace/stub_process.h"
#include "platform/ptrace/tracee.h"

namespace redoubt::platform::ptrace {

class DeathWatch;

// References are held by each context in it and by the sentry. The last context to leave ends the
// process; the last reference ends one that no context ever entered.
class PtraceAddressSpace : public AddressSpace {
 public:
  PtraceAddressSpace(DeathWatch& death_watch, std::unique_ptr<StubProcess> process);
  ~PtraceAddressSpace() override;

  Result<size_t> CopyIn(uint64_t address, std::span<std::byte> buffer) override;
  Result<size_t> CopyOut(uint64_t address, std::span<const std::byte> buffer) override;
  // A live thread's id: /proc shows nothing of a process whose first thread has ended first.
  int host_pid() const override { return live_tid_.load(std::memory_order_relaxed); }
  uint64_t CpuTimeNs() const override { return process_->CpuTimeNs(); }

  StubProcess& process() { return *process_; }

  // Whether the caller is the first to claim this pristine space for its first thread.
  bool ClaimPristine() { return !claimed_.exchange(true); }

  // A context has a thread here. `tracee` lives until Leave.
  void Enter(Tracee& tracee);
  // Ends that thread, and the process with the last one.
  void Leave(Tracee& tracee);
  // Reaps threads that died while their tracers were busy elsewhere.
  void ReapDeadThreads();

  // Held while the stub's descriptors are not what they always are.
  Mutex<LockRank::kPlatform>& descriptors_mu() { return descriptors_mu_; }

 private:
  DeathWatch& death_watch_;
  const std::unique_ptr<StubProcess> process_;
  std::atomic<bool> claimed_{false};
  std::atomic<int> live_tid_;
  Mutex<LockRank::kPlatform> descriptors_mu_;
  Mutex<LockRank::kPlatform> mu_;
  std::vector<Tracee*> tracees_ ABSL_GUARDED_BY(mu_);
};

}  // namespace redoubt::platform::ptrace

#endif  // PLATFORM_PTRACE_ADDRESS_SPACE_H_
