// SPDX-License-Identifier: Apache-2.0
//
// readv(2), writev(2), preadv(2), pwritev(2) and their second versions.

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <climits>
#include <string>
#include <vector>

#include "test/util/file_descriptor.h"
#include "test/util/syscall_matchers.h"
#include "test/util/temp_path.h"

namespace redoubt::test {
namespace {

class ReadvTest : public ::testing::Test {
 protected:
  ReadvTest() : file_(open(dir_.File("a", "0123456789").c_str(), O_RDWR)) {}

  TempDir dir_;
  FileDescriptor file_;
  char first_[4] = {};
  char second_[4] = {};
  const iovec two_[2] = {{first_, 3}, {second_, 4}};
};

TEST_F(ReadvTest, ScattersInOrder) {
  EXPECT_THAT(readv(file_.get(), two_, 2), SyscallSucceedsWithValue(7));
  EXPECT_EQ(std::string(first_, 3), "012");
  EXPECT_EQ(std::string(second_, 4), "3456");
  EXPECT_THAT(readv(file_.get(), two_, 2), SyscallSucceedsWithValue(3));
}

TEST_F(ReadvTest, GathersInOrder) {
  char a[] = "ab";
  char b[] = "cde";
  const iovec pieces[] = {{a, 2}, {nullptr, 0}, {b, 3}};
  EXPECT_THAT(writev(file_.get(), pieces, 3), SyscallSucceedsWithValue(5));
  EXPECT_EQ(ReadFile(dir_.Path("a")), "abcde56789");
}

TEST_F(ReadvTest, NoPiecesIsZero) {
  EXPECT_THAT(readv(file_.get(), nullptr, 0), SyscallSucceedsWithValue(0));
  EXPECT_THAT(writev(file_.get(), nullptr, 0), SyscallSucceedsWithValue(0));
}

TEST_F(ReadvTest, BadCountIsEinval) {
  const std::vector<iovec> many(IOV_MAX + 1, iovec{first_, 1});
  EXPECT_THAT(readv(file_.get(), many.data(), IOV_MAX + 1), SyscallFailsWith(EINVAL));
  EXPECT_THAT(syscall(SYS_readv, file_.get(), two_, -1), SyscallFailsWith(EINVAL));
  EXPECT_THAT(writev(file_.get(), many.data(), IOV_MAX), SyscallSucceedsWithValue(IOV_MAX));
}

TEST_F(ReadvTest, NegativeLengthIsEinval) {
  const iovec negative[] = {{first_, static_cast<size_t>(-1)}};
  EXPECT_THAT(readv(file_.get(), negative, 1), SyscallFailsWith(EINVAL));
  EXPECT_THAT(writev(file_.get(), negative, 1), SyscallFailsWith(EINVAL));
}

TEST_F(ReadvTest, BadArrayIsEfault) {
  const auto* bad = reinterpret_cast<const iovec*>(16);
  EXPECT_THAT(syscall(SYS_readv, file_.get(), bad, 1), SyscallFailsWith(EFAULT));
  EXPECT_THAT(syscall(SYS_writev, file_.get(), bad, 1), SyscallFailsWith(EFAULT));
}

TEST_F(ReadvTest, DescriptorIsCheckedBeforeTheArray) {
  const auto* bad = reinterpret_cast<const iovec*>(16);
  EXPECT_THAT(syscall(SYS_readv, -1, bad, 1), SyscallFailsWith(EBADF));
}

TEST_F(ReadvTest, PreadvLeavesTheOffsetAlone) {
  EXPECT_THAT(preadv(file_.get(), two_, 2, 2), SyscallSucceedsWithValue(7));
  EXPECT_EQ(std::string(first_, 3), "234");
  EXPECT_THAT(lseek(file_.get(), 0, SEEK_CUR), SyscallSucceedsWithValue(0));
  EXPECT_THAT(preadv(file_.get(), two_, 2, -1), SyscallFailsWith(EINVAL));
}

TEST_F(ReadvTest, PwritevWritesAtItsOffset) {
  char a[] = "xy";
  const iovec one[] = {{a, 2}};
  EXPECT_THAT(pwritev(file_.get(), one, 1, 4), SyscallSucceedsWithValue(2));
  EXPECT_EQ(ReadFile(dir_.Path("a")), "0123xy6789");
}

TEST_F(ReadvTest, SecondVersionWithOffsetMinusOneUsesTheFilePosition) {
  EXPECT_THAT(preadv2(file_.get(), two_, 1, -1, 0), SyscallSucceedsWithValue(3));
  EXPECT_THAT(lseek(file_.get(), 0, SEEK_CUR), SyscallSucceedsWithValue(3));
  EXPECT_THAT(preadv2(file_.get(), two_, 1, -1, 0x8000'0000), SyscallFailsWith(EOPNOTSUPP));
}

TEST_F(ReadvTest, PipesHaveNoOffsets) {
  Pipe pipe;
  EXPECT_THAT(preadv(pipe.reader.get(), two_, 1, 0), SyscallFailsWith(ESPIPE));
  EXPECT_THAT(pwritev(pipe.writer.get(), two_, 1, 0), SyscallFailsWith(ESPIPE));
}

}  // namespace
}  // namespace redoubt::test
