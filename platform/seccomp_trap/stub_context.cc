// SPDX-License-Identifier: Apache-2.0
//
// The hand-off: running guest code, reports into events, interrupts. Host calls and clones are in
// stub_calls.cc.
#include "platform/seccomp_trap/stub_context.h"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/check.h"
#include "platform/arch/xstate.h"

namespace redoubt::platform::seccomp_trap {
namespace {

constexpr int kPatienceMilliseconds = 60'000;  // A host call may have much memory to unmap.

// Copies what the guest may be changing. The compiler must not read the original again.
template <typename T>
T CopyOnce(const T& shared) {
  T copy;
  std::memcpy(&copy, &shared, sizeof(copy));
  asm volatile("" : : : "memory");
  return copy;
}

constexpr std::array<int, 5> kFaultSignals = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};

}  // namespace

StubContext::StubContext(Machine& machine, RefPtr<StubProcess> process, uint32_t slot, int tid)
    : machine_(machine) {
  MoveTo(std::move(process), slot, tid);
}

StubContext::~StubContext() {
  if (pair_.serving_tid != 0) machine_.placement->Detach(pair_);
  Leave();
  if (expected_) machine_.warden.Forget(*this);
}

void StubContext::StartServing() { machine_.placement->Attach(pair_); }

void StubContext::MoveTo(RefPtr<StubProcess> process, uint32_t slot, int tid) {
  process_ = std::move(process);
  space_ = process_;
  slot_ = slot;
  tid_ = tid;
  target_ = static_cast<uint64_t>(process_->host_pid()) << 32 | static_cast<uint32_t>(tid);
  pair_.stub_tid = tid;
  pair_.cpu = -1;
  pair_.spin_cpu = -1;
  has_turn_ = false;
  captured_.Clear();
  local_answers_.reset();
  this->slot().local.enabled = 0;  // An earlier thread may have had this slot.
  registers_ = {};
  registers_.orig_rax = ~uint64_t{0};
  registers_.cs = kUserCodeSegment;
  registers_.ss = kUserStackSegment;
  registers_.rflags = 0x202;  // Interrupts on, and the bit that is always set.
}

bool StubContext::AwaitStub() {
  if (has_turn_) return !process().dead();
  bool came = pair_.spin_cpu >= 0 && machine_.placement->AwaitBriefly(slot());
  TurnOutcome outcome = came ? TurnOutcome::kTaken : AwaitTurn(slot(), kPatienceMilliseconds);
  if (outcome == TurnOutcome::kTimedOut) process().Kill();
  has_turn_ = outcome == TurnOutcome::kTaken;
  return has_turn_ && !process().dead();
}

Result<int64_t> StubContext::Transact(const Command& command) {
  FlushWrites();
  if (!AwaitStub()) return Errno(ESRCH);
  slot().command = command;
  has_turn_ = false;
  GiveTurn(slot());
  if (!AwaitStub()) return Errno(ESRCH);
  Report report = CopyOnce(slot().report);
  if (report.kind == ReportKind::kDone) return report.result;
  process().Kill();  // Only a guest that has meddled with the shim answers anything else.
  return Errno(ESRCH);
}

bool StubContext::EnterRun() {
  uint32_t state = state_.load(std::memory_order_relaxed);
  do {
    if (state & kInterrupt) return false;
  } while (!state_.compare_exchange_weak(state, state | kRunning));
  run_.fetch_add(1, std::memory_order_relaxed);
  return true;
}

std::optional<Report> StubContext::RunStub() {
  std::optional<Report> report;
  if (AwaitStub()) {
    captured_.Post(slot());
    slot().registers = registers_;
    slot().command.kind = CommandKind::kResume;
    has_turn_ = false;
    has_turn_ = machine_.placement->Run(pair_, slot()) == TurnOutcome::kTaken;
    if (has_turn_ && !process().dead()) {
      report = CopyOnce(slot().report);
      registers_ = CopyOnce(slot().registers);
      if (report->kind == ReportKind::kSyscall) {
        captured_.Take(slot(), process().slots().window(slot_));
      }
    }
  }
  state_.fetch_and(~uint32_t{kRunning});
  return report;
}

Event StubContext::RunGuest() {
  while (EnterRun()) {
    std::optional<Report> report = RunStub();
    if (!report) return DeadEvent();
    if (report->kind != ReportKind::kInterrupted) {
      PatchIfHot(*report);
      return EventOf(*report);
    }
    // A host signal may arrive after its cause was reported or cleared: then the guest goes on.
  }
  state_.fetch_and(~uint32_t{kInterrupt});
  return Event{.kind = Event::Kind::kInterrupted};
}

