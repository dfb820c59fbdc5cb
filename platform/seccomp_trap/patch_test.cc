// SPDX-License-Identifier: Apache-2.0
//
// Patched call sites behave as unpatched ones, whatever meets them.
#include <sys/mman.h>
#include <sys/syscall.h>

#include <atomic>
#include <thread>

#include "platform/arch/xstate.h"
#include "platform/conformance/platform_conformance.h"
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
using conformance::kStackSize;
using conformance::NewGuest;
using conformance::Outcome;
using conformance::Peek;
using Kind = Event::Kind;

constexpr int kEnough = 100;  // Calls after which a site is patched.

// Changes no register by itself: what differs between two calls was done by the call.
GUEST_CODE(caller, R"(
1:mov $1001, %eax
  syscall
  jmp 1b
)")
// As caller; when r12 is set it jumps to the `syscall` with a number of its own.
GUEST_CODE(jumper, R"(
1:test %r12, %r12
  jnz 3f
2:mov $1001, %eax
  syscall
  jmp 1b
3:mov $1005, %eax
  jmp 2b+5
)")
GUEST_CODE(flags, R"(
1:stc
  std
  mov $1001, %eax
  syscall
  mov $0, %edi
  adc $0, %edi
  cld
  jmp 1b
)")
GUEST_CODE(keep_xmm, R"(
1:movdqu (%rbx), %xmm7
  mov $1001, %eax
  syscall
  movdqu %xmm7, 32(%rbx)
  jmp 1b
)")
GUEST_CODE(own_gs, R"(
1:mov $1001, %eax
  syscall
  test %r12, %r12
  jz 1b
  mov %gs:8, %rdi
  jmp 1b
)")
// Sets its %gs base to r12 by itself, when that is not zero.
GUEST_CODE(silent_gs, R"(
1:mov $1001, %eax
  syscall
  test %r12, %r12
  jz 1b
  wrgsbase %r12
  jmp 1b
)")
// As the C library's syscall(): number r12, by one site for all numbers.
GUEST_CODE(any_number, R"(
  sub $64, %rsp
1:mov %r12, %rax
  mov %r9, %r8
  mov 8(%rsp), %r9
  syscall
  jmp 1b
)")
GUEST_CODE(futex_caller, R"(
1:mov $1001, %eax
  syscall
  lock incq (%rbx)
  jmp 1b
)")

bool IsPatched(AddressSpace& space, uint64_t site) { return Peek<uint8_t>(space, site) == 0xff; }

// Returns from calls until the site is patched.
void Warm(GuestThread& guest) {
  for (int i = 0; i < kEnough; ++i) {
    guest.Resume();
    ASSERT_EQ(guest.Next().kind, Kind::kSyscall);
  }
}

struct Patched {
  explicit Patched(std::span<const char> code, uint64_t site = kCode) {
    auto context = NewGuest(code);
    space = context->address_space();
    guest = std::make_unique<GuestThread>(conformance::ThePlatform(), std::move(context));
    EXPECT_EQ(guest->Next().kind, Kind::kSyscall);
    Warm(*guest);
    EXPECT_TRUE(IsPatched(*space, site));
  }
  RefPtr<AddressSpace> space;
  std::unique_ptr<GuestThread> guest;
};

TEST(Patch, RegistersAreKeptAndSet) {
  Patched p(caller());
  p.guest->Do([](Context& c) {
    Registers& r = c.registers();
    EXPECT_EQ(r.rip, kCode + 7);
    EXPECT_EQ(r.rcx, kCode + 7);
    EXPECT_EQ(r.orig_rax, 1001u);
    EXPECT_EQ(static_cast<int64_t>(r.rax), -ENOSYS);
    r.rax = 1, r.rbx = 2, r.rdx = 3, r.rsi = 4, r.rdi = 5, r.rbp = 6, r.r8 = 7, r.r9 = 8;
    r.r10 = 9, r.r12 = 10, r.r13 = 11, r.r14 = 12, r.r15 = 13, r.fs_base = kData;
    r.rsp = 0x1238;  // Nobody may touch the guest's stack.
  });
  p.guest->Resume();
  Event event = p.guest->Next();
  EXPECT_EQ(event.arguments, (std::array<uint64_t, 6>{5, 4, 3, 9, 7, 8}));
  p.guest->Do([](Context& c) {
    Registers& r = c.registers();
    std::vector<uint64_t> kept{r.rbx, r.rbp, r.r12, r.r13, r.r14, r.r15, r.fs_base, r.rsp};
    EXPECT_EQ(kept, (std::vector<uint64_t>{2, 6, 10, 11, 12, 13, kData, 0x1238}));
    EXPECT_EQ(r.gs_base, 0u);
  });
}

TEST(Patch, FlagsAreKept) {
  Patched p(flags(), kCode + 2);
  EXPECT_EQ(p.guest->Return(0).arguments[0], 1u);
  p.guest->Do([](Context& c) { EXPECT_EQ(c.registers().rflags & 0x401, 0x401u); });
}

