// SPDX-License-Identifier: Apache-2.0
//
// A platform without a host: for unit tests of the sentry. Address spaces are FakeMemory; guest
// threads do what the test says, on the test's own thread.
//
//   FakePlatform platform;
//   ... the code under test makes spaces and contexts, and starts one ...
//   std::unique_ptr<FakeThread> guest = platform.TakeStarted();
//   EXPECT_EQ(guest->Syscall(SYS_getpid), 1u);      // Calls OnEvent; gives rax.
//   guest->Fault(SIGSEGV, SEGV_MAPERR, 0x1000);
//   EXPECT_TRUE(guest->exited());
//
// A handler that blocks blocks the test: give such a guest a std::thread.
#ifndef PLATFORM_FAKE_FAKE_PLATFORM_H_
#define PLATFORM_FAKE_FAKE_PLATFORM_H_

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "base/sync/mutex.h"
#include "platform/fake/fake_memory.h"
#include "platform/platform.h"

namespace redoubt::platform::fake {

// References are held by its contexts and by the code under test.
class FakeAddressSpace : public AddressSpace {
 public:
  explicit FakeAddressSpace(int pid) : pid_(pid) {}
  FakeAddressSpace(int pid, const FakeAddressSpace& parent);

  Result<size_t> CopyIn(uint64_t address, std::span<std::byte> buffer) override;
  Result<size_t> CopyOut(uint64_t address, std::span<const std::byte> buffer) override;
  int host_pid() const override { return pid_; }
  uint64_t CpuTimeNs() const override { return cpu_time_ns; }

  // One of mmap (anonymous), munmap, mprotect, mremap, madvise; ENOSYS for others.
  SyscallResult MemoryCall(const HostCallRequest& request);
  SyscallResult Map(uint64_t address, uint64_t length, int protection, int flags,
                    std::span<const std::byte> contents);
  Result<int> ProtectionAt(uint64_t address) const;

  std::atomic<uint64_t> cpu_time_ns{0};  // For tests to set.
  bool pristine = true;

 private:
  FakeMemory CopyOfMemory() const;

  const int pid_;
  mutable Mutex<LockRank::kPlatform> mu_;
  FakeMemory memory_ ABSL_GUARDED_BY(mu_);
};

class FakePlatform;

class FakeContext : public Context {
 public:
  FakeContext(FakePlatform& platform, RefPtr<FakeAddressSpace> space);

  Registers& registers() override { return registers_; }
  const RefPtr<AddressSpace>& address_space() const override { return space_; }
  Result<void> GetXstate(std::span<std::byte> image) override;
  Result<void> SetXstate(std::span<const std::byte> image) override;
  SyscallResult HostCall(const HostCallRequest& request) override;
  SyscallResult MapFile(uint64_t address, uint64_t length, int protection, int flags, int fd,
                        uint64_t offset) override;
  Result<std::unique_ptr<Context>> Clone(bool share_memory) override;
  Result<void> EnterAddressSpace(RefPtr<AddressSpace> space) override;
  void Interrupt() override { interrupted_ = true; }
  void ClearInterrupt() override { interrupted_ = false; }

  FakeAddressSpace& space() const { return static_cast<FakeAddressSpace&>(*space_); }
  // Whether an interrupt was pending, and is not any more.
  bool TakeInterrupt() { return interrupted_.exchange(false); }
  bool interrupted() const { return interrupted_; }

 private:
  void Reset();

  FakePlatform& platform_;
  RefPtr<AddressSpace> space_;
  Registers registers_{};
  std::vector<std::byte> xstate_;
  std::atomic<bool> interrupted_{false};
};

// A started guest thread in the hands of a test.
class FakeThread {
 public:
  FakeThread(std::unique_ptr<FakeContext> context, GuestEvents& events)
      : context_(std::move(context)), events_(events) {}
  // Lets the thread die if it has not exited.
  ~FakeThread();

  // A system call; gives what the guest then finds in rax. An Interrupt() that is pending before or
  // afterwards is delivered as the platforms do: before the guest runs.
  uint64_t Syscall(uint64_t number, std::array<uint64_t, 6> arguments = {});
  void Fault(int signal, int code, uint64_t address);
  // The host ends the stub.
  void Die(int signal);
  void Deliver(const Event& event);
  // Delivers an interrupt if one is pending.
  void Run();

  bool exited() const { return context_ == nullptr; }
  FakeContext& context() { return *context_; }
  Registers& registers() { return context_->registers(); }

 private:
  std::unique_ptr<FakeContext> context_;
  GuestEvents& events_;
};

class FakePlatform : public Platform {
 public:
  const char* name() const override { return "fake"; }
  Result<RefPtr<AddressSpace>> NewAddressSpace() override;
  Result<std::unique_ptr<Context>> NewContext(RefPtr<AddressSpace> space) override;
  void Start(std::unique_ptr<Context> context, GuestEvents& events) override;
  AddressRange guest_range() const override { return {.start = 0x10000, .end = 0x7ffffffff000}; }
  uint64_t vdso_address() const override { return 0; }
  std::vector<AddressRange> shim_ranges() const override { return {}; }
  std::vector<host::AllowedCall> RequiredHostCalls() const override { return {}; }

  // The oldest started thread that has not been taken; null: none.
  std::unique_ptr<FakeThread> TakeStarted();

  // Answers host calls that are not memory calls (futex ...). ENOSYS while empty. Set before use.
  std::function<SyscallResult(FakeContext&, const HostCallRequest&)> on_host_call;
  // What the next NewAddressSpace or Clone fails with; 0: nothing.
  std::atomic<int> next_failure{0};

  int NextPid() { return next_pid_++; }

 private:
  std::atomic<int> next_pid_{1000};
  Mutex<LockRank::kPlatform> mu_;
  std::deque<std::unique_ptr<FakeThread>> started_ ABSL_GUARDED_BY(mu_);
};

}  // namespace redoubt::platform::fake

#endif  // PLATFORM_FAKE_FAKE_PLATFORM_H_