Event StubContext::EventOf(const Report& report) {
  Event event;
  if (report.kind == ReportKind::kSyscall) {
    event.kind = Event::Kind::kSyscall;
    // Linux takes the low half of rax.
    event.syscall_number =
        static_cast<uint64_t>(int64_t{static_cast<int32_t>(registers_.orig_rax)});
    event.arguments = registers_.SyscallArguments();
    return event;
  }
  bool known =
      std::find(kFaultSignals.begin(), kFaultSignals.end(), report.signal) != kFaultSignals.end();
  event.kind = Event::Kind::kFault;
  event.signal = known ? report.signal : SIGSEGV;
  event.signal_code = report.signal_code;
  event.fault_address = report.fault_address;
  event.trap_number = report.trap_number;
  event.error_code = report.error_code;
  return event;
}

Event StubContext::DeadEvent() {
  process().KillAndWait();  // One thread may have gone alone; and how it died is known only then.
  int signal = process().death_signal();
  return Event{.kind = Event::Kind::kDead, .signal = signal != 0 ? signal : SIGKILL};
}

Result<size_t> StubContext::CopyIn(uint64_t address, std::span<std::byte> buffer) {
  FlushWrites();
  if (auto read = captured_.Read(address, buffer)) return *read;
  return process().CopyIn(address, buffer);
}

Result<size_t> StubContext::CopyOut(uint64_t address, std::span<const std::byte> buffer) {
  if (captured_.Write(slot(), address, buffer)) return buffer.size();
  FlushWrites();
  return process().CopyOut(address, buffer);
}

void StubContext::FlushWrites() {
  captured_.Flush([&](uint64_t address, std::span<const std::byte> data) {
    (void)process().CopyOut(address, data);
  });
}

void StubContext::SetLocalAnswers(const LocalAnswers* answers) {
  if (reports_every_call_) answers = nullptr;
  LocalState& local = slot().local;
  local.enabled = answers != nullptr;
  local_answers_.reset();
  if (answers == nullptr) return;
  local_answers_ = *answers;
  local.answers = *answers;
  local.signal_mask = answers->signal_mask;
  local.robust_list = answers->robust_list;
}

std::optional<uint64_t> StubContext::LocalSignalMask() {
  if (!local_answers_) return std::nullopt;
  uint64_t mask = __atomic_load_n(&slot().local.signal_mask, __ATOMIC_RELAXED);
  if (mask == local_answers_->signal_mask) return std::nullopt;
  return mask;
}

std::optional<uint64_t> StubContext::LocalRobustList() {
  if (!local_answers_) return std::nullopt;
  uint64_t head = __atomic_load_n(&slot().local.robust_list, __ATOMIC_RELAXED);
  if (head == local_answers_->robust_list) return std::nullopt;
  return head;
}

void StubContext::Interrupt() {
  if (state_.fetch_or(kInterrupt) != kRunning) return;
  uint64_t target = target_.load();
  uint64_t run = run_.load();
  syscall(SYS_tgkill, static_cast<int>(target >> 32), static_cast<int>(target), kInterruptSignal);
  expected_ = true;
  machine_.warden.Expect(*this, run);
}

void StubContext::ClearInterrupt() { state_.fetch_and(~uint32_t{kInterrupt}); }

bool StubContext::StillInRun(uint64_t run) const {
  return (state_.load() & kRunning) != 0 && run_.load() == run;
}

Result<void> StubContext::GetXstate(std::span<std::byte> image) {
  if (image.size() != arch::XstateSize()) return Errno(EINVAL);
  int64_t size = TRY(Transact({.kind = CommandKind::kSaveXstate}));
  if (size != static_cast<int64_t>(image.size())) return Errno(EINVAL);
  std::memcpy(image.data(), process().slots().window(slot_) + kXstateOffset, image.size());
  return {};
}

Result<void> StubContext::SetXstate(std::span<const std::byte> image) {
  TRY(arch::ValidateXstate(image));
  if (!AwaitStub()) return Errno(ESRCH);
  std::memcpy(process().slots().window(slot_) + kXstateOffset, image.data(), image.size());
  int64_t result = TRY(Transact({.kind = CommandKind::kLoadXstate, .arguments = {image.size()}}));
  if (result != 0) return Errno(EINVAL);
  return {};
}

}  // namespace redoubt::platform::seccomp_trap