TEST(Patch, AJumpToTheOldSyscallIsACall) {
  Patched p(jumper(), kCode + 5);
  p.guest->Do([](Context& c) { c.registers().r12 = 1; });
  p.guest->Resume();
  Event event = p.guest->Next();
  ASSERT_EQ(event.kind, Kind::kSyscall);
  EXPECT_EQ(event.syscall_number, 1005u);
  p.guest->Do([](Context& c) {
    EXPECT_EQ(c.registers().rip, kCode + 12);
    c.registers().r12 = 0;
  });
  EXPECT_EQ(p.guest->Return(0).syscall_number, 1001u);
}

TEST(Patch, ARestartedCallIsMadeAgain) {
  Patched p(caller());
  p.guest->Do([](Context& c) {
    c.registers().rip -= 2;
    c.registers().rax = 1001;
    c.registers().rdi = 77;
  });
  p.guest->Resume();
  Event event = p.guest->Next();
  EXPECT_EQ(event.syscall_number, 1001u);
  EXPECT_EQ(event.arguments[0], 77u);
}

TEST(Patch, VectorStateIsKeptReadAndSet) {
  Patched p(keep_xmm(), kCode + 4);
  conformance::Poke<uint64_t>(*p.space, kData, 41);
  ASSERT_EQ(p.guest->Return(0).kind, Kind::kSyscall);
  ASSERT_EQ(p.guest->Return(0).kind, Kind::kSyscall);
  EXPECT_EQ(Peek<uint64_t>(*p.space, kData + 32), 41u);
  constexpr size_t kXmm7 = arch::kXmmOffset + 7 * 16;
  p.guest->Do([](Context& c) {
    std::vector<std::byte> image(arch::XstateSize());
    ASSERT_TRUE(c.GetXstate(image).ok());
    uint64_t value;
    memcpy(&value, image.data() + kXmm7, sizeof(value));
    EXPECT_EQ(value, 41u);
    value = 43;
    memcpy(image.data() + kXmm7, &value, sizeof(value));
    ASSERT_TRUE(c.SetXstate(image).ok());
  });
  ASSERT_EQ(p.guest->Return(0).kind, Kind::kSyscall);
  EXPECT_EQ(Peek<uint64_t>(*p.space, kData + 32), 43u);
}

TEST(Patch, AProgramWithItsOwnGs) {
  Patched p(own_gs());
  conformance::Poke<uint64_t>(*p.space, kData + 64 + 8, 99);
  p.guest->Do([](Context& c) {
    c.registers().gs_base = kData + 64;
    c.registers().r12 = 1;
  });
  for (int i = 0; i < 5; ++i) {
    p.guest->Resume();
    Event event = p.guest->Next();
    ASSERT_EQ(event.kind, Kind::kSyscall);
    EXPECT_EQ(event.arguments[0], 99u);
    p.guest->Do([](Context& c) {
      EXPECT_EQ(c.registers().gs_base, kData + 64);
      EXPECT_EQ(c.registers().rip, kCode + 7);
    });
  }
}

// Nobody is told of wrgsbase: the patched call itself must notice, and touch nothing.
TEST(Patch, AGsBaseThatTheGuestHasSetByItself) {
  for (uint64_t base : {kData, kData + 64, kCode, uint64_t{0x40000000}, uint64_t{0x7fffffff0000},
                        kSlots + 5 * kSlotSize, uint64_t{8}}) {
    Patched p(silent_gs());
    std::vector<std::byte> before(conformance::kDataSize, std::byte{0x5a}), after(before.size());
    ASSERT_TRUE(p.space->CopyOut(kData, before).ok());
    p.guest->Do([&](Context& c) { c.registers().r12 = base; });
    for (int i = 0; i < 5; ++i) {
      Event event = p.guest->Return(0);
      ASSERT_EQ(event.kind, Kind::kSyscall);
      EXPECT_EQ(event.syscall_number, 1001u);
      p.guest->Do([&](Context& c) {
        EXPECT_EQ(c.registers().gs_base, base);
        EXPECT_EQ(c.registers().rip, kCode + 7);
        EXPECT_EQ(c.registers().rsp, kStack + kStackSize);
      });
      ASSERT_TRUE(p.space->CopyIn(kData, after).ok());
      EXPECT_EQ(before, after) << std::hex << base;
    }
  }
}

// futex goes its native way through a patched site, too; an interrupt finds it there.
TEST(Patch, AFutexWaitThroughAPatchedSiteIsInterrupted) {
  auto context = NewGuest(any_number());
  context->registers().r12 = 1001;
  GuestThread guest(conformance::ThePlatform(), std::move(context));
  ASSERT_EQ(guest.Next().kind, Kind::kSyscall);
  Warm(guest);
  for (int i = 0; i < 20; ++i) {
    guest.Do([](Context& c) {
      Registers& r = c.registers();
      r.r12 = SYS_futex, r.rdi = kData, r.rsi = 0 /* FUTEX_WAIT */, r.rdx = 0, r.r10 = 0;
    });
    guest.Resume();
    if (i % 2) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    guest.Interrupt();
    Event event = guest.Next();
    while (event.kind == Kind::kInterrupted) {
      guest.Resume();
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      guest.Interrupt();
      event = guest.Next();
    }
    ASSERT_EQ(event.kind, Kind::kSyscall);
    EXPECT_EQ(event.syscall_number, uint64_t{SYS_futex});
    guest.Do([](Context& c) { c.registers().r12 = 1001; });
    event = guest.Return(static_cast<uint64_t>(-EINTR));
    if (event.kind == Kind::kInterrupted) event = guest.Return(static_cast<uint64_t>(-EINTR));
    ASSERT_EQ(event.kind, Kind::kSyscall);
    EXPECT_EQ(event.syscall_number, 1001u);
  }
}

