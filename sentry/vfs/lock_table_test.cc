// SPDX-License-Identifier: Apache-2.0
#include "sentry/vfs/lock_table.h"

#include "sentry/fs/tmpfs/vfs_fixture.h"

namespace redoubt::vfs {
namespace {

constexpr bool kShared = false;
constexpr bool kExclusive = true;

class LockTest : public VfsTest {
 protected:
  LockTest() {
    Put("/f");
    file = TryOpen(root, "/f", O_RDWR).value();
    other = TryOpen(root, "/f", O_RDWR).value();
  }
  LockTable& table() { return file->inode()->locks(); }
  int Lock(int tgid, uint64_t start, uint64_t end, bool exclusive) {
    return Code(table().SetRecord(LockOwner::Process(tgid), {start, end}, exclusive));
  }
  int Free(int tgid, uint64_t start, uint64_t end) {
    return Code(table().ClearRecord(LockOwner::Process(tgid), {start, end}));
  }
  RefPtr<FileDescription> file, other;
};

TEST_F(LockTest, SharedLocksCoexist) {
  EXPECT_EQ(Lock(1, 0, 9, kShared), 0);
  EXPECT_EQ(Lock(2, 5, 20, kShared), 0);
  EXPECT_EQ(Lock(3, 0, 0, kExclusive), EAGAIN);
  EXPECT_EQ(Lock(3, 21, 30, kExclusive), 0);
}

TEST_F(LockTest, OwnLocksConvertAndSplit) {
  EXPECT_EQ(Lock(1, 0, 99, kExclusive), 0);
  EXPECT_EQ(Lock(1, 40, 59, kShared), 0);
  EXPECT_EQ(table().Records().size(), 3u);
  EXPECT_EQ(Lock(2, 45, 50, kShared), 0);
  EXPECT_EQ(Lock(2, 39, 45, kShared), EAGAIN);
  EXPECT_EQ(Lock(1, 0, 99, kExclusive), EAGAIN);  // 2 reads within.
}

TEST_F(LockTest, UnlockCutsAHole) {
  Lock(1, 0, 99, kExclusive);
  EXPECT_EQ(Free(1, 10, 19), 0);
  EXPECT_EQ(Lock(2, 10, 19, kExclusive), 0);
  EXPECT_EQ(Lock(2, 9, 9, kExclusive), EAGAIN);
  EXPECT_EQ(Lock(2, 20, 20, kExclusive), EAGAIN);
}

TEST_F(LockTest, NeighboursMerge) {
  Lock(1, 0, 9, kShared);
  Lock(1, 20, 29, kShared);
  Lock(1, 10, 19, kShared);
  ASSERT_EQ(table().Records().size(), 1u);
  EXPECT_EQ(table().Records()[0].range.end, 29u);
  Lock(1, 30, RecordRange::kToEnd, kShared);
  EXPECT_EQ(table().Records().size(), 1u);
}

TEST_F(LockTest, FindConflictNamesTheHolder) {
  Lock(7, 5, 6, kExclusive);
  auto conflict = table().FindConflict(LockOwner::Process(8), {0, 100}, kShared);
  ASSERT_TRUE(conflict.has_value());
  EXPECT_EQ(conflict->owner.tgid, 7);
  EXPECT_EQ(conflict->range.start, 5u);
  EXPECT_FALSE(table().FindConflict(LockOwner::Process(7), {0, 100}, kShared).has_value());
}

TEST_F(LockTest, ClosingAnyDescriptorReleasesTheProcess) {
  Lock(1, 0, 9, kExclusive);
  other->OnDescriptorClosed(2);
  EXPECT_EQ(Lock(2, 0, 9, kExclusive), EAGAIN);
  other->OnDescriptorClosed(1);
  EXPECT_EQ(Lock(2, 0, 9, kExclusive), 0);
}

TEST_F(LockTest, OpenFileLocksBelongToTheDescription) {
  auto mine = LockOwner::OpenFile(*file), theirs = LockOwner::OpenFile(*other);
  EXPECT_EQ(Code(table().SetRecord(mine, {0, 9}, kExclusive)), 0);
  EXPECT_EQ(Code(table().SetRecord(theirs, {0, 9}, kShared)), EAGAIN);
  EXPECT_EQ(Lock(1, 0, 9, kShared), EAGAIN);
  file->OnDescriptorClosed(1);
  EXPECT_EQ(Lock(1, 0, 9, kShared), EAGAIN);
  file = other;  // The last reference goes.
  EXPECT_EQ(Lock(1, 0, 9, kShared), 0);
}

TEST_F(LockTest, FlocksSeeOnlyFlocks) {
  Lock(1, 0, RecordRange::kToEnd, kExclusive);
  EXPECT_EQ(Code(table().SetFlock(*file, kShared)), 0);
  EXPECT_EQ(Code(table().SetFlock(*other, kShared)), 0);
  EXPECT_EQ(Code(table().SetFlock(*other, kExclusive)), EAGAIN);
  table().ClearFlock(*file);
  EXPECT_EQ(Code(table().SetFlock(*other, kExclusive)), 0);
}

TEST_F(LockTest, FlocksGoWithTheDescription) {
  EXPECT_EQ(Code(table().SetFlock(*file, kExclusive)), 0);
  EXPECT_EQ(Code(table().SetFlock(*other, kExclusive)), EAGAIN);
  file = other;
  EXPECT_EQ(Code(table().SetFlock(*other, kExclusive)), 0);
}

TEST_F(LockTest, CirclesAreFound) {
  Lock(1, 0, 0, kExclusive);
  Lock(2, 1, 1, kExclusive);
  Lock(3, 2, 2, kExclusive);
  EXPECT_EQ(Code(table().BeginWait(1, {1, 1}, kExclusive)), 0);
  EXPECT_EQ(Code(table().BeginWait(2, {2, 2}, kExclusive)), 0);
  EXPECT_EQ(Code(table().BeginWait(3, {0, 0}, kExclusive)), EDEADLK);
  LockTable::EndWait(2);
  EXPECT_EQ(Code(table().BeginWait(3, {0, 0}, kExclusive)), 0);
  for (int tgid : {1, 2, 3}) LockTable::EndWait(tgid);
}

TEST_F(LockTest, LocksAreBounded) {
  int code = 0;
  for (uint64_t i = 0; i < 40000 && code == 0; i += 2) code = Lock(1, i * 2, i * 2, kShared);
  EXPECT_EQ(code, ENOLCK);
  EXPECT_EQ(Free(1, 0, RecordRange::kToEnd), 0);
}

class Waiter : public WaitEntry {
 public:
  void Notify(EventMask events) override { ++woken; }
  int woken = 0;
};

TEST_F(LockTest, UnlockWakesWaiters) {
  Lock(1, 0, 9, kExclusive);
  Waiter waiter;
  table().wait_queue().Add(&waiter, EPOLLOUT);
  Free(1, 0, 9);
  EXPECT_EQ(waiter.woken, 1);
  table().wait_queue().Remove(&waiter);
}

}  // namespace
}  // namespace redoubt::vfs
