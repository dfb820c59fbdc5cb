// SPDX-License-Identifier: Apache-2.0
//
// getcwd(2), chdir(2), fchdir(2), chroot(2).

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "test/util/file_descriptor.h"
#include "test/util/fork.h"
#include "test/util/syscall_matchers.h"
#include "test/util/temp_path.h"

namespace redoubt::test {
namespace {

// The raw call; libc's own getcwd makes up for what the kernel does not do.
long Getcwd(char* buffer, size_t size) { return syscall(SYS_getcwd, buffer, size); }

// Everything happens in children: the working directory belongs to the process.
TEST(Chdir, ChangesWhereRelativePathsStart) {
  TempDir dir;
  dir.Dir("sub");
  dir.File("sub/f");
  char real[4096];
  ASSERT_NE(realpath(dir.Path("sub").c_str(), real), nullptr);
  EXPECT_THAT(InForkedProcess([&] {
                char cwd[4096];
                CHILD_CHECK(chdir(dir.c_str()) == 0);
                CHILD_CHECK(chdir("sub") == 0);
                CHILD_CHECK(access("f", F_OK) == 0);
                CHILD_CHECK(Getcwd(cwd, sizeof(cwd)) == static_cast<long>(strlen(real)) + 1);
                CHILD_CHECK(strcmp(cwd, real) == 0);
                CHILD_CHECK(chdir("..") == 0);
                CHILD_CHECK(access("sub/f", F_OK) == 0);
              }),
              ExitedWith(0));
}

TEST(Chdir, Errors) {
  TempDir dir;
  EXPECT_THAT(chdir(dir.File("f").c_str()), SyscallFailsWith(ENOTDIR));
  EXPECT_THAT(chdir(dir.Path("no").c_str()), SyscallFailsWith(ENOENT));
  EXPECT_THAT(chdir(""), SyscallFailsWith(ENOENT));
}

TEST(Fchdir, ByDescriptor) {
  TempDir dir;
  dir.File("f");
  FileDescriptor dirfd(open(dir.c_str(), O_PATH));
  FileDescriptor file(open(dir.Path("f").c_str(), O_RDONLY));
  EXPECT_THAT(InForkedProcess([&] {
                CHILD_CHECK(fchdir(dirfd.get()) == 0);
                CHILD_CHECK(access("f", F_OK) == 0);
                CHILD_CHECK_FAILS(fchdir(file.get()), ENOTDIR);
                CHILD_CHECK_FAILS(fchdir(-1), EBADF);
              }),
              ExitedWith(0));
}

TEST(Getcwd, SmallBufferIsErange) {
  char buffer[2];
  EXPECT_THAT(InForkedProcess([&] {
                CHILD_CHECK(chdir("/") == 0);
                CHILD_CHECK(Getcwd(buffer, 2) == 2);
                CHILD_CHECK(chdir("/usr") == 0);
                CHILD_CHECK_FAILS(Getcwd(buffer, 2), ERANGE);
              }),
              ExitedWith(0));
}

TEST(Getcwd, RemovedDirectoryIsEnoent) {
  TempDir dir;
  dir.Dir("gone");
  EXPECT_THAT(InForkedProcess([&] {
                char cwd[4096];
                CHILD_CHECK(chdir(dir.Path("gone").c_str()) == 0);
                CHILD_CHECK(rmdir(dir.Path("gone").c_str()) == 0);
                CHILD_CHECK_FAILS(Getcwd(cwd, sizeof(cwd)), ENOENT);
                CHILD_CHECK_FAILS(open("f", O_CREAT | O_RDWR, 0600), ENOENT);
                CHILD_CHECK(chdir("..") == 0);
              }),
              ExitedWith(0));
}

TEST(Getcwd, FollowsARename) {
  TempDir dir;
  dir.Dir("old");
  EXPECT_THAT(InForkedProcess([&] {
                char cwd[4096];
                CHILD_CHECK(chdir(dir.Path("old").c_str()) == 0);
                CHILD_CHECK(rename(dir.Path("old").c_str(), dir.Path("new").c_str()) == 0);
                CHILD_CHECK(Getcwd(cwd, sizeof(cwd)) > 4);
                CHILD_CHECK(strcmp(cwd + strlen(cwd) - 4, "/new") == 0);
              }),
              ExitedWith(0));
}

TEST(Chroot, MovesTheRootAndKeepsDotDotInside) {
  TempDir dir;
  dir.Dir("root");
  dir.File("root/f", "inside");
  EXPECT_THAT(InForkedProcess([&] {
                // Only root may; others are told so.
                if (chroot(dir.Path("root").c_str()) != 0) {
                  CHILD_CHECK(errno == EPERM);
                  _exit(0);
                }
                CHILD_CHECK(chdir("/") == 0);
                CHILD_CHECK(access("/f", F_OK) == 0);
                CHILD_CHECK(access("/../../f", F_OK) == 0);
                CHILD_CHECK_FAILS(access("/etc", F_OK), ENOENT);
                char cwd[64];
                CHILD_CHECK(Getcwd(cwd, sizeof(cwd)) == 2);
              }),
              ExitedWith(0));
}

TEST(Chroot, AbsoluteSymlinksStayInside) {
  TempDir dir;
  dir.Dir("root");
  dir.File("root/f", "inside");
  ASSERT_THAT(symlink("/f", dir.Path("root/s").c_str()), SyscallSucceeds());
  EXPECT_THAT(InForkedProcess([&] {
                if (chroot(dir.Path("root").c_str()) != 0) _exit(0);
                CHILD_CHECK(chdir("/") == 0);
                CHILD_CHECK(access("s", F_OK) == 0);
              }),
              ExitedWith(0));
}

TEST(Chroot, ErrorsAndPrivilege) {
  TempDir dir;
  dir.File("f");
  EXPECT_THAT(chroot(dir.Path("f").c_str()), SyscallFailsWith(ENOTDIR));  // Before EPERM.
  EXPECT_THAT(InForkedProcess([] {
                CHILD_CHECK(DropPrivileges());
                CHILD_CHECK_FAILS(chroot("/"), EPERM);
              }),
              ExitedWith(0));
}

}  // namespace
}  // namespace redoubt::test
