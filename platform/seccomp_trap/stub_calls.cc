// SPDX-License-Identifier: Apache-2.0
//
// Host calls in a stub, forks, threads, exec and exit: StubContext's dealings with the notifier.
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "base/log.h"
#include "platform/seccomp_trap/filter.h"
#include "platform/seccomp_trap/stub_context.h"

namespace redoubt::platform::seccomp_trap {
namespace {

constexpr int kExitMilliseconds = 10'000;
constexpr absl::Duration kChildPatience = absl::Seconds(10);
constexpr absl::Duration kChildLook = absl::Milliseconds(50);
constexpr uint64_t kTrapFlag = 0x100;

// The outcome of a host call as the stub told it.
SyscallResult FromHost(int64_t value) {
  constexpr int64_t kMaxErrno = 4095, kFirstRestartCode = 512;
  if (value >= 0 || value < -kMaxErrno) return static_cast<uint64_t>(value);
  return Errno(-value >= kFirstRestartCode ? EINTR : static_cast<int>(-value));
}

bool IsBlockingFutex(const HostCallRequest& request) {
  uint64_t command = request.arguments[1] & FUTEX_CMD_MASK & 0xffffffff;
  return command == FUTEX_WAIT || command == FUTEX_WAIT_BITSET;
}

// A child of ours that no StubProcess owns.
void KillStray(int pid) {
  siginfo_t info{};
  kill(pid, SIGKILL);
  waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | __WALL);
}

Command CommandOf(CommandKind kind, const HostCallRequest& request) {
  Command command{.kind = kind, .number = static_cast<uint64_t>(request.number)};
  std::copy(request.arguments.begin(), request.arguments.end(), command.arguments);
  return command;
}

}  // namespace

SyscallResult StubContext::TransactOrdered(const Command& command, const OrderedCall& call) {
  machine_.notifier->Order(tid_, call);
  Result<int64_t> result = Transact(command);
  machine_.notifier->Withdraw(tid_);
  if (!result.ok()) return result.error();
  return FromHost(*result);
}

SyscallResult StubContext::HostCall(const HostCallRequest& request) {
  if (request.number == SYS_futex && IsNativeFutex(request.arguments[1])) {
    if (IsBlockingFutex(request)) return BlockingCall(request);
    int64_t result = TRY(Transact(CommandOf(CommandKind::kHostCall, request)));
    return FromHost(result);
  }
  // FUTEX_WAKE_OP never blocks; the priority-inheriting ones know only the host's thread ids.
  if (request.number == SYS_futex &&
      (request.arguments[1] & FUTEX_CMD_MASK & 0xffffffff) != FUTEX_WAKE_OP) {
    return Errno(ENOSYS);
  }
  if (request.number == SYS_clone || !IsNotifiedCall(request.number)) return Errno(ENOSYS);
  SyscallResult result =
      TransactOrdered(CommandOf(CommandKind::kHostCall, request),
                      {.number = request.number, .arguments = request.arguments});
  NoteSharedMapping(request, result);
  return result;
}

SyscallResult StubContext::BlockingCall(const HostCallRequest& request) {
  const Registers saved = registers_;
  SyscallResult outcome = Errno(EINTR);
  while (EnterRun()) {
    const auto& a = request.arguments;
    registers_ = saved;
    registers_.rip = machine_.shim.guest_call;
    registers_.rax = static_cast<uint64_t>(request.number);
    registers_.rdi = a[0], registers_.rsi = a[1], registers_.rdx = a[2];
    registers_.r10 = a[3], registers_.r8 = a[4], registers_.r9 = a[5];
    registers_.rflags &= ~kTrapFlag;
    std::optional<Report> report = RunStub();
    if (!report) {
      outcome = Errno(ESRCH);
      break;
    }
    if (std::optional<int64_t> value = BlockingOutcome(*report)) {
      outcome = FromHost(*value);
      break;
    }
  }
  registers_ = saved;
  return outcome;
}

