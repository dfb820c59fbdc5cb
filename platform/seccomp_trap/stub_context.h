// SPDX-License-Identifier: Apache-2.0
//
// A guest thread: the sentry's end of one slot.
//
// Between two events the stub thread runs the guest; otherwise it waits in the shim and carries out
// commands. Only the thread that serves the context talks to the slot; other threads may only call
// Interrupt().
//
//   state_   kInterrupt   Interrupt() was called and not yet reported.
//            kRunning     The stub may be in guest code (or in a host call that may block): an
//                         interrupt must be a host signal.
#ifndef PLATFORM_SECCOMP_TRAP_STUB_CONTEXT_H_
#define PLATFORM_SECCOMP_TRAP_STUB_CONTEXT_H_

#include <atomic>
#include <memory>
#include <optional>

#include "platform/platform.h"
#include "platform/seccomp_trap/captured_memory.h"
#include "platform/seccomp_trap/stub_process.h"

namespace redoubt::platform::seccomp_trap {

class StubContext final : public Context, public Awaited {
 public:
  // For a thread of `process` that exists or is about to, counted there already.
  StubContext(Machine& machine, RefPtr<StubProcess> process, uint32_t slot, int tid);
  // Ends the guest thread and waits for its end.
  ~StubContext() override;

  Registers& registers() override { return registers_; }
  const RefPtr<AddressSpace>& address_space() const override { return space_; }
  Result<void> GetXstate(std::span<std::byte> image) override;
  Result<void> SetXstate(std::span<const std::byte> image) override;
  Result<size_t> CopyIn(uint64_t address, std::span<std::byte> buffer) override;
  Result<size_t> CopyOut(uint64_t address, std::span<const std::byte> buffer) override;
  SyscallResult HostCall(const HostCallRequest& request) override;
  SyscallResult MapFile(uint64_t address, uint64_t length, int protection, int flags, int fd,
                        uint64_t offset) override;
  Result<std::unique_ptr<Context>> Clone(bool share_memory) override;
  Result<void> EnterAddressSpace(RefPtr<AddressSpace> space) override;
  std::span<std::byte> ResultBuffer(uint64_t address, size_t size) override {
    return captured_.Reserve(address, size);
  }
  void SetLocalAnswers(const LocalAnswers* answers) override;
  std::optional<uint64_t> LocalSignalMask() override;
  std::optional<uint64_t> LocalRobustList() override;
  Result<void> ReportEveryCall() override;
  void Interrupt() override;
  void ClearInterrupt() override;

  // Runs the guest until its next event. On the thread that has called StartServing.
  Event RunGuest();
  void StartServing();
  // Where it is bound to run, from birth; -1: anywhere.
  int cpu() const { return pair_.cpu; }

  // A native fork of this stub; the child's first thread waits for its first command. Also how the
  // zygote makes pristine stubs.
  Result<RefPtr<StubProcess>> ForkProcess();
  // One command, answered within kPatience: the shim's result. ESRCH when the stub is gone, or is
  // killed for not answering properly.
  Result<int64_t> Transact(const Command& command);

 private:
  enum : uint32_t { kInterrupt = 1, kRunning = 2 };

  StubProcess& process() const { return *process_; }
  Slot& slot() const { return process_->slots().at(slot_); }
  // Makes sure that the stub waits for a command; false when it is gone (or killed for silence).
  bool AwaitStub();
  // Transact, for calls that the notifier must know of; the host call's result.
  SyscallResult TransactOrdered(const Command& command, const OrderedCall& call);

  // Lets the stub run guest code until it reports. nullopt: gone. kInterrupt is left as it is.
  std::optional<Report> RunStub();
  // False when an interrupt is pending; else the stub counts as running.
  bool EnterRun();
  Event EventOf(const Report& report);
  Event DeadEvent();
  // Lets the next calls from where this one came from do without a signal, if that pays.
  void PatchIfHot(const Report& report);
  bool IsFileMapping(uint64_t page);
  void PatchPage(uint64_t page, const PatchSite& site);
  void NoteSharedMapping(const HostCallRequest& request, const SyscallResult& result);

  // Memory that was to be written when the guest goes on is written now: others will look at it.
  void FlushWrites();

  // A host call that may block, run as guest code so that Interrupt() can end it.
  SyscallResult BlockingCall(const HostCallRequest& request);
  // Its result, or nullopt when it was interrupted before it had one.
  std::optional<int64_t> BlockingOutcome(const Report& report) const;

  // The fork's child, when it arrives; what its absence means for this stub, and for the caller.
  std::optional<int> AwaitForkedChild(uint64_t token, const SyscallResult& forked);
  Errno MissingChild(const SyscallResult& forked);

  Result<std::unique_ptr<Context>> CloneThread();
  Result<std::unique_ptr<Context>> CloneProcess();
  // The stub thread's second filter, filter.h.
  Result<void> InstallReportingFilter();
  // Ends this context's stub thread.
  void Leave();
  void MoveTo(RefPtr<StubProcess> process, uint32_t slot, int tid);

  bool StillInRun(uint64_t run) const override;
  void GiveUp() override { process_->Kill(); }

  Machine& machine_;
  RefPtr<StubProcess> process_;
  RefPtr<AddressSpace> space_;  // The same object.
  uint32_t slot_ = 0;
  int tid_ = 0;
  Pair pair_;
  Registers registers_{};
  CapturedMemory captured_;
  std::optional<LocalAnswers> local_answers_;
  bool has_turn_ = false;  // The stub waits for a command.
  bool reports_every_call_ = false;
  std::atomic<uint32_t> state_ = 0;
  // For Interrupt(), which may come while MoveTo works. A stale target costs a spurious interrupt.
  std::atomic<uint64_t> target_ = 0;    // pid << 32 | tid.
  std::atomic<uint64_t> run_ = 0;       // Counts stays in guest code.
  std::atomic<bool> expected_ = false;  // The warden has seen this context.
};

}  // namespace redoubt::platform::seccomp_trap

#endif  // PLATFORM_SECCOMP_TRAP_STUB_CONTEXT_H_
