// SPDX-License-Identifier: Apache-2.0
//
// Guests that say in their slots what they like, whenever they like. The sentry may believe it as
// far as it concerns that guest alone; it may not hang, nor crash.
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include <chrono>
#include <thread>
#include <vector>

#include "platform/arch/xstate.h"
#include "platform/conformance/platform_conformance.h"
#include "platform/seccomp_trap/attack/hostile_guest.h"
#include "platform/seccomp_trap/protocol.h"

namespace redoubt::platform::seccomp_trap {
namespace {

using conformance::Call;
using conformance::GuestThread;
using conformance::kCode;
using conformance::kPage;
using conformance::NewGuest;
using conformance::ThePlatform;
using Kind = Event::Kind;

static_assert(offsetof(Slot, report) == 64 && offsetof(Report, result) == 40);
// Gives the turn away, for ever, with a report of kind r12 and result and signal r14. r13: the
// slot.
GUEST_CODE(liar, R"(
1:mov %r12d, 64(%r13)
  mov %r14d, 68(%r13)
  mov %r14, 104(%r13)
  movl $2, (%r13)
  mov $202, %eax
  mov %r13, %rdi
  mov $1, %esi
  mov $1, %edx
  syscall
  jmp 1b
)")
// Says once that it is gone, and stays: r13 is the slot.
GUEST_CODE(ghost, R"(
  movl $0, (%r13)
  mov $202, %eax
  mov %r13, %rdi
  mov $1, %esi
  mov $1, %edx
  syscall
1:pause
  jmp 1b
)")
GUEST_CODE(lie_caller, R"(
1:mov $1002, %eax
  syscall
  jmp 1b
)")

std::unique_ptr<GuestThread> NewLiar(uint64_t kind, uint64_t value) {
  auto context = NewGuest(liar());
  Registers& r = context->registers();
  r.r12 = kind, r.r13 = kSlots, r.r14 = value;
  return std::make_unique<GuestThread>(ThePlatform(), std::move(context));
}

constexpr uint64_t kValues[] = {
    0, 1, 9, ~uint64_t{0}, ~uint64_t{3}, uint64_t{1} << 40, static_cast<uint64_t>(-4096)};

void AskForEverything(Context& context) {
  (void)Call(context, SYS_munmap, 0x40000000, kPage);
  (void)conformance::MapAnonymous(context, 0x40000000, kPage, PROT_READ);
  (void)Call(context, SYS_futex, kCode, FUTEX_WAIT, 12345);
  (void)Call(context, SYS_futex, kCode, FUTEX_WAKE, 1);
  std::vector<std::byte> image(arch::XstateSize());
  (void)context.GetXstate(image);
  (void)context.SetXstate(image);
  (void)context.Clone(true);
}

TEST(Attack, LyingReportsHarmOnlyTheLiar) {
  Bystander bystander;
  for (uint64_t kind : {0, 1, 2, 3, 4, 5, 99, -1}) {
    for (uint64_t value : kValues) {
      auto guest = NewLiar(kind, value);
      Event event = kind == 3 ? Event{} : guest->Next();
      if (kind == 3) {
        guest->Interrupt();
        event = guest->Next();
      }
      if (event.kind == Kind::kDead) continue;
      guest->Do(AskForEverything);
      guest->Exit();
      bystander.ExpectWell();
    }
  }
}

// The number of a fork's child is a lie: the sentry waits for no longer than it has said.
TEST(Attack, AnInventedChildIsNobody) {
  Bystander bystander;
  auto guest = NewLiar(static_cast<uint64_t>(ReportKind::kDone), 1);
  ASSERT_EQ(guest->Next().kind, Kind::kFault);
  guest->DoAsync([](Context& context) { EXPECT_FALSE(context.Clone(false).ok()); });
  std::this_thread::sleep_for(std::chrono::seconds(9));
  guest->WaitDone();
  bystander.ExpectWell();
}

TEST(Attack, AThreadThatSaysItIsGoneTakesItsProcessWithIt) {
  auto context = NewGuest(ghost());
  context->registers().r13 = kSlots;
  RefPtr<AddressSpace> space = context->address_space();
  GuestThread guest(ThePlatform(), std::move(context));
  EXPECT_EQ(guest.Next().kind, Kind::kDead);
}

// A thread that stays when told to end is no thread of anybody's account.
TEST(Attack, AThreadThatDoesNotEndIsFoundWithTheNextOne) {
  auto context = NewGuest(lie_caller());
  RefPtr<AddressSpace> space = context->address_space();
  auto clone = context->Clone(true);
  ASSERT_TRUE(clone.ok());
  // It is told to end, and says from outside that it has. (Slot 1 is its slot.)
  uint32_t gone = kGone;
  iovec local{&gone, sizeof(gone)}, remote{reinterpret_cast<void*>(SlotAddress(1)), sizeof(gone)};
  ASSERT_EQ(process_vm_writev(space->host_pid(), &local, 1, &remote, 1, 0), ssize_t{sizeof(gone)});
  clone->reset();
  EXPECT_TRUE(conformance::Eventually([&] {
    auto next = context->Clone(true);
    return !next.ok() && next.error().value() != EAGAIN;
  }));
}

}  // namespace
}  // namespace redoubt::platform::seccomp_trap
