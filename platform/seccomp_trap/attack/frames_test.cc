// SPDX-License-Identifier: Apache-2.0
//
// Forged signal frames: a guest may call rt_sigreturn at the shim's gate with any frame it likes.
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>

#include <chrono>
#include <cstring>
#include <thread>

#include "platform/conformance/platform_conformance.h"
#include "platform/seccomp_trap/attack/hostile_guest.h"
#include "platform/seccomp_trap/layout.h"

namespace redoubt::platform::seccomp_trap {
namespace {

using conformance::GuestThread;
using conformance::kCode;
using conformance::kData;
using conformance::kPage;
using conformance::kStack;
using conformance::NewGuest;
using conformance::ThePlatform;
using Kind = Event::Kind;

GUEST_CODE(forge, R"(
  mov %r15, %rsp
  mov $15, %eax
  jmp *%r13
)")
constexpr uint64_t kLanding = 0x100;  // Where forged frames lead, after kCode.
GUEST_CODE(land_in_loop, R"(
1:jmp 1b
)")
GUEST_CODE(land_in_calls, R"(
1:mov $1003, %eax
  syscall
  jmp 1b
)")
// The same bytes in 32-bit and in 64-bit mode.
GUEST_CODE(land_in_int80, R"(
1:.byte 0xb8, 20, 0, 0, 0    # mov $20, %eax: getpid
  int $0x80
  jmp 1b
)")
GUEST_CODE(land_in_sysenter, R"(
1:.byte 0xb8, 20, 0, 0, 0
  .byte 0x89, 0xe5           # mov %esp, %ebp
  sysenter
  jmp 1b
)")

// As the host's rt_sigreturn reads it at rsp: struct ucontext with the mask right behind mcontext.
struct Frame {
  ucontext_t context{};
  void Set(int index, uint64_t value) {
    context.uc_mcontext.gregs[index] = static_cast<greg_t>(value);
  }
};

Frame PlainFrame() {
  Frame frame;
  frame.Set(REG_RIP, kCode + kLanding);
  frame.Set(REG_RSP, kStack + kPage);
  frame.Set(REG_EFL, 0x202);
  frame.Set(REG_CSGSFS, 0x002b000000000033);
  frame.context.uc_stack = {reinterpret_cast<void*>(kStacks), 0, kStackSize};
  frame.context.uc_flags = 0x4;  // UC_STRICT_RESTORE_SS.
  return frame;
}

// A guest that returns through `frame`, and lands in `code`.
std::unique_ptr<GuestThread> Forge(const Frame& frame, std::span<const char> code) {
  auto context = NewGuest(forge());
  AddressSpace& space = *context->address_space();
  AddCode(*context, kLanding, code);
  EXPECT_TRUE(space.CopyOut(kData, std::as_bytes(std::span(&frame, 1))).ok());
  context->registers().r13 = ShimSyscalls(space.host_pid())[0];
  context->registers().r15 = kData;
  return std::make_unique<GuestThread>(ThePlatform(), std::move(context));
}

// Whatever the guest does now, it can be brought to an event, and ended, within the patience that
// the platform has. Gives the first event.
Event ExpectEnds(GuestThread& guest) {
  guest.Interrupt();
  Event event = guest.Next();
  if (event.kind != Kind::kDead) guest.Exit();
  return event;
}

TEST(Attack, PlainForgedFramesAreNoHarm) {
  auto guest = Forge(PlainFrame(), land_in_calls());
  EXPECT_EQ(guest->Next().syscall_number, 1003u);
  EXPECT_EQ(guest->Return(0).syscall_number, 1003u);
}

// With SIGSYS blocked the host ends a stub whose call is trapped: nothing reaches the host.
TEST(Attack, AForgedMaskThatBlocksTheTrapIsDeath) {
  Frame frame = PlainFrame();
  memset(&frame.context.uc_sigmask, 0xff, sizeof(frame.context.uc_sigmask));
  auto guest = Forge(frame, land_in_calls());
  EXPECT_EQ(guest->Next().kind, Kind::kDead);
}

TEST(Attack, ForgedSegmentsAreNoWayOut) {
  Bystander bystander;
  for (uint64_t segments :
       {uint64_t{0x002b000000000010}, uint64_t{0x002b000000000000}, uint64_t{0x0018000000000033},
        uint64_t{0x002b00000000ffff}, uint64_t{0x002bffffffff0033}, uint64_t{0}, ~uint64_t{0}}) {
    Frame frame = PlainFrame();
    frame.Set(REG_CSGSFS, segments);
    auto guest = Forge(frame, land_in_loop());
    ExpectEnds(*guest);
    bystander.ExpectWell();
  }
}

TEST(Attack, CallsOf32BitCodeNeverReachTheHost) {
  for (auto code : {land_in_int80(), land_in_sysenter()}) {
    Frame frame = PlainFrame();
    frame.Set(REG_CSGSFS, 0x002b000000000023);
    auto guest = Forge(frame, code);
    Event event = guest->Next();
    EXPECT_TRUE(event.kind == Kind::kFault || event.kind == Kind::kDead);
    EXPECT_NE(event.kind, Kind::kSyscall);
  }
}

TEST(Attack, ForgedAddressesAndFlagsAreNoHarm) {
  Bystander bystander;
  struct Change {
    int index;
    uint64_t value;
  };
  for (Change change : {Change{REG_RIP, 0x8000000000000000},
                        {REG_RIP, 0xffffffff80000000},
                        {REG_RIP, 0},
                        {REG_RIP, 0x20000},
                        {REG_RIP, kSlots},
                        {REG_RIP, kTrampolines},
                        {REG_RSP, 0},
                        {REG_RSP, 0x8000000000000000},
                        {REG_RSP, kStacks + 64},
                        {REG_EFL, ~uint64_t{0}},
                        {REG_EFL, 0x302},
                        {REG_EFL, 0x40202},
                        {REG_EFL, 0x3202}}) {
    Frame frame = PlainFrame();
    frame.Set(change.index, change.value);
    auto guest = Forge(frame, land_in_calls());
    ExpectEnds(*guest);
    bystander.ExpectWell();
  }
}

TEST(Attack, BogusFpStateIsAFaultOrDeath) {
  Bystander bystander;
  for (uint64_t address : {uint64_t{8}, uint64_t{0x8000000000000000}, ~uint64_t{0}, kSlots + 3,
                           kData + 0x1001, kData + 0x1000}) {
    Frame frame = PlainFrame();
    frame.context.uc_flags |= 1;  // UC_FP_XSTATE.
    frame.context.uc_mcontext.fpregs = reinterpret_cast<fpregset_t>(address);
    auto guest = Forge(frame, land_in_calls());
    ExpectEnds(*guest);
    bystander.ExpectWell();
  }
}

// The host takes its alternate stack from the frame, too: the shim's handlers then run where the
// guest says, and name a slot that belongs to nobody.
TEST(Attack, AForgedAlternateStackHarmsOnlyOneself) {
  Bystander bystander;
  for (uint64_t stack : {kData, kSlots + kSlotSize, kStacks + 5 * kStackSize, uint64_t{0x20000},
                         uint64_t{0x700000000000}, uint64_t{0}}) {
    Frame frame = PlainFrame();
    frame.context.uc_stack = {reinterpret_cast<void*>(stack), stack == 0 ? SS_DISABLE : 0,
                              2 * kPage};
    auto guest = Forge(frame, land_in_calls());
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    ExpectEnds(*guest);
    bystander.ExpectWell();
  }
}

}  // namespace
}  // namespace redoubt::platform::seccomp_trap