TEST(Patch, ForksAndThreadsInherit) {
  for (bool share_memory : {false, true}) {
    Patched p(caller());
    std::unique_ptr<Context> clone;
    p.guest->Do([&](Context& c) { clone = std::move(*c.Clone(share_memory)); });
    clone->registers().rdi = 5;
    GuestThread child(conformance::ThePlatform(), std::move(clone));
    for (int i = 0; i < 10; ++i) {
      ASSERT_EQ(child.Next().arguments[0], 5u);
      child.Resume();
      ASSERT_EQ(p.guest->Return(0).kind, Kind::kSyscall);
    }
  }
}

TEST(Patch, HostCallsAndFilesWork) {
  Patched p(caller());
  p.guest->Do([](Context& c) {
    EXPECT_TRUE(conformance::MapAnonymous(c, 0x40000000, kPage, PROT_READ).ok());
    EXPECT_EQ(Outcome(Call(c, SYS_munmap, 1, kPage)), -EINVAL);
  });
  EXPECT_EQ(p.guest->Return(0).kind, Kind::kSyscall);
}

TEST(Patch, WritablePagesAreLeftAlone) {
  auto context = NewGuest(caller());
  ASSERT_EQ(Outcome(Call(*context, SYS_mprotect, kCode, kPage, PROT_READ | PROT_WRITE | PROT_EXEC)),
            0);
  RefPtr<AddressSpace> space = context->address_space();
  GuestThread guest(conformance::ThePlatform(), std::move(context));
  ASSERT_EQ(guest.Next().kind, Kind::kSyscall);
  Warm(guest);
  EXPECT_FALSE(IsPatched(*space, kCode));
}

// Interrupts at every instruction of the way in and out.
TEST(Patch, InterruptsAnywhere) {
  auto context = NewGuest(futex_caller());
  RefPtr<AddressSpace> space = context->address_space();
  GuestThread guest(conformance::ThePlatform(), std::move(context));
  std::atomic<bool> stop = false;
  std::thread interrupter([&] {
    while (!stop) {
      guest.Interrupt();
      std::this_thread::sleep_for(std::chrono::microseconds(150));
    }
  });
  uint64_t calls = 0;
  for (int i = 0; i < 10'000; ++i) {
    Event event = guest.Next();
    guest.Do([&](Context& c) {
      uint64_t rip = c.registers().rip;
      EXPECT_TRUE(rip >= kCode && rip < kCode + 32) << std::hex << rip;
      EXPECT_EQ(c.registers().rsp, kStack + kStackSize);
      EXPECT_EQ(c.registers().rbx, kData);
      if (event.kind == Kind::kSyscall) {
        EXPECT_EQ(Peek<uint64_t>(*space, kData), calls++);
        c.registers().rax = 0;
      }
    });
    guest.Resume();
  }
  stop = true;
  interrupter.join();
  EXPECT_GT(calls, 0u);
}

TEST(Patch, ManyThreadsMeetASiteWhileItIsPatched) {
  auto context = NewGuest(caller());
  constexpr int kThreads = 8;
  std::vector<std::unique_ptr<Context>> clones;
  for (int i = 1; i < kThreads; ++i) clones.push_back(std::move(*context->Clone(true)));
  clones.push_back(nullptr);
  std::swap(clones.back(), context);
  for (int i = 0; i < kThreads; ++i) {
    clones[i]->registers().rip = kCode;
    clones[i]->registers().rdi = static_cast<uint64_t>(i);
  }
  std::vector<std::unique_ptr<GuestThread>> guests;
  for (auto& clone : clones) {
    guests.push_back(std::make_unique<GuestThread>(conformance::ThePlatform(), std::move(clone)));
  }
  for (int round = 0; round < 200; ++round) {
    for (uint64_t i = 0; i < kThreads; ++i) {
      Event event = guests[i]->Next();
      ASSERT_EQ(event.syscall_number, 1001u);
      ASSERT_EQ(event.arguments[0], i);
      guests[i]->Resume();
    }
  }
}

}  // namespace
}  // namespace redoubt::platform::seccomp_trap

int main(int argc, char** argv) {
  using namespace redoubt::platform;
  testing::GTEST_FLAG(filter) = "Patch.*";  // The conformance tests are linked in, too.
  return conformance::Main(argc, argv, SeccompTrapPlatformType());
}
