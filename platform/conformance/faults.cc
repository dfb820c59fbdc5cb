// SPDX-License-Identifier: Apache-2.0
//
// Synchronous signals as events.
#include <sys/mman.h>
#include <sys/syscall.h>

#include <csignal>

#include "platform/conformance/platform_conformance.h"

namespace redoubt::platform::conformance {
namespace {

using Kind = Event::Kind;

GUEST_CODE(read_rdi, R"(
  mov (%rdi), %rsi
  mov $1001, %eax
  syscall
  ud2
)")
GUEST_CODE(write_rdi, R"(
  movq $1, (%rdi)
  ud2
)")
GUEST_CODE(jump_rdi, R"(
  jmp *%rdi
)")
GUEST_CODE(undefined, R"(
  ud2
)")
GUEST_CODE(divide_by_zero, R"(
  xor %ecx, %ecx
  mov $1, %eax
  cltd
  idiv %ecx
)")
GUEST_CODE(breakpoint, R"(
  int3
  mov $1001, %eax
  syscall
)")
GUEST_CODE(privileged, R"(
  hlt
)")
GUEST_CODE(single_step, R"(
  pushfq
  orq $0x100, (%rsp)
  popfq
  nop
  nop
  ud2
)")

Event FirstEvent(std::span<const char> code, uint64_t rdi = 0) {
  auto context = NewGuest(code);
  context->registers().rdi = rdi;
  GuestThread guest(ThePlatform(), std::move(context));
  return guest.Next();
}

TEST(Fault, UnmappedAddressIsSegvMaperr) {
  Event event = FirstEvent(read_rdi(), 0x40001238);
  ASSERT_EQ(event.kind, Kind::kFault);
  EXPECT_EQ(event.signal, SIGSEGV);
  EXPECT_EQ(event.signal_code, SEGV_MAPERR);
  EXPECT_EQ(event.fault_address, 0x40001238u);
}

TEST(Fault, NullPointerIsSegvMaperr) {
  Event event = FirstEvent(write_rdi(), 8);
  ASSERT_EQ(event.kind, Kind::kFault);
  EXPECT_EQ(event.signal, SIGSEGV);
  EXPECT_EQ(event.signal_code, SEGV_MAPERR);
  EXPECT_EQ(event.fault_address, 8u);
}

TEST(Fault, WriteToReadOnlyIsSegvAccerr) {
  Event event = FirstEvent(write_rdi(), kCode + 0x800);
  ASSERT_EQ(event.kind, Kind::kFault);
  EXPECT_EQ(event.signal, SIGSEGV);
  EXPECT_EQ(event.signal_code, SEGV_ACCERR);
  EXPECT_EQ(event.fault_address, kCode + 0x800);
}

TEST(Fault, ExecutingDataIsSegvAccerr) {
  Event event = FirstEvent(jump_rdi(), kData);
  ASSERT_EQ(event.kind, Kind::kFault);
  EXPECT_EQ(event.signal, SIGSEGV);
  EXPECT_EQ(event.signal_code, SEGV_ACCERR);
  EXPECT_EQ(event.fault_address, kData);
}

TEST(Fault, NonCanonicalAddressIsSegvFromTheKernel) {
  Event event = FirstEvent(read_rdi(), 0x8000000000000000);
  ASSERT_EQ(event.kind, Kind::kFault);
  EXPECT_EQ(event.signal, SIGSEGV);
  EXPECT_EQ(event.signal_code, SI_KERNEL);
}

TEST(Fault, PrivilegedInstructionIsSegvFromTheKernel) {
  Event event = FirstEvent(privileged());
  ASSERT_EQ(event.kind, Kind::kFault);
  EXPECT_EQ(event.signal, SIGSEGV);
  EXPECT_EQ(event.signal_code, SI_KERNEL);
}

TEST(Fault, UndefinedInstructionIsIll) {
  Event event = FirstEvent(undefined());
  ASSERT_EQ(event.kind, Kind::kFault);
  EXPECT_EQ(event.signal, SIGILL);
  EXPECT_EQ(event.signal_code, ILL_ILLOPN);
  EXPECT_EQ(event.fault_address, kCode);
}

TEST(Fault, DivisionByZeroIsFpe) {
  Event event = FirstEvent(divide_by_zero());
  ASSERT_EQ(event.kind, Kind::kFault);
  EXPECT_EQ(event.signal, SIGFPE);
  EXPECT_EQ(event.signal_code, FPE_INTDIV);
}

TEST(Fault, BreakpointIsTrapAfterTheInstruction) {
  GuestThread guest(ThePlatform(), NewGuest(breakpoint()));
  Event event = guest.Next();
  ASSERT_EQ(event.kind, Kind::kFault);
  EXPECT_EQ(event.signal, SIGTRAP);
  guest.Do([](Context& c) { EXPECT_EQ(c.registers().rip, kCode + 1); });
  guest.Resume();
  EXPECT_EQ(guest.Next().syscall_number, 1001u);
}

TEST(Fault, SingleStepIsTrap) {
  GuestThread guest(ThePlatform(), NewGuest(single_step()));
  Event event = guest.Next();
  ASSERT_EQ(event.kind, Kind::kFault);
  EXPECT_EQ(event.signal, SIGTRAP);
  EXPECT_EQ(event.signal_code, TRAP_TRACE);
  uint64_t first = 0;
  guest.Do([&](Context& c) {
    first = c.registers().rip;
    c.registers().rflags &= ~uint64_t{0x100};
  });
  guest.Resume();
  EXPECT_EQ(guest.Next().signal, SIGILL);
  guest.Do([&](Context& c) { EXPECT_GT(c.registers().rip, first); });
}

TEST(Fault, PastTheEndOfAFileIsBus) {
  auto context = NewGuest(read_rdi());
  int fd = memfd_create("empty", MFD_CLOEXEC);
  auto mapped = context->MapFile(0x50000000, kPage, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0);
  close(fd);
  ASSERT_EQ(Outcome(mapped), 0x50000000);
  context->registers().rdi = 0x50000010;
  GuestThread guest(ThePlatform(), std::move(context));
  Event event = guest.Next();
  ASSERT_EQ(event.kind, Kind::kFault);
  EXPECT_EQ(event.signal, SIGBUS);
  EXPECT_EQ(event.signal_code, BUS_ADRERR);
  EXPECT_EQ(event.fault_address, 0x50000010u);
}

TEST(Fault, TheHandlerMayRepairAndRetry) {
  auto context = NewGuest(read_rdi());
  context->registers().rdi = 0x40001238;
  GuestThread guest(ThePlatform(), std::move(context));
  ASSERT_EQ(guest.Next().kind, Kind::kFault);
  guest.Do([](Context& c) {
    EXPECT_TRUE(MapAnonymous(c, 0x40001000, kPage, PROT_READ | PROT_WRITE).ok());
    Poke<uint64_t>(*c.address_space(), 0x40001238, 99);
  });
  guest.Resume();
  Event event = guest.Next();
  ASSERT_EQ(event.kind, Kind::kSyscall);
  EXPECT_EQ(event.arguments[1], 99u);
}

}  // namespace
}  // namespace redoubt::platform::conformance
