// SPDX-License-Identifier: Apache-2.0
//
// fork, threads and their ends.
#include <sys/mman.h>
#include <sys/syscall.h>

#include <vector>

#include "platform/conformance/platform_conformance.h"

namespace redoubt::platform::conformance {
namespace {

using Kind = Event::Kind;

// Stores the first call's result at kData + 8 * result, then calls again, for ever.
GUEST_CODE(store_result, R"(
  mov $1001, %eax
  syscall
  mov %rax, (%rbx,%rax,8)
1:mov $1002, %eax
  mov %rsp, %rdi
  syscall
  jmp 1b
)")

// The guest, stopped in its first call, and a clone of it that returns `result` from that call.
struct Pair {
  explicit Pair(bool share_memory, uint64_t result = 1)
      : parent(ThePlatform(), NewGuest(store_result())) {
    EXPECT_EQ(parent.Next().kind, Kind::kSyscall);
    child = Spawn(share_memory, result);
  }

  std::unique_ptr<GuestThread> Spawn(bool share_memory, uint64_t result) {
    std::unique_ptr<Context> clone;
    parent.Do([&](Context& c) {
      auto made = c.Clone(share_memory);
      ASSERT_TRUE(made.ok()) << made.error().value();
      clone = std::move(*made);
      clone->registers().rax = result;
      parent_space = c.address_space();
      child_space = clone->address_space();
    });
    if (clone == nullptr) return nullptr;
    return std::make_unique<GuestThread>(ThePlatform(), std::move(clone));
  }

