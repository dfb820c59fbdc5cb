// SPDX-License-Identifier: Apache-2.0
//
// Pristine address spaces, and a guest thread that moves into one.
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>

#include "platform/conformance/platform_conformance.h"

namespace redoubt::platform::conformance {
namespace {

using Kind = Event::Kind;

GUEST_CODE(call_with_rdi, R"(
  mov $1001, %eax
  syscall
  ud2
)")

GUEST_CODE(vdso_user, R"(
  mov (%rdi), %rdi
  mov $1001, %eax
  syscall
  ud2
)")

TEST(AddressSpace, PristineHoldsOnlyShimAndVdso) {
  auto space = ThePlatform().NewAddressSpace();
  ASSERT_TRUE(space.ok());
  auto context = ThePlatform().NewContext(*space);
  ASSERT_TRUE(context.ok());
  std::ifstream maps("/proc/" + std::to_string((*space)->host_pid()) + "/maps");
  if (!maps) GTEST_SKIP() << "/proc shows another PID namespace";
  std::string line;
  int lines = 0;
  while (std::getline(maps, line)) {
    ++lines;
    uint64_t start, end;
    ASSERT_EQ(std::sscanf(line.c_str(), "%lx-%lx", &start, &end), 2);
    bool known = line.find("[v") != std::string::npos;  // vdso, vvar, vvar_vclock, vsyscall.
    for (AddressRange range : ThePlatform().shim_ranges()) {
      known = known || (range.start <= start && end <= range.end);
    }
    EXPECT_TRUE(known) << line;
  }
  EXPECT_GT(lines, 0);
}

TEST(AddressSpace, RegistersOfAFreshContextAreZero) {
  auto space = ThePlatform().NewAddressSpace();
  ASSERT_TRUE(space.ok());
  auto context = ThePlatform().NewContext(*space);
  ASSERT_TRUE(context.ok());
  const Registers& r = (*context)->registers();
  EXPECT_EQ(r.rax | r.rbx | r.rcx | r.rdx | r.rsi | r.rdi | r.rbp | r.rsp | r.rip, 0u);
  EXPECT_EQ(r.r8 | r.r9 | r.r10 | r.r11 | r.r12 | r.r13 | r.r14 | r.r15, 0u);
  EXPECT_EQ(r.fs_base | r.gs_base, 0u);
}

TEST(AddressSpace, TheGuestRangeCanBeMapped) {
  auto context = NewGuest(call_with_rdi());
  AddressRange range = ThePlatform().guest_range();
  EXPECT_EQ(range.end, 0x7ffffffff000u);
  for (uint64_t address : {uint64_t{0x400000}, range.end - kPage}) {
    bool shim = false;
    for (AddressRange r : ThePlatform().shim_ranges()) {
      shim = shim || r.Overlaps(address, address + kPage);
    }
    if (shim) continue;
    EXPECT_TRUE(MapAnonymous(*context, address, kPage, PROT_READ).ok()) << std::hex << address;
  }
  // Non-PIE executables live here.
  for (AddressRange r : ThePlatform().shim_ranges()) EXPECT_FALSE(r.Overlaps(0x400000, 0x10000000));
}

TEST(AddressSpace, TheVdsoIsWhereThePlatformSays) {
  if (ThePlatform().vdso_address() == 0) GTEST_SKIP() << "no vDSO on this host";
  auto context = NewGuest(vdso_user());
  context->registers().rdi = ThePlatform().vdso_address();
  GuestThread guest(ThePlatform(), std::move(context));
  EXPECT_EQ(static_cast<uint32_t>(guest.Next().arguments[0]), 0x464c457fu);
}

TEST(AddressSpace, CpuTimeGrows) {
  auto context = NewGuest(call_with_rdi());
  RefPtr<AddressSpace> space = context->address_space();
  GuestThread guest(ThePlatform(), std::move(context));
  EXPECT_EQ(guest.Next().kind, Kind::kSyscall);
  EXPECT_GT(space->CpuTimeNs(), 0u);
}

TEST(AddressSpace, UnusedSpacesGoAway) {
  int before = CountChildren();
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(ThePlatform().NewAddressSpace().ok());
  EXPECT_TRUE(Eventually([&] { return CountChildren() <= before + kPoolSlack; }));
}

TEST(Exec, TheThreadGoesOnInThePristineSpace) {
  auto context = NewGuest(call_with_rdi());
  context->registers().rdi = 1;
  context->registers().r15 = 55;
  GuestThread guest(ThePlatform(), std::move(context));
  ASSERT_EQ(guest.Next().arguments[0], 1u);
  int old_pid = 0;
  guest.Do([&](Context& c) {
    auto space = ThePlatform().NewAddressSpace();
    ASSERT_TRUE(space.ok());
    old_pid = c.address_space()->host_pid();
    ASSERT_TRUE(c.EnterAddressSpace(*space).ok());
    EXPECT_EQ(c.address_space(), *space);
    EXPECT_EQ(c.registers().r15, 0u);
    std::byte byte;
    EXPECT_TRUE(c.CopyIn(kData, std::span(&byte, 1)).Is(EFAULT));
    Load(c, call_with_rdi());
    c.registers().rdi = 2;
  });
  guest.Resume();
  EXPECT_EQ(guest.Next().arguments[0], 2u);
  EXPECT_TRUE(Eventually([&] { return kill(old_pid, 0) != 0; }));
}

TEST(Exec, LeavesAnotherThreadsSpaceAlone) {  // As after vfork.
  GuestThread parent(ThePlatform(), NewGuest(call_with_rdi()));
  ASSERT_EQ(parent.Next().kind, Kind::kSyscall);
  std::unique_ptr<Context> clone;
  parent.Do([&](Context& c) { clone = std::move(*c.Clone(true)); });
  clone->registers().rip = kCode;
  GuestThread child(ThePlatform(), std::move(clone));
  ASSERT_EQ(child.Next().kind, Kind::kSyscall);
  child.Do([&](Context& c) {
    ASSERT_TRUE(c.EnterAddressSpace(*ThePlatform().NewAddressSpace()).ok());
    Load(c, call_with_rdi());
    c.registers().rdi = 3;
  });
  child.Resume();
  EXPECT_EQ(child.Next().arguments[0], 3u);
  Event event = parent.Return(0);
  EXPECT_EQ(event.kind, Kind::kFault);  // Its own ud2.
  EXPECT_EQ(event.signal, SIGILL);
}

TEST(Exec, TheFirstThreadMayLeaveItsSpaceToOthers) {
  GuestThread first(ThePlatform(), NewGuest(call_with_rdi()));
  ASSERT_EQ(first.Next().kind, Kind::kSyscall);
  std::unique_ptr<Context> clone;
  first.Do([&](Context& c) { clone = std::move(*c.Clone(true)); });
  clone->registers().rip = kCode;
  GuestThread second(ThePlatform(), std::move(clone));
  ASSERT_EQ(second.Next().kind, Kind::kSyscall);
  first.Do([&](Context& c) {
    ASSERT_TRUE(c.EnterAddressSpace(*ThePlatform().NewAddressSpace()).ok());
    Load(c, call_with_rdi());
  });
  first.Resume();
  EXPECT_EQ(first.Next().kind, Kind::kSyscall);
  EXPECT_EQ(second.Return(0).signal, SIGILL);
  second.Do([](Context& c) { EXPECT_TRUE(MapAnonymous(c, 0x40000000, kPage, PROT_READ).ok()); });
}

TEST(Exec, FiftyInARow) {
  GuestThread guest(ThePlatform(), NewGuest(call_with_rdi()));
  ASSERT_EQ(guest.Next().kind, Kind::kSyscall);
  int children = CountChildren();
  for (uint64_t i = 0; i < 50; ++i) {
    guest.Do([&](Context& c) {
      ASSERT_TRUE(c.EnterAddressSpace(*ThePlatform().NewAddressSpace()).ok());
      Load(c, call_with_rdi());
      c.registers().rdi = i;
    });
    guest.Resume();
    ASSERT_EQ(guest.Next().arguments[0], i);
  }
  EXPECT_TRUE(Eventually([&] { return CountChildren() <= children + kPoolSlack; }));
}

}  // namespace
}  // namespace redoubt::platform::conformance
