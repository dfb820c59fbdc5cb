// SPDX-License-Identifier: Apache-2.0
//
// fsopen(2), fsconfig(2), fsmount(2), fspick(2), open_tree(2), move_mount(2), mount_setattr(2).

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>
#include <string>

#include "test/syscalls/mount_fixture.h"
#include "test/util/fork.h"
#include "test/util/syscall_matchers.h"
#include "test/util/temp_path.h"

namespace redoubt::test {
namespace {

int Fsopen(const char* type, unsigned flags = 0) {
  return static_cast<int>(syscall(SYS_fsopen, type, flags));
}
int Fsconfig(int fd, unsigned command, const char* key, const void* value, int aux) {
  return static_cast<int>(syscall(SYS_fsconfig, fd, command, key, value, aux));
}
int Fsmount(int fd, unsigned flags, unsigned attributes) {
  return static_cast<int>(syscall(SYS_fsmount, fd, flags, attributes));
}
int OpenTree(int dirfd, const std::string& path, unsigned flags) {
  return static_cast<int>(syscall(SYS_open_tree, dirfd, path.c_str(), flags));
}
int MoveMount(int from, const std::string& from_path, const std::string& to, unsigned flags) {
  return static_cast<int>(
      syscall(SYS_move_mount, from, from_path.c_str(), AT_FDCWD, to.c_str(), flags));
}
int SetAttributes(const std::string& path, unsigned flags, const mount_attr& attributes,
                  size_t size = sizeof(mount_attr)) {
  return static_cast<int>(
      syscall(SYS_mount_setattr, AT_FDCWD, path.c_str(), flags, &attributes, size));
}

mount_attr Change(uint64_t set, uint64_t clear = 0, uint64_t propagation = 0) {
  mount_attr attributes{};
  attributes.attr_set = set;
  attributes.attr_clr = clear;
  attributes.propagation = propagation;
  return attributes;
}

// A tmpfs that is mounted nowhere.
int NewTmpfs(unsigned attributes = 0) {
  int context = Fsopen("tmpfs");
  CHILD_CHECK(context >= 0);
  CHILD_CHECK(Fsconfig(context, FSCONFIG_SET_STRING, "size", "1m", 0) == 0);
  CHILD_CHECK(Fsconfig(context, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) == 0);
  int mounted = Fsmount(context, FSMOUNT_CLOEXEC, attributes);
  CHILD_CHECK(mounted >= 0);
  close(context);
  return mounted;
}

using MountApiTest = MountTest;

TEST_F(MountApiTest, NewFilesystemIsMountedByMoving) {
  std::string place = dir_.Dir("m");
  EXPECT_THAT(InForkedProcess([&] {
                EnterNamespace();
                int mounted = NewTmpfs(MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
                // It can be used before anybody sees it.
                int file = openat(mounted, "early", O_CREAT | O_WRONLY, 0600);
                CHILD_CHECK(file >= 0);
                CHILD_CHECK(!Exists(place + "/early"));
                CHILD_CHECK(MoveMount(mounted, "", place, MOVE_MOUNT_F_EMPTY_PATH) == 0);
                CHILD_CHECK(Exists(place + "/early"));
                struct statvfs status;
                CHILD_CHECK(statvfs(place.c_str(), &status) == 0);
                CHILD_CHECK((status.f_flag & (ST_NOSUID | ST_NODEV)) == (ST_NOSUID | ST_NODEV));
                CHILD_CHECK(status.f_blocks * status.f_frsize == 1 << 20);
              }),
              ExitedWith(0));
  EXPECT_FALSE(Exists(place + "/early"));
}

TEST_F(MountApiTest, DetachedTreeGoesWithItsFile) {
  EXPECT_THAT(InForkedProcess([&] {
                EnterNamespace();
                int mounted = NewTmpfs();
                int file = openat(mounted, "f", O_CREAT | O_RDWR, 0600);
                CHILD_CHECK(close(mounted) == 0);
                CHILD_CHECK(write(file, "x", 1) == 1);  // What is open stays.
              }),
              ExitedWith(0));
}

TEST_F(MountApiTest, FsopenErrors) {
  EXPECT_THAT(InForkedProcess([&] {
                EnterNamespace();
                CHILD_CHECK_FAILS(Fsopen("nothing-like-it"), ENODEV);
                CHILD_CHECK_FAILS(Fsopen("tmpfs", 0x100), EINVAL);
                CHILD_CHECK_FAILS(Fsopen(nullptr), EFAULT);
                int context = Fsopen("tmpfs", FSOPEN_CLOEXEC);
                CHILD_CHECK(fcntl(context, F_GETFD) == FD_CLOEXEC);
                CHILD_CHECK(setresuid(65534, 65534, 65534) == 0);
                CHILD_CHECK_FAILS(Fsopen("tmpfs"), EPERM);
                CHILD_CHECK_FAILS(Fsmount(context, 0, 0), EPERM);
                CHILD_CHECK_FAILS(MoveMount(AT_FDCWD, "/", "/", 0), EPERM);
                CHILD_CHECK_FAILS(OpenTree(AT_FDCWD, "/", OPEN_TREE_CLONE), EPERM);
                CHILD_CHECK(OpenTree(AT_FDCWD, "/", 0) >= 0);
              }),
              ExitedWith(0));
}

TEST_F(MountApiTest, FsconfigChecksItsArguments) {
  EXPECT_THAT(
      InForkedProcess([&] {
        EnterNamespace();
        int context = Fsopen("tmpfs");
        CHILD_CHECK_FAILS(Fsconfig(-1, FSCONFIG_SET_FLAG, "ro", nullptr, 0), EINVAL);
        CHILD_CHECK_FAILS(Fsconfig(1000, FSCONFIG_SET_FLAG, "ro", nullptr, 0), EBADF);
        int other = open("/dev/null", O_RDONLY);
        CHILD_CHECK_FAILS(Fsconfig(other, FSCONFIG_SET_FLAG, "ro", nullptr, 0), EINVAL);
        CHILD_CHECK_FAILS(Fsconfig(context, 100, "ro", nullptr, 0), EOPNOTSUPP);
        CHILD_CHECK_FAILS(Fsconfig(context, FSCONFIG_SET_FLAG, nullptr, nullptr, 0), EINVAL);
        CHILD_CHECK_FAILS(Fsconfig(context, FSCONFIG_SET_FLAG, "ro", "x", 0), EINVAL);
        CHILD_CHECK_FAILS(Fsconfig(context, FSCONFIG_SET_FLAG, "ro", nullptr, 1), EINVAL);
        CHILD_CHECK_FAILS(Fsconfig(context, FSCONFIG_SET_STRING, "size", nullptr, 0), EINVAL);
        CHILD_CHECK_FAILS(Fsconfig(context, FSCONFIG_SET_BINARY, "size", "x", 0), EINVAL);
        CHILD_CHECK_FAILS(Fsconfig(context, FSCONFIG_SET_FD, "size", nullptr, -1), EINVAL);
        CHILD_CHECK_FAILS(Fsconfig(context, FSCONFIG_CMD_CREATE, "x", nullptr, 0), EINVAL);
        CHILD_CHECK_FAILS(Fsconfig(context, FSCONFIG_SET_STRING, "nonsense", "1", 0), EINVAL);
        CHILD_CHECK_FAILS(Fsconfig(context, FSCONFIG_SET_STRING, "size", "?", 0), EINVAL);
        CHILD_CHECK_FAILS(Fsmount(context, 0, 0), EINVAL);  // Not made yet.
      }),
      ExitedWith(0));
}

TEST_F(MountApiTest, EachStepOnce) {
  EXPECT_THAT(
      InForkedProcess([&] {
        EnterNamespace();
        int context = Fsopen("tmpfs");
        CHILD_CHECK_FAILS(Fsconfig(context, FSCONFIG_CMD_RECONFIGURE, nullptr, nullptr, 0), EBUSY);
        CHILD_CHECK(Fsconfig(context, FSCONFIG_SET_STRING, "source", "a", 0) == 0);
        CHILD_CHECK_FAILS(Fsconfig(context, FSCONFIG_SET_STRING, "source", "b", 0), EINVAL);
        CHILD_CHECK(Fsconfig(context, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) == 0);
        CHILD_CHECK_FAILS(Fsconfig(context, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0), EBUSY);
        CHILD_CHECK_FAILS(Fsconfig(context, FSCONFIG_SET_FLAG, "ro", nullptr, 0), EBUSY);
        CHILD_CHECK_FAILS(Fsmount(context, 0, 0x30), EINVAL);  // Two ways of access times.
        CHILD_CHECK_FAILS(Fsmount(context, 0x10, 0), EINVAL);
        CHILD_CHECK(Fsmount(context, 0, 0) >= 0);
        CHILD_CHECK_FAILS(Fsmount(context, 0, 0), EBUSY);
      }),
      ExitedWith(0));
}

TEST_F(MountApiTest, ContextTellsWhatWasWrong) {
  EXPECT_THAT(InForkedProcess([&] {
                EnterNamespace();
                int context = Fsopen("tmpfs");
                char line[200] = "";
                CHILD_CHECK_FAILS(read(context, line, sizeof(line)), ENODATA);
                CHILD_CHECK_FAILS(Fsconfig(context, FSCONFIG_SET_FLAG, "nonsense", nullptr, 0),
                                  EINVAL);
                CHILD_CHECK(read(context, line, sizeof(line) - 1) > 0);
                CHILD_CHECK(strncmp(line, "e ", 2) == 0 && strstr(line, "nonsense") != nullptr);
                CHILD_CHECK_FAILS(read(context, line, sizeof(line)), ENODATA);
              }),
              ExitedWith(0));
}

TEST_F(MountApiTest, ReadOnlyByFlag) {
  std::string place = dir_.Dir("m");
  EXPECT_THAT(InForkedProcess([&] {
                EnterNamespace();
                int context = Fsopen("tmpfs");
                CHILD_CHECK(Fsconfig(context, FSCONFIG_SET_FLAG, "ro", nullptr, 0) == 0);
                CHILD_CHECK(Fsconfig(context, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) == 0);
                int mounted = Fsmount(context, 0, 0);
                CHILD_CHECK_FAILS(openat(mounted, "f", O_CREAT | O_WRONLY, 0600), EROFS);
              }),
              ExitedWith(0));
}

TEST_F(MountApiTest, OpenTreeWithoutCloneIsAPath) {
  std::string file = dir_.File("f");
  int fd = OpenTree(AT_FDCWD, file, OPEN_TREE_CLOEXEC);
  ASSERT_THAT(fd, SyscallSucceeds());
  EXPECT_EQ(fcntl(fd, F_GETFL) & O_PATH, O_PATH);
  char byte;
  EXPECT_THAT(read(fd, &byte, 1), SyscallFailsWith(EBADF));
  close(fd);
  EXPECT_THAT(OpenTree(AT_FDCWD, file, AT_RECURSIVE), SyscallFailsWith(EINVAL));
  EXPECT_THAT(OpenTree(AT_FDCWD, file, 0x40000000), SyscallFailsWith(EINVAL));
  EXPECT_THAT(OpenTree(AT_FDCWD, file + "x", 0), SyscallFailsWith(ENOENT));
}

TEST_F(MountApiTest, ClonedTreeIsABind) {
  std::string from = dir_.Dir("from"), to = dir_.Dir("to"), all = dir_.Dir("all");
  EXPECT_THAT(InForkedProcess([&] {
                EnterNamespace();
                CHILD_CHECK(mkdir((from + "/sub").c_str(), 0755) == 0);
                CHILD_CHECK(MoveMount(NewTmpfs(), "", from + "/sub", MOVE_MOUNT_F_EMPTY_PATH) == 0);
                WriteFile(from + "/sub/file", "");
                int plain = OpenTree(AT_FDCWD, from, OPEN_TREE_CLONE);
                CHILD_CHECK(faccessat(plain, "sub", F_OK, 0) == 0);
                CHILD_CHECK(faccessat(plain, "sub/file", F_OK, 0) != 0);
                CHILD_CHECK(MoveMount(plain, "", to, MOVE_MOUNT_F_EMPTY_PATH) == 0);
                CHILD_CHECK(!Exists(to + "/sub/file"));
                int tree = OpenTree(AT_FDCWD, from, OPEN_TREE_CLONE | AT_RECURSIVE);
                CHILD_CHECK(faccessat(tree, "sub/file", F_OK, 0) == 0);
                CHILD_CHECK(MoveMount(tree, "", all, MOVE_MOUNT_F_EMPTY_PATH) == 0);
                CHILD_CHECK(Exists(all + "/sub/file"));
                // Once it is mounted, it moves like any other mount.
                CHILD_CHECK(MoveMount(tree, "", to, MOVE_MOUNT_F_EMPTY_PATH) == 0);
                CHILD_CHECK(Exists(to + "/sub/file"));
                CHILD_CHECK(!Exists(all + "/sub"));
              }),
              ExitedWith(0));
}

TEST_F(MountApiTest, MoveMountErrors) {
  std::string from = dir_.Dir("from"), file = dir_.File("file"), plain = dir_.Dir("plain");
  EXPECT_THAT(InForkedProcess([&] {
                EnterNamespace();
                CHILD_CHECK(MoveMount(NewTmpfs(), "", from, MOVE_MOUNT_F_EMPTY_PATH) == 0);
                CHILD_CHECK(mkdir((from + "/below").c_str(), 0755) == 0);
                CHILD_CHECK_FAILS(MoveMount(AT_FDCWD, plain, from, 0),
                                  EINVAL);  // Nothing is mounted there.
                CHILD_CHECK_FAILS(MoveMount(AT_FDCWD, from, from + "/below", 0), ELOOP);
                CHILD_CHECK_FAILS(MoveMount(AT_FDCWD, from, file, 0), EINVAL);
                CHILD_CHECK_FAILS(MoveMount(AT_FDCWD, from, plain, 0x8), EINVAL);
                CHILD_CHECK_FAILS(MoveMount(AT_FDCWD, "", plain, 0), ENOENT);
                CHILD_CHECK_FAILS(MoveMount(1000, "", plain, MOVE_MOUNT_F_EMPTY_PATH), EBADF);
              }),
              ExitedWith(0));
}

TEST_F(MountApiTest, SetattrChangesAWholeTree) {
  std::string top = dir_.Dir("top");
  EXPECT_THAT(InForkedProcess([&] {
                EnterNamespace();
                CHILD_CHECK(MoveMount(NewTmpfs(), "", top, MOVE_MOUNT_F_EMPTY_PATH) == 0);
                CHILD_CHECK(mkdir((top + "/sub").c_str(), 0755) == 0);
                CHILD_CHECK(MoveMount(NewTmpfs(), "", top + "/sub", MOVE_MOUNT_F_EMPTY_PATH) == 0);
                mount_attr read_only = Change(MOUNT_ATTR_RDONLY);
                CHILD_CHECK(SetAttributes(top, 0, read_only) == 0);
                CHILD_CHECK_FAILS(mkdir((top + "/x").c_str(), 0755), EROFS);
                CHILD_CHECK(mkdir((top + "/sub/x").c_str(), 0755) == 0);
                CHILD_CHECK(SetAttributes(top, AT_RECURSIVE, read_only) == 0);
                CHILD_CHECK_FAILS(mkdir((top + "/sub/y").c_str(), 0755), EROFS);
                mount_attr writable = Change(MOUNT_ATTR_NOEXEC, MOUNT_ATTR_RDONLY);
                CHILD_CHECK(SetAttributes(top, 0, writable) == 0);
                CHILD_CHECK(mkdir((top + "/x").c_str(), 0755) == 0);
                struct statvfs status;
                CHILD_CHECK(statvfs(top.c_str(), &status) == 0);
                CHILD_CHECK((status.f_flag & (ST_NOEXEC | ST_RDONLY)) == ST_NOEXEC);
              }),
              ExitedWith(0));
}

TEST_F(MountApiTest, SetattrErrors) {
  std::string place = dir_.Dir("m"), plain = dir_.Dir("plain");
  EXPECT_THAT(InForkedProcess([&] {
                EnterNamespace();
                CHILD_CHECK(MoveMount(NewTmpfs(), "", place, MOVE_MOUNT_F_EMPTY_PATH) == 0);
                mount_attr attributes = Change(MOUNT_ATTR_RDONLY);
                CHILD_CHECK_FAILS(SetAttributes(place, 1, attributes), EINVAL);
                CHILD_CHECK_FAILS(SetAttributes(place, 0, attributes, 8), EINVAL);
                CHILD_CHECK_FAILS(SetAttributes(place, 0, attributes, 5000), E2BIG);
                CHILD_CHECK_FAILS(SetAttributes(plain, 0, attributes), EINVAL);
                attributes = Change(MOUNT_ATTR_NOATIME);  // Needs its group cleared.
                CHILD_CHECK_FAILS(SetAttributes(place, 0, attributes), EINVAL);
                attributes = Change(MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME);
                CHILD_CHECK(SetAttributes(place, 0, attributes) == 0);
                attributes = Change(1u << 30);
                CHILD_CHECK_FAILS(SetAttributes(place, 0, attributes), EINVAL);
                attributes = Change(0, 0, MS_PRIVATE | MS_SLAVE);
                CHILD_CHECK_FAILS(SetAttributes(place, 0, attributes), EINVAL);
                attributes = {};
                CHILD_CHECK(SetAttributes(plain, 0, attributes) == 0);  // Nothing to do.
                struct {
                  mount_attr known = {};
                  uint64_t more = 1;
                } longer;
                CHILD_CHECK_FAILS(SetAttributes(place, 0, longer.known, sizeof(longer)), E2BIG);
              }),
              ExitedWith(0));
}

TEST_F(MountApiTest, FspickChangesWhatIsMounted) {
  std::string place = dir_.Dir("m"), plain = dir_.Dir("plain");
  EXPECT_THAT(InForkedProcess([&] {
                EnterNamespace();
                CHILD_CHECK(MoveMount(NewTmpfs(), "", place, MOVE_MOUNT_F_EMPTY_PATH) == 0);
                CHILD_CHECK_FAILS(syscall(SYS_fspick, AT_FDCWD, plain.c_str(), 0), EINVAL);
                CHILD_CHECK_FAILS(syscall(SYS_fspick, AT_FDCWD, place.c_str(), 0x100), EINVAL);
                int context =
                    static_cast<int>(syscall(SYS_fspick, AT_FDCWD, place.c_str(), FSPICK_CLOEXEC));
                CHILD_CHECK(context >= 0);
                CHILD_CHECK(Fsconfig(context, FSCONFIG_SET_FLAG, "ro", nullptr, 0) == 0);
                CHILD_CHECK(Fsconfig(context, FSCONFIG_CMD_RECONFIGURE, nullptr, nullptr, 0) == 0);
                CHILD_CHECK_FAILS(mkdir((place + "/x").c_str(), 0755), EROFS);
              }),
              ExitedWith(0));
}

}  // namespace
}  // namespace redoubt::test
