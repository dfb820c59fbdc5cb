// SPDX-License-Identifier: Apache-2.0

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test/util/file_descriptor.h"
#include "test/util/syscall_matchers.h"
#include "test/util/temp_path.h"

namespace redoubt::test {
namespace {

TEST(Statx, GivesTheBasicFields) {
  TempDir dir;
  const std::string path = dir.File("a", "0123456789", 0604);
  struct statx stx = {};
  ASSERT_THAT(statx(AT_FDCWD, path.c_str(), 0, STATX_BASIC_STATS, &stx), SyscallSucceeds());
  EXPECT_EQ(stx.stx_mask & STATX_BASIC_STATS, STATX_BASIC_STATS);
  EXPECT_EQ(stx.stx_mode, S_IFREG | 0604);
  EXPECT_EQ(stx.stx_size, 10u);
  EXPECT_EQ(stx.stx_nlink, 1u);
  struct stat st;
  ASSERT_THAT(stat(path.c_str(), &st), SyscallSucceeds());
  EXPECT_EQ(stx.stx_ino, st.st_ino);
  EXPECT_EQ(stx.stx_mtime.tv_sec, st.st_mtim.tv_sec);
  EXPECT_EQ(stx.stx_mtime.tv_nsec, st.st_mtim.tv_nsec);
}

TEST(Statx, EmptyPathNamesTheDescriptor) {
  TempDir dir;
  FileDescriptor file(open(dir.File("a", "abc").c_str(), O_RDONLY));
  struct statx stx = {};
  ASSERT_THAT(statx(file.get(), "", AT_EMPTY_PATH, STATX_SIZE, &stx), SyscallSucceeds());
  EXPECT_EQ(stx.stx_size, 3u);
}

TEST(Statx, NoFollowTellsAboutTheSymlink) {
  TempDir dir;
  ASSERT_THAT(symlink("nowhere", dir.Path("s").c_str()), SyscallSucceeds());
  struct statx stx = {};
  ASSERT_THAT(statx(AT_FDCWD, dir.Path("s").c_str(), AT_SYMLINK_NOFOLLOW, STATX_TYPE, &stx),
              SyscallSucceeds());
  EXPECT_TRUE(S_ISLNK(stx.stx_mode));
}

TEST(Statx, ReservedMaskAndUnknownFlagsAreEinval) {
  struct statx stx = {};
  EXPECT_THAT(statx(AT_FDCWD, "/", 0, STATX__RESERVED, &stx), SyscallFailsWith(EINVAL));
  EXPECT_THAT(statx(AT_FDCWD, "/", 0x4000'0000, STATX_BASIC_STATS, &stx), SyscallFailsWith(EINVAL));
  EXPECT_THAT(statx(AT_FDCWD, "/", AT_STATX_SYNC_TYPE, STATX_BASIC_STATS, &stx),
              SyscallFailsWith(EINVAL));
}

}  // namespace
}  // namespace redoubt::test
