// SPDX-License-Identifier: Apache-2.0
//
// Interrupt() in every state that a guest thread can be in.
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "platform/conformance/platform_conformance.h"

namespace redoubt::platform::conformance {
namespace {

using Kind = Event::Kind;

GUEST_CODE(spin, R"(
1:incq (%rbx)
  jmp 1b
)")
GUEST_CODE(calls, R"(
1:inc %r12
  mov $1001, %eax
  syscall
  jmp 1b
)")

void Sleep(int milliseconds) {
  std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
}

SyscallResult FutexWait(Context& context) {
  return Call(context, SYS_futex, kData, FUTEX_WAIT_PRIVATE, 0, 0);
}

TEST(Interrupt, ASpinningGuestStops) {
  auto context = NewGuest(spin());
  RefPtr<AddressSpace> space = context->address_space();
  GuestThread guest(ThePlatform(), std::move(context));
  for (int i = 0; i < 20; ++i) {
    uint64_t before = Peek<uint64_t>(*space, kData);
    EXPECT_TRUE(Eventually([&] { return Peek<uint64_t>(*space, kData) > before; }));
    guest.Interrupt();
    ASSERT_EQ(guest.Next().kind, Kind::kInterrupted);
    guest.Resume();
  }
}

TEST(Interrupt, BeforeStartComesFirst) {
  auto context = NewGuest(spin());
  context->Interrupt();
  GuestThread guest(ThePlatform(), std::move(context));
  EXPECT_EQ(guest.Next().kind, Kind::kInterrupted);
}

TEST(Interrupt, OutOfGuestCodeItComesBeforeTheGuestRuns) {
  GuestThread guest(ThePlatform(), NewGuest(calls()));
  ASSERT_EQ(guest.Next().kind, Kind::kSyscall);
  guest.Interrupt();
  guest.Interrupt();
  guest.Resume();
  ASSERT_EQ(guest.Next().kind, Kind::kInterrupted);
  guest.Do([](Context& c) { EXPECT_EQ(c.registers().r12, 1u); });
  guest.Resume();
  EXPECT_EQ(guest.Next().kind, Kind::kSyscall);
}

TEST(Interrupt, ClearForgetsIt) {
  GuestThread guest(ThePlatform(), NewGuest(calls()));
  ASSERT_EQ(guest.Next().kind, Kind::kSyscall);
  guest.Interrupt();
  guest.Do([](Context& c) { c.ClearInterrupt(); });
  guest.Resume();
  EXPECT_EQ(guest.Next().kind, Kind::kSyscall);
}

TEST(Interrupt, EndsABlockingHostCall) {
  GuestThread guest(ThePlatform(), NewGuest(calls()));
  ASSERT_EQ(guest.Next().kind, Kind::kSyscall);
  int64_t outcome = 0;
  guest.DoAsync([&](Context& c) { outcome = Outcome(FutexWait(c)); });
  Sleep(50);
  guest.Interrupt();
  guest.WaitDone();
  EXPECT_EQ(outcome, -EINTR);
  guest.Resume();
  EXPECT_EQ(guest.Next().kind, Kind::kInterrupted);
  guest.Resume();
  EXPECT_EQ(guest.Next().kind, Kind::kSyscall);
}

TEST(Interrupt, BeforeABlockingHostCallItDoesNotBlock) {
  GuestThread guest(ThePlatform(), NewGuest(calls()));
  ASSERT_EQ(guest.Next().kind, Kind::kSyscall);
  guest.Interrupt();
  guest.Do([&](Context& c) { EXPECT_EQ(Outcome(FutexWait(c)), -EINTR); });
  // A call that cannot block is made all the same.
  guest.Do([&](Context& c) { EXPECT_TRUE(MapAnonymous(c, 0x40000000, kPage, PROT_READ).ok()); });
}

TEST(Interrupt, FutexWaitIsWokenByAnotherThread) {
  GuestThread waiter(ThePlatform(), NewGuest(calls()));
  ASSERT_EQ(waiter.Next().kind, Kind::kSyscall);
  std::unique_ptr<Context> clone;
  waiter.Do([&](Context& c) { clone = std::move(*c.Clone(true)); });
  GuestThread waker(ThePlatform(), std::move(clone));
  ASSERT_EQ(waker.Next().kind, Kind::kSyscall);
  int64_t outcome = -1;
  waiter.DoAsync([&](Context& c) { outcome = Outcome(FutexWait(c)); });
  int64_t woken = 0;
  EXPECT_TRUE(Eventually([&] {
    waker.Do(
        [&](Context& c) { woken = Outcome(Call(c, SYS_futex, kData, FUTEX_WAKE_PRIVATE, 1)); });
    return woken == 1;
  }));
  waiter.WaitDone();
  EXPECT_EQ(outcome, 0);
}

TEST(Interrupt, FutexTimeoutIsTheHosts) {
  GuestThread guest(ThePlatform(), NewGuest(calls()));
  ASSERT_EQ(guest.Next().kind, Kind::kSyscall);
  guest.Do([&](Context& c) {
    Poke<int64_t>(*c.address_space(), kData + 64, 0);
    Poke<int64_t>(*c.address_space(), kData + 72, 20'000'000);
    EXPECT_EQ(Outcome(Call(c, SYS_futex, kData, FUTEX_WAIT_PRIVATE, 0, kData + 64)), -ETIMEDOUT);
    EXPECT_EQ(Outcome(Call(c, SYS_futex, kData, FUTEX_WAIT_PRIVATE, 1, kData + 64)), -EAGAIN);
  });
}

// No call may be lost, doubled or given wrong registers, whatever an interrupt meets.
TEST(Interrupt, RacesWithCalls) {
  auto context = NewGuest(calls());
  context->registers().r12 = 0;
  GuestThread guest(ThePlatform(), std::move(context));
  std::atomic<bool> stop = false;
  std::thread interrupter([&] {
    while (!stop) {
      guest.Interrupt();
      std::this_thread::sleep_for(std::chrono::microseconds(30));
    }
  });
  uint64_t seen = 0;
  for (int i = 0; i < 4000; ++i) {
    Event event = guest.Next();
    uint64_t counted = 0;
    int64_t mapped = 0;
    guest.Do([&](Context& c) {
      counted = c.registers().r12;
      if (event.kind == Kind::kSyscall) c.registers().rax = 1001;
      if (i % 8 == 0) mapped = Outcome(Call(c, SYS_mprotect, kData, kPage, PROT_READ | PROT_WRITE));
    });
    EXPECT_EQ(mapped, 0);
    if (event.kind == Kind::kSyscall) {
      ASSERT_EQ(event.syscall_number, 1001u);
      ASSERT_EQ(counted, ++seen);
    } else {
      ASSERT_EQ(event.kind, Kind::kInterrupted);
      ASSERT_LE(counted, seen + 1);
    }
    guest.Resume();
  }
  stop = true;
  interrupter.join();
  EXPECT_GT(seen, 100u);
}

}  // namespace
}  // namespace redoubt::platform::conformance
