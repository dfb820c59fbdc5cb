// SPDX-License-Identifier: Apache-2.0
//
// Forks that do not go as the sentry thinks: children that die at birth, or never say who they are.
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include <chrono>
#include <thread>

#include "absl/time/clock.h"
#include "platform/conformance/platform_conformance.h"
#include "platform/seccomp_trap/attack/hostile_guest.h"
#include "platform/seccomp_trap/attack/observer.h"
#include "platform/seccomp_trap/protocol.h"

namespace redoubt::platform::seccomp_trap {
namespace {

using conformance::Call;
using conformance::CountChildren;
using conformance::GuestThread;
using conformance::kCode;
using conformance::kData;
using conformance::kStack;
using conformance::NewGuest;
using conformance::Outcome;
using conformance::Poke;
using conformance::ThePlatform;

GUEST_CODE(fork_caller, R"(
1:mov $1002, %eax
  syscall
  jmp 1b
)")
// Writes rax to r14 words at r13, for ever.
GUEST_CODE(hijacker, R"(
1:mov %r13, %rdi
  mov %r14, %rcx
  rep stosq
  jmp 1b
)")
// Where the hijacked thread comes out of the shim: it makes the clone that the sentry has ordered
// of the shim, and neither parent nor child says so. Gate and slot are in the page of data.
GUEST_CODE(own_clone, R"(
  mov $0x20000000, %ebx
  lea 0x800(%rbx), %rsp
  mov $56, %eax
  mov $0x208000, %edi
  xor %esi, %esi
  xor %edx, %edx
  mov 8(%rbx), %r10
  xor %r8d, %r8d
  xor %r9d, %r9d
  mov (%rbx), %rcx
  call *%rcx
1:pause
  jmp 1b
)")
static_assert(kForkFlags == 0x208000 && kData == 0x20000000);
constexpr uint64_t kHijacker = 0x100, kOwnClone = 0x200, kLanding = kCode + kOwnClone;

uint64_t PeekShim(AddressSpace& space, uint64_t address) {
  uint64_t value = 0;
  iovec local{&value, sizeof(value)}, remote{reinterpret_cast<void*>(address), sizeof(value)};
  EXPECT_EQ(process_vm_readv(space.host_pid(), &local, 1, &remote, 1, 0), ssize_t{sizeof(value)});
  return value;
}

TEST(Attack, AChildKilledAtBirthHurtsNobody) {
  auto context = NewGuest(fork_caller());
  int children = CountChildren();
  ASSERT_TRUE(observer::Watch(context->address_space()->host_pid(), /*kill_children=*/true));
  absl::Time start = absl::Now();
  auto clone = context->Clone(false);
  EXPECT_FALSE(clone.ok());
  EXPECT_LT(absl::Now() - start, absl::Seconds(5));
  EXPECT_EQ(Outcome(Call(*context, SYS_munlockall)), 0);  // The parent is well.
  EXPECT_TRUE(conformance::Eventually([&] { return CountChildren() <= children; }));
  context.reset();
  observer::Finish();
}

TEST(Attack, AChildThatSkipsItsFirstCallIsFoundAndEnded) {
  Bystander bystander;
  auto context = NewGuest(fork_caller());
  RefPtr<AddressSpace> space = context->address_space();
  AddCode(*context, kHijacker, hijacker());
  AddCode(*context, kOwnClone, own_clone());
  Poke<uint64_t>(*space, kData, ShimSyscalls(space->host_pid())[0]);
  Poke<uint64_t>(*space, kData + 8, kSlots);
  auto clone = context->Clone(true);
  ASSERT_TRUE(clone.ok());
  Registers& r = (*clone)->registers();
  r.rip = kCode + kHijacker, r.rax = kLanding;
  r.r13 = kStacks + 256, r.r14 = (kStackSize - 256) / sizeof(uint64_t);
  int children = CountChildren();
  {
    GuestThread vandal(ThePlatform(), std::move(*clone));
    ASSERT_TRUE(
        conformance::Eventually([&] { return PeekShim(*space, kStacks + 512) == kLanding; }));
    EXPECT_FALSE(context->Clone(false).ok());
    context.reset();
  }
  space = nullptr;
  bystander.ExpectWell();
  // The parent has gone. Its child is looked for in a while.
  int left = 0;
  for (int i = 0; i < 60; ++i) {
    left = CountChildren();
    if (left < children) break;
    std::this_thread::sleep_for(std::chrono::seconds(1));
  }
  EXPECT_LT(left, children);
  bystander.ExpectWell();
}

}  // namespace
}  // namespace redoubt::platform::seccomp_trap
