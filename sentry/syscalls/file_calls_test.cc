// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <linux/fs.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "abi/linux/stat.h"
#include "sentry/syscalls/file_calls_fixture.h"
#include "sentry/syscalls/user_segments.h"

namespace redoubt::syscalls {
namespace {

class FileCalls : public FileCallsTest {
 protected:
  int64_t Open(std::string_view path, int flags = O_CREAT | O_RDWR) {
    return Call(SYS_open, Text(path), flags, 0644);
  }
  std::array<int32_t, 2> Pipe(int flags = O_NONBLOCK) {
    uint64_t fds = Room(8);
    EXPECT_EQ(Call(SYS_pipe2, fds, flags), 0);
    return Get<std::array<int32_t, 2>>(fds);
  }
};

TEST_F(FileCalls, WhatIsWrittenIsRead) {
  int64_t fd = Open("/f");
  ASSERT_EQ(fd, 0);
  EXPECT_EQ(Call(SYS_write, fd, Text("hello"), 5), 5);
  EXPECT_EQ(Call(SYS_lseek, fd, 0, SEEK_SET), 0);
  uint64_t buffer = Room(16);
  EXPECT_EQ(Call(SYS_read, fd, buffer, 16), 5);
  EXPECT_EQ(Bytes(buffer, 5), "hello");
  EXPECT_EQ(Call(SYS_read, fd, buffer, 16), 0);
  EXPECT_EQ(Call(SYS_pread64, fd, buffer, 3, 2), 3);
  EXPECT_EQ(Bytes(buffer, 3), "llo");
}

TEST_F(FileCalls, LargeTransfersGoInPieces) {
  constexpr size_t kSize = 3 * kernel::Task::kIoBufferSize + 17;
  int64_t fd = Open("/f");
  uint64_t data = Room(kSize);
  EXPECT_TRUE(task().CopyOut(data + kSize - 1, char{'x'}).ok());
  EXPECT_EQ(Call(SYS_write, fd, data, kSize), static_cast<int64_t>(kSize));
  uint64_t back = Room(kSize);
  EXPECT_EQ(Call(SYS_pread64, fd, back, kSize, 0), static_cast<int64_t>(kSize));
  EXPECT_EQ(Get<char>(back + kSize - 1), 'x');
}

TEST_F(FileCalls, FaultsCutATransferShortAndMoveThePositionNoFurther) {
  int64_t fd = Open("/f");
  Call(SYS_write, fd, Text("0123456789"), 10);
  Call(SYS_lseek, fd, 0, SEEK_SET);
  EXPECT_EQ(Call(SYS_read, fd, kBadAddress, 4), -EFAULT);
  EXPECT_EQ(Call(SYS_lseek, fd, 0, SEEK_CUR), 0);
  EXPECT_EQ(Call(SYS_read, fd, kBadAddress - 4, 10), 4);
  EXPECT_EQ(Call(SYS_lseek, fd, 0, SEEK_CUR), 4);
  EXPECT_EQ(Call(SYS_write, fd, kBadAddress, 4), -EFAULT);
  EXPECT_EQ(Call(SYS_write, fd, kBadAddress - 2, 4), 2);
}

TEST_F(FileCalls, VectorsAreChecked) {
  int64_t fd = Open("/f");
  uint64_t text = Text("abcdef");
  std::array<std::array<uint64_t, 2>, 3> vectors{{{text, 2}, {0, 0}, {text + 4, 2}}};
  uint64_t iov = Put(vectors);
  EXPECT_EQ(Call(SYS_writev, fd, iov, 3), 4);
  uint64_t buffer = Room(8);
  EXPECT_EQ(Call(SYS_pread64, fd, buffer, 8, 0), 4);
  EXPECT_EQ(Bytes(buffer, 4), "abef");
  EXPECT_EQ(Call(SYS_writev, fd, iov, 1025), -EINVAL);
  EXPECT_EQ(Call(SYS_writev, fd, iov, 0), 0);
  vectors[1][1] = ~uint64_t{0};
  EXPECT_EQ(Call(SYS_writev, fd, Put(vectors), 3), -EINVAL);
  EXPECT_EQ(Call(SYS_pwritev, fd, iov, 3, -1), -EINVAL);
  EXPECT_EQ(Call(SYS_pwritev2, fd, iov, 3, -1, 0, 0), 4);
  EXPECT_EQ(Call(SYS_pwritev2, fd, iov, 3, -1, 0, 0x80), -EOPNOTSUPP);
}

TEST_F(FileCalls, SegmentsCanBeRewoundAcrossTheirEnds) {
  uint64_t text = Text("abcdef");
  std::array<std::array<uint64_t, 2>, 2> vectors{{{text, 2}, {text + 2, 4}}};
  UserSegments segments = UserSegments::FromIovec(task(), Put(vectors), 2).value();
  std::array<std::byte, 5> bytes;
  EXPECT_EQ(segments.CopyIn(task(), bytes).value_or(0), 5U);
  segments.Rewind(4);
  EXPECT_EQ(segments.remaining(), 5U);
  EXPECT_EQ(segments.CopyIn(task(), bytes).value_or(0), 5U);
  EXPECT_EQ(bytes[0], std::byte{'b'});
  EXPECT_EQ(bytes[4], std::byte{'f'});
}

TEST_F(FileCalls, DescriptorsMustBeOpenForWhatIsDone) {
  int64_t fd = Open("/f", O_CREAT | O_WRONLY);
  uint64_t buffer = Room(8);
  EXPECT_EQ(Call(SYS_read, fd, buffer, 1), -EBADF);
  int64_t path_fd = Open("/f", O_PATH);
  EXPECT_EQ(Call(SYS_read, path_fd, buffer, 1), -EBADF);
  EXPECT_EQ(Call(SYS_fchmod, path_fd, 0600), -EBADF);
  EXPECT_EQ(Call(SYS_fcntl, path_fd, F_GETFD, 0), 0);
  EXPECT_EQ(Call(SYS_fcntl, path_fd, F_SETFL, 0), -EBADF);
  EXPECT_EQ(Call(SYS_read, 77, buffer, 1), -EBADF);
}

TEST_F(FileCalls, PipesKeepWhatFaultsAndGiveEpipeWithTheSignal) {
  auto [read, write] = Pipe();
  uint64_t buffer = Room(8);
  EXPECT_EQ(Call(SYS_read, read, buffer, 8), -EAGAIN);
  Call(SYS_write, write, Text("abc"), 3);
  EXPECT_EQ(Call(SYS_read, read, kBadAddress, 8), -EFAULT);
  EXPECT_EQ(Call(SYS_read, read, kBadAddress - 1, 8), 1);
  EXPECT_EQ(Call(SYS_read, read, buffer, 8), 2);  // What could not be taken is still there.
  EXPECT_EQ(Bytes(buffer, 2), "bc");
  EXPECT_EQ(Call(SYS_close, read), 0);
  task().SetSignalMask(kernel::SignalSet::Of(SIGPIPE));
  EXPECT_EQ(Call(SYS_write, write, buffer, 1), -EPIPE);
  EXPECT_TRUE(Pending(SIGPIPE));
}

TEST_F(FileCalls, StatShowsWhatIsThere) {
  int64_t fd = Open("/f");
  Call(SYS_write, fd, Text("abc"), 3);
  uint64_t at = Room(sizeof(abi::Stat));
  EXPECT_EQ(Call(SYS_newfstatat, fd, Text(""), at, AT_EMPTY_PATH), 0);
  auto stat = Get<struct stat>(at);
  EXPECT_EQ(stat.st_size, 3);
  EXPECT_EQ(stat.st_mode, static_cast<mode_t>(S_IFREG | 0644));
  EXPECT_EQ(stat.st_nlink, 1U);
  EXPECT_EQ(Call(SYS_stat, Text("/missing"), at), -ENOENT);
  EXPECT_EQ(Call(SYS_newfstatat, fd, Text("x"), at, 0), -ENOTDIR);
  EXPECT_EQ(Call(SYS_newfstatat, 99, Text("/f"), at, 0), 0);  // Not looked at.
  EXPECT_EQ(Call(SYS_newfstatat, 99, Text("f"), at, 0), -EBADF);
  uint64_t extended = Room(sizeof(abi::Statx));
  EXPECT_EQ(Call(SYS_statx, AT_FDCWD, Text("/f"), 0, STATX_BASIC_STATS, extended), 0);
  EXPECT_EQ(Get<struct statx>(extended).stx_size, 3U);
}

TEST_F(FileCalls, DirectoriesAreListedInBothForms) {
  EXPECT_EQ(Call(SYS_mkdir, Text("/d"), 0755), 0);
  Open("/d/name");
  int64_t fd = Open("/d", O_RDONLY | O_DIRECTORY);
  uint64_t buffer = Room(512);
  EXPECT_EQ(Call(SYS_getdents64, fd, buffer, 10), -EINVAL);
  EXPECT_EQ(Call(SYS_getdents64, fd, buffer, 512), 24 + 24 + 24);
  EXPECT_EQ(Bytes(buffer + 48 + 19, 5), std::string("name\0", 5));
  EXPECT_EQ(Get<uint8_t>(buffer + 48 + 18), 8);  // DT_REG.
  EXPECT_EQ(Call(SYS_getdents64, fd, buffer, 512), 0);
  Call(SYS_lseek, fd, 0, SEEK_SET);
  EXPECT_EQ(Call(SYS_getdents, fd, buffer, 512), 24 + 24 + 24);
  EXPECT_EQ(Bytes(buffer + 48 + 18, 5), std::string("name\0", 5));
  EXPECT_EQ(Get<uint8_t>(buffer + 48 + 23), 8);
}

TEST_F(FileCalls, WorkingDirectoryFollowsItsDirectory) {
  Call(SYS_mkdir, Text("/a"), 0755);
  EXPECT_EQ(Call(SYS_chdir, Text("/a")), 0);
  uint64_t buffer = Room(64);
  EXPECT_EQ(Call(SYS_getcwd, buffer, 2), -ERANGE);
  EXPECT_EQ(Call(SYS_getcwd, buffer, 64), 3);
  EXPECT_EQ(Bytes(buffer, 2), "/a");
  EXPECT_EQ(Call(SYS_rename, Text("/a"), Text("/b")), 0);
  EXPECT_EQ(Call(SYS_getcwd, buffer, 64), 3);
  EXPECT_EQ(Bytes(buffer, 2), "/b");
  EXPECT_EQ(Call(SYS_rmdir, Text("/b")), 0);
  EXPECT_EQ(Call(SYS_getcwd, buffer, 64), -ENOENT);
}

TEST_F(FileCalls, RecordLocksOfOpenFilesConflict) {
  int64_t a = Open("/f"), b = Open("/f");
  struct flock lock {};
  lock.l_type = F_WRLCK;
  uint64_t at = Put(lock);
  EXPECT_EQ(Call(SYS_fcntl, a, F_OFD_SETLK, at), 0);
  EXPECT_EQ(Call(SYS_fcntl, b, F_OFD_SETLK, at), -EAGAIN);
  EXPECT_EQ(Call(SYS_fcntl, b, F_OFD_GETLK, at), 0);
  EXPECT_EQ(Get<struct flock>(at).l_type, F_WRLCK);
  EXPECT_EQ(Get<struct flock>(at).l_pid, -1);
  lock.l_type = 9;
  EXPECT_EQ(Call(SYS_fcntl, a, F_SETLK, Put(lock)), -EINVAL);
  EXPECT_EQ(Call(SYS_fcntl, a, F_SETLK, kBadAddress), -EFAULT);
}

TEST_F(FileCalls, PollAndSelectTellWhatIsReady) {
  auto [read, write] = Pipe();
  struct Polled {
    int32_t fd;
    int16_t events, returned;
  };
  uint64_t at = Put(std::array<Polled, 3>{{{read, POLLIN, 0}, {99, POLLIN, 0}, {-1, POLLIN, 7}}});
  EXPECT_EQ(Call(SYS_poll, at, 3, 0), 1);
  EXPECT_EQ(Get<Polled>(at + 8).returned, POLLNVAL);
  EXPECT_EQ(Get<Polled>(at + 16).returned, 0);
  Call(SYS_write, write, Text("x"), 1);
  EXPECT_EQ(Call(SYS_poll, at, 1, -1), 1);
  EXPECT_EQ(Get<Polled>(at).returned, POLLIN);

  uint64_t bits = Put(uint64_t{1} << read | uint64_t{1} << write);
  EXPECT_EQ(Call(SYS_select, 8, bits, 0, 0, 0), 1);
  EXPECT_EQ(Get<uint64_t>(bits), uint64_t{1} << read);
  EXPECT_EQ(Call(SYS_select, 64, Put(uint64_t{1} << 60), 0, 0, 0), -EBADF);
  uint64_t timeout = Put(std::array<int64_t, 2>{0, 1000});
  uint64_t none = Put(uint64_t{0});
  EXPECT_EQ(Call(SYS_select, 8, none, 0, 0, timeout), 0);
  EXPECT_EQ((Get<std::array<int64_t, 2>>(timeout)), (std::array<int64_t, 2>{0, 0}));
}

TEST_F(FileCalls, EpollTellsWhatIsReady) {
  auto [read, write] = Pipe();
  int64_t epoll = Call(SYS_epoll_create1, 0);
  struct epoll_event event {};
  event.events = EPOLLIN;
  event.data.u64 = 42;
  EXPECT_EQ(Call(SYS_epoll_ctl, epoll, EPOLL_CTL_ADD, read, Put(event)), 0);
  EXPECT_EQ(Call(SYS_epoll_ctl, epoll, EPOLL_CTL_ADD, Open("/f"), Put(event)), -EPERM);
  uint64_t events = Room(64);
  EXPECT_EQ(Call(SYS_epoll_wait, epoll, events, 4, 0), 0);
  Call(SYS_write, write, Text("x"), 1);
  EXPECT_EQ(Call(SYS_epoll_wait, epoll, events, 4, -1), 1);
  EXPECT_EQ(Get<struct epoll_event>(events).data.u64, 42U);
  EXPECT_EQ(Call(SYS_epoll_wait, epoll, events, 0, 0), -EINVAL);
}

TEST_F(FileCalls, CopiesBetweenFilesStopWhereTheDestinationDoes) {
  int64_t in = Open("/in"), out = Open("/out");
  Call(SYS_write, in, Text("0123456789"), 10);
  uint64_t offset = Put(int64_t{2});
  EXPECT_EQ(Call(SYS_sendfile, out, in, offset, 100), 8);
  EXPECT_EQ(Get<int64_t>(offset), 10);
  EXPECT_EQ(Call(SYS_copy_file_range, in, Put(int64_t{0}), out, Put(int64_t{20}), 4, 0), 4);
  EXPECT_EQ(Call(SYS_copy_file_range, in, Put(int64_t{0}), in, Put(int64_t{2}), 4, 0), -EINVAL);

  auto [read, write] = Pipe();
  EXPECT_EQ(Call(SYS_splice, in, Put(int64_t{0}), write, 0, 5, 0), 5);
  auto [other_read, other_write] = Pipe();
  EXPECT_EQ(Call(SYS_tee, read, other_write, 3, 0), 3);
  EXPECT_EQ(Call(SYS_splice, read, 0, out, Put(int64_t{0}), 10, 0), 5);
  uint64_t buffer = Room(8);
  EXPECT_EQ(Call(SYS_read, other_read, buffer, 8), 3);
  EXPECT_EQ(Bytes(buffer, 3), "012");
  EXPECT_EQ(Call(SYS_splice, in, 0, out, 0, 5, 0), -EINVAL);
}

TEST_F(FileCalls, AttributesAndXattrsChange) {
  Open("/f");
  uint64_t path = Text("/f");
  EXPECT_EQ(Call(SYS_chmod, path, 0600), 0);
  EXPECT_EQ(Call(SYS_chown, path, 5, 6), 0);
  EXPECT_EQ(Call(SYS_truncate, path, 100), 0);
  EXPECT_EQ(Call(SYS_truncate, path, -1), -EINVAL);
  std::array<int64_t, 4> times{1, 2, 3, 4};
  EXPECT_EQ(Call(SYS_utimensat, AT_FDCWD, path, Put(times), 0), 0);
  uint64_t at = Room(sizeof(abi::Stat));
  EXPECT_EQ(Call(SYS_stat, path, at), 0);
  auto stat = Get<struct stat>(at);
  EXPECT_EQ(stat.st_mode & 07777, 0600U);
  EXPECT_EQ(stat.st_uid, 5U);
  EXPECT_EQ(stat.st_size, 100);
  EXPECT_EQ(stat.st_mtim.tv_nsec, 4);
  EXPECT_EQ(Call(SYS_access, path, R_OK | 8), -EINVAL);
  EXPECT_EQ(Call(SYS_access, path, X_OK), -EACCES);

  uint64_t name = Text("user.a");
  EXPECT_EQ(Call(SYS_setxattr, path, name, Text("value"), 5, 0), 0);
  uint64_t value = Room(16);
  EXPECT_EQ(Call(SYS_getxattr, path, name, value, 0), 5);
  EXPECT_EQ(Call(SYS_getxattr, path, name, value, 3), -ERANGE);
  EXPECT_EQ(Call(SYS_getxattr, path, name, value, 16), 5);
  EXPECT_EQ(Bytes(value, 5), "value");
  EXPECT_EQ(Call(SYS_listxattr, path, value, 16), 7);
  EXPECT_EQ(Call(SYS_getxattr, path, Text(""), value, 16), -ERANGE);
}

TEST_F(FileCalls, MountsNeedAPlaceAndGoAgain) {
  Call(SYS_mkdir, Text("/m"), 0755);
  uint64_t type = Text("tmpfs"), place = Text("/m");
  EXPECT_EQ(Call(SYS_mount, type, place, type, 0, 0), 0);
  Open("/m/inside");
  EXPECT_EQ(Call(SYS_umount2, place, 0), -EBUSY);
  Call(SYS_close, 0);
  EXPECT_EQ(Call(SYS_umount2, place, 0), 0);
  EXPECT_EQ(Call(SYS_umount2, place, 0), -EINVAL);
  EXPECT_EQ(Call(SYS_mount, type, place, Text("ext4"), 0, 0), -ENODEV);
}

TEST_F(FileCalls, DescriptorsAreNumberedFromTheLowest) {
  int64_t fd = Open("/f");
  EXPECT_EQ(Call(SYS_dup, fd), 1);
  EXPECT_EQ(Call(SYS_dup2, fd, 9), 9);
  EXPECT_EQ(Call(SYS_dup3, fd, fd, 0), -EINVAL);
  EXPECT_EQ(Call(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 5), 5);
  EXPECT_EQ(Call(SYS_fcntl, 5, F_GETFD, 0), FD_CLOEXEC);
  EXPECT_EQ(Call(SYS_close_range, 3, ~0U, 0), 0);
  EXPECT_EQ(Call(SYS_fcntl, 9, F_GETFD, 0), -EBADF);
  EXPECT_EQ(Call(SYS_close_range, 3, 2, 0), -EINVAL);
}

}  // namespace
}  // namespace redoubt::syscalls
