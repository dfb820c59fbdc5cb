// SPDX-License-Identifier: Apache-2.0
#include "platform/fake/fake_platform.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <utility>

#include "base/host/syscall.h"
#include "platform/arch/xstate.h"

namespace redoubt::platform::fake {

FakeAddressSpace::FakeAddressSpace(int pid, const FakeAddressSpace& parent)
    : pristine(false), pid_(pid), memory_(parent.CopyOfMemory()) {}

FakeMemory FakeAddressSpace::CopyOfMemory() const {
  MutexLock lock(&mu_);
  return FakeMemory(memory_);
}

Result<size_t> FakeAddressSpace::CopyIn(uint64_t address, std::span<std::byte> buffer) {
  MutexLock lock(&mu_);
  size_t copied = memory_.Read(address, buffer);
  if (copied == 0 && !buffer.empty()) return Errno(EFAULT);
  return copied;
}

Result<size_t> FakeAddressSpace::CopyOut(uint64_t address, std::span<const std::byte> buffer) {
  MutexLock lock(&mu_);
  size_t copied = memory_.Write(address, buffer);
  if (copied == 0 && !buffer.empty()) return Errno(EFAULT);
  return copied;
}

SyscallResult FakeAddressSpace::MemoryCall(const HostCallRequest& request) {
  const auto& a = request.arguments;
  auto flags = [&](int index) { return static_cast<int>(a[static_cast<size_t>(index)]); };
  MutexLock lock(&mu_);
  switch (request.number) {
    case SYS_mmap:
      if (!(flags(3) & MAP_ANONYMOUS)) return Errno(EBADF);
      return memory_.Map(a[0], a[1], flags(2), flags(3), {});
    case SYS_munmap:
      return memory_.Unmap(a[0], a[1]);
    case SYS_mprotect:
      return memory_.Protect(a[0], a[1], flags(2));
    case SYS_mremap:
      return memory_.Remap(a[0], a[1], a[2], flags(3), a[4]);
    case SYS_madvise:
      return memory_.Advise(a[0], a[1], flags(2));
    default:
      return Errno(ENOSYS);
  }
}

SyscallResult FakeAddressSpace::Map(uint64_t address, uint64_t length, int protection, int flags,
                                    std::span<const std::byte> contents) {
  MutexLock lock(&mu_);
  return memory_.Map(address, length, protection, flags, contents);
}

Result<int> FakeAddressSpace::ProtectionAt(uint64_t address) const {
  MutexLock lock(&mu_);
  return memory_.ProtectionAt(address);
}

FakeContext::FakeContext(FakePlatform& platform, RefPtr<FakeAddressSpace> space)
    : platform_(platform), space_(std::move(space)) {
  this->space().pristine = false;
  Reset();
}

void FakeContext::Reset() {
  registers_ = Registers{};
  registers_.orig_rax = ~uint64_t{0};
  xstate_.resize(arch::XstateSize());
  arch::InitXstate(xstate_);
}

Result<void> FakeContext::GetXstate(std::span<std::byte> image) {
  if (image.size() != xstate_.size()) return Errno(EINVAL);
  std::copy(xstate_.begin(), xstate_.end(), image.begin());
  return {};
}

Result<void> FakeContext::SetXstate(std::span<const std::byte> image) {
  TRY(arch::ValidateXstate(image));
  xstate_.assign(image.begin(), image.end());
  return {};
}

SyscallResult FakeContext::HostCall(const HostCallRequest& request) {
  SyscallResult result = space().MemoryCall(request);
  if (!result.Is(ENOSYS) || !platform_.on_host_call) return result;
  return platform_.on_host_call(*this, request);
}

SyscallResult FakeContext::MapFile(uint64_t address, uint64_t length, int protection, int flags,
                                   int fd, uint64_t offset) {
  constexpr uint64_t kMaxFile = uint64_t{1} << 28;
  if (offset % 4096 != 0) return Errno(EINVAL);
  std::vector<std::byte> contents(std::min(length, kMaxFile));
  size_t done = 0;
  while (done < contents.size()) {
    size_t size = TRY(host::Call([&] {
      return pread(fd, contents.data() + done, contents.size() - done,
                   static_cast<off_t>(offset + done));
    }));
    if (size == 0) break;
    done += size;
  }
  contents.resize(done);
  return space().Map(address, length, protection, flags, contents);
}

Result<std::unique_ptr<Context>> FakeContext::Clone(bool share_memory) {
  if (int failure = platform_.next_failure.exchange(0)) return Errno(failure);
  auto space = share_memory ? RefPtr<FakeAddressSpace>(&this->space())
                            : MakeRef<FakeAddressSpace>(platform_.NextPid(), this->space());
  auto clone = std::make_unique<FakeContext>(platform_, std::move(space));
  clone->registers_ = registers_;
  clone->xstate_ = xstate_;
  return std::unique_ptr<Context>(std::move(clone));
}

Result<void> FakeContext::EnterAddressSpace(RefPtr<AddressSpace> space) {
  auto& entered = static_cast<FakeAddressSpace&>(*space);
  if (!std::exchange(entered.pristine, false)) return Errno(EBUSY);
  space_ = std::move(space);
  Reset();
  return {};
}

FakeThread::~FakeThread() {
  if (!exited()) Die(SIGKILL);
}

void FakeThread::Deliver(const Event& event) {
  CHECK(!exited());
  if (events_.OnEvent(*context_, event) == NextStep::kResume) {
    CHECK(event.kind != Event::Kind::kDead);  // Only kExit may follow.
    return Run();
  }
  context_.reset();
  events_.OnExited();
}

void FakeThread::Run() {
  while (!exited() && context_->TakeInterrupt()) {
    registers().orig_rax = ~uint64_t{0};
    Deliver({.kind = Event::Kind::kInterrupted});
  }
}

uint64_t FakeThread::Syscall(uint64_t number, std::array<uint64_t, 6> arguments) {
  constexpr uint64_t kInstructionSize = 2;
  Run();
  if (exited()) return 0;
  Registers& r = registers();
  r.rdi = arguments[0], r.rsi = arguments[1], r.rdx = arguments[2];
  r.r10 = arguments[3], r.r8 = arguments[4], r.r9 = arguments[5];
  r.orig_rax = number;
  r.rax = static_cast<uint64_t>(-ENOSYS);
  r.rip += kInstructionSize;
  Deliver({.kind = Event::Kind::kSyscall, .syscall_number = number, .arguments = arguments});
  return exited() ? 0 : registers().rax;
}

void FakeThread::Fault(int signal, int code, uint64_t address) {
  registers().orig_rax = ~uint64_t{0};
  Event event{.kind = Event::Kind::kFault, .signal = signal, .signal_code = code};
  event.fault_address = address;
  Deliver(event);
}

void FakeThread::Die(int signal) { Deliver({.kind = Event::Kind::kDead, .signal = signal}); }

Result<RefPtr<AddressSpace>> FakePlatform::NewAddressSpace() {
  if (int failure = next_failure.exchange(0)) return Errno(failure);
  return RefPtr<AddressSpace>(MakeRef<FakeAddressSpace>(NextPid()));
}

Result<std::unique_ptr<Context>> FakePlatform::NewContext(RefPtr<AddressSpace> space) {
  auto& claimed = static_cast<FakeAddressSpace&>(*space);
  if (!std::exchange(claimed.pristine, false)) return Errno(EBUSY);
  return std::unique_ptr<Context>(
      std::make_unique<FakeContext>(*this, RefPtr<FakeAddressSpace>(&claimed)));
}

void FakePlatform::Start(std::unique_ptr<Context> context, GuestEvents& events) {
  std::unique_ptr<FakeContext> fake(static_cast<FakeContext*>(context.release()));
  MutexLock lock(&mu_);
  started_.push_back(std::make_unique<FakeThread>(std::move(fake), events));
}

std::unique_ptr<FakeThread> FakePlatform::TakeStarted() {
  MutexLock lock(&mu_);
  if (started_.empty()) return nullptr;
  auto thread = std::move(started_.front());
  started_.pop_front();
  return thread;
}

}  // namespace redoubt::platform::fake
