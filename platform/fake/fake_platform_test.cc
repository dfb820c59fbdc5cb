// SPDX-License-Identifier: Apache-2.0
#include "platform/fake/fake_platform.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

#include "gtest/gtest.h"

namespace redoubt::platform::fake {
namespace {

constexpr uint64_t kPage = 4096;
constexpr uint64_t kAddress = 0x100000;

// Answers each call with its number plus one; exits at call 60 and at death.
class CountingEvents : public GuestEvents {
 public:
  NextStep OnEvent(Context& context, const Event& event) override {
    events.push_back(event);
    if (event.kind == Event::Kind::kDead) return NextStep::kExit;
    if (event.kind != Event::Kind::kSyscall) return NextStep::kResume;
    if (event.syscall_number == SYS_exit) return NextStep::kExit;
    if (event.syscall_number == SYS_kill) context.Interrupt();
    context.registers().rax = event.syscall_number + 1;
    return NextStep::kResume;
  }
  void OnExited() override { ++exits; }

  std::vector<Event> events;
  int exits = 0;
};

class FakePlatformTest : public testing::Test {
 protected:
  std::unique_ptr<Context> NewContext() {
    return std::move(*platform_.NewContext(*platform_.NewAddressSpace()));
  }
  std::unique_ptr<FakeThread> StartThread() {
    platform_.Start(NewContext(), events_);
    return platform_.TakeStarted();
  }
  static SyscallResult Map(Context& context, uint64_t address, uint64_t length, int flags) {
    return context.HostCall({.number = SYS_mmap,
                             .arguments = {address, length, PROT_READ | PROT_WRITE,
                                           static_cast<uint64_t>(flags), ~uint64_t{0}, 0}});
  }
  static int64_t Outcome(const SyscallResult& result) {
    return result.ok() ? static_cast<int64_t>(*result) : -int64_t{result.error().value()};
  }
  static void Poke(AddressSpace& space, uint64_t address, uint64_t value) {
    ASSERT_TRUE(space.CopyOut(address, std::as_bytes(std::span(&value, 1))).ok());
  }
  static uint64_t Peek(AddressSpace& space, uint64_t address) {
    uint64_t value = 0;
    EXPECT_TRUE(space.CopyIn(address, std::as_writable_bytes(std::span(&value, 1))).ok());
    return value;
  }

