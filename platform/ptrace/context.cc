// SPDX-License-Identifier: Apache-2.0
#include "platform/ptrace/context.h"

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "platform/arch/xstate.h"
#include "platform/ptrace/host_call.h"
#include "platform/ptrace/initial_image.h"
#include "platform/ptrace/ptrace_platform.h"
#include "platform/ptrace/stop_events.h"
#include "platform/ptrace/stub_image.h"

namespace redoubt::platform::ptrace {
namespace {

Registers FreshRegisters() {
  Registers r{};
  r.cs = kUserCodeSegment;
  r.ss = kUserStackSegment;
  r.rflags = 0x202;  // IF and the bit that is always set.
  r.orig_rax = ~uint64_t{0};
  return r;
}

// What the host takes: fixed segments, bases in user space (which the sentry sees to; the host
// would refuse all of them), and no call for it to restart.
Registers HostRegisters(const Registers& guest) {
  Registers r = guest;
  r.cs = kUserCodeSegment;
  r.ss = kUserStackSegment;
  r.ds = r.es = r.fs = r.gs = 0;
  r.orig_rax = ~uint64_t{0};
  if (r.fs_base >= kUserEnd) r.fs_base = 0;
  if (r.gs_base >= kUserEnd) r.gs_base = 0;
  return r;
}

}  // namespace

PtraceContext::PtraceContext(PtracePlatform& platform, RefPtr<PtraceAddressSpace> space, int tid,
                             std::unique_ptr<Worker> worker)
    : platform_(platform),
      tracee_(std::make_unique<Tracee>(space->process(), tid)),
      worker_(std::move(worker)),
      registers_(FreshRegisters()) {
  space->Enter(*tracee_);
  space_ = std::move(space);
}

PtraceContext::~PtraceContext() { space().Leave(*tracee_); }

Result<void> PtraceContext::GetXstate(std::span<std::byte> image) {
  if (image.size() != arch::XstateSize()) return Errno(EINVAL);
  TRY(tracee_->Attach());
  std::vector<std::byte> host(arch::HostXstateSize());
  TRY(tracee_->Check(GetHostXstate(tracee_->tid(), host)));
  std::copy_n(host.begin(), image.size(), image.begin());
  // The host leaves out the marks of components in their initial state, but fills these two in.
  image[arch::kXstateHeaderOffset] |= std::byte{arch::kXfeatureX87 | arch::kXfeatureSse};
  return {};
}

Result<void> PtraceContext::SetXstate(std::span<const std::byte> image) {
  TRY(arch::ValidateXstate(image));
  TRY(tracee_->Attach());
  std::vector<std::byte> host(arch::HostXstateSize());
  std::copy(image.begin(), image.end(), host.begin());
  return tracee_->Check(SetHostXstate(tracee_->tid(), host));
}

SyscallResult PtraceContext::HostCall(const HostCallRequest& request) {
  TRY(tracee_->Attach());
  if (MayBlock(request)) AllowInterruptSignal();
  SyscallResult result = InjectCall(*tracee_, TheStubImage().call, request, &interrupted_);
  ForbidInterruptSignal();
  return result;
}

SyscallResult PtraceContext::MapFile(uint64_t address, uint64_t length, int protection, int flags,
                                     int fd, uint64_t offset) {
  TRY(tracee_->Attach());
  MutexLock lock(&space().descriptors_mu());
  TRY(platform_.transfer().Donate(*tracee_, fd));
  SyscallResult mapped =
      HostCall({.number = SYS_mmap,
                .arguments = {address, length, static_cast<uint64_t>(protection),
                              static_cast<uint64_t>(flags), FileTransfer::kDonatedFd, offset}});
  TRY(HostCall({.number = SYS_close, .arguments = {FileTransfer::kDonatedFd}}));
  return mapped;
}

Result<std::unique_ptr<Context>> PtraceContext::Clone(bool share_memory) {
  std::unique_ptr<Worker> worker = TRY(platform_.workers().Prepare());
  TRY(tracee_->Attach());
  auto clone = TRY(share_memory ? CloneThread(std::move(worker)) : CloneProcess(std::move(worker)));
  clone->registers_ = registers_;
  return std::unique_ptr<Context>(std::move(clone));
}

Result<std::unique_ptr<PtraceContext>> PtraceContext::CloneThread(std::unique_ptr<Worker> worker) {
  constexpr uint64_t kFlags =
      CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
  uint64_t tid = TRY(
      InjectCall(*tracee_, TheStubImage().thread, {.number = SYS_clone, .arguments = {kFlags}}));
  return std::make_unique<PtraceContext>(platform_, RefPtr<PtraceAddressSpace>(&space()),
                                         static_cast<int>(tid), std::move(worker));
}

Result<std::unique_ptr<PtraceContext>> PtraceContext::CloneProcess(std::unique_ptr<Worker> worker) {
  // CLONE_PTRACE makes the child this thread's tracee from the start: if the stub dies before it
  // can tell the child's id, the child can be found all the same.
  constexpr uint64_t kFlags = CLONE_PARENT | CLONE_PTRACE | SIGCHLD;
  SyscallResult pid = Errno(ESRCH);
  {
    // The child inherits the descriptors: not those of another thread's MapFile.
    MutexLock lock(&space().descriptors_mu());
    pid = InjectCall(*tracee_, TheStubImage().fork, {.number = SYS_clone, .arguments = {kFlags}});
  }
  if (pid.Is(ESRCH) && serving_) tracee_->EndOrphan();
  auto process = std::make_unique<StubProcess>(static_cast<int>(TRY(pid)));
  auto space = MakeRef<PtraceAddressSpace>(platform_.death_watch(), std::move(process));
  space->ClaimPristine();
  auto clone = std::make_unique<PtraceContext>(platform_, std::move(space), static_cast<int>(*pid),
                                               std::move(worker));
  clone->tracee_->ReleaseClone();  // Whoever makes the first call in it will seize it.
  return clone;
}

Result<void> PtraceContext::EnterAddressSpace(RefPtr<AddressSpace> space) {
  auto& entered = static_cast<PtraceAddressSpace&>(*space);
  if (!entered.ClaimPristine()) return Errno(EBUSY);
  auto tracee = std::make_unique<Tracee>(entered.process(), entered.process().pid());
  TRY(tracee->Attach());
  entered.Enter(*tracee);
  this->space().Leave(*tracee_);
  tracee_ = std::move(tracee);
  space_ = std::move(space);
  registers_ = FreshRegisters();
  return {};
}

void PtraceContext::Interrupt() {
  interrupted_ = true;
  // By id, not by tracee: its tracer may be leaving it for another. Ids of a thread that is gone
  // meet nothing, for the kernel checks that they belong together.
  if (uint64_t ids = interruptible_; ids != 0) {
    syscall(SYS_tgkill, static_cast<int>(ids >> 32), static_cast<int>(ids & 0xffffffff),
            kInterruptSignal);
  }
}

void PtraceContext::AllowInterruptSignal() {
  interruptible_ =
      static_cast<uint64_t>(tracee_->process().pid()) << 32 | static_cast<uint32_t>(tracee_->tid());
}

void PtraceContext::Launch(std::unique_ptr<PtraceContext> context, GuestEvents& events) {
  context->tracee_->Park();
  std::unique_ptr<Worker> worker = std::move(context->worker_);
  worker->Run([context = context.release(), &events] {
    context->Serve(events);
    delete context;
    events.OnExited();
  });
}

void PtraceContext::Serve(GuestEvents& events) {
  serving_ = true;
  while (events.OnEvent(*this, RunGuest()) == NextStep::kResume) {
  }
}

Result<void> PtraceContext::WriteRegisters() {
  TRY(tracee_->Attach());
  return tracee_->Check(SetRegisters(tracee_->tid(), HostRegisters(registers_)));
}

Event PtraceContext::RunGuest() {
  if (!WriteRegisters().ok()) return DeathEvent();
  while (true) {
    AllowInterruptSignal();
    if (interrupted_.exchange(false)) {
      ForbidInterruptSignal();
      registers_.orig_rax = ~uint64_t{0};
      return Event{.kind = Event::Kind::kInterrupted};
    }
    Stop stop = tracee_->Run(ResumeMode::kGuest);
    ForbidInterruptSignal();
    if (stop.kind == Stop::Kind::kDead) return DeathEvent();
    if (!tracee_->Check(GetRegisters(tracee_->tid(), registers_)).ok()) return DeathEvent();
    if (std::optional<Event> event = DescribeStop(*tracee_, stop, registers_)) return *event;
  }
}

}  // namespace redoubt::platform::ptrace
