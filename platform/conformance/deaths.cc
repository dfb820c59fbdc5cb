// SPDX-License-Identifier: Apache-2.0
//
// A stub that the host ends behind the sentry's back.
#include <linux/futex.h>
#include <sys/syscall.h>

#include <chrono>
#include <csignal>
#include <thread>

#include "platform/conformance/platform_conformance.h"

namespace redoubt::platform::conformance {
namespace {

using Kind = Event::Kind;

GUEST_CODE(spin, R"(
1:pause
  jmp 1b
)")
// Calls; or spins, from the second part on.
GUEST_CODE(call, R"(
1:mov $1001, %eax
  syscall
  jmp 1b
  .org call_begin + 64
2:pause
  jmp 2b
)")
constexpr uint64_t kSpin = kCode + 64;

TEST(Death, OfARunningGuest) {
  auto context = NewGuest(spin());
  int pid = context->address_space()->host_pid();
  GuestThread guest(ThePlatform(), std::move(context));
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  ASSERT_EQ(kill(pid, SIGKILL), 0);
  Event event = guest.Next();
  EXPECT_EQ(event.kind, Kind::kDead);
  EXPECT_EQ(event.signal, SIGKILL);
  guest.Exit();
}

TEST(Death, OfAGuestStoppedInACall) {
  auto context = NewGuest(call());
  RefPtr<AddressSpace> space = context->address_space();
  GuestThread guest(ThePlatform(), std::move(context));
  ASSERT_EQ(guest.Next().kind, Kind::kSyscall);
  ASSERT_EQ(kill(space->host_pid(), SIGKILL), 0);
  guest.Do([](Context& c) {
    EXPECT_FALSE(Call(c, SYS_munmap, kData, kPage).ok());
    EXPECT_FALSE(c.Clone(false).ok());
    std::byte byte;  // The memory may outlive the thread for a moment.
    EXPECT_TRUE(Eventually([&] { return c.CopyIn(kData, std::span(&byte, 1)).Is(EFAULT); }));
  });
  guest.Resume();
  EXPECT_EQ(guest.Next().kind, Kind::kDead);
  guest.Exit();
}

TEST(Death, InABlockingHostCall) {
  auto context = NewGuest(call());
  int pid = context->address_space()->host_pid();
  GuestThread guest(ThePlatform(), std::move(context));
  ASSERT_EQ(guest.Next().kind, Kind::kSyscall);
  int64_t outcome = 0;
  guest.DoAsync(
      [&](Context& c) { outcome = Outcome(Call(c, SYS_futex, kData, FUTEX_WAIT_PRIVATE, 0, 0)); });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  ASSERT_EQ(kill(pid, SIGKILL), 0);
  guest.WaitDone();
  EXPECT_LT(outcome, 0);
  guest.Resume();
  EXPECT_EQ(guest.Next().kind, Kind::kDead);
  guest.Exit();
}

TEST(Death, IsToldToEveryThread) {
  GuestThread first(ThePlatform(), NewGuest(call()));
  ASSERT_EQ(first.Next().kind, Kind::kSyscall);
  std::unique_ptr<Context> clones[3];
  int pid = 0;
  first.Do([&](Context& c) {
    for (auto& clone : clones) clone = std::move(*c.Clone(true));
    pid = c.address_space()->host_pid();
  });
  GuestThread second(ThePlatform(), std::move(clones[0]));
  GuestThread third(ThePlatform(), std::move(clones[1]));
  ASSERT_EQ(second.Next().kind, Kind::kSyscall);
  ASSERT_EQ(third.Next().kind, Kind::kSyscall);
  second.Resume();
  ASSERT_EQ(second.Next().kind, Kind::kSyscall);
  ASSERT_EQ(kill(pid, SIGKILL), 0);
  GuestThread late(ThePlatform(), std::move(clones[2]));  // Started when all is over.
  for (GuestThread* guest : {&second, &third, &first}) {
    guest->Resume();
    EXPECT_EQ(guest->Next().kind, Kind::kDead);
    guest->Exit();
  }
  Event event = late.Next();
  if (event.kind == Kind::kSyscall) {  // It was quicker.
    late.Resume();
    event = late.Next();
  }
  EXPECT_EQ(event.kind, Kind::kDead);
}

TEST(Death, IsToldToOneThreadWhileTheOthersAreServed) {
  for (bool first_runs : {false, true}) {
    GuestThread first(ThePlatform(), NewGuest(call()));
    ASSERT_EQ(first.Next().kind, Kind::kSyscall);
    std::unique_ptr<Context> clone;
    int pid = 0;
    first.Do([&](Context& c) {
      clone = std::move(*c.Clone(true));
      pid = c.address_space()->host_pid();
    });
    clone->registers().rip = kCode;
    GuestThread second(ThePlatform(), std::move(clone));
    ASSERT_EQ(second.Next().kind, Kind::kSyscall);
    GuestThread& running = first_runs ? first : second;
    running.Do([](Context& c) { c.registers().rip = kSpin; });
    running.Resume();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    ASSERT_EQ(kill(pid, SIGKILL), 0);
    EXPECT_EQ(running.Next().kind, Kind::kDead);
    running.Exit();
    GuestThread& served = first_runs ? second : first;
    served.Resume();
    EXPECT_EQ(served.Next().kind, Kind::kDead);
    served.Exit();
  }
}

TEST(Death, OfAForkedChildDoesNotTouchTheParent) {
  GuestThread parent(ThePlatform(), NewGuest(call()));
  ASSERT_EQ(parent.Next().kind, Kind::kSyscall);
  std::unique_ptr<Context> clone;
  parent.Do([&](Context& c) { clone = std::move(*c.Clone(false)); });
  ASSERT_EQ(kill(clone->address_space()->host_pid(), SIGKILL), 0);
  GuestThread child(ThePlatform(), std::move(clone));
  EXPECT_EQ(child.Next().kind, Kind::kDead);
  EXPECT_EQ(parent.Return(0).kind, Kind::kSyscall);
}

TEST(Death, OfAnUnusedSpace) {
  auto space = ThePlatform().NewAddressSpace();
  ASSERT_TRUE(space.ok());
  ASSERT_EQ(kill((*space)->host_pid(), SIGKILL), 0);
  auto context = ThePlatform().NewContext(*space);
  if (!context.ok()) return;
  EXPECT_FALSE(Call(**context, SYS_munmap, kData, kPage).ok());
}

TEST(Death, ByExitWhileOthersRun) {
  GuestThread first(ThePlatform(), NewGuest(call()));
  ASSERT_EQ(first.Next().kind, Kind::kSyscall);
  std::unique_ptr<Context> clone;
  first.Do([&](Context& c) { clone = std::move(*c.Clone(true)); });
  clone->registers().rip = kCode;
  GuestThread second(ThePlatform(), std::move(clone));
  ASSERT_EQ(second.Next().kind, Kind::kSyscall);
  second.Exit();
  first.Exit();
}

}  // namespace
}  // namespace redoubt::platform::conformance
