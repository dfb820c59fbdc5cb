// SPDX-License-Identifier: Apache-2.0
//
// The platform: what runs guest code and turns its system calls and faults into events.
//
// The idea: a guest process is a host process, the *stub*, whose address space holds nothing but
// the guest's memory and a small shim. Pages, copy-on-write and futex queues are the host's; every
// name (path, fd, pid, signal) is the sentry's. So the interface has no VMA tree and no page
// tables. Memory is changed by running host calls inside the stub, fork is a native clone of it,
// exec moves a thread into a pristine stub.
//
//   AddressSpace  one stub process. Shared (RefPtr) by the contexts in it and by whoever copies.
//   Context       one guest thread: registers and FP state while it is out of guest code.
//   GuestEvents   the sentry's side. The platform owns the threads and calls it.
//
// Life of a guest thread:
//
//   auto space = TRY(platform.NewAddressSpace());
//   auto context = TRY(platform.NewContext(space));    // Not running; registers are zero.
//   ... context->HostCall(mmap ...), context->MapFile(...), space->CopyOut(...)
//   context->registers().rip = entry; ...
//   platform.Start(std::move(context), events);
//     -> the platform's thread: run the guest; OnEvent(context, event); run it again with what is
//        left in context.registers(); ... until OnEvent gives kExit, which ends the guest thread.
//
// Threads: a Context's functions are for the handler that serves it (inside OnEvent, or before
// Start), except Interrupt(), which any thread may call until OnEvent has returned kExit.
// AddressSpace's functions may be called from any thread at any time.
#ifndef PLATFORM_PLATFORM_H_
#define PLATFORM_PLATFORM_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/host/allowed_call.h"
#include "base/ref_counted.h"
#include "base/result.h"
#include "platform/arch/registers.h"
#include "platform/local_answers.h"

namespace redoubt::platform {

class Context;

// [start, end) of guest addresses.
struct AddressRange {
  uint64_t start = 0;
  uint64_t end = 0;
  bool Overlaps(uint64_t other_start, uint64_t other_end) const {
    return start < other_end && other_start < end;
  }
};

// One stub process: an address space in which guest code runs.
class AddressSpace : public RefCounted<AddressSpace> {
 public:
  virtual ~AddressSpace() = default;

  // Copies between guest memory and `buffer`; stops at the first page that cannot be read/written
  // with the protection that the guest gave it. Gives the bytes copied; EFAULT when that is none
  // and the buffer is not empty.
  virtual Result<size_t> CopyIn(uint64_t address, std::span<std::byte> buffer) = 0;
  virtual Result<size_t> CopyOut(uint64_t address, std::span<const std::byte> buffer) = 0;

  // The stub's process id in the sentry's PID namespace: for /proc/PID/{maps,statm,stat} reads and
  // prlimit(2). It may already be dead.
  virtual int host_pid() const = 0;

  // CPU time used by all threads of this stub so far, nanoseconds.
  virtual uint64_t CpuTimeNs() const = 0;
};

struct Event {
  enum class Kind : uint8_t {
    kSyscall,      // A system call; number and arguments captured once, below.
    kFault,        // The guest's instruction raised a synchronous signal, described below.
    kInterrupted,  // Interrupt() was called. May be spurious.
    kDead,         // The host ended the stub (OOM killer, limits). Only kExit may follow.
  };
  Kind kind = Kind::kInterrupted;

  // kSyscall. A platform may leave calls to the host that are harmless with the arguments they have
  // (futex, memory calls on private anonymous memory): they are no events, unless
  // PlatformOptions::report_memory_calls asks for the latter. In the registers: rip is after the
  // instruction, orig_rax the number, rax -ENOSYS.
  uint64_t syscall_number = 0;
  std::array<uint64_t, 6> arguments{};

  // kFault: what the host would have put into siginfo (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP).
  // kDead: `signal` ended the stub.
  int signal = 0;
  int signal_code = 0;         // si_code.
  uint64_t fault_address = 0;  // si_addr.
  uint64_t trap_number = 0;    // For the frame's gregs[REG_TRAPNO]; 0 when the host did not say.
  uint64_t error_code = 0;     // For gregs[REG_ERR].
};

enum class NextStep : uint8_t {
  kResume,  // Run the guest with what is in context.registers().
  kExit,    // End this guest thread; the Context is gone when OnEvent has returned.
};

class GuestEvents {
 public:
  virtual ~GuestEvents() = default;
  // Serves one event of one guest thread. Called on a thread of the platform, one at a time for
  // each context; may block for as long as it likes.
  virtual NextStep OnEvent(Context& context, const Event& event) = 0;
  // The guest thread is gone from the host after kExit: its stub thread has ended.
  virtual void OnExited() = 0;
};

// A host call to run inside the stub with the guest thread's rights, by its native number.
struct HostCallRequest {
  long number = 0;
  std::array<uint64_t, 6> arguments{};
};

class Context {
 public:
  virtual ~Context() = default;

  virtual Registers& registers() = 0;
  virtual const RefPtr<AddressSpace>& address_space() const = 0;

