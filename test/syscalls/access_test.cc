// SPDX-License-Identifier: Apache-2.0
//
// access(2), faccessat2(2).

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "test/util/file_descriptor.h"
#include "test/util/fork.h"
#include "test/util/syscall_matchers.h"
#include "test/util/temp_path.h"

namespace redoubt::test {
namespace {

TEST(Access, ExistingFile) {
  TempDir dir;
  const std::string path = dir.File("a", "", 0644);
  EXPECT_THAT(access(path.c_str(), F_OK), SyscallSucceeds());
  EXPECT_THAT(access(path.c_str(), R_OK | W_OK), SyscallSucceeds());
  EXPECT_THAT(access(dir.Path("no").c_str(), F_OK), SyscallFailsWith(ENOENT));
  EXPECT_THAT(access((path + "/x").c_str(), F_OK), SyscallFailsWith(ENOTDIR));
}

TEST(Access, NobodyMayExecuteAFileWithoutAnyExecuteBit) {
  TempDir dir;
  EXPECT_THAT(access(dir.File("a", "", 0666).c_str(), X_OK), SyscallFailsWith(EACCES));
  EXPECT_THAT(access(dir.File("b", "", 0755).c_str(), X_OK), SyscallSucceeds());
}

TEST(Access, UnknownModeIsEinval) {
  EXPECT_THAT(access("/", 8), SyscallFailsWith(EINVAL));
  EXPECT_THAT(access("/does-not-exist", -1), SyscallFailsWith(EINVAL));
}

TEST(Access, DanglingSymlinkIsEnoentUnlessNotFollowed) {
  TempDir dir;
  const std::string link = dir.Path("s");
  ASSERT_THAT(symlink("nowhere", link.c_str()), SyscallSucceeds());
  EXPECT_THAT(access(link.c_str(), F_OK), SyscallFailsWith(ENOENT));
  EXPECT_THAT(syscall(SYS_faccessat2, AT_FDCWD, link.c_str(), F_OK, AT_SYMLINK_NOFOLLOW),
              SyscallSucceeds());
}

TEST(Access, UnknownFlagsOfFaccessat2AreEinval) {
  EXPECT_THAT(syscall(SYS_faccessat2, AT_FDCWD, "/", F_OK, 0x4000'0000), SyscallFailsWith(EINVAL));
}

TEST(Access, ChecksTheRealUserAndFaccessat2TheEffectiveOne) {
  if (geteuid() != 0) GTEST_SKIP() << "needs another user";
  TempDir dir;
  dir.File("a", "", 0600);
  FileDescriptor dirfd(open(dir.c_str(), O_RDONLY | O_DIRECTORY));
  EXPECT_THAT(InForkedProcess([&] {
                CHILD_CHECK(setresuid(65534, 0, 0) == 0);
                CHILD_CHECK_FAILS(faccessat(dirfd.get(), "a", R_OK, 0), EACCES);
                CHILD_CHECK(syscall(SYS_faccessat2, dirfd.get(), "a", R_OK, AT_EACCESS) == 0);
              }),
              ExitedWith(0));
}

}  // namespace
}  // namespace redoubt::test
