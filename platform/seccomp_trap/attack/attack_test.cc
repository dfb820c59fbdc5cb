// SPDX-License-Identifier: Apache-2.0
//
// What a hostile guest can try against the wall, judged by an independent observer.
#include <linux/audit.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <fstream>
#include <string>
#include <thread>

#include "platform/conformance/platform_conformance.h"
#include "platform/seccomp_trap/attack/hostile_guest.h"
#include "platform/seccomp_trap/attack/observer.h"
#include "platform/seccomp_trap/filter.h"
#include "platform/seccomp_trap/layout.h"
#include "platform/seccomp_trap/seccomp_trap.h"

namespace redoubt::platform::seccomp_trap {
namespace {

using conformance::Call;
using conformance::GuestThread;
using conformance::kCode;
using conformance::kData;
using conformance::kPage;
using conformance::kStack;
using conformance::NewGuest;
using conformance::Outcome;
using conformance::Peek;
using conformance::Poke;
using conformance::ThePlatform;
using Kind = Event::Kind;

constexpr uint64_t kLastNumber = 480;
constexpr uint64_t kEnd = 1001;  // A guest's last call.
constexpr uint64_t kX32 = 0x40000000;

// The host exempts these two from every filter (kernel/seccomp.c): they serve uprobes, and fail
// outside of one: uretprobe by SIGILL.
constexpr uint64_t kUretprobe = 335, kUprobe = 336;

// Calls *r13 for each number r12 .. r14, with r15 in all arguments. munmap, rt_sigreturn, exit and
// uretprobe are left out: they end the loop, and have tests of their own.
#define SWEEP(call)             \
  "1:mov %r12, %rax\n"          \
  "  cmp $11, %rax\n je 2f\n"   \
  "  cmp $15, %rax\n je 2f\n"   \
  "  cmp $60, %rax\n je 2f\n"   \
  "  cmp $335, %rax\n je 2f\n"  \
  "  mov %r15, %rdi\n"          \
  "  mov %r15, %rsi\n"          \
  "  mov %r15, %rdx\n"          \
  "  mov %r15, %r10\n"          \
  "  mov %r15, %r8\n"           \
  "  mov %r15, %r9\n"           \
  "  " call                     \
  "\n"                          \
  "2:inc %r12\n"                \
  "  cmp %r14, %r12\n jbe 1b\n" \
  "  mov $1001, %eax\n"         \
  "  syscall\n ud2\n"

GUEST_CODE(sweep_syscall, SWEEP("syscall"))
GUEST_CODE(sweep_call, SWEEP("call *%r13"))
GUEST_CODE(sweep_int80, SWEEP("int $0x80"))
GUEST_CODE(call_r13, R"(
  call *%r13
  mov %rax, %rdi
  mov $1001, %eax
  syscall
  ud2
)")
// Makes r14 calls of the seven words each at r12: number and arguments.
#define CALL_TABLE(call)                                      \
  "1:mov (%r12), %rax\n"                                      \
  "  mov 8(%r12), %rdi\n mov 16(%r12), %rsi\n"                \
  "  mov 24(%r12), %rdx\n mov 32(%r12), %r10\n"               \
  "  mov 40(%r12), %r8\n mov 48(%r12), %r9\n"                 \
  "  " call                                                   \
  "\n"                                                        \
  "  mov %rax, (%r12)\n  add $56, %r12\n dec %r14\n jnz 1b\n" \
  "  mov $1001, %eax\n"                                       \
  "  syscall\n ud2\n"
GUEST_CODE(table_syscall, CALL_TABLE("syscall"))
GUEST_CODE(table_gate, CALL_TABLE("call *%r13"))
GUEST_CODE(one_call, R"(
  syscall
  ud2
)")
GUEST_CODE(forge_mask, R"(
  mov %r15, %rsp
  mov $15, %eax
  jmp *%r13
)")
// Calls for ever.
GUEST_CODE(caller, R"(
1:mov $1002, %eax
  syscall
  jmp 1b
)")
// Overwrites r14 bytes at r13 with changing values, for ever.
GUEST_CODE(scribble, R"(
1:mov %r13, %rdi
  mov %r14, %rcx
  inc %rax
  rep stosb
  jmp 1b
)")

bool InShim(uint64_t address) { return address >= kShimStart && address < kShimEnd; }

// Runs a guest to its call kEnd, whatever it does before: every other call fails with ENOSYS, a
// fault is skipped (`int $0x80`: two bytes) or, in the shim, taken as a return to the guest.
class Runner : public GuestEvents {
 public:
  explicit Runner(std::unique_ptr<Context> context) {
    ThePlatform().Start(std::move(context), *this);
  }
  ~Runner() override {
    EXPECT_TRUE(conformance::Eventually([&] { return exited_.load(); }));
  }

