// SPDX-License-Identifier: Apache-2.0
//
// fcntl(2) record locks, owned by processes, and open file description locks.

#include <fcntl.h>
#include <unistd.h>

#include "test/util/file_descriptor.h"
#include "test/util/fork.h"
#include "test/util/syscall_matchers.h"
#include "test/util/temp_path.h"
#include "test/util/timing.h"

namespace redoubt::test {
namespace {

int Lock(int fd, int command, short type, off_t start = 0, off_t length = 0) {
  struct flock lock = {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = start;
  lock.l_len = length;
  return fcntl(fd, command, &lock);
}

class RecordLockTest : public ::testing::Test {
 protected:
  RecordLockTest() : file_(open(dir_.File("a", "0123456789").c_str(), O_RDWR)) {}

  TempDir dir_;
  FileDescriptor file_;
};

TEST_F(RecordLockTest, WriteLockKeepsOtherProcessesOut) {
  ASSERT_THAT(Lock(file_.get(), F_SETLK, F_WRLCK, 0, 5), SyscallSucceeds());
  EXPECT_THAT(InForkedProcess([&] {
                CHILD_CHECK_FAILS(Lock(file_.get(), F_SETLK, F_RDLCK, 4, 1), EAGAIN);
                CHILD_CHECK(Lock(file_.get(), F_SETLK, F_WRLCK, 5, 5) == 0);
              }),
              ExitedWith(0));
}

TEST_F(RecordLockTest, ReadLocksAreShared) {
  ASSERT_THAT(Lock(file_.get(), F_SETLK, F_RDLCK), SyscallSucceeds());
  EXPECT_THAT(InForkedProcess([&] {
                CHILD_CHECK(Lock(file_.get(), F_SETLK, F_RDLCK) == 0);
                CHILD_CHECK_FAILS(Lock(file_.get(), F_SETLK, F_WRLCK), EAGAIN);
              }),
              ExitedWith(0));
}

TEST_F(RecordLockTest, OwnLocksNeverConflictAndCanBeSplit) {
  ASSERT_THAT(Lock(file_.get(), F_SETLK, F_WRLCK, 0, 10), SyscallSucceeds());
  ASSERT_THAT(Lock(file_.get(), F_SETLK, F_RDLCK, 0, 10), SyscallSucceeds());
  ASSERT_THAT(Lock(file_.get(), F_SETLK, F_UNLCK, 4, 2), SyscallSucceeds());
  EXPECT_THAT(InForkedProcess([&] {
                CHILD_CHECK(Lock(file_.get(), F_SETLK, F_WRLCK, 4, 2) == 0);
                CHILD_CHECK_FAILS(Lock(file_.get(), F_SETLK, F_WRLCK, 3, 1), EAGAIN);
                CHILD_CHECK_FAILS(Lock(file_.get(), F_SETLK, F_WRLCK, 6, 1), EAGAIN);
              }),
              ExitedWith(0));
}

TEST_F(RecordLockTest, GetlkNamesTheHolder) {
  ASSERT_THAT(Lock(file_.get(), F_SETLK, F_WRLCK, 2, 3), SyscallSucceeds());
  const pid_t parent = getpid();
  EXPECT_THAT(InForkedProcess([&] {
                struct flock lock = {};
                lock.l_type = F_RDLCK;
                CHILD_CHECK(fcntl(file_.get(), F_GETLK, &lock) == 0);
                CHILD_CHECK(lock.l_type == F_WRLCK);
                CHILD_CHECK(lock.l_pid == parent);
                CHILD_CHECK(lock.l_start == 2 && lock.l_len == 3);
              }),
              ExitedWith(0));
  struct flock own = {};
  own.l_type = F_WRLCK;
  ASSERT_THAT(fcntl(file_.get(), F_GETLK, &own), SyscallSucceeds());
  EXPECT_EQ(own.l_type, F_UNLCK);
}

TEST_F(RecordLockTest, ClosingAnyDescriptorOfTheFileDropsThem) {
  ASSERT_THAT(Lock(file_.get(), F_SETLK, F_WRLCK), SyscallSucceeds());
  FileDescriptor other(open(dir_.Path("a").c_str(), O_RDONLY));
  other.reset();
  EXPECT_THAT(InForkedProcess([&] { CHILD_CHECK(Lock(file_.get(), F_SETLK, F_WRLCK) == 0); }),
              ExitedWith(0));
}

TEST_F(RecordLockTest, WaiterGetsTheLockWhenItsHolderDies) {
  SyncPoint locked;
  ForkedChild holder([&] {
    CHILD_CHECK(Lock(file_.get(), F_SETLK, F_WRLCK) == 0);
    locked.Open();
    pause();
  });
  ASSERT_TRUE(locked.Await());
  ForkedChild waiter([&] { CHILD_CHECK(Lock(file_.get(), F_SETLKW, F_WRLCK) == 0); });
  AwaitSleeping(waiter.pid());
  kill(holder.pid(), SIGKILL);
  EXPECT_THAT(waiter.Wait(), ExitedWith(0));
}

TEST_F(RecordLockTest, WaitingInACircleIsEdeadlk) {
  ASSERT_THAT(Lock(file_.get(), F_SETLK, F_WRLCK, 0, 1), SyscallSucceeds());
  SyncPoint locked;
  ForkedChild child([&] {
    CHILD_CHECK(Lock(file_.get(), F_SETLK, F_WRLCK, 1, 1) == 0);
    locked.Open();
    CHILD_CHECK(Lock(file_.get(), F_SETLKW, F_WRLCK, 0, 1) == 0);
  });
  ASSERT_TRUE(locked.Await());
  AwaitSleeping(child.pid());
  EXPECT_THAT(Lock(file_.get(), F_SETLKW, F_WRLCK, 1, 1), SyscallFailsWith(EDEADLK));
  ASSERT_THAT(Lock(file_.get(), F_SETLK, F_UNLCK, 0, 1), SyscallSucceeds());
  EXPECT_THAT(child.Wait(), ExitedWith(0));
}

TEST_F(RecordLockTest, AccessModeAndArguments) {
  FileDescriptor reader(open(dir_.Path("a").c_str(), O_RDONLY));
  FileDescriptor writer(open(dir_.Path("a").c_str(), O_WRONLY));
  EXPECT_THAT(Lock(reader.get(), F_SETLK, F_WRLCK), SyscallFailsWith(EBADF));
  EXPECT_THAT(Lock(writer.get(), F_SETLK, F_RDLCK), SyscallFailsWith(EBADF));
  EXPECT_THAT(Lock(file_.get(), F_SETLK, 77), SyscallFailsWith(EINVAL));
  EXPECT_THAT(Lock(file_.get(), F_SETLK, F_RDLCK, -1, 1), SyscallFailsWith(EINVAL));
}

TEST_F(RecordLockTest, DescriptionLocksConflictWithinOneProcess) {
  FileDescriptor other(open(dir_.Path("a").c_str(), O_RDWR));
  FileDescriptor copy(dup(file_.get()));
  ASSERT_THAT(Lock(file_.get(), F_OFD_SETLK, F_WRLCK), SyscallSucceeds());
  EXPECT_THAT(Lock(other.get(), F_OFD_SETLK, F_RDLCK), SyscallFailsWith(EAGAIN));
  EXPECT_THAT(Lock(copy.get(), F_OFD_SETLK, F_RDLCK), SyscallSucceeds());
}

}  // namespace
}  // namespace redoubt::test
