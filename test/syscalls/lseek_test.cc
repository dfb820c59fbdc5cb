// SPDX-License-Identifier: Apache-2.0

#include <fcntl.h>
#include <unistd.h>

#include "test/util/file_descriptor.h"
#include "test/util/fork.h"
#include "test/util/syscall_matchers.h"
#include "test/util/temp_path.h"

namespace redoubt::test {
namespace {

class LseekTest : public ::testing::Test {
 protected:
  LseekTest() : file_(open(dir_.File("a", "0123456789").c_str(), O_RDWR)) {}

  off_t Seek(off_t offset, int whence) { return lseek(file_.get(), offset, whence); }

  TempDir dir_;
  FileDescriptor file_;
};

TEST_F(LseekTest, CountsFromStartCurrentAndEnd) {
  EXPECT_THAT(Seek(4, SEEK_SET), SyscallSucceedsWithValue(4));
  EXPECT_THAT(Seek(3, SEEK_CUR), SyscallSucceedsWithValue(7));
  EXPECT_THAT(Seek(-1, SEEK_CUR), SyscallSucceedsWithValue(6));
  EXPECT_THAT(Seek(-2, SEEK_END), SyscallSucceedsWithValue(8));
}

TEST_F(LseekTest, BeyondTheEndIsAllowedAndDoesNotGrowTheFile) {
  EXPECT_THAT(Seek(100, SEEK_END), SyscallSucceedsWithValue(110));
  EXPECT_EQ(ReadFile(dir_.Path("a")).size(), 10u);
}

TEST_F(LseekTest, NegativeResultIsEinvalAndOffsetStays) {
  ASSERT_THAT(Seek(5, SEEK_SET), SyscallSucceeds());
  EXPECT_THAT(Seek(-1, SEEK_SET), SyscallFailsWith(EINVAL));
  EXPECT_THAT(Seek(-6, SEEK_CUR), SyscallFailsWith(EINVAL));
  EXPECT_THAT(Seek(-11, SEEK_END), SyscallFailsWith(EINVAL));
  EXPECT_THAT(Seek(0, SEEK_CUR), SyscallSucceedsWithValue(5));
}

TEST_F(LseekTest, UnknownWhenceIsEinval) {
  EXPECT_THAT(Seek(0, 99), SyscallFailsWith(EINVAL));
  EXPECT_THAT(Seek(0, -1), SyscallFailsWith(EINVAL));
}

TEST_F(LseekTest, BadDescriptorComesBeforeBadWhence) {
  EXPECT_THAT(lseek(-1, 0, 99), SyscallFailsWith(EBADF));
}

TEST_F(LseekTest, PipesAndSocketsAreEspipe) {
  Pipe pipe;
  SocketPair sockets;
  EXPECT_THAT(lseek(pipe.reader.get(), 0, SEEK_CUR), SyscallFailsWith(ESPIPE));
  EXPECT_THAT(lseek(sockets.first.get(), 0, SEEK_SET), SyscallFailsWith(ESPIPE));
}

TEST_F(LseekTest, OffsetIsSharedByDuplicatesAndChildrenNotByOtherOpens) {
  FileDescriptor duplicate(dup(file_.get()));
  FileDescriptor other(open(dir_.Path("a").c_str(), O_RDONLY));
  ASSERT_THAT(Seek(3, SEEK_SET), SyscallSucceeds());
  EXPECT_THAT(lseek(duplicate.get(), 0, SEEK_CUR), SyscallSucceedsWithValue(3));
  EXPECT_THAT(lseek(other.get(), 0, SEEK_CUR), SyscallSucceedsWithValue(0));
  EXPECT_THAT(InForkedProcess([&] { CHILD_CHECK(lseek(file_.get(), 4, SEEK_CUR) == 7); }),
              ExitedWith(0));
  EXPECT_THAT(Seek(0, SEEK_CUR), SyscallSucceedsWithValue(7));
}

TEST_F(LseekTest, DataAndHole) {
  EXPECT_THAT(Seek(2, SEEK_DATA), SyscallSucceedsWithValue(2));
  EXPECT_THAT(Seek(2, SEEK_HOLE), SyscallSucceedsWithValue(10));  // The end counts as a hole.
  EXPECT_THAT(Seek(10, SEEK_DATA), SyscallFailsWith(ENXIO));
  EXPECT_THAT(Seek(11, SEEK_HOLE), SyscallFailsWith(ENXIO));
}

}  // namespace
}  // namespace redoubt::test
