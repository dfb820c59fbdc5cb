// SPDX-License-Identifier: Apache-2.0
//
// Character devices that every program expects.

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <string>

#include "test/util/file_descriptor.h"
#include "test/util/syscall_matchers.h"

namespace redoubt::test {
namespace {

char buffer[4096];

TEST(DevNull, SwallowsAndEnds) {
  FileDescriptor null(open("/dev/null", O_RDWR));
  EXPECT_THAT(write(null.get(), "abc", 3), SyscallSucceedsWithValue(3));
  EXPECT_THAT(read(null.get(), buffer, 10), SyscallSucceedsWithValue(0));
  EXPECT_THAT(lseek(null.get(), 100, SEEK_SET), SyscallSucceeds());
  EXPECT_FALSE(isatty(null.get()));
}

TEST(DevNull, OpensForTruncationAndCreation) {
  FileDescriptor null(open("/dev/null", O_WRONLY | O_CREAT | O_TRUNC, 0666));
  EXPECT_TRUE(null.valid());
}

TEST(DevZero, GivesZeros) {
  FileDescriptor zero(open("/dev/zero", O_RDWR));
  memset(buffer, 'x', sizeof(buffer));
  EXPECT_THAT(read(zero.get(), buffer, sizeof(buffer)), SyscallSucceedsWithValue(4096));
  EXPECT_EQ(std::string(buffer, sizeof(buffer)), std::string(sizeof(buffer), '\0'));
  EXPECT_THAT(write(zero.get(), "abc", 3), SyscallSucceedsWithValue(3));
}

TEST(DevFull, IsAlwaysFull) {
  FileDescriptor full(open("/dev/full", O_RDWR));
  ASSERT_TRUE(full.valid());
  EXPECT_THAT(write(full.get(), "abc", 3), SyscallFailsWith(ENOSPC));
  EXPECT_THAT(read(full.get(), buffer, 10), SyscallSucceedsWithValue(10));
}

TEST(DevRandom, BothGiveBytes) {
  for (const char* path : {"/dev/urandom", "/dev/random"}) {
    char first[16] = {};
    char second[16] = {};
    FileDescriptor random(open(path, O_RDONLY));
    ASSERT_TRUE(random.valid()) << path;
    EXPECT_THAT(read(random.get(), first, 16), SyscallSucceedsWithValue(16));
    EXPECT_THAT(read(random.get(), second, 16), SyscallSucceedsWithValue(16));
    EXPECT_NE(memcmp(first, second, 16), 0);
  }
}

TEST(Dev, NumbersAndKinds) {
  constexpr struct {
    const char* path;
    dev_t number;
  } kDevices[] = {{"/dev/null", 0x103},   {"/dev/zero", 0x105},    {"/dev/full", 0x107},
                  {"/dev/random", 0x108}, {"/dev/urandom", 0x109}, {"/dev/tty", 0x500}};
  for (const auto& [path, number] : kDevices) {
    struct stat st;
    ASSERT_THAT(stat(path, &st), SyscallSucceeds()) << path;
    EXPECT_TRUE(S_ISCHR(st.st_mode)) << path;
    EXPECT_EQ(st.st_rdev, number) << path;
  }
}

TEST(Dev, StandardDescriptorsHaveNames) {
  char target[64] = {};
  EXPECT_THAT(readlink("/dev/fd", target, sizeof(target)), SyscallSucceeds());
  EXPECT_STREQ(target, "/proc/self/fd");
  struct stat by_path;
  struct stat by_fd;
  ASSERT_THAT(stat("/dev/stdout", &by_path), SyscallSucceeds());
  ASSERT_THAT(fstat(1, &by_fd), SyscallSucceeds());
  EXPECT_EQ(by_path.st_ino, by_fd.st_ino);
}

TEST(DevPtmx, GivesAPairOfTerminals) {
  FileDescriptor master(open("/dev/ptmx", O_RDWR | O_NOCTTY));
  ASSERT_TRUE(master.valid());
  char name[64];
  ASSERT_EQ(ptsname_r(master.get(), name, sizeof(name)), 0);
  EXPECT_EQ(std::string(name).rfind("/dev/pts/", 0), 0u);
  ASSERT_THAT(unlockpt(master.get()), SyscallSucceeds());
  FileDescriptor slave(open(name, O_RDWR | O_NOCTTY));
  ASSERT_TRUE(slave.valid());
  EXPECT_TRUE(isatty(slave.get()));
  ASSERT_THAT(write(slave.get(), "a\nb", 3), SyscallSucceedsWithValue(3));
  EXPECT_THAT(read(master.get(), buffer, sizeof(buffer)), SyscallSucceedsWithValue(4));
  EXPECT_EQ(std::string(buffer, 4), "a\r\nb");  // Output is processed.
  slave.reset();
  EXPECT_THAT(read(master.get(), buffer, sizeof(buffer)), SyscallFailsWith(EIO));
}

TEST(DevPtmx, LockedUntilUnlocked) {
  FileDescriptor master(open("/dev/ptmx", O_RDWR | O_NOCTTY));
  char name[64];
  ASSERT_EQ(ptsname_r(master.get(), name, sizeof(name)), 0);
  EXPECT_THAT(open(name, O_RDWR | O_NOCTTY), SyscallFailsWith(EIO));
}

TEST(DevPtmx, RawModePassesBytesAndSizeIsShared) {
  FileDescriptor master(posix_openpt(O_RDWR | O_NOCTTY));
  ASSERT_THAT(unlockpt(master.get()), SyscallSucceeds());
  char name[64];
  ASSERT_EQ(ptsname_r(master.get(), name, sizeof(name)), 0);
  FileDescriptor slave(open(name, O_RDWR | O_NOCTTY));
  termios settings;
  ASSERT_THAT(tcgetattr(slave.get(), &settings), SyscallSucceeds());
  EXPECT_TRUE(settings.c_lflag & ICANON);
  cfmakeraw(&settings);
  ASSERT_THAT(tcsetattr(slave.get(), TCSANOW, &settings), SyscallSucceeds());
  ASSERT_THAT(write(master.get(), "x\003", 2), SyscallSucceedsWithValue(2));
  EXPECT_THAT(read(slave.get(), buffer, 10), SyscallSucceedsWithValue(2));
  const winsize size = {.ws_row = 33, .ws_col = 77, .ws_xpixel = 0, .ws_ypixel = 0};
  ASSERT_THAT(ioctl(master.get(), TIOCSWINSZ, &size), SyscallSucceeds());
  winsize seen = {};
  ASSERT_THAT(ioctl(slave.get(), TIOCGWINSZ, &seen), SyscallSucceeds());
  EXPECT_EQ(seen.ws_row, 33);
  EXPECT_EQ(seen.ws_col, 77);
}

TEST(DevTty, WithoutATerminalIsEnxio) {
  FileDescriptor tty(open("/dev/tty", O_RDWR));
  if (tty.valid()) GTEST_SKIP() << "this session has a terminal";
  EXPECT_THAT(open("/dev/tty", O_RDWR), SyscallFailsWith(ENXIO));
}

}  // namespace
}  // namespace redoubt::test
