// SPDX-License-Identifier: Apache-2.0
//
// utimensat(2), futimens(3).

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test/util/file_descriptor.h"
#include "test/util/fork.h"
#include "test/util/syscall_matchers.h"
#include "test/util/temp_path.h"
#include "test/util/timing.h"

namespace redoubt::test {
namespace {

class UtimensatTest : public ::testing::Test {
 protected:
  UtimensatTest() : path_(dir_.File("a")) {}

  int Set(timespec access, timespec modification, int flags = 0) {
    const timespec times[2] = {access, modification};
    return utimensat(AT_FDCWD, path_.c_str(), times, flags);
  }
  struct stat Stat(const std::string& path) {
    struct stat st = {};
    EXPECT_THAT(lstat(path.c_str(), &st), SyscallSucceeds());
    return st;
  }

  TempDir dir_;
  const std::string path_;
};

TEST_F(UtimensatTest, SetsBothWithNanoseconds) {
  ASSERT_THAT(Set({1111, 222}, {3333, 444}), SyscallSucceeds());
  const struct stat st = Stat(path_);
  EXPECT_EQ(st.st_atim.tv_sec, 1111);
  EXPECT_EQ(st.st_atim.tv_nsec, 222);
  EXPECT_EQ(st.st_mtim.tv_sec, 3333);
  EXPECT_EQ(st.st_mtim.tv_nsec, 444);
}

TEST_F(UtimensatTest, OmitAndNow) {
  ASSERT_THAT(Set({1111, 0}, {3333, 0}), SyscallSucceeds());
  ASSERT_THAT(Set({0, UTIME_OMIT}, {0, UTIME_NOW}), SyscallSucceeds());
  const struct stat st = Stat(path_);
  EXPECT_EQ(st.st_atim.tv_sec, 1111);
  EXPECT_GT(st.st_mtim.tv_sec, 1'000'000'000);
}

TEST_F(UtimensatTest, NullMeansNow) {
  ASSERT_THAT(Set({1111, 0}, {3333, 0}), SyscallSucceeds());
  ASSERT_THAT(utimensat(AT_FDCWD, path_.c_str(), nullptr, 0), SyscallSucceeds());
  const nanoseconds modified = ToNanoseconds(Stat(path_).st_mtim);
  EXPECT_LT(Now(CLOCK_REALTIME) - modified, kForever);
}

TEST_F(UtimensatTest, SymlinkItself) {
  const std::string link = dir_.Path("s");
  ASSERT_THAT(symlink("a", link.c_str()), SyscallSucceeds());
  const timespec times[2] = {{5, 0}, {6, 0}};
  ASSERT_THAT(utimensat(AT_FDCWD, link.c_str(), times, AT_SYMLINK_NOFOLLOW), SyscallSucceeds());
  EXPECT_EQ(Stat(link).st_mtim.tv_sec, 6);
  EXPECT_GT(Stat(path_).st_mtim.tv_sec, 6);
}

TEST_F(UtimensatTest, ByDescriptor) {
  FileDescriptor file(open(path_.c_str(), O_RDONLY));
  const timespec times[2] = {{7, 0}, {8, 0}};
  EXPECT_THAT(futimens(file.get(), times), SyscallSucceeds());
  EXPECT_EQ(Stat(path_).st_mtim.tv_sec, 8);
  EXPECT_THAT(futimens(-1, times), SyscallFailsWith(EBADF));
}

TEST_F(UtimensatTest, BadNanosecondsAndFlagsAreEinval) {
  EXPECT_THAT(Set({0, 1'000'000'000}, {0, 0}), SyscallFailsWith(EINVAL));
  EXPECT_THAT(Set({0, -1}, {0, 0}), SyscallFailsWith(EINVAL));
  EXPECT_THAT(Set({0, 0}, {0, 0}, 0x4000'0000), SyscallFailsWith(EINVAL));
}

TEST_F(UtimensatTest, OthersMayOnlySetNowAndOnlyWhenTheyMayWrite) {
  if (geteuid() != 0) GTEST_SKIP() << "needs another user";
  FileDescriptor writable(open(dir_.File("w", "", 0666).c_str(), O_RDONLY));
  FileDescriptor closed(open(path_.c_str(), O_RDONLY));
  EXPECT_THAT(InForkedProcess([&] {
                const timespec times[2] = {{7, 0}, {8, 0}};
                CHILD_CHECK(DropPrivileges());
                CHILD_CHECK_FAILS(futimens(writable.get(), times), EPERM);
                CHILD_CHECK(futimens(writable.get(), nullptr) == 0);
                CHILD_CHECK_FAILS(futimens(closed.get(), nullptr), EACCES);
              }),
              ExitedWith(0));
}

}  // namespace
}  // namespace redoubt::test
