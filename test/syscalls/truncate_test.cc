// SPDX-License-Identifier: Apache-2.0
//
// truncate(2) and ftruncate(2).

#include <fcntl.h>
#include <unistd.h>

#include "test/util/file_descriptor.h"
#include "test/util/syscall_matchers.h"
#include "test/util/temp_path.h"

namespace redoubt::test {
namespace {

TEST(Truncate, ShrinksAndGrowsWithZeros) {
  TempDir dir;
  const std::string path = dir.File("a", "0123456789");
  ASSERT_THAT(truncate(path.c_str(), 4), SyscallSucceeds());
  EXPECT_EQ(ReadFile(path), "0123");
  ASSERT_THAT(truncate(path.c_str(), 8), SyscallSucceeds());
  EXPECT_EQ(ReadFile(path), std::string("0123\0\0\0\0", 8));
}

TEST(Truncate, ErrorsOfThePath) {
  TempDir dir;
  const std::string path = dir.File("a");
  EXPECT_THAT(truncate(dir.c_str(), 0), SyscallFailsWith(EISDIR));
  EXPECT_THAT(truncate(dir.Path("no").c_str(), 0), SyscallFailsWith(ENOENT));
  EXPECT_THAT(truncate(path.c_str(), -1), SyscallFailsWith(EINVAL));
  EXPECT_THAT(truncate(dir.Path("no").c_str(), -1), SyscallFailsWith(EINVAL));
}

TEST(Ftruncate, LeavesTheOffset) {
  TempDir dir;
  FileDescriptor file(open(dir.File("a", "0123456789").c_str(), O_RDWR));
  ASSERT_THAT(lseek(file.get(), 7, SEEK_SET), SyscallSucceeds());
  ASSERT_THAT(ftruncate(file.get(), 2), SyscallSucceeds());
  EXPECT_THAT(lseek(file.get(), 0, SEEK_CUR), SyscallSucceedsWithValue(7));
  ASSERT_THAT(write(file.get(), "x", 1), SyscallSucceedsWithValue(1));
  EXPECT_EQ(ReadFile(dir.Path("a")), std::string("01\0\0\0\0\0x", 8));
}

TEST(Ftruncate, ReadOnlyDescriptorIsEinval) {
  TempDir dir;
  FileDescriptor file(open(dir.File("a").c_str(), O_RDONLY));
  EXPECT_THAT(ftruncate(file.get(), 0), SyscallFailsWith(EINVAL));
}

TEST(Ftruncate, NegativeLengthIsEinval) {
  TempDir dir;
  FileDescriptor file(open(dir.File("a").c_str(), O_RDWR));
  EXPECT_THAT(ftruncate(file.get(), -1), SyscallFailsWith(EINVAL));
}

TEST(Ftruncate, NotARegularFile) {
  Pipe pipe;
  EXPECT_THAT(ftruncate(-1, 0), SyscallFailsWith(EBADF));
  EXPECT_THAT(ftruncate(pipe.writer.get(), 0), SyscallFailsWith(EINVAL));
}

TEST(Ftruncate, BytesCutOffDoNotComeBack) {
  TempDir dir;
  FileDescriptor file(open(dir.File("a", std::string(10000, 'x')).c_str(), O_RDWR));
  ASSERT_THAT(ftruncate(file.get(), 5000), SyscallSucceeds());
  ASSERT_THAT(ftruncate(file.get(), 10000), SyscallSucceeds());
  EXPECT_EQ(ReadFile(dir.Path("a")), std::string(5000, 'x') + std::string(5000, '\0'));
}

}  // namespace
}  // namespace redoubt::test