  std::atomic<uint64_t> syscalls = 0, faults = 0;
  std::atomic<bool> reached_end = false;

 private:
  NextStep OnEvent(Context& context, const Event& event) override {
    Registers& r = context.registers();
    if (event.kind == Kind::kSyscall) {
      ++syscalls;
      if (event.syscall_number == kEnd) reached_end = true;
      return reached_end ? NextStep::kExit : NextStep::kResume;
    }
    if (event.kind != Kind::kFault || ++faults > 10'000) return NextStep::kExit;
    if (InShim(r.rip)) {
      auto bytes = std::as_writable_bytes(std::span(&r.rip, 1));
      if (!context.CopyIn(r.rsp, bytes).ok()) return NextStep::kExit;
      r.rsp += 8;
    } else {
      r.rip += 2;
    }
    return NextStep::kResume;
  }
  void OnExited() override { exited_ = true; }

  std::atomic<bool> exited_ = false;
};

bool OffTheShim(uint64_t address, uint64_t length) {
  uint64_t end = address + ((length + kPage - 1) & ~(kPage - 1));
  return length < kSlots && address >= kShimEnd && (end <= kSlots || address >= kHighEnd);
}

bool IsHarmlessMemoryCall(const HostCall& call) {
  const auto& a = call.arguments;
  constexpr uint64_t kFixed = MAP_FIXED | MAP_FIXED_NOREPLACE;
  switch (call.number) {
    case SYS_mmap:
      if ((a[3] & (MAP_TYPE | MAP_ANONYMOUS)) != (MAP_PRIVATE | MAP_ANONYMOUS)) return false;
      return (a[0] == 0 && (a[3] & kFixed) == 0) || OffTheShim(a[0], a[1]);
    case SYS_munmap:
    case SYS_mprotect:
    case SYS_madvise:
      return OffTheShim(a[0], a[1]);
    case SYS_mremap:
      return OffTheShim(a[0], std::max(a[1], a[2])) && (a[3] & MREMAP_FIXED) == 0;
    default:
      return false;
  }
}

bool IsAllowedAnywhere(const HostCall& call) {
  if (call.number == SYS_sched_yield || IsHarmlessMemoryCall(call)) return true;
  if (call.number == kUretprobe || call.number == kUprobe) return call.result < 0;
  return call.number == SYS_futex && IsNativeFutex(call.arguments[1]);
}

bool IsAllowedAtGate(const HostCall& call) {
  switch (call.number) {
    case SYS_rt_sigreturn:
    case SYS_close:
    case SYS_exit:
      return true;
    case SYS_madvise:
      return call.arguments[0] == kSlots && call.arguments[1] == kSlotsSize &&
             call.arguments[2] == MADV_DONTFORK;
    default:
      return false;
  }
}

// Nothing that was seen is beyond the filter's table; what the sentry has not ordered failed.
void ExpectWithinTable(const Observed& observed, const std::vector<uint64_t>& gates) {
  EXPECT_TRUE(observed.complete);
  EXPECT_GT(observed.calls.size(), 0u);  // At least the hand-off's futexes: the observer works.
  for (const HostCall& call : observed.calls) {
    bool at_gate = false;
    for (uint64_t gate : gates) at_gate = at_gate || call.instruction == gate + 2;
    bool refused =
        at_gate && IsNotifiedCall(static_cast<long>(call.number)) && call.result == -EPERM;
    EXPECT_TRUE(call.arch == AUDIT_ARCH_X86_64 &&
                (IsAllowedAnywhere(call) || (at_gate && (IsAllowedAtGate(call) || refused))))
        << "call " << std::hex << call.number << " at " << call.instruction << " arch " << call.arch
        << " gave " << std::dec << call.result;
  }
}

struct Sweep {
  std::span<const char> code{};
  uint64_t target = 0;  // r13.
  uint64_t first = 0, last = kLastNumber;
  uint64_t argument = 0;
};

void Load(Context& context, const Sweep& sweep) {
  Registers& r = context.registers();
  r.r12 = sweep.first, r.r13 = sweep.target, r.r14 = sweep.last, r.r15 = sweep.argument;
}

// Runs the sweep under the observer's eyes.
Observed RunObserved(std::unique_ptr<Context> context, bool expect_end = true) {
  int pid = context->address_space()->host_pid();
  if (!observer::Watch(pid)) {
    ADD_FAILURE() << "cannot trace";
    return {};
  }
  {
    Runner runner(std::move(context));
    EXPECT_TRUE(!expect_end || conformance::Eventually([&] { return runner.reached_end.load(); }));
  }
  return observer::Finish();
}

std::unique_ptr<Context> SweepGuest(const Sweep& sweep) {
  auto context = NewGuest(sweep.code);
  Load(*context, sweep);
  return context;
}

constexpr uint64_t kArguments[] = {0, ~uint64_t{0}, kData, kSlots, 0x20000, 3};

TEST(Attack, EveryNumberFromGuestCode) {
  for (uint64_t argument : kArguments) {
    auto context = SweepGuest({.code = sweep_syscall(), .argument = argument});
    auto gates = ShimSyscalls(context->address_space()->host_pid());
    ExpectWithinTable(RunObserved(std::move(context)), gates);
  }
}

TEST(Attack, EveryX32NumberFromGuestCode) {
  auto context =
      SweepGuest({.code = sweep_syscall(), .first = kX32, .last = kX32 + 560, .argument = kData});
  auto gates = ShimSyscalls(context->address_space()->host_pid());
  ExpectWithinTable(RunObserved(std::move(context)), gates);
}

TEST(Attack, NumbersBeyondTheTable) {
  for (uint64_t first :
       {uint64_t{481}, uint64_t{0x3ffffff0}, uint64_t{0x7fffffe0}, uint64_t{0xfffffff0},
        uint64_t{0x100000000}, uint64_t{0xffffffffffffff00}}) {
    auto context = SweepGuest({.code = sweep_syscall(), .first = first, .last = first + 31});
    auto gates = ShimSyscalls(context->address_space()->host_pid());
    ExpectWithinTable(RunObserved(std::move(context)), gates);
  }
}

TEST(Attack, EveryNumberAtEverySyscallOfTheShim) {
  for (uint64_t argument : kArguments) {
    size_t index = 0, count = 1;
    for (; index < count; ++index) {
      auto context = NewGuest(sweep_call());
      auto gates = ShimSyscalls(context->address_space()->host_pid());
      count = gates.size();
      ASSERT_GE(count, 1u);
      Load(*context, {.target = gates[index], .argument = argument});
      ExpectWithinTable(RunObserved(std::move(context)), gates);
    }
  }
}

TEST(Attack, Int80NeverReachesTheHost) {
  auto context = SweepGuest({.code = sweep_int80(), .last = 460, .argument = kData});
  auto gates = ShimSyscalls(context->address_space()->host_pid());
  Observed observed = RunObserved(std::move(context));
  ExpectWithinTable(observed, gates);
}

TEST(Attack, TheVsyscallPageNeverReachesTheHost) {
  for (uint64_t entry : {0xffffffffff600000, 0xffffffffff600400, 0xffffffffff600800}) {
    auto context = NewGuest(call_r13());
    context->registers().r13 = entry;
    context->registers().rdi = kData;
    auto gates = ShimSyscalls(context->address_space()->host_pid());
    ExpectWithinTable(RunObserved(std::move(context), /*expect_end=*/false), gates);
  }
}

TEST(Attack, EveryNumberAfterForkAndInAThread) {
  for (bool share_memory : {false, true}) {
    auto context = SweepGuest({.code = sweep_call(), .argument = kData});
    auto gates = ShimSyscalls(context->address_space()->host_pid());
    context->registers().r13 = gates[0];
    auto clone = context->Clone(share_memory);
    ASSERT_TRUE(clone.ok());
    int pid = (*clone)->address_space()->host_pid();
    ASSERT_TRUE(observer::Watch(pid));
    {
      Runner runner(std::move(*clone));
      EXPECT_TRUE(conformance::Eventually([&] { return runner.reached_end.load(); }));
      context.reset();
    }
    ExpectWithinTable(observer::Finish(), gates);
  }
}

TEST(Attack, UretprobeDoesNothing) {
  auto context = NewGuest(one_call());
  context->registers().rax = kUretprobe;
  GuestThread guest(ThePlatform(), std::move(context));
  Event event = guest.Next();  // SIGILL, or on older kernels a call like any other.
  EXPECT_TRUE(event.kind == Kind::kSyscall || event.signal == SIGILL);
}

// The outcome of one call at the shim's gate.
int64_t GateCall(long number, std::array<uint64_t, 6> a) {
  auto context = NewGuest(call_r13());
  Registers& r = context->registers();
  r.r13 = ShimSyscalls(context->address_space()->host_pid())[0];
  r.rax = static_cast<uint64_t>(number);
  r.rdi = a[0], r.rsi = a[1], r.rdx = a[2], r.r10 = a[3], r.r8 = a[4], r.r9 = a[5];
  GuestThread guest(ThePlatform(), std::move(context));
  Event event = guest.Next();
  EXPECT_EQ(event.syscall_number, kEnd);
  return static_cast<int64_t>(event.arguments[0]);
}

TEST(Attack, MemoryCallsAimedAtTheShimAreRefused) {
  constexpr uint64_t kAnonymous = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
  for (uint64_t address : {uint64_t{0x20000}, kSlots, kStacks}) {
    EXPECT_EQ(GateCall(SYS_munmap, {address, kPage}), -EPERM);
    EXPECT_EQ(GateCall(SYS_mprotect, {address, kPage, 7}), -EPERM);
    EXPECT_EQ(GateCall(SYS_mmap, {address, kPage, 3, kAnonymous, ~uint64_t{0}, 0}), -EPERM);
    EXPECT_EQ(GateCall(SYS_mremap, {address, kPage, kPage, 3, kData}), -EPERM);
    EXPECT_EQ(GateCall(SYS_madvise, {address, kPage, MADV_DONTNEED}), -EPERM);
  }
  EXPECT_EQ(GateCall(SYS_madvise, {kSlots, kSlotsSize, MADV_DOFORK}), -EPERM);
  EXPECT_EQ(GateCall(SYS_mmap, {0x40000000, kPage, 1, MAP_SHARED | MAP_FIXED, kStubFd, 0}), -EPERM);
  EXPECT_EQ(GateCall(SYS_clone, {kForkFlags, 0, 0, kSlots, 0, 0}), -EPERM);
  EXPECT_EQ(GateCall(SYS_clone, {kThreadFlags, kStack, 0, kSlots, 0, 0}), -EPERM);
}

// How the host sees the platform's pages in a stub: where they are and their flags.
std::string ShimMappings(int pid) {
  std::ifstream smaps("/proc/" + std::to_string(pid) + "/smaps");
  std::string line, shim;
  bool inside = false;
  while (std::getline(smaps, line)) {
    uint64_t start, end;
    bool header = sscanf(line.c_str(), "%lx-%lx ", &start, &end) == 2;
    if (header)
      inside = end > kShimStart && (start < kShimEnd || (end > kSlots && start < kHighEnd));
    if (inside && (header || line.starts_with("VmFlags"))) shim += line + "\n";
  }
  return shim;
}

using TableCall = std::array<uint64_t, 7>;

// Memory calls that touch the shim, or would if somebody lost bits of an argument or added without
// looking.
std::vector<TableCall> CallsAtTheShim() {
  constexpr uint64_t kMap = MAP_PRIVATE | MAP_ANONYMOUS, k4G = uint64_t{1} << 32;
  std::vector<TableCall> calls;
  struct Range {
    uint64_t address, length;
  };
  for (Range range : {Range{0x20000, kPage},
                      {kShimStart, kShimEnd - kShimStart},
                      {kSlots, kPage},
                      {kSlots - kPage, 2 * kPage},
                      {kSlots - k4G, k4G + kPage},
                      {kStacks, kPage},
                      {kSlots - k4G + kPage, k4G - 1},
                      {kHighEnd - kPage, kPage},
                      {kShimEnd - kPage, 2 * kPage},
                      {0x10000000, kSlots},
                      {0, kGuestEnd},
                      {kGuestEnd - kPage, ~uint64_t{0} - kGuestEnd + kSlots + 2 * kPage},
                      {kHighEnd, ~uint64_t{0} & ~(kPage - 1)},
                      {kShimEnd, ~uint64_t{0} - kPage + 1}}) {
    auto [address, length] = range;
    calls.push_back({SYS_munmap, address, length});
    calls.push_back({SYS_mprotect, address, length, PROT_NONE});
    calls.push_back({SYS_mprotect, address, length, PROT_READ | PROT_WRITE | PROT_EXEC});
    for (uint64_t advice : {MADV_DONTNEED, MADV_FREE, MADV_REMOVE, MADV_DOFORK, MADV_WIPEONFORK}) {
      calls.push_back({SYS_madvise, address, length, advice});
    }
    for (uint64_t flags : {kMap, kMap | MAP_FIXED, kMap | MAP_GROWSDOWN | MAP_FIXED,
                           uint64_t{MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED}}) {
      calls.push_back({SYS_mmap, address, length, PROT_READ | PROT_WRITE, flags, ~uint64_t{0}, 0});
    }
    calls.push_back({SYS_mremap, address, length, kPage, MREMAP_MAYMOVE, 0});
    calls.push_back({SYS_mremap, address, length, length + kPage, MREMAP_MAYMOVE, 0});
    calls.push_back({SYS_mremap, kCode, kPage, length, MREMAP_MAYMOVE | MREMAP_FIXED, address});
    calls.push_back({SYS_mremap, kCode, kPage, kPage, MREMAP_MAYMOVE | 4, address});
  }
  return calls;
}

TEST(Attack, MemoryCallsOfGuestCodeLeaveTheShimAlone) {
  const std::vector<TableCall> calls = CallsAtTheShim();
  for (bool at_gate : {false, true}) {
    auto context = NewGuest(at_gate ? table_gate() : table_syscall());
    AddressSpace& space = *context->address_space();
    int pid = space.host_pid();
    auto gates = ShimSyscalls(pid);
    ASSERT_LE(calls.size() * sizeof(TableCall), conformance::kDataSize);
    ASSERT_TRUE(space.CopyOut(kData, std::as_bytes(std::span(calls))).ok());
    Registers& r = context->registers();
    r.r12 = kData, r.r13 = gates[0], r.r14 = calls.size();
    const std::string before = ShimMappings(pid);
    ASSERT_NE(before, "");
    ASSERT_TRUE(observer::Watch(pid));
    {
      GuestThread guest(ThePlatform(), std::move(context));
      Event event = guest.Next();
      while (event.kind == Kind::kSyscall && event.syscall_number != kEnd) {
        event = guest.Return(static_cast<uint64_t>(-ENOSYS));
      }
      EXPECT_EQ(event.syscall_number, kEnd);
      EXPECT_EQ(ShimMappings(pid), before);
      for (size_t i = 0; i < calls.size(); ++i) {
        auto result = Peek<int64_t>(space, kData + i * sizeof(TableCall));
        EXPECT_TRUE(result == -ENOSYS || (at_gate && result == -EPERM)) << i << ": " << result;
      }
    }
    ExpectWithinTable(observer::Finish(), gates);
  }
}

// Where the host chooses the place itself, it never is the shim's.
TEST(Attack, MemoryNeverComesToLieOverTheShim) {
  constexpr uint64_t kMap = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  std::vector<TableCall> calls;
  for (int i = 0; i < 290; ++i) {
    uint64_t flags = i % 2 ? kMap : kMap | MAP_32BIT;
    calls.push_back({SYS_mmap, 0, uint64_t{i % 2 ? 0xffffffffu : 0x800000u}, PROT_NONE, flags});
  }
  auto context = NewGuest(table_syscall());
  AddressSpace& space = *context->address_space();
  ASSERT_TRUE(space.CopyOut(kData, std::as_bytes(std::span(calls))).ok());
  context->registers().r12 = kData, context->registers().r14 = calls.size();
  const std::string before = ShimMappings(space.host_pid());
  GuestThread guest(ThePlatform(), std::move(context));
  EXPECT_EQ(guest.Next().syscall_number, kEnd);  // All were native.
  EXPECT_EQ(ShimMappings(space.host_pid()), before);
  for (size_t i = 0; i < calls.size(); ++i) {
    auto result = Peek<uint64_t>(space, kData + i * sizeof(TableCall));
    bool error = static_cast<int64_t>(result) < 0;
    EXPECT_TRUE(error || OffTheShim(result, calls[i][2])) << std::hex << result;
  }
}

TEST(Attack, AnInjectedFileIsGoneAfterItsMapping) {
  auto context = NewGuest(call_r13());
  int pid = context->address_space()->host_pid();
  int file = memfd_create("secret", MFD_CLOEXEC);
  ASSERT_EQ(ftruncate(file, kPage), 0);
  ASSERT_TRUE(
      context->MapFile(0x50000000, kPage, PROT_READ, MAP_PRIVATE | MAP_FIXED, file, 0).ok());
  close(file);
  char path[64];
  snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, kStubFd);
  EXPECT_NE(access(path, F_OK), 0);
  char link[8];
  for (int fd = 0; fd < 64; ++fd) {
    snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
    EXPECT_LT(readlink(path, link, sizeof(link)), 0) << fd;
  }
}

// A guest that blocks the interrupt by a forged frame is killed when patience ends.
TEST(Attack, AForgedSignalMaskDoesNotMakeAGuestImmortal) {
  auto context = NewGuest(forge_mask());
  AddressSpace& space = *context->address_space();
  // struct ucontext at kData: everything blocked, going on at a loop.
  ucontext_t forged{};
  forged.uc_mcontext.gregs[REG_RIP] = static_cast<greg_t>(kCode + 0x100);
  forged.uc_mcontext.gregs[REG_RSP] = static_cast<greg_t>(kStack + kPage);
  forged.uc_mcontext.gregs[REG_CSGSFS] = 0x2b00000000000033;
  forged.uc_mcontext.gregs[REG_EFL] = 0x202;
  memset(&forged.uc_sigmask, 0xff, sizeof(forged.uc_sigmask));
  forged.uc_stack.ss_flags = SS_DISABLE;
  ASSERT_TRUE(space.CopyOut(kData, std::as_bytes(std::span(&forged, 1))).ok());
  ASSERT_EQ(Outcome(Call(*context, SYS_mprotect, kCode, kPage, PROT_READ | PROT_WRITE)), 0);
  Poke<uint16_t>(space, kCode + 0x100, 0xfeeb);  // jmp .
  ASSERT_EQ(Outcome(Call(*context, SYS_mprotect, kCode, kPage, PROT_READ | PROT_EXEC)), 0);
  Registers& r = context->registers();
  r.r13 = ShimSyscalls(space.host_pid())[0];
  r.r15 = kData;
  GuestThread guest(ThePlatform(), std::move(context));
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  guest.Interrupt();
  Event event = guest.Next();
  EXPECT_EQ(event.kind, Kind::kDead);
  EXPECT_EQ(event.signal, SIGKILL);
}

// One thread destroys what another needs; both can be ended, and a bystander feels nothing.
TEST(Attack, ScribblingOverSlotsAndStacksHarmsOnlyOneself) {
  GuestThread bystander(ThePlatform(), NewGuest(caller()));
  ASSERT_EQ(bystander.Next().kind, Kind::kSyscall);
  struct Target {
    uint64_t address, size;
  };
  for (Target target : {Target{kSlots, 4}, Target{kSlots, 512}, Target{kSlots + 64, 448},
                        Target{kSlots, 2 * kSlotSize}, Target{kStacks, 2 * kStackSize},
                        Target{kStacks + kStackSize - 2048, 2048}}) {
    auto context = NewGuest(caller());
    AddressSpace& space = *context->address_space();
    ASSERT_EQ(Outcome(Call(*context, SYS_mprotect, kCode, kPage, PROT_READ | PROT_WRITE)), 0);
    ASSERT_TRUE(space.CopyOut(kCode + 0x100, std::as_bytes(scribble())).ok());
    ASSERT_EQ(Outcome(Call(*context, SYS_mprotect, kCode, kPage, PROT_READ | PROT_EXEC)), 0);
    auto clone = context->Clone(true);
    ASSERT_TRUE(clone.ok());
    Registers& r = (*clone)->registers();
    r.rip = kCode + 0x100, r.r13 = target.address, r.r14 = target.size;
    Runner victim(std::move(context));
    Runner vandal(std::move(*clone));
    int pid = space.host_pid();
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    EXPECT_EQ(bystander.Return(7).syscall_number, 1002u);
    kill(pid, SIGKILL);
  }
}

TEST(Attack, AChildCannotSeeItsParentsSlots) {
  auto parent = NewGuest(caller());
  auto child = parent->Clone(false);
  ASSERT_TRUE(child.ok());
  auto access = [](auto call, int pid, uint64_t* value) {
    iovec local{value, sizeof(*value)};
    iovec remote{reinterpret_cast<void*>(kSlots + kPage), sizeof(*value)};
    EXPECT_EQ(call(pid, &local, 1, &remote, 1, 0), static_cast<ssize_t>(sizeof(*value)));
  };
  uint64_t mine = 1, theirs = 2, seen = 0;
  ASSERT_EQ(Outcome(Call(**child, SYS_munlockall)), 0);  // It has its slots now.
  access(process_vm_writev, parent->address_space()->host_pid(), &mine);
  access(process_vm_writev, (*child)->address_space()->host_pid(), &theirs);
  access(process_vm_readv, parent->address_space()->host_pid(), &seen);
  EXPECT_EQ(seen, mine);
}

}  // namespace
}  // namespace redoubt::platform::seccomp_trap

int main(int argc, char** argv) {
  using namespace redoubt::platform;
  seccomp_trap::observer::Start();
  testing::GTEST_FLAG(filter) = "Attack.*";  // The conformance tests are linked in, too.
  return conformance::Main(argc, argv, SeccompTrapPlatformType());
}