std::optional<int64_t> StubContext::BlockingOutcome(const Report& report) const {
  uint64_t call = machine_.shim.guest_call;
  if (report.kind == ReportKind::kSyscall) {
    if (registers_.orig_rax == SYS_futex) return std::nullopt;  // A futex wait was interrupted.
    return static_cast<int64_t>(registers_.rdi);
  }
  if (report.kind != ReportKind::kInterrupted) return -ESRCH;  // Forged.
  if (registers_.rip == call) return std::nullopt;             // Not begun.
  if (registers_.rip == call + kSyscallSize) return static_cast<int64_t>(registers_.rax);
  return static_cast<int64_t>(registers_.rdi);
}

SyscallResult StubContext::MapFile(uint64_t address, uint64_t length, int protection, int flags,
                                   int fd, uint64_t offset) {
  if (fd < 0) return Errno(EBADF);
  HostCallRequest request{.number = SYS_mmap,
                          .arguments = {address, length, static_cast<uint64_t>(protection),
                                        static_cast<uint64_t>(flags), kStubFd, offset}};
  MutexLock lock(&process().descriptor_mu());
  SyscallResult result =
      TransactOrdered(CommandOf(CommandKind::kMapFile, request),
                      {.number = request.number, .arguments = request.arguments, .file = fd});
  NoteSharedMapping(request, result);
  return result;
}

std::optional<int> StubContext::AwaitForkedChild(uint64_t token, const SyscallResult& forked) {
  Notifier& notifier = *machine_.notifier;
  // The host may end a child before its first call.
  absl::Time deadline = absl::Now() + kChildPatience;
  while (forked.ok() && !notifier.ChildArrives(token, kChildLook) && absl::Now() < deadline) {
    if (machine_.warden.EndedUnwatched(static_cast<int>(*forked))) break;
  }
  return notifier.AwaitChild(token, absl::ZeroDuration());
}

Errno StubContext::MissingChild(const SyscallResult& forked) {
  // Number and error are the stub's word: believed only where they fit.
  if (forked.ok() && machine_.warden.EndedUnwatched(static_cast<int>(*forked))) {
    machine_.warden.Bury(static_cast<int>(*forked));
    return Errno(EAGAIN);
  }
  machine_.warden.SuspectStray();
  if (!forked.ok()) return forked.error();
  LOG(Warning, "stub %d: its child did not report and the stub is killed", process().host_pid());
  process().Kill();
  return Errno(EAGAIN);
}

Result<RefPtr<StubProcess>> StubContext::ForkProcess() {
  Slots slots = TRY(Slots::Create());
  auto child = MakeRef<StubProcess>(machine_, std::move(slots), slot_);
  child->call_sites().CopyFrom(process().call_sites());
  Notifier& notifier = *machine_.notifier;
  uint64_t token = notifier.ExpectChild(child->slots().file());
  SyscallResult forked =
      TransactOrdered({.kind = CommandKind::kFork, .token = token},
                      {.number = SYS_clone, .arguments = {kForkFlags, 0, 0, SlotAddress(slot_)}});
  if (!forked.ok()) notifier.CancelChild(token);
  std::optional<int> pid = AwaitForkedChild(token, forked);
  if (!pid) return MissingChild(forked);
  Result<void> adopted = child->Adopt(*pid);
  if (!adopted.ok()) {
    notifier.RemoveThread(*pid);
    KillStray(*pid);
    return adopted.error();
  }
  return child;
}

Result<void> StubContext::ReportEveryCall() {
  if (reports_every_call_) return {};
  TRY(InstallReportingFilter());
  reports_every_call_ = true;
  SetLocalAnswers(nullptr);
  return {};
}