  static constexpr int kAnonymous = MAP_PRIVATE | MAP_ANONYMOUS;
  FakePlatform platform_;
  CountingEvents events_;
};

TEST_F(FakePlatformTest, SyscallGoesThroughTheHandler) {
  auto thread = StartThread();
  EXPECT_EQ(thread->Syscall(SYS_getpid, {1, 2, 3, 4, 5, 6}), SYS_getpid + 1u);
  EXPECT_EQ(events_.events.at(0).arguments[5], 6u);
  EXPECT_EQ(thread->registers().rip, 2u);
  thread->Syscall(SYS_exit);
  EXPECT_TRUE(thread->exited());
  EXPECT_EQ(events_.exits, 1);
}

TEST_F(FakePlatformTest, InterruptsComeBeforeTheGuestRuns) {
  auto thread = StartThread();
  thread->Syscall(SYS_kill);
  ASSERT_EQ(events_.events.size(), 2u);
  EXPECT_EQ(events_.events[1].kind, Event::Kind::kInterrupted);
  EXPECT_FALSE(thread->context().interrupted());
}

TEST_F(FakePlatformTest, AThreadThatIsDroppedDies) {
  StartThread().reset();
  EXPECT_EQ(events_.events.at(0).kind, Event::Kind::kDead);
  EXPECT_EQ(events_.exits, 1);
}

TEST_F(FakePlatformTest, MemoryIsMappedCopiedAndUnmapped) {
  auto context = NewContext();
  AddressSpace& space = *context->address_space();
  ASSERT_EQ(Outcome(Map(*context, kAddress, 2 * kPage, kAnonymous | MAP_FIXED)), kAddress);
  Poke(space, kAddress + kPage - 4, 0x1122334455667788);
  EXPECT_EQ(Peek(space, kAddress + kPage - 4), 0x1122334455667788u);
  std::vector<std::byte> buffer(3 * kPage);
  EXPECT_EQ(*space.CopyIn(kAddress + 16, buffer), 2 * kPage - 16);
  EXPECT_EQ(Outcome(context->HostCall({.number = SYS_munmap, .arguments = {kAddress, kPage}})), 0);
  EXPECT_TRUE(space.CopyIn(kAddress, buffer).Is(EFAULT));
}

TEST_F(FakePlatformTest, ProtectionHoldsForCopies) {
  auto context = NewContext();
  AddressSpace& space = *context->address_space();
  ASSERT_TRUE(Map(*context, kAddress, kPage, kAnonymous | MAP_FIXED).ok());
  ASSERT_EQ(Outcome(context->HostCall(
                {.number = SYS_mprotect, .arguments = {kAddress, kPage, PROT_READ}})),
            0);
  std::byte byte{};
  EXPECT_TRUE(space.CopyIn(kAddress, std::span(&byte, 1)).ok());
  EXPECT_TRUE(space.CopyOut(kAddress, std::span(&byte, 1)).Is(EFAULT));
  EXPECT_EQ(*static_cast<FakeAddressSpace&>(space).ProtectionAt(kAddress), PROT_READ);
}

TEST_F(FakePlatformTest, MappingsWithoutAddressDoNotOverlap) {
  auto context = NewContext();
  uint64_t first = *Map(*context, 0, 3 * kPage, kAnonymous);
  uint64_t second = *Map(*context, 0, kPage, kAnonymous);
  EXPECT_TRUE(second + kPage <= first || first + 3 * kPage <= second);
  EXPECT_EQ(Outcome(Map(*context, first, kPage, kAnonymous | MAP_FIXED_NOREPLACE)), -EEXIST);
  EXPECT_EQ(Outcome(Map(*context, first + 1, kPage, kAnonymous | MAP_FIXED)), -EINVAL);
  EXPECT_EQ(Outcome(Map(*context, 0, 0, kAnonymous)), -EINVAL);
}

TEST_F(FakePlatformTest, RemapGrowsAndMoves) {
  auto context = NewContext();
  AddressSpace& space = *context->address_space();
  ASSERT_TRUE(Map(*context, kAddress, kPage, kAnonymous | MAP_FIXED).ok());
  ASSERT_TRUE(Map(*context, kAddress + kPage, kPage, kAnonymous | MAP_FIXED).ok());
  Poke(space, kAddress, 7);
  HostCallRequest grow{.number = SYS_mremap, .arguments = {kAddress, kPage, 2 * kPage, 0}};
  EXPECT_EQ(Outcome(context->HostCall(grow)), -ENOMEM);
  grow.arguments[3] = MREMAP_MAYMOVE;
  uint64_t moved = *context->HostCall(grow);
  EXPECT_NE(moved, kAddress);
  EXPECT_EQ(Peek(space, moved), 7u);
  EXPECT_EQ(Peek(space, moved + kPage), 0u);
}

TEST_F(FakePlatformTest, CloneCopiesPrivateMemoryAndSharesShared) {
  auto context = NewContext();
  ASSERT_TRUE(Map(*context, kAddress, kPage, kAnonymous | MAP_FIXED).ok());
  constexpr int kShared = MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED;
  ASSERT_TRUE(Map(*context, 2 * kAddress, kPage, kShared).ok());
  auto thread = std::move(*context->Clone(true));
  auto child = std::move(*context->Clone(false));
  EXPECT_EQ(thread->address_space(), context->address_space());
  Poke(*context->address_space(), kAddress, 1);
  Poke(*context->address_space(), 2 * kAddress, 2);
  EXPECT_EQ(Peek(*child->address_space(), kAddress), 0u);
  EXPECT_EQ(Peek(*child->address_space(), 2 * kAddress), 2u);
}

TEST_F(FakePlatformTest, FilesAreCopiedIn) {
  auto context = NewContext();
  int fd = memfd_create("file", MFD_CLOEXEC);
  uint64_t value = 99;
  ASSERT_EQ(pwrite(fd, &value, sizeof(value), kPage), 8);
  constexpr int kFlags = MAP_PRIVATE | MAP_FIXED;
  ASSERT_TRUE(context->MapFile(kAddress, kPage, PROT_READ, kFlags, fd, kPage).ok());
  close(fd);
  EXPECT_EQ(Peek(*context->address_space(), kAddress), 99u);
}

TEST_F(FakePlatformTest, ExecNeedsAPristineSpace) {
  auto context = NewContext();
  ASSERT_TRUE(Map(*context, kAddress, kPage, kAnonymous | MAP_FIXED).ok());
  EXPECT_TRUE(context->EnterAddressSpace(context->address_space()).Is(EBUSY));
  ASSERT_TRUE(context->EnterAddressSpace(*platform_.NewAddressSpace()).ok());
  std::byte byte;
  EXPECT_TRUE(context->CopyIn(kAddress, std::span(&byte, 1)).Is(EFAULT));
}

TEST_F(FakePlatformTest, FailuresAndHostCallsAreTheTests) {
  platform_.next_failure = EAGAIN;
  EXPECT_TRUE(platform_.NewAddressSpace().Is(EAGAIN));
  auto context = NewContext();
  EXPECT_EQ(Outcome(context->HostCall({.number = SYS_futex})), -ENOSYS);
  platform_.on_host_call = [](FakeContext&, const HostCallRequest&) -> SyscallResult { return 5; };
  EXPECT_EQ(Outcome(context->HostCall({.number = SYS_futex})), 5);
}

}  // namespace
}  // namespace redoubt::platform::fake
