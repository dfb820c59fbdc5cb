// SPDX-License-Identifier: Apache-2.0
//
// dup(2), dup2(2), dup3(2).

#include <fcntl.h>
#include <unistd.h>

#include "test/util/file_descriptor.h"
#include "test/util/syscall_matchers.h"

namespace redoubt::test {
namespace {

constexpr int kFree = 100;  // A descriptor that no test has open.

TEST(Dup, IsTheLowestAndNotCloseOnExec) {
  Pipe pipe(O_CLOEXEC);
  FileDescriptor copy(dup(pipe.writer.get()));
  ASSERT_TRUE(copy.valid());
  EXPECT_THAT(fcntl(copy.get(), F_GETFD), SyscallSucceedsWithValue(0));
  EXPECT_THAT(dup(-1), SyscallFailsWith(EBADF));
}

TEST(Dup, StatusFlagsAreSharedDescriptorFlagsAreNot) {
  Pipe pipe;
  FileDescriptor copy(dup(pipe.reader.get()));
  ASSERT_THAT(fcntl(copy.get(), F_SETFL, O_NONBLOCK), SyscallSucceeds());
  ASSERT_THAT(fcntl(copy.get(), F_SETFD, FD_CLOEXEC), SyscallSucceeds());
  EXPECT_THAT(fcntl(pipe.reader.get(), F_GETFL), SyscallSucceedsWithValue(O_NONBLOCK));
  EXPECT_THAT(fcntl(pipe.reader.get(), F_GETFD), SyscallSucceedsWithValue(0));
}

TEST(Dup2, ClosesWhatWasThere) {
  Pipe replaced;
  Pipe other;
  const int target = replaced.writer.release();
  EXPECT_THAT(dup2(other.writer.get(), target), SyscallSucceedsWithValue(target));
  char byte;
  EXPECT_THAT(read(replaced.reader.get(), &byte, 1), SyscallSucceedsWithValue(0));
  close(target);
}

TEST(Dup2, OntoItselfDoesNothing) {
  Pipe pipe(O_CLOEXEC);
  const int fd = pipe.reader.get();
  EXPECT_THAT(dup2(fd, fd), SyscallSucceedsWithValue(fd));
  EXPECT_THAT(fcntl(fd, F_GETFD), SyscallSucceedsWithValue(FD_CLOEXEC));
  EXPECT_THAT(dup2(kFree, kFree), SyscallFailsWith(EBADF));
}

TEST(Dup2, BadNumbersAreEbadf) {
  Pipe pipe;
  EXPECT_THAT(dup2(pipe.reader.get(), -1), SyscallFailsWith(EBADF));
  EXPECT_THAT(dup2(pipe.reader.get(), 0x7fff'ffff), SyscallFailsWith(EBADF));
  EXPECT_THAT(dup2(kFree, 0), SyscallFailsWith(EBADF));
  EXPECT_TRUE(IsOpen(0));
}

TEST(Dup3, SetsCloseOnExec) {
  Pipe pipe;
  FileDescriptor copy(dup3(pipe.reader.get(), kFree, O_CLOEXEC));
  EXPECT_EQ(copy.get(), kFree);
  EXPECT_THAT(fcntl(kFree, F_GETFD), SyscallSucceedsWithValue(FD_CLOEXEC));
}

TEST(Dup3, SameNumberAndUnknownFlagsAreEinval) {
  Pipe pipe;
  const int fd = pipe.reader.get();
  EXPECT_THAT(dup3(fd, fd, 0), SyscallFailsWith(EINVAL));
  EXPECT_THAT(dup3(fd, kFree, O_APPEND), SyscallFailsWith(EINVAL));
  EXPECT_THAT(dup3(-1, kFree, 0), SyscallFailsWith(EBADF));
}

}  // namespace
}  // namespace redoubt::test