  GuestThread parent;
  RefPtr<AddressSpace> parent_space, child_space;
  std::unique_ptr<GuestThread> child;
};

TEST(Fork, MemoryIsACopy) {
  Pair pair(/*share_memory=*/false);
  EXPECT_EQ(pair.child->Next().syscall_number, 1002u);
  EXPECT_NE(pair.parent_space, pair.child_space);
  EXPECT_EQ(Peek<uint64_t>(*pair.child_space, kData + 8), 1u);
  EXPECT_EQ(Peek<uint64_t>(*pair.parent_space, kData + 8), 0u);
  EXPECT_EQ(pair.parent.Return(2).syscall_number, 1002u);
  EXPECT_EQ(Peek<uint64_t>(*pair.parent_space, kData + 16), 2u);
  EXPECT_EQ(Peek<uint64_t>(*pair.child_space, kData + 16), 0u);
}

TEST(Fork, TheChildOutlivesTheParent) {
  Pair pair(false);
  EXPECT_EQ(pair.child->Next().kind, Kind::kSyscall);
  pair.parent.Exit();
  EXPECT_EQ(pair.child->Return(0).kind, Kind::kSyscall);
  pair.child->Do(
      [](Context& c) { EXPECT_TRUE(MapAnonymous(c, 0x40000000, kPage, PROT_READ).ok()); });
}

TEST(Fork, AChildThatIsNeverStartedIsCleanedUp) {
  Pair pair(false);
  pair.child.reset();
  pair.child_space = nullptr;
  int before = CountChildren();
  pair.parent.Do([](Context& c) {
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(c.Clone(false).ok());
  });
  EXPECT_TRUE(Eventually([&] { return CountChildren() <= before + kPoolSlack; }));
}

TEST(Fork, AForkOfAFork) {
  Pair pair(false);
  ASSERT_EQ(pair.child->Next().kind, Kind::kSyscall);
  std::unique_ptr<Context> clone;
  pair.child->Do([&](Context& c) { clone = std::move(*c.Clone(false)); });
  RefPtr<AddressSpace> space = clone->address_space();
  GuestThread grandchild(ThePlatform(), std::move(clone));
  pair.child->Exit();
  EXPECT_EQ(grandchild.Next().syscall_number, 1002u);
  EXPECT_EQ(Peek<uint64_t>(*space, kData + 8), 1u);
}

TEST(Fork, CallsCanBeMadeInAChildBeforeItStarts) {
  Pair pair(false);
  pair.parent.Do([](Context& c) {
    auto child = c.Clone(false);
    ASSERT_TRUE(child.ok());
    ASSERT_TRUE(MapAnonymous(**child, 0x40000000, kPage, PROT_READ | PROT_WRITE).ok());
    Poke<uint64_t>(*(*child)->address_space(), 0x40000000, 3);
    std::byte byte;
    EXPECT_TRUE(c.CopyIn(0x40000000, std::span(&byte, 1)).Is(EFAULT));
  });
}

TEST(Thread, MemoryIsShared) {
  Pair pair(/*share_memory=*/true);
  EXPECT_EQ(pair.parent_space, pair.child_space);
  EXPECT_EQ(pair.child->Next().syscall_number, 1002u);
  EXPECT_EQ(Peek<uint64_t>(*pair.parent_space, kData + 8), 1u);
}

TEST(Thread, EachHasItsRegisters) {
  Pair pair(true, 1);
  std::vector<std::unique_ptr<GuestThread>> threads;
  for (uint64_t i = 2; i < 20; ++i) threads.push_back(pair.Spawn(true, i));
  for (uint64_t i = 2; i < 20; ++i) {
    ASSERT_EQ(threads[i - 2]->Next().kind, Kind::kSyscall);
    EXPECT_EQ(Peek<uint64_t>(*pair.parent_space, kData + 8 * i), i);
    threads[i - 2]->Do([](Context& c) { c.registers().rsp -= 64; });
    EXPECT_EQ(threads[i - 2]->Return(0).arguments[0], kStack + kStackSize - 64);
  }
}

TEST(Thread, OneEndsTheOthersGoOn) {
  Pair pair(true);
  ASSERT_EQ(pair.child->Next().kind, Kind::kSyscall);
  auto third = pair.Spawn(true, 2);
  ASSERT_EQ(third->Next().kind, Kind::kSyscall);
  third->Exit();
  EXPECT_EQ(pair.child->Return(0).kind, Kind::kSyscall);
  EXPECT_EQ(pair.parent.Return(3).kind, Kind::kSyscall);
}

TEST(Thread, TheFirstMayEndFirst) {
  Pair pair(true);
  ASSERT_EQ(pair.child->Next().kind, Kind::kSyscall);
  pair.parent.Exit();
  EXPECT_TRUE(pair.parent.exited());
  EXPECT_EQ(pair.child->Return(0).kind, Kind::kSyscall);
  EXPECT_EQ(Peek<uint64_t>(*pair.child_space, kData + 8), 1u);
  pair.child->Do([](Context& c) {
    EXPECT_TRUE(MapAnonymous(c, 0x40000000, kPage, PROT_READ).ok());
    EXPECT_TRUE(c.Clone(false).ok());
    EXPECT_TRUE(c.Clone(true).ok());
  });
  EXPECT_EQ(pair.child->Return(0).kind, Kind::kSyscall);
}

TEST(Thread, AThreadThatIsNeverStartedDisturbsNobody) {
  Pair pair(true);
  pair.parent.Do([](Context& c) {
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(c.Clone(true).ok());
  });
  EXPECT_EQ(pair.parent.Return(3).kind, Kind::kSyscall);
}

TEST(Thread, ForkFromAThread) {
  Pair pair(true);
  ASSERT_EQ(pair.child->Next().kind, Kind::kSyscall);
  std::unique_ptr<Context> clone;
  pair.child->Do([&](Context& c) { clone = std::move(*c.Clone(false)); });
  GuestThread forked(ThePlatform(), std::move(clone));
  EXPECT_EQ(forked.Next().kind, Kind::kSyscall);
  EXPECT_EQ(pair.child->Return(0).kind, Kind::kSyscall);
}

TEST(Fork, TwoHundredInARow) {
  Pair pair(false);
  pair.child.reset();
  pair.child_space = nullptr;
  int children = CountChildren(), descriptors = CountDescriptors();
  for (uint64_t i = 0; i < 200; ++i) {
    auto child = pair.Spawn(false, 1);
    ASSERT_NE(child, nullptr);
    ASSERT_EQ(child->Next().syscall_number, 1002u);
    child->Exit();
  }
  pair.child_space = nullptr;
  // A platform may still have been refilling its pool when they were counted.
  EXPECT_TRUE(Eventually([&] { return CountChildren() <= children + 8; }));
  EXPECT_TRUE(Eventually([&] { return CountDescriptors() <= descriptors + 8; }));
}

}  // namespace
}  // namespace redoubt::platform::conformance
