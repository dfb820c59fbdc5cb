// SPDX-License-Identifier: Apache-2.0
//
// The ptrace platform's Context: one guest thread, its tracee, and the worker that runs it.
//
// Before Start the thread that made the context may call its functions, which attach the tracee to
// that thread; Start parks it again for the worker to attach. So Start, too, is for that thread.
#ifndef PLATFORM_PTRACE_CONTEXT_H_
#define PLATFORM_PTRACE_CONTEXT_H_

#include <atomic>
#include <memory>

#include "platform/platform.h"
#include "platform/ptrace/address_space.h"
#include "platform/ptrace/tracee.h"
#include "platform/ptrace/workers.h"

namespace redoubt::platform::ptrace {

class PtracePlatform;

class PtraceContext : public Context {
 public:
  // A guest thread in `space`, whose host thread `tid` sleeps and is traced by nobody.
  PtraceContext(PtracePlatform& platform, RefPtr<PtraceAddressSpace> space, int tid,
                std::unique_ptr<Worker> worker);
  ~PtraceContext() override;

  Registers& registers() override { return registers_; }
  const RefPtr<AddressSpace>& address_space() const override { return space_; }
  Result<void> GetXstate(std::span<std::byte> image) override;
  Result<void> SetXstate(std::span<const std::byte> image) override;
  SyscallResult HostCall(const HostCallRequest& request) override;
  SyscallResult MapFile(uint64_t address, uint64_t length, int protection, int flags, int fd,
                        uint64_t offset) override;
  Result<std::unique_ptr<Context>> Clone(bool share_memory) override;
  Result<void> EnterAddressSpace(RefPtr<AddressSpace> space) override;
  void Interrupt() override;
  void ClearInterrupt() override { interrupted_ = false; }

  // Has the worker run `context` until its end.
  static void Launch(std::unique_ptr<PtraceContext> context, GuestEvents& events);

 private:
  PtraceAddressSpace& space() const { return static_cast<PtraceAddressSpace&>(*space_); }
  // The guest thread from here to its end.
  void Serve(GuestEvents& events);
  // Runs guest code until there is something to tell.
  Event RunGuest();
  Result<void> WriteRegisters();
  Result<std::unique_ptr<PtraceContext>> CloneThread(std::unique_ptr<Worker> worker);
  Result<std::unique_ptr<PtraceContext>> CloneProcess(std::unique_ptr<Worker> worker);
  // While the tracee runs what Interrupt() must get it out of.
  void AllowInterruptSignal();
  void ForbidInterruptSignal() { interruptible_ = 0; }

  PtracePlatform& platform_;
  RefPtr<AddressSpace> space_;
  std::unique_ptr<Tracee> tracee_;
  std::unique_ptr<Worker> worker_;  // Until Launch.
  Registers registers_{};
  bool serving_ = false;  // On the worker's thread.

  // Interrupt() sets interrupted_, then looks at interruptible_; a run sets interruptible_, then
  // looks at interrupted_. One of them sees the other, whatever the order: both are seq_cst.
  std::atomic<bool> interrupted_{false};
  std::atomic<uint64_t> interruptible_{0};  // Process and thread id, or 0.
};

}  // namespace redoubt::platform::ptrace

#endif  // PLATFORM_PTRACE_CONTEXT_H_
