// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/adapter.h"

#include "gtest/gtest.h"
#include "sentry/syscalls/entry.h"

namespace redoubt::syscalls {
namespace {

struct Seen {
  int32_t number = 0;
  uint64_t wide = 0;
  int32_t fd = 0;
  uint64_t address = 0;
};
Seen seen;

SyscallResult SysTest(Task&, int32_t number, uint64_t wide, FdNumber fd, UserPath path,
                      UserIn<abi::Timespec> in, UserOut<uint32_t> out) {
  seen = {number, wide, fd, path.address()};
  return in.address() + out.address();
}

SyscallResult SysNothing(Task&) { return 7UL; }

// Handlers of this test never look at their task.
Task& NoTask() {
  alignas(Task) static std::byte storage[sizeof(Task)];
  return reinterpret_cast<Task&>(storage);
}

TEST(Adapter, DecodesEachRegisterByItsType) {
  SyscallArguments arguments{{0xffffffff'80000001, 0xffffffff'80000001, 0x1'00000003, 40, 50, 60}};
  SyscallResult result = Adapter<SysTest>::Call(NoTask(), arguments);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(*result, 110U);
  EXPECT_EQ(seen.number, static_cast<int32_t>(0x80000001));  // The upper half is dropped.
  EXPECT_EQ(seen.wide, 0xffffffff'80000001);
  EXPECT_EQ(seen.fd, 3);
  EXPECT_EQ(seen.address, 40U);
}

TEST(Adapter, TakesHandlersWithoutArguments) {
  SyscallResult result = Adapter<SysNothing>::Call(NoTask(), {});
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(*result, 7U);
}

TEST(Adapter, DeducesShapes) {
  constexpr auto kShapes = Adapter<SysTest>::Shapes();
  EXPECT_EQ(kShapes[0].kind, ArgumentKind::kSigned);
  EXPECT_EQ(kShapes[0].size, 4U);
  EXPECT_EQ(kShapes[1].kind, ArgumentKind::kUnsigned);
  EXPECT_EQ(kShapes[2].kind, ArgumentKind::kFd);
  EXPECT_EQ(kShapes[3].kind, ArgumentKind::kPath);
  EXPECT_EQ(kShapes[4].kind, ArgumentKind::kStructIn);
  EXPECT_EQ(kShapes[4].structure, StructKind::kTimespec);
  EXPECT_EQ(kShapes[4].size, 16U);
  EXPECT_EQ(kShapes[5].kind, ArgumentKind::kStructOut);
}

TEST(Entry, MissingCallsFailAsTheySay) {
  constexpr SyscallEntry kEntry = Missing<EPERM>(1, "x", "note");
  EXPECT_TRUE(kEntry.handler(NoTask(), {}).Is(EPERM));
}

TEST(Entry, TablesMustIncrease) {
  constexpr auto kGood = std::to_array({Missing<1>(1, "a", "a"), Missing<1>(2, "b", "b")});
  constexpr auto kTwice = std::to_array({Missing<1>(2, "a", "a"), Missing<1>(2, "b", "b")});
  EXPECT_TRUE(StrictlyIncreasing(kGood));
  EXPECT_FALSE(StrictlyIncreasing(kTwice));
}

}  // namespace
}  // namespace redoubt::syscalls
