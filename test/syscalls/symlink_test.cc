// SPDX-License-Identifier: Apache-2.0
//
// symlink(2) and readlink(2).

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <string>

#include "test/util/file_descriptor.h"
#include "test/util/syscall_matchers.h"
#include "test/util/temp_path.h"

namespace redoubt::test {
namespace {

class SymlinkTest : public ::testing::Test {
 protected:
  int Symlink(const std::string& target, const std::string& name) {
    return symlink(target.c_str(), dir_.Path(name).c_str());
  }

  TempDir dir_;
  char buffer_[4096] = {};
};

TEST_F(SymlinkTest, TextIsKeptAsGiven) {
  ASSERT_THAT(Symlink("../some//where/./", "s"), SyscallSucceeds());
  EXPECT_THAT(readlink(dir_.Path("s").c_str(), buffer_, sizeof(buffer_)),
              SyscallSucceedsWithValue(17));
  EXPECT_STREQ(buffer_, "../some//where/./");
}

TEST_F(SymlinkTest, ShortBufferTruncatesWithoutTerminator) {
  ASSERT_THAT(Symlink("abcdef", "s"), SyscallSucceeds());
  buffer_[3] = '#';
  EXPECT_THAT(readlink(dir_.Path("s").c_str(), buffer_, 3), SyscallSucceedsWithValue(3));
  EXPECT_EQ(std::string(buffer_, 4), "abc#");
}

TEST_F(SymlinkTest, ErrorsOfSymlink) {
  dir_.File("a");
  EXPECT_THAT(Symlink("x", "a"), SyscallFailsWith(EEXIST));
  EXPECT_THAT(Symlink("", "s"), SyscallFailsWith(ENOENT));
  EXPECT_THAT(Symlink("x", "no/s"), SyscallFailsWith(ENOENT));
  EXPECT_THAT(Symlink(std::string(4096, 'x'), "s"), SyscallFailsWith(ENAMETOOLONG));
}

TEST_F(SymlinkTest, ErrorsOfReadlink) {
  const std::string file = dir_.File("a");
  EXPECT_THAT(readlink(file.c_str(), buffer_, 10), SyscallFailsWith(EINVAL));
  EXPECT_THAT(readlink(dir_.c_str(), buffer_, 10), SyscallFailsWith(EINVAL));
  EXPECT_THAT(readlink(dir_.Path("no").c_str(), buffer_, 10), SyscallFailsWith(ENOENT));
  EXPECT_THAT(syscall(SYS_readlink, dir_.c_str(), buffer_, 0), SyscallFailsWith(EINVAL));
  EXPECT_THAT(syscall(SYS_readlink, dir_.c_str(), buffer_, -1), SyscallFailsWith(EINVAL));
}

TEST_F(SymlinkTest, ResolvesRelativeToItsOwnDirectory) {
  dir_.Dir("d");
  dir_.File("d/f", "F");
  ASSERT_THAT(Symlink("f", "d/s"), SyscallSucceeds());
  ASSERT_THAT(Symlink("d", "dd"), SyscallSucceeds());
  EXPECT_EQ(ReadFile(dir_.Path("dd/s")), "F");
  EXPECT_EQ(ReadFile(dir_.Path("dd/../dd/s")), "F");
}

TEST_F(SymlinkTest, AbsoluteTargetStartsAtTheRoot) {
  dir_.File("f", "F");
  ASSERT_THAT(Symlink(dir_.Path("f"), "s"), SyscallSucceeds());
  EXPECT_EQ(ReadFile(dir_.Path("s")), "F");
}

TEST_F(SymlinkTest, TrailingSlashFollowsTheLink) {
  dir_.Dir("d");
  ASSERT_THAT(Symlink("d", "s"), SyscallSucceeds());
  EXPECT_THAT(readlink(dir_.Path("s/").c_str(), buffer_, 10), SyscallFailsWith(EINVAL));
}

TEST_F(SymlinkTest, AtForms) {
  FileDescriptor dirfd(open(dir_.c_str(), O_RDONLY));
  ASSERT_THAT(symlinkat("target", dirfd.get(), "s"), SyscallSucceeds());
  EXPECT_THAT(readlinkat(dirfd.get(), "s", buffer_, 10), SyscallSucceedsWithValue(6));
  EXPECT_THAT(readlinkat(-1, "s", buffer_, 10), SyscallFailsWith(EBADF));
  EXPECT_THAT(symlinkat("target", -1, "s"), SyscallFailsWith(EBADF));
}

}  // namespace
}  // namespace redoubt::test
