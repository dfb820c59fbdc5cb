// SPDX-License-Identifier: Apache-2.0
//
// chmod(2), fchmod(2), fchmodat(2) and umask(2).

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "test/util/file_descriptor.h"
#include "test/util/fork.h"
#include "test/util/syscall_matchers.h"
#include "test/util/temp_path.h"

namespace redoubt::test {
namespace {

mode_t ModeOf(const std::string& path) {
  struct stat st = {};
  EXPECT_THAT(stat(path.c_str(), &st), SyscallSucceeds());
  return st.st_mode & 07777;
}

TEST(Chmod, SetsAllTwelveBits) {
  TempDir dir;
  const std::string path = dir.File("a");
  for (const mode_t mode : {0000u, 0777u, 0421u, 07000u, 04755u}) {
    ASSERT_THAT(chmod(path.c_str(), mode), SyscallSucceeds());
    EXPECT_EQ(ModeOf(path), mode);
  }
}

TEST(Chmod, FollowsSymlinks) {
  TempDir dir;
  const std::string path = dir.File("a");
  ASSERT_THAT(symlink("a", dir.Path("s").c_str()), SyscallSucceeds());
  ASSERT_THAT(chmod(dir.Path("s").c_str(), 0601), SyscallSucceeds());
  EXPECT_EQ(ModeOf(path), 0601u);
}

TEST(Chmod, ByDescriptorAlsoReadOnly) {
  TempDir dir;
  const std::string path = dir.File("a");
  FileDescriptor file(open(path.c_str(), O_RDONLY));
  EXPECT_THAT(fchmod(file.get(), 0604), SyscallSucceeds());
  EXPECT_EQ(ModeOf(path), 0604u);
  EXPECT_THAT(fchmod(-1, 0604), SyscallFailsWith(EBADF));
}

TEST(Chmod, RelativeToADirectory) {
  TempDir dir;
  const std::string path = dir.File("a");
  FileDescriptor dirfd(open(dir.c_str(), O_RDONLY));
  EXPECT_THAT(fchmodat(dirfd.get(), "a", 0606, 0), SyscallSucceeds());
  EXPECT_EQ(ModeOf(path), 0606u);
  EXPECT_THAT(fchmodat(dirfd.get(), "no", 0606, 0), SyscallFailsWith(ENOENT));
}

// fchmodat2(2): newer than libc's headers here, and than some hosts.
TEST(Chmod, WithFlags) {
  TempDir dir;
  const std::string path = dir.File("a"), link = dir.Path("l");
  auto change = [](int dirfd, const char* name, int flags) {
    return syscall(452, dirfd, name, 0606, flags);
  };
  if (change(AT_FDCWD, path.c_str(), 0) < 0 && errno == ENOSYS) GTEST_SKIP() << "an old kernel";
  EXPECT_EQ(ModeOf(path), 0606u);
  ASSERT_THAT(symlink("a", link.c_str()), SyscallSucceeds());
  EXPECT_THAT(change(AT_FDCWD, link.c_str(), AT_SYMLINK_NOFOLLOW), SyscallFailsWith(EOPNOTSUPP));
  EXPECT_THAT(chmod(path.c_str(), 0600), SyscallSucceeds());
  FileDescriptor only_a_path(open(path.c_str(), O_PATH));
  EXPECT_THAT(change(only_a_path.get(), "", 0), SyscallFailsWith(ENOENT));
  EXPECT_THAT(change(only_a_path.get(), "", AT_EMPTY_PATH), SyscallSucceeds());
  EXPECT_EQ(ModeOf(path), 0606u);
  EXPECT_THAT(change(AT_FDCWD, path.c_str(), 1), SyscallFailsWith(EINVAL));
}

TEST(Chmod, OfAnothersFileIsEperm) {
  if (geteuid() != 0) GTEST_SKIP() << "needs another user";
  TempDir dir;
  dir.File("a", "", 0666);
  FileDescriptor dirfd(open(dir.c_str(), O_RDONLY));
  EXPECT_THAT(InForkedProcess([&] {
                CHILD_CHECK(DropPrivileges());
                CHILD_CHECK_FAILS(fchmodat(dirfd.get(), "a", 0777, 0), EPERM);
              }),
              ExitedWith(0));
}

TEST(Umask, ReturnsTheOldOneAndKeepsNineBits) {
  const mode_t old = umask(0177777);
  EXPECT_EQ(umask(old), 0777u);
  EXPECT_EQ(umask(old), old);
}

TEST(Umask, IsInheritedByAChildAndNotSharedWithIt) {
  const mode_t old = umask(031);
  EXPECT_THAT(InForkedProcess([] { CHILD_CHECK(umask(077) == 031); }), ExitedWith(0));
  EXPECT_EQ(umask(old), 031u);
}

}  // namespace
}  // namespace redoubt::test
