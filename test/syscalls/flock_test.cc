// SPDX-License-Identifier: Apache-2.0

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "test/util/file_descriptor.h"
#include "test/util/fork.h"
#include "test/util/syscall_matchers.h"
#include "test/util/temp_path.h"
#include "test/util/timing.h"

namespace redoubt::test {
namespace {

class FlockTest : public ::testing::Test {
 protected:
  FlockTest()
      : first_(open(dir_.File("a").c_str(), O_RDWR)),
        second_(open(dir_.Path("a").c_str(), O_RDONLY)) {}

  TempDir dir_;
  FileDescriptor first_;
  FileDescriptor second_;
};

TEST_F(FlockTest, ExclusiveKeepsOtherOpensOut) {
  ASSERT_THAT(flock(first_.get(), LOCK_EX), SyscallSucceeds());
  EXPECT_THAT(flock(second_.get(), LOCK_EX | LOCK_NB), SyscallFailsWith(EWOULDBLOCK));
  EXPECT_THAT(flock(second_.get(), LOCK_SH | LOCK_NB), SyscallFailsWith(EWOULDBLOCK));
  ASSERT_THAT(flock(first_.get(), LOCK_UN), SyscallSucceeds());
  EXPECT_THAT(flock(second_.get(), LOCK_EX | LOCK_NB), SyscallSucceeds());
}

TEST_F(FlockTest, SharedLocksGoTogether) {
  ASSERT_THAT(flock(first_.get(), LOCK_SH), SyscallSucceeds());
  EXPECT_THAT(flock(second_.get(), LOCK_SH | LOCK_NB), SyscallSucceeds());
  EXPECT_THAT(flock(second_.get(), LOCK_EX | LOCK_NB), SyscallFailsWith(EWOULDBLOCK));
}

TEST_F(FlockTest, BelongsToTheOpenFileNotTheDescriptor) {
  FileDescriptor copy(dup(first_.get()));
  ASSERT_THAT(flock(first_.get(), LOCK_EX), SyscallSucceeds());
  EXPECT_THAT(flock(copy.get(), LOCK_EX | LOCK_NB), SyscallSucceeds());
  first_.reset();
  EXPECT_THAT(flock(second_.get(), LOCK_EX | LOCK_NB), SyscallFailsWith(EWOULDBLOCK));
  copy.reset();  // The last one: now it is gone.
  EXPECT_THAT(flock(second_.get(), LOCK_EX | LOCK_NB), SyscallSucceeds());
}

TEST_F(FlockTest, WaiterIsWokenByUnlock) {
  ASSERT_THAT(flock(first_.get(), LOCK_EX), SyscallSucceeds());
  ForkedChild waiter([&] { CHILD_CHECK(flock(second_.get(), LOCK_EX) == 0); });
  AwaitSleeping(waiter.pid());
  ASSERT_THAT(flock(first_.get(), LOCK_UN), SyscallSucceeds());
  EXPECT_THAT(waiter.Wait(), ExitedWith(0));
}

TEST_F(FlockTest, BadArguments) {
  EXPECT_THAT(flock(-1, LOCK_EX), SyscallFailsWith(EBADF));
  EXPECT_THAT(flock(first_.get(), 0), SyscallFailsWith(EINVAL));
  EXPECT_THAT(flock(first_.get(), LOCK_NB), SyscallFailsWith(EINVAL));
}

}  // namespace
}  // namespace redoubt::test