// The program lies in the slot for a moment, where other threads of the guest may change it. It can
// only forbid: they would lift what they could also do themselves.
Result<void> StubContext::InstallReportingFilter() {
  if (!AwaitStub()) return Errno(ESRCH);
  std::vector<sock_filter> code = BuildReportingFilter(machine_.shim);
  uint64_t address = SlotAddress(slot_) + kWindowOffset + kXstateOffset;
  sock_fprog program{static_cast<unsigned short>(code.size()),
                     reinterpret_cast<sock_filter*>(address + sizeof(sock_fprog))};
  std::byte* place = process().slots().window(slot_) + kXstateOffset;
  std::memcpy(place, &program, sizeof(program));
  std::memcpy(place + sizeof(program), code.data(), code.size() * sizeof(sock_filter));
  TRY(HostCall({.number = SYS_seccomp, .arguments = {SECCOMP_SET_MODE_FILTER, 0, address}}));
  return {};
}

Result<std::unique_ptr<Context>> StubContext::Clone(bool share_memory) {
  return share_memory ? CloneThread() : CloneProcess();
}

Result<std::unique_ptr<Context>> StubContext::CloneProcess() {
  RefPtr<StubProcess> child = TRY(ForkProcess());
  CHECK(child->ClaimFirstThread());
  int pid = child->host_pid();
  auto context = std::make_unique<StubContext>(machine_, std::move(child), slot_, pid);
  Placement::Inherit(context->pair_, pair_);
  context->registers_ = registers_;
  context->reports_every_call_ = reports_every_call_;
  return std::unique_ptr<Context>(std::move(context));
}

Result<std::unique_ptr<Context>> StubContext::CloneThread() {
  uint32_t slot = TRY(process().AddThread());
  __atomic_store_n(&process().slots().at(slot).turn, kStub, __ATOMIC_SEQ_CST);
  if (process().dead()) MarkGone(process().slots().at(slot));
  SyscallResult made = TransactOrdered({.kind = CommandKind::kCloneThread, .arguments = {slot}},
                                       {.number = SYS_clone,
                                        .arguments = {kThreadFlags, 0, 0, SlotAddress(slot)},
                                        .free_argument = 1});
  int tid = made.ok() ? static_cast<int>(*made) : -1;
  // The id is the stub's word: it must be a thread of this stub, and no other context's.
  bool good = tid > 0 && syscall(SYS_tgkill, process().host_pid(), tid, 0) == 0 &&
              machine_.notifier->AddThread(tid);
  if (!good) {
    if (made.ok()) process().Kill();
    process().FreeSlot(slot);
    process().DropThread();
    return made.ok() ? Errno(EAGAIN) : made.error();
  }
  process().NoteThread(tid);
  auto context = std::make_unique<StubContext>(machine_, process_, slot, tid);
  Placement::Inherit(context->pair_, pair_);
  context->registers_ = registers_;
  context->reports_every_call_ = reports_every_call_;
  return std::unique_ptr<Context>(std::move(context));
}

Result<void> StubContext::EnterAddressSpace(RefPtr<AddressSpace> space) {
  auto& next = static_cast<StubProcess&>(*space);
  if (next.dead()) return Errno(ESRCH);
  if (!next.ClaimFirstThread()) return Errno(EINVAL);
  Leave();
  MoveTo(RefPtr<StubProcess>(&next), next.first_slot(), next.host_pid());
  machine_.placement->Resettle(pair_);
  // There is no way back: a guest that could escape its filter ends here.
  if (reports_every_call_ && !InstallReportingFilter().ok()) process().Kill();
  return {};
}

void StubContext::Leave() {
  FlushWrites();
  if (machine_.notifier) machine_.notifier->RemoveThread(tid_);
  if (process().DropThread()) return process().KillAndWait();
  // The first thread waits in the shim for the end of its process.
  if (tid_ == process().host_pid()) return;
  if (AwaitStub()) {
    slot().command.kind = CommandKind::kExitThread;
    GiveTurn(slot());
    if (AwaitTurn(slot(), kExitMilliseconds) != TurnOutcome::kGone) process().Kill();
  }
  process().FreeSlotOf(slot_, tid_);
}

}  // namespace redoubt::platform::seccomp_trap
