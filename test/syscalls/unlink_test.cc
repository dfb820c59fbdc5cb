// SPDX-License-Identifier: Apache-2.0
//
// unlink(2), unlinkat(2).

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test/util/file_descriptor.h"
#include "test/util/syscall_matchers.h"
#include "test/util/temp_path.h"

namespace redoubt::test {
namespace {

class UnlinkTest : public ::testing::Test {
 protected:
  int Unlink(const std::string& name) { return unlink(dir_.Path(name).c_str()); }

  TempDir dir_;
};

TEST_F(UnlinkTest, RemovesTheName) {
  dir_.File("a");
  EXPECT_THAT(Unlink("a"), SyscallSucceeds());
  EXPECT_THAT(Unlink("a"), SyscallFailsWith(ENOENT));
}

TEST_F(UnlinkTest, DirectoryIsEisdir) {
  dir_.Dir("d");
  EXPECT_THAT(Unlink("d"), SyscallFailsWith(EISDIR));
  EXPECT_THAT(Unlink("d/"), SyscallFailsWith(EISDIR));
}

TEST_F(UnlinkTest, TrailingSlashOnAFileIsEnotdir) {
  dir_.File("a");
  EXPECT_THAT(Unlink("a/"), SyscallFailsWith(ENOTDIR));
  EXPECT_THAT(Unlink("a/b"), SyscallFailsWith(ENOTDIR));
}

TEST_F(UnlinkTest, SymlinkGoesItsTargetStays) {
  dir_.File("a", "A");
  ASSERT_THAT(symlink("a", dir_.Path("s").c_str()), SyscallSucceeds());
  EXPECT_THAT(Unlink("s"), SyscallSucceeds());
  EXPECT_EQ(ReadFile(dir_.Path("a")), "A");
}

TEST_F(UnlinkTest, OpenFileHasNoLinksLeft) {
  FileDescriptor file(open(dir_.File("a").c_str(), O_RDWR));
  ASSERT_THAT(Unlink("a"), SyscallSucceeds());
  struct stat st;
  ASSERT_THAT(fstat(file.get(), &st), SyscallSucceeds());
  EXPECT_EQ(st.st_nlink, 0u);
  // The name is free for a new file, which is another one.
  struct stat other;
  ASSERT_THAT(stat(dir_.File("a").c_str(), &other), SyscallSucceeds());
  EXPECT_NE(st.st_ino, other.st_ino);
}

TEST_F(UnlinkTest, UnlinkatChoosesByItsFlag) {
  dir_.File("f");
  dir_.Dir("d");
  FileDescriptor dirfd(open(dir_.c_str(), O_RDONLY));
  EXPECT_THAT(unlinkat(dirfd.get(), "f", AT_REMOVEDIR), SyscallFailsWith(ENOTDIR));
  EXPECT_THAT(unlinkat(dirfd.get(), "d", 0), SyscallFailsWith(EISDIR));
  EXPECT_THAT(unlinkat(dirfd.get(), "f", 0x4000'0000), SyscallFailsWith(EINVAL));
  EXPECT_THAT(unlinkat(dirfd.get(), "d", AT_REMOVEDIR), SyscallSucceeds());
  EXPECT_THAT(unlinkat(dirfd.get(), "f", 0), SyscallSucceeds());
}

}  // namespace
}  // namespace redoubt::test
