// SPDX-License-Identifier: Apache-2.0

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <string>

#include "test/syscalls/mount_fixture.h"
#include "test/util/fork.h"
#include "test/util/syscall_matchers.h"
#include "test/util/temp_path.h"

namespace redoubt::test {
namespace {

void MountTmpfs(const std::string& where, const char* options = "") {
  CHILD_CHECK(mount("tmpfs", where.c_str(), "tmpfs", 0, options) == 0);
}

using MountNamespaceTest = MountTest;

TEST_F(MountNamespaceTest, MountsStayInside) {
  std::string place = dir_.Dir("m");
  EXPECT_THAT(InForkedProcess([&] {
                EnterNamespace();
                MountTmpfs(place);
                WriteFile(place + "/inside", "");
                CHILD_CHECK(Exists(place + "/inside"));
              }),
              ExitedWith(0));
  EXPECT_FALSE(Exists(place + "/inside"));
}

TEST_F(MountNamespaceTest, WorkingDirectoryMovesAlong) {
  EXPECT_THAT(InForkedProcess([&] {
                CHILD_CHECK(chdir(dir_.c_str()) == 0);
                EnterNamespace();
                CHILD_CHECK(mkdir("here", 0755) == 0);
                char buffer[4096];
                CHILD_CHECK(getcwd(buffer, sizeof(buffer)) != nullptr);
                CHILD_CHECK(dir_.path() == buffer);
              }),
              ExitedWith(0));
  EXPECT_TRUE(Exists(dir_.Path("here")));
}

TEST_F(MountNamespaceTest, RecursiveBindTakesSubmounts) {
  std::string from = dir_.Dir("from"), plain = dir_.Dir("plain"), all = dir_.Dir("all");
  EXPECT_THAT(InForkedProcess([&] {
                EnterNamespace();
                MountTmpfs(from);
                CHILD_CHECK(mkdir((from + "/sub").c_str(), 0755) == 0);
                MountTmpfs(from + "/sub");
                WriteFile(from + "/sub/file", "");
                CHILD_CHECK(mount(from.c_str(), plain.c_str(), nullptr, MS_BIND, nullptr) == 0);
                CHILD_CHECK(Exists(plain + "/sub"));
                CHILD_CHECK(!Exists(plain + "/sub/file"));
                CHILD_CHECK(mount(from.c_str(), all.c_str(), nullptr, MS_BIND | MS_REC, nullptr) ==
                            0);
                CHILD_CHECK(Exists(all + "/sub/file"));
                CHILD_CHECK_FAILS(umount(all.c_str()), EBUSY);
                CHILD_CHECK(umount2(all.c_str(), MNT_DETACH) == 0);
                CHILD_CHECK(!Exists(all + "/sub"));
              }),
              ExitedWith(0));
}

TEST_F(MountNamespaceTest, PivotRoot) {
  std::string root = dir_.Dir("root");
  EXPECT_THAT(InForkedProcess([&] {
                EnterNamespace();
                MountTmpfs(root);
                CHILD_CHECK(mkdir((root + "/old").c_str(), 0755) == 0);
                WriteFile(root + "/marker", "");
                CHILD_CHECK(syscall(SYS_pivot_root, root.c_str(), (root + "/old").c_str()) == 0);
                CHILD_CHECK(chdir("/") == 0);
                CHILD_CHECK(Exists("/marker"));
                CHILD_CHECK(Exists("/old/proc"));
                CHILD_CHECK(umount2("/old", MNT_DETACH) == 0);
                CHILD_CHECK(!Exists("/old/proc"));
              }),
              ExitedWith(0));
}

TEST_F(MountNamespaceTest, PivotRootErrors) {
  std::string plain = dir_.Dir("plain"), file = dir_.File("file");
  EXPECT_THAT(InForkedProcess([&] {
                EnterNamespace();
                CHILD_CHECK_FAILS(syscall(SYS_pivot_root, plain.c_str(), plain.c_str()), EBUSY);
                CHILD_CHECK_FAILS(syscall(SYS_pivot_root, file.c_str(), plain.c_str()), ENOTDIR);
                CHILD_CHECK_FAILS(syscall(SYS_pivot_root, "/none", plain.c_str()), ENOENT);
                CHILD_CHECK_FAILS(syscall(SYS_pivot_root, "/", "/"), EBUSY);
                CHILD_CHECK(setresuid(65534, 65534, 65534) == 0);
                CHILD_CHECK_FAILS(syscall(SYS_pivot_root, "/", "/"), EPERM);
                CHILD_CHECK_FAILS(unshare(CLONE_NEWNS), EPERM);
              }),
              ExitedWith(0));
}

TEST_F(MountNamespaceTest, TmpfsHasItsLimits) {
  std::string place = dir_.Dir("m");
  EXPECT_THAT(InForkedProcess([&] {
                EnterNamespace();
                MountTmpfs(place, "size=64k,nr_inodes=4");
                int fd = open((place + "/a").c_str(), O_CREAT | O_WRONLY, 0600);
                static char data[128 << 10];
                CHILD_CHECK(write(fd, data, sizeof(data)) == 64 << 10);
                CHILD_CHECK_FAILS(write(fd, data, 1), ENOSPC);
                close(fd);
                CHILD_CHECK(open((place + "/b").c_str(), O_CREAT | O_WRONLY, 0600) >= 0);
                CHILD_CHECK(open((place + "/c").c_str(), O_CREAT | O_WRONLY, 0600) >= 0);
                CHILD_CHECK_FAILS(open((place + "/d").c_str(), O_CREAT | O_WRONLY, 0600), ENOSPC);
              }),
              ExitedWith(0));
}

}  // namespace
}  // namespace redoubt::test