  // FP, vector and other extended state as an XSAVE image in the standard (not compacted) format,
  // arch::XstateSize() bytes. Set refuses an image that the processor would (EINVAL).
  virtual Result<void> GetXstate(std::span<std::byte> image) = 0;
  virtual Result<void> SetXstate(std::span<const std::byte> image) = 0;

  // As AddressSpace's, but a platform that has captured the memory with the call gives it from
  // there. Prefer these for the current system call's own arguments.
  virtual Result<size_t> CopyIn(uint64_t address, std::span<std::byte> buffer) {
    return address_space()->CopyIn(address, buffer);
  }
  virtual Result<size_t> CopyOut(uint64_t address, std::span<const std::byte> buffer) {
    return address_space()->CopyOut(address, buffer);
  }

  // Where `size` bytes may be put that CopyOut(address) is then to deliver, if that spares a copy;
  // else empty. The guest can see and change what is there. Valid until the next CopyOut or event.
  virtual std::span<std::byte> ResultBuffer(uint64_t address, size_t size) { return {}; }

  // Runs a call inside the stub and gives its result. Pointers in it are guest addresses. The
  // caller has vetted it: the platform passes it on unseen. Used for memory calls, futex,
  // CPU-clock reads. A blocking call ends with EINTR when Interrupt() comes (the host's restart
  // codes are turned into EINTR).
  virtual SyscallResult HostCall(const HostCallRequest& request) = 0;

  // mmap(2) of a host file in the stub; `fd` is the sentry's descriptor, which the stub holds only
  // for the time of the call.
  virtual SyscallResult MapFile(uint64_t address, uint64_t length, int protection, int flags,
                                int fd, uint64_t offset) = 0;

  // A new guest thread. `share_memory`: in the same stub; otherwise in a native fork of it. Its
  // registers and FP state are a copy of this thread's as they stand now; it does not run before
  // Platform::Start.
  virtual Result<std::unique_ptr<Context>> Clone(bool share_memory) = 0;

  // exec: this guest thread leaves its stub (its thread there ends, the stub with the last one) and
  // goes on in `space`, which must be pristine. Registers and FP state become those of a fresh
  // process.
  virtual Result<void> EnterAddressSpace(RefPtr<AddressSpace> space) = 0;

  // From now on every system call of this guest thread is an event, also what the platform would
  // answer itself or leave to the host. Its clones inherit that, and it stays so after
  // EnterAddressSpace. It cannot be undone. For guests that are traced or have filters of their
  // own.
  virtual Result<void> ReportEveryCall() { return {}; }

  // Makes the guest run the system call that is being served once more, as call `number`
  // (Linux's restart: rax = number, rip back onto the instruction). Before signal frames are built.
  virtual void RewindSyscall(uint64_t number) {
    registers().rax = number;
    registers().rip -= 2;  // The length of `syscall`.
  }

  // From now on the guest's calls of these may be answered without an event; null: none may.
  virtual void SetLocalAnswers(const LocalAnswers* answers) {}
  // The signal mask and the head of the robust list that the guest has given itself by such calls;
  // nullopt: they are as SetLocalAnswers told. For the handler, at each event.
  virtual std::optional<uint64_t> LocalSignalMask() { return std::nullopt; }
  virtual std::optional<uint64_t> LocalRobustList() { return std::nullopt; }

  // Makes the guest thread leave guest code soon: OnEvent(kInterrupted) follows. When it is out of
  // guest code already, that event comes before it runs again. Any thread; async; never blocks.
  virtual void Interrupt() = 0;
  // Forgets an Interrupt() that has not been reported yet; the handler has seen its cause.
  virtual void ClearInterrupt() = 0;
};

class Platform {
 public:
  virtual ~Platform() = default;

  virtual const char* name() const = 0;

  // A pristine address space: the shim, and the host's vDSO at vdso_address().
  virtual Result<RefPtr<AddressSpace>> NewAddressSpace() = 0;
  // The first guest thread of a pristine address space.
  virtual Result<std::unique_ptr<Context>> NewContext(RefPtr<AddressSpace> space) = 0;
  // Gives `context` a thread and runs it. `events` must outlive its OnExited call.
  virtual void Start(std::unique_ptr<Context> context, GuestEvents& events) = 0;

  // Addresses that guests may map. Everything outside, the shim included, must be refused by
  // whoever vets memory calls.
  virtual AddressRange guest_range() const = 0;
  // Where the vDSO is in every stub (AT_SYSINFO_EHDR); 0 when there is none.
  virtual uint64_t vdso_address() const = 0;
  // Every range in a stub that belongs to the platform: to hide from /proc/PID/maps and to refuse
  // in memory calls. Does not include the vDSO.
  virtual std::vector<AddressRange> shim_ranges() const = 0;

  // Host calls that the sentry's process makes for this platform after start-up.
  virtual std::vector<host::AllowedCall> RequiredHostCalls() const = 0;
};

}  // namespace redoubt::platform

#endif  // PLATFORM_PLATFORM_H_
