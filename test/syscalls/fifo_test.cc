// SPDX-License-Identifier: Apache-2.0
//
// Named pipes: mkfifo(3) and their open(2).

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test/util/file_descriptor.h"
#include "test/util/fork.h"
#include "test/util/syscall_matchers.h"
#include "test/util/temp_path.h"

namespace redoubt::test {
namespace {

class FifoTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_THAT(mkfifo(path_.c_str(), 0600), SyscallSucceeds()); }

  TempDir dir_;
  const std::string path_ = dir_.Path("fifo");
};

TEST_F(FifoTest, IsOneForStat) {
  struct stat st;
  ASSERT_THAT(stat(path_.c_str(), &st), SyscallSucceeds());
  EXPECT_TRUE(S_ISFIFO(st.st_mode));
  EXPECT_THAT(mkfifo(path_.c_str(), 0600), SyscallFailsWith(EEXIST));
}

TEST_F(FifoTest, OpenersWaitForEachOther) {
  ForkedChild writer([&] {
    const int fd = open(path_.c_str(), O_WRONLY);
    CHILD_CHECK(fd >= 0);
    CHILD_CHECK(write(fd, "hello", 5) == 5);
  });
  EXPECT_EQ(ReadFile(path_), "hello");
  EXPECT_THAT(writer.Wait(), ExitedWith(0));
}

TEST_F(FifoTest, NonBlockingOpens) {
  EXPECT_THAT(open(path_.c_str(), O_WRONLY | O_NONBLOCK), SyscallFailsWith(ENXIO));
  FileDescriptor reader(open(path_.c_str(), O_RDONLY | O_NONBLOCK));
  ASSERT_TRUE(reader.valid());
  char byte;
  EXPECT_THAT(read(reader.get(), &byte, 1), SyscallSucceedsWithValue(0));  // No writer: the end.
  FileDescriptor writer(open(path_.c_str(), O_WRONLY | O_NONBLOCK));
  EXPECT_TRUE(writer.valid());
  EXPECT_THAT(read(reader.get(), &byte, 1), SyscallFailsWith(EAGAIN));
}

TEST_F(FifoTest, ReadWriteOpenNeverBlocks) {
  FileDescriptor both(open(path_.c_str(), O_RDWR));
  ASSERT_TRUE(both.valid());
  char byte;
  ASSERT_THAT(write(both.get(), "x", 1), SyscallSucceedsWithValue(1));
  EXPECT_THAT(read(both.get(), &byte, 1), SyscallSucceedsWithValue(1));
}

}  // namespace
}  // namespace redoubt::test
