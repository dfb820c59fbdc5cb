// SPDX-License-Identifier: Apache-2.0
//
// openat2(2): the extensible struct and the RESOLVE_ flags.

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <string>

#include "test/util/file_descriptor.h"
#include "test/util/syscall_matchers.h"
#include "test/util/temp_path.h"

namespace redoubt::test {
namespace {

int Openat2(int dirfd, const char* path, const open_how& how, size_t size = sizeof(open_how)) {
  return static_cast<int>(syscall(SYS_openat2, dirfd, path, &how, size));
}

class Openat2Test : public ::testing::Test {
 protected:
  Openat2Test() : dirfd_(open(dir_.c_str(), O_RDONLY | O_DIRECTORY)) { dir_.File("a", "x"); }

  int Resolve(const char* path, uint64_t resolve) {
    last_.reset(Openat2(dirfd_.get(), path, {.flags = O_RDONLY, .mode = 0, .resolve = resolve}));
    return last_.get();
  }

  TempDir dir_;
  FileDescriptor dirfd_;
  FileDescriptor last_;
};

TEST_F(Openat2Test, OpensLikeOpenat) { EXPECT_THAT(Resolve("a", 0), SyscallSucceeds()); }

TEST_F(Openat2Test, BeneathRefusesToLeave) {
  ASSERT_THAT(symlink("/", dir_.Path("root").c_str()), SyscallSucceeds());
  EXPECT_THAT(Resolve("a", RESOLVE_BENEATH), SyscallSucceeds());
  EXPECT_THAT(Resolve("../x", RESOLVE_BENEATH), SyscallFailsWith(EXDEV));
  EXPECT_THAT(Resolve("/etc", RESOLVE_BENEATH), SyscallFailsWith(EXDEV));
  EXPECT_THAT(Resolve("root", RESOLVE_BENEATH), SyscallFailsWith(EXDEV));
}

TEST_F(Openat2Test, InRootTreatsTheDirectoryAsTheRoot) {
  ASSERT_THAT(symlink("/a", dir_.Path("s").c_str()), SyscallSucceeds());
  EXPECT_THAT(Resolve("/a", RESOLVE_IN_ROOT), SyscallSucceeds());
  EXPECT_THAT(Resolve("../../a", RESOLVE_IN_ROOT), SyscallSucceeds());
  EXPECT_THAT(Resolve("s", RESOLVE_IN_ROOT), SyscallSucceeds());
}

TEST_F(Openat2Test, NoSymlinksIsEloop) {
  ASSERT_THAT(symlink(".", dir_.Path("here").c_str()), SyscallSucceeds());
  EXPECT_THAT(Resolve("here/a", RESOLVE_NO_SYMLINKS), SyscallFailsWith(ELOOP));
  EXPECT_THAT(Resolve("a", RESOLVE_NO_SYMLINKS), SyscallSucceeds());
}

TEST_F(Openat2Test, UnknownBitsAreEinval) {
  EXPECT_THAT(Resolve("a", uint64_t{1} << 40), SyscallFailsWith(EINVAL));
  const open_how unknown_flag = {.flags = uint64_t{1} << 40, .mode = 0, .resolve = 0};
  EXPECT_THAT(Openat2(dirfd_.get(), "a", unknown_flag), SyscallFailsWith(EINVAL));
  const open_how mode_without_create = {.flags = O_RDONLY, .mode = 0600, .resolve = 0};
  EXPECT_THAT(Openat2(dirfd_.get(), "a", mode_without_create), SyscallFailsWith(EINVAL));
}

TEST_F(Openat2Test, StructMayGrowOnlyWithZeros) {
  struct {
    open_how how = {};
    uint64_t future = 0;
  } extended;
  FileDescriptor ok(Openat2(dirfd_.get(), "a", extended.how, sizeof(extended)));
  EXPECT_TRUE(ok.valid());
  extended.future = 1;
  EXPECT_THAT(Openat2(dirfd_.get(), "a", extended.how, sizeof(extended)), SyscallFailsWith(E2BIG));
  EXPECT_THAT(Openat2(dirfd_.get(), "a", extended.how, 8), SyscallFailsWith(EINVAL));
}

}  // namespace
}  // namespace redoubt::test
