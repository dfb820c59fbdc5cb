// SPDX-License-Identifier: Apache-2.0
//
// System calls as events: what the sentry is told, and what the guest gets back.
#include <algorithm>
#include <vector>

#include "platform/conformance/platform_conformance.h"

namespace redoubt::platform::conformance {
namespace {

using Kind = Event::Kind;

// One call with the arguments that the test set, then its result as the next call's argument.
GUEST_CODE(two_calls, R"(
  syscall
  mov %rax, %rdi
  mov $1002, %eax
  syscall
  ud2
)")

// Calls that a platform may leave to the host: sched_yield, futex(FUTEX_WAKE).
GUEST_CODE(native_calls, R"(
  mov $24, %eax
  syscall
  mov %rbx, %rdi
  mov $1, %esi
  mov $1, %edx
  mov $202, %eax
  syscall
  mov $1001, %eax
  syscall
  ud2
)")

GUEST_CODE(call_loop, R"(
1:inc %rbx
  mov $1001, %eax
  syscall
  jmp 1b
)")

// A call through each way that 32-bit code has; what comes back, if it does, is an exit.
GUEST_CODE(int80, R"(
  mov $20, %eax
  int $0x80
  mov $1003, %eax
  syscall
)")
GUEST_CODE(sysenter, R"(
  mov $20, %eax
  mov %rsp, %rbp
  sysenter
  mov $1003, %eax
  syscall
)")

TEST(Syscall, EventHasNumberAndArguments) {
  auto context = NewGuest(two_calls());
  Registers& r = context->registers();
  r.rax = 1001;
  r.rdi = 11, r.rsi = 12, r.rdx = 13, r.r10 = 14, r.r8 = 15, r.r9 = ~uint64_t{0};
  GuestThread guest(ThePlatform(), std::move(context));
  Event event = guest.Next();
  ASSERT_EQ(event.kind, Kind::kSyscall);
  EXPECT_EQ(event.syscall_number, 1001u);
  EXPECT_EQ(event.arguments, (std::array<uint64_t, 6>{11, 12, 13, 14, 15, ~uint64_t{0}}));
  guest.Do([](Context& c) {
    EXPECT_EQ(c.registers().rip, kCode + 2);
    EXPECT_EQ(c.registers().orig_rax, 1001u);
    EXPECT_EQ(static_cast<int64_t>(c.registers().rax), -ENOSYS);
    EXPECT_EQ(c.registers().SyscallArguments()[5], ~uint64_t{0});
  });
}

TEST(Syscall, ResultComesBack) {
  auto context = NewGuest(two_calls());
  context->registers().rax = 1001;
  GuestThread guest(ThePlatform(), std::move(context));
  ASSERT_EQ(guest.Next().kind, Kind::kSyscall);
  Event event = guest.Return(0x123456789abcdef0);
  ASSERT_EQ(event.kind, Kind::kSyscall);
  EXPECT_EQ(event.syscall_number, 1002u);
  EXPECT_EQ(event.arguments[0], 0x123456789abcdef0u);
}

TEST(Syscall, OtherRegistersAreKept) {
  auto context = NewGuest(two_calls());
  Registers& r = context->registers();
  r.rax = 1001;
  r.rbp = 1, r.r12 = 2, r.r13 = 3, r.r14 = 4, r.r15 = 5, r.rdx = 6, r.rsi = 7, r.r8 = 8;
  r.fs_base = kData + 64, r.gs_base = kData + 128;
  GuestThread guest(ThePlatform(), std::move(context));
  ASSERT_EQ(guest.Next().kind, Kind::kSyscall);
  ASSERT_EQ(guest.Return(0).kind, Kind::kSyscall);
  guest.Do([](Context& c) {
    Registers& r = c.registers();
    EXPECT_EQ(r.rbx, kData);
    EXPECT_EQ(r.rsp, kStack + kStackSize);
    std::vector<uint64_t> kept{r.rbp, r.r12, r.r13, r.r14, r.r15, r.rdx, r.rsi, r.r8};
    EXPECT_EQ(kept, (std::vector<uint64_t>{1, 2, 3, 4, 5, 6, 7, 8}));
    EXPECT_EQ(r.fs_base, kData + 64);
    EXPECT_EQ(r.gs_base, kData + 128);
  });
}

TEST(Syscall, RegistersSetByTheHandlerAreUsed) {
  auto context = NewGuest(two_calls());
  context->registers().rax = 1001;
  GuestThread guest(ThePlatform(), std::move(context));
  ASSERT_EQ(guest.Next().kind, Kind::kSyscall);
  guest.Do([](Context& c) {
    c.registers().rip = kCode;  // As a signal handler or a restarted call would.
    c.registers().rax = 1005;
    c.registers().r9 = 77;
  });
  guest.Resume();
  Event event = guest.Next();
  EXPECT_EQ(event.syscall_number, 1005u);
  EXPECT_EQ(event.arguments[5], 77u);
}

TEST(Syscall, NumbersAreThirtyTwoBit) {
  // Linux takes the low half of rax, sign-extended.
  for (uint64_t number : {0xdeadbeef000003e9, uint64_t{0x400003e9}, uint64_t{0x7fffffff}}) {
    auto context = NewGuest(two_calls());
    context->registers().rax = number;
    GuestThread guest(ThePlatform(), std::move(context));
    Event event = guest.Next();
    ASSERT_EQ(event.kind, Kind::kSyscall) << number;
    EXPECT_EQ(static_cast<uint32_t>(event.syscall_number), static_cast<uint32_t>(number));
  }
}

TEST(Syscall, MinusOneIsACallLikeAnyOther) {
  auto context = NewGuest(two_calls());
  context->registers().rax = ~uint64_t{0};
  GuestThread guest(ThePlatform(), std::move(context));
  Event event = guest.Next();
  ASSERT_EQ(event.kind, Kind::kSyscall);
  EXPECT_EQ(static_cast<int32_t>(event.syscall_number), -1);
  EXPECT_EQ(guest.Return(5).arguments[0], 5u);
}

TEST(Syscall, ManyInARow) {
  auto context = NewGuest(call_loop());
  context->registers().rbx = 0;
  GuestThread guest(ThePlatform(), std::move(context));
  for (uint64_t i = 1; i <= 2000; ++i) {
    ASSERT_EQ(guest.Next().kind, Kind::kSyscall);
    uint64_t rbx = 0;
    guest.Do([&](Context& c) { rbx = c.registers().rbx; });
    ASSERT_EQ(rbx, i);
    guest.Resume();
  }
}

// A 64-bit kernel without 32-bit emulation answers `int $0x80` by SIGSEGV, as for any other vector.
TEST(Syscall, Int80IsASegmentationFault) {
  GuestThread guest(ThePlatform(), NewGuest(int80()));
  Event event = guest.Next();
  ASSERT_EQ(event.kind, Kind::kFault);
  EXPECT_EQ(event.signal, SIGSEGV);
}

TEST(Syscall, SysenterNeverReachesTheHost) {
  GuestThread guest(ThePlatform(), NewGuest(sysenter()));
  Event event = guest.Next();
  ASSERT_EQ(event.kind, Kind::kFault);
  EXPECT_TRUE(event.signal == SIGSEGV || event.signal == SIGILL) << event.signal;
}

void ExpectEveryCall(std::unique_ptr<Context> context) {
  GuestThread guest(ThePlatform(), std::move(context));
  EXPECT_EQ(guest.Next().syscall_number, 24u);
  EXPECT_EQ(guest.Return(0).syscall_number, 202u);
  EXPECT_EQ(guest.Return(0).syscall_number, 1001u);
}

TEST(ReportEveryCall, LeavesNoCallToTheHost) {
  auto context = NewGuest(native_calls());
  ASSERT_TRUE(context->ReportEveryCall().ok());
  ASSERT_TRUE(context->ReportEveryCall().ok());
  ExpectEveryCall(std::move(context));
}

TEST(ReportEveryCall, ClonesInheritIt) {
  for (bool share_memory : {false, true}) {
    auto context = NewGuest(native_calls());
    ASSERT_TRUE(context->ReportEveryCall().ok());
    auto clone = context->Clone(share_memory);
    ASSERT_TRUE(clone.ok());
    ExpectEveryCall(std::move(*clone));
    ExpectEveryCall(std::move(context));
  }
}

TEST(ReportEveryCall, OutlivesExec) {
  auto context = NewGuest(native_calls());
  ASSERT_TRUE(context->ReportEveryCall().ok());
  auto space = ThePlatform().NewAddressSpace();
  ASSERT_TRUE(space.ok());
  ASSERT_TRUE(context->EnterAddressSpace(*space).ok());
  Load(*context, native_calls());
  ExpectEveryCall(std::move(context));
}

// The sentry's own orders go on: memory calls, waits, clones.
TEST(ReportEveryCall, HostCallsStillWork) {
  auto context = NewGuest(native_calls());
  ASSERT_TRUE(context->ReportEveryCall().ok());
  EXPECT_TRUE(MapAnonymous(*context, 0x40000000, kPage, 3).ok());
  constexpr uint64_t kWait = 0, kWake = 1;
  EXPECT_EQ(Outcome(Call(*context, 202, kData, kWake, 1)), 0);
  EXPECT_EQ(Outcome(Call(*context, 202, kData, kWait, 1)), -EAGAIN);
}

}  // namespace
}  // namespace redoubt::platform::conformance
