// SPDX-License-Identifier: Apache-2.0
//
// Copies between sentry and guest, memory calls inside the stub, mapped files.
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <vector>

#include "platform/conformance/platform_conformance.h"

namespace redoubt::platform::conformance {
namespace {

GUEST_CODE(nothing, R"(
  ud2
)")
GUEST_CODE(sum_two, R"(
  mov (%rdi), %rdi
  mov (%rsi), %rsi
  mov $1001, %eax
  syscall
)")

// Makes memory of its own, three pages at r12: the first is written and given back, the second made
// read-only, the third unmapped. Then call 1001: what it reads in the first two, and r12.
GUEST_CODE(own_memory, R"(
  mov $9, %eax
  xor %edi, %edi
  mov $0x3000, %esi
  mov $3, %edx
  mov $0x22, %r10d
  mov $-1, %r8
  xor %r9d, %r9d
  syscall
  mov %rax, %r12
  movq $77, (%r12)
  movq $78, 0x1000(%r12)
  mov $28, %eax
  mov %r12, %rdi
  mov $0x1000, %esi
  mov $4, %edx
  syscall
  mov %rax, %r13
  mov $10, %eax
  lea 0x1000(%r12), %rdi
  mov $1, %edx
  syscall
  or %rax, %r13
  mov $11, %eax
  lea 0x2000(%r12), %rdi
  syscall
  or %rax, %r13
  mov (%r12), %rdi
  mov 0x1000(%r12), %rsi
  mov %r12, %rdx
  mov %r13, %r10
  mov $1001, %eax
  syscall
  ud2
)")

// A guest that has not started: its memory can be used all the same.
class Memory : public testing::Test {
 protected:
  std::unique_ptr<Context> context_ = NewGuest(nothing());
  AddressSpace& space_ = *context_->address_space();
};

TEST_F(Memory, CopyOutThenInGivesTheSameBytes) {
  std::vector<std::byte> out(3 * kPage, std::byte{0x5a}), in(3 * kPage);
  out[kPage] = std::byte{1};
  auto copied = space_.CopyOut(kData + 100, out);
  ASSERT_TRUE(copied.ok());
  EXPECT_EQ(*copied, out.size());
  copied = space_.CopyIn(kData + 100, in);
  ASSERT_TRUE(copied.ok());
  EXPECT_EQ(*copied, in.size());
  EXPECT_EQ(in, out);
}

TEST_F(Memory, CopiesStopAtTheFirstBadPage) {
  std::vector<std::byte> buffer(6 * kPage);
  auto copied = space_.CopyIn(kData + 10, buffer);
  ASSERT_TRUE(copied.ok());
  EXPECT_EQ(*copied, kDataSize - 10);
  copied = space_.CopyOut(kData + kPage + 10, buffer);
  ASSERT_TRUE(copied.ok());
  EXPECT_EQ(*copied, kDataSize - kPage - 10);
}

TEST_F(Memory, NothingCopiedIsEfault) {
  std::vector<std::byte> buffer(16);
  for (uint64_t address : {uint64_t{0}, kData + kDataSize, uint64_t{0x7ffffffff000},
                           uint64_t{0xffffffffff600000}, ~uint64_t{0} - 7}) {
    EXPECT_TRUE(space_.CopyIn(address, buffer).Is(EFAULT)) << std::hex << address;
    EXPECT_TRUE(space_.CopyOut(address, buffer).Is(EFAULT)) << std::hex << address;
  }
}

TEST_F(Memory, AnEmptyCopyIsNothingAnywhere) {
  auto copied = space_.CopyIn(0x1234, {});
  EXPECT_TRUE(copied.ok() && *copied == 0);
}

TEST_F(Memory, CopiesRespectTheGuestsProtection) {
  std::vector<std::byte> buffer(16);
  EXPECT_TRUE(space_.CopyIn(kCode, buffer).ok());
  EXPECT_TRUE(space_.CopyOut(kCode, buffer).Is(EFAULT));  // Read-only.
  ASSERT_EQ(Outcome(Call(*context_, SYS_mprotect, kData + kPage, kPage, PROT_NONE)), 0);
  EXPECT_TRUE(space_.CopyIn(kData + kPage, buffer).Is(EFAULT));
  auto copied = space_.CopyIn(kData + kPage - 4, buffer);
  ASSERT_TRUE(copied.ok());
  EXPECT_EQ(*copied, 4u);
}

TEST_F(Memory, TheShimIsOutOfReach) {
  std::vector<std::byte> buffer(16);
  for (AddressRange range : ThePlatform().shim_ranges()) {
    EXPECT_TRUE(space_.CopyIn(range.start, buffer).Is(EFAULT));
    EXPECT_TRUE(space_.CopyOut(range.start, buffer).Is(EFAULT));
    EXPECT_TRUE(space_.CopyOut(range.end - 16, buffer).Is(EFAULT));
  }
}

TEST_F(Memory, HostCallsGiveTheHostsErrors) {
  EXPECT_EQ(Outcome(Call(*context_, SYS_munmap, 0x40000001, kPage)), -EINVAL);
  EXPECT_EQ(Outcome(Call(*context_, SYS_mprotect, 0x40000000, kPage, PROT_READ)), -ENOMEM);
}

TEST_F(Memory, HostCallsKeepTheRegisters) {
  Registers before = context_->registers();
  ASSERT_TRUE(MapAnonymous(*context_, 0x40000000, kPage, PROT_READ).ok());
  EXPECT_EQ(memcmp(&before, &context_->registers(), sizeof(before)), 0);
}

TEST_F(Memory, UnmappedMemoryIsGone) {
  Poke<uint32_t>(space_, kData, 1);
  ASSERT_EQ(Outcome(Call(*context_, SYS_munmap, kData, kPage)), 0);
  std::byte byte;
  EXPECT_TRUE(space_.CopyIn(kData, std::span(&byte, 1)).Is(EFAULT));
}

TEST_F(Memory, FilesAreMappedPrivateAndShared) {
  int fd = memfd_create("file", MFD_CLOEXEC);
  ASSERT_EQ(ftruncate(fd, 2 * kPage), 0);
  uint64_t marks[] = {101, 202};
  ASSERT_EQ(pwrite(fd, &marks[0], 8, 0), 8);
  ASSERT_EQ(pwrite(fd, &marks[1], 8, kPage), 8);
  ASSERT_EQ(Outcome(context_->MapFile(0x50000000, 2 * kPage, PROT_READ | PROT_WRITE,
                                      MAP_PRIVATE | MAP_FIXED, fd, 0)),
            0x50000000);
  ASSERT_EQ(Outcome(context_->MapFile(0x60000000, kPage, PROT_READ | PROT_WRITE,
                                      MAP_SHARED | MAP_FIXED, fd, kPage)),
            0x60000000);
  EXPECT_EQ(Peek<uint64_t>(space_, 0x50000000), 101u);
  EXPECT_EQ(Peek<uint64_t>(space_, 0x60000000), 202u);
  Poke<uint64_t>(space_, 0x50000000, 1);  // Private: the file does not change.
  Poke<uint64_t>(space_, 0x60000000, 2);
  EXPECT_EQ(pread(fd, &marks[0], 8, 0), 8);
  EXPECT_EQ(pread(fd, &marks[1], 8, kPage), 8);
  EXPECT_EQ(marks[0], 101u);
  EXPECT_EQ(marks[1], 2u);
  close(fd);
}

TEST_F(Memory, MapFileGivesTheHostsErrors) {
  int fd = memfd_create("file", MFD_CLOEXEC);
  constexpr int kFlags = MAP_PRIVATE | MAP_FIXED;
  EXPECT_EQ(Outcome(context_->MapFile(kData, kPage, PROT_READ, kFlags, fd, 1)), -EINVAL);
  close(fd);
  EXPECT_EQ(Outcome(context_->MapFile(kData, kPage, PROT_READ, kFlags, -1, 0)), -EBADF);
}

TEST(MemoryRunning, TheGuestSeesWhatWasMapped) {
  auto context = NewGuest(sum_two());
  int fd = memfd_create("file", MFD_CLOEXEC);
  uint64_t mark = 303;
  ASSERT_EQ(pwrite(fd, &mark, 8, 0), 8);
  ASSERT_TRUE(context->MapFile(0x50000000, kPage, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0).ok());
  close(fd);
  Poke<uint64_t>(*context->address_space(), kData, 404);
  context->registers().rdi = 0x50000000;
  context->registers().rsi = kData;
  GuestThread guest(ThePlatform(), std::move(context));
  Event event = guest.Next();
  ASSERT_EQ(event.kind, Event::Kind::kSyscall);
  EXPECT_EQ(event.arguments[0], 303u);
  EXPECT_EQ(event.arguments[1], 404u);
}

// A platform may leave a guest's memory calls to the host, or ask for each: the guest cannot tell.
TEST(MemoryRunning, AGuestsOwnMemoryCallsAreDone) {
  auto context = NewGuest(own_memory());
  AddressSpace& space = *context->address_space();
  GuestThread guest(ThePlatform(), std::move(context));
  Event event = guest.Next();
  while (event.kind == Event::Kind::kSyscall && event.syscall_number != 1001) {
    uint64_t result = 0;
    guest.Do([&](Context& c) {
      result = static_cast<uint64_t>(Outcome(c.HostCall(
          {.number = static_cast<long>(event.syscall_number), .arguments = event.arguments})));
    });
    event = guest.Return(result);
  }
  ASSERT_EQ(event.kind, Event::Kind::kSyscall);
  EXPECT_EQ(event.arguments[0], 0u);
  EXPECT_EQ(event.arguments[1], 78u);
  EXPECT_EQ(event.arguments[3], 0u);
  uint64_t address = event.arguments[2];
  std::byte byte{};
  EXPECT_TRUE(space.CopyOut(address, std::span(&byte, 1)).ok());
  EXPECT_TRUE(space.CopyIn(address + kPage, std::span(&byte, 1)).ok());
  EXPECT_TRUE(space.CopyOut(address + kPage, std::span(&byte, 1)).Is(EFAULT));
  EXPECT_TRUE(space.CopyIn(address + 2 * kPage, std::span(&byte, 1)).Is(EFAULT));
}

}  // namespace
}  // namespace redoubt::platform::conformance
