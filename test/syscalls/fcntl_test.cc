// SPDX-License-Identifier: Apache-2.0
//
// fcntl(2): flags and F_DUPFD. Its locks are in record_lock_test.cc.

#include <fcntl.h>
#include <unistd.h>

#include "test/util/file_descriptor.h"
#include "test/util/syscall_matchers.h"
#include "test/util/temp_path.h"

namespace redoubt::test {
namespace {

using ::testing::Ge;

// The kernel adds its own O_LARGEFILE, which libc's headers call 0 here.
int Flags(int fd) { return fcntl(fd, F_GETFL) & ~0100000; }

TEST(Fcntl, GetflTellsAccessModeAndStatus) {
  TempDir dir;
  const std::string path = dir.File("a");
  const int flags = O_RDWR | O_APPEND | O_CREAT | O_NONBLOCK | O_CLOEXEC;
  FileDescriptor file(open(path.c_str(), flags, 0600));
  // Creation flags and O_CLOEXEC are not part of it.
  EXPECT_EQ(Flags(file.get()), O_RDWR | O_APPEND | O_NONBLOCK);
  Pipe pipe;
  EXPECT_EQ(Flags(pipe.reader.get()), O_RDONLY);
  EXPECT_EQ(Flags(pipe.writer.get()), O_WRONLY);
}

TEST(Fcntl, SetflChangesStatusAndIgnoresTheRest) {
  TempDir dir;
  FileDescriptor file(open(dir.File("a", "one").c_str(), O_RDWR));
  ASSERT_THAT(fcntl(file.get(), F_SETFL, O_APPEND | O_WRONLY | O_CREAT | O_EXCL),
              SyscallSucceeds());
  EXPECT_EQ(Flags(file.get()), O_RDWR | O_APPEND);
  ASSERT_THAT(write(file.get(), "two", 3), SyscallSucceedsWithValue(3));
  EXPECT_EQ(ReadFile(dir.Path("a")), "onetwo");
  ASSERT_THAT(fcntl(file.get(), F_SETFL, 0), SyscallSucceeds());
  EXPECT_EQ(Flags(file.get()), O_RDWR);
}

TEST(Fcntl, CloseOnExecCanBeSetAndCleared) {
  Pipe pipe;
  const int fd = pipe.reader.get();
  EXPECT_THAT(fcntl(fd, F_SETFD, FD_CLOEXEC), SyscallSucceeds());
  EXPECT_THAT(fcntl(fd, F_GETFD), SyscallSucceedsWithValue(FD_CLOEXEC));
  EXPECT_THAT(fcntl(fd, F_SETFD, ~FD_CLOEXEC), SyscallSucceeds());  // Other bits are nothing.
  EXPECT_THAT(fcntl(fd, F_GETFD), SyscallSucceedsWithValue(0));
}

TEST(Fcntl, DupfdTakesTheLowestFromItsArgument) {
  Pipe pipe;
  FileDescriptor first(fcntl(pipe.reader.get(), F_DUPFD, 100));
  FileDescriptor second(fcntl(pipe.reader.get(), F_DUPFD_CLOEXEC, 100));
  EXPECT_EQ(first.get(), 100);
  EXPECT_EQ(second.get(), 101);
  EXPECT_THAT(fcntl(100, F_GETFD), SyscallSucceedsWithValue(0));
  EXPECT_THAT(fcntl(101, F_GETFD), SyscallSucceedsWithValue(FD_CLOEXEC));
}

TEST(Fcntl, DupfdBeyondTheLimitIsEinval) {
  Pipe pipe;
  EXPECT_THAT(fcntl(pipe.reader.get(), F_DUPFD, -1), SyscallFailsWith(EINVAL));
  EXPECT_THAT(fcntl(pipe.reader.get(), F_DUPFD, 0x7fff'0000), SyscallFailsWith(EINVAL));
}

TEST(Fcntl, BadDescriptorAndUnknownCommand) {
  EXPECT_THAT(fcntl(-1, F_GETFD), SyscallFailsWith(EBADF));
  EXPECT_THAT(fcntl(-1, 9999), SyscallFailsWith(EBADF));
  EXPECT_THAT(fcntl(0, 9999), SyscallFailsWith(EINVAL));
}

TEST(Fcntl, PipeCapacity) {
  Pipe pipe;
  const int fd = pipe.writer.get();
  EXPECT_THAT(fcntl(fd, F_GETPIPE_SZ), SyscallSucceedsWithValue(Ge(4096)));
  EXPECT_THAT(fcntl(fd, F_SETPIPE_SZ, 5000), SyscallSucceedsWithValue(8192));
  EXPECT_THAT(fcntl(fd, F_GETPIPE_SZ), SyscallSucceedsWithValue(8192));
  TempDir dir;
  FileDescriptor file(open(dir.File("a").c_str(), O_RDONLY));
  EXPECT_THAT(fcntl(file.get(), F_GETPIPE_SZ), SyscallFailsWith(EBADF));
}

}  // namespace
}  // namespace redoubt::test
