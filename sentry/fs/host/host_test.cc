// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <chrono>
#include <string>
#include <thread>

#include "abi/linux/termios.h"
#include "sentry/fs/host/host_file.h"
#include "sentry/fs/testing/testing.h"

namespace redoubt::fs {
namespace {

class HostTest : public testing::Test {
 protected:
  RefPtr<HostFile> Donate(int fd) { return HostFile::Create(OwnedFd(fd), poller_.get()).value(); }
  std::unique_ptr<HostPoller> poller_ = HostPoller::Create().value();
};

TEST_F(HostTest, PipeNeverBlocks) {
  int fds[2];
  ASSERT_EQ(pipe(fds), 0);
  auto read = Donate(fds[0]), write = Donate(fds[1]);
  EXPECT_TRUE(ReadText(*read).Is(EAGAIN));
  EXPECT_EQ(WriteText(*write, "abc").value(), 3U);
  EXPECT_EQ(read->Readiness(EPOLLIN), EventMask{EPOLLIN});
  EXPECT_EQ(ReadText(*read).value(), "abc");
  size_t total = 0;
  while (true) {
    Result<size_t> n = WriteText(*write, std::string(10000, 'x'));
    if (n.Is(EAGAIN)) break;
    total += n.value();
  }
  EXPECT_GE(total, 61440U);
  EXPECT_EQ(write->Readiness(EPOLLOUT), 0U);
  EXPECT_EQ(fcntl(fds[1], F_GETFL) & O_NONBLOCK, 0);
  EXPECT_TRUE(read->Seek(0, SEEK_SET).Is(ESPIPE));
}

TEST_F(HostTest, PollerWakesWhoWaits) {
  int fds[2];
  ASSERT_EQ(pipe(fds), 0);
  auto read = Donate(fds[0]);
  OwnedFd write(fds[1]);
  for (int i = 0; i < 20; ++i) {
    std::thread other([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(i % 3));
      EXPECT_EQ(::write(write.get(), "x", 1), 1);
    });
    EXPECT_TRUE(WaitReady(*read, EPOLLIN));
    EXPECT_EQ(ReadText(*read).value(), "x");
    other.join();
  }
  write.Reset();
  EXPECT_TRUE(WaitReady(*read, EPOLLIN | EPOLLHUP));
  EXPECT_EQ(ReadText(*read).value(), "");
}

TEST_F(HostTest, ShortReadArmsTheNextEdge) {
  int fds[2];
  ASSERT_EQ(pipe(fds), 0);
  auto read = Donate(fds[0]);
  OwnedFd write(fds[1]);
  Waiter waiter(read->wait_queue(), EPOLLIN);
  EXPECT_EQ(::write(write.get(), "x", 1), 1);
  EXPECT_EQ(ReadText(*read).value(), "x");
  EXPECT_EQ(::write(write.get(), "y", 1), 1);
  EXPECT_TRUE(waiter.WaitFor([&] { return waiter.count() > 0; }));
}

TEST_F(HostTest, RegularFileSharesTheHostsOffset) {
  const int fd = memfd_create("test", 0);
  ASSERT_EQ(write(fd, "hello", 5), 5);
  auto file = Donate(fd);
  EXPECT_EQ(WriteText(*file, " world").value(), 6U);
  EXPECT_EQ(lseek(fd, 0, SEEK_CUR), 11);
  EXPECT_EQ(file->Seek(4, SEEK_SET).value(), 4);
  EXPECT_EQ(ReadText(*file, 3).value(), "o w");
  EXPECT_EQ(file->wait_queue(), nullptr);
  EXPECT_EQ(file->Map(true).value().fd, fd);
  vfs::Attributes attributes = file->GetAttributes().value();
  EXPECT_EQ(attributes.size, 11U);
  vfs::AttributeChange change;
  change.size = 3;
  EXPECT_TRUE(file->SetAttributes(change).ok());
  EXPECT_EQ(file->GetAttributes().value().size, 3U);
  std::string text(3, ' ');
  EXPECT_EQ(file->PRead(std::as_writable_bytes(std::span(text)), 1).value(), 2U);
}

TEST_F(HostTest, AccessModeIsTheHosts) {
  int fds[2];
  ASSERT_EQ(pipe(fds), 0);
  auto read = Donate(fds[0]), write = Donate(fds[1]);
  EXPECT_TRUE(WriteText(*read, "x").Is(EBADF));
  EXPECT_TRUE(ReadText(*write).Is(EBADF));
  EXPECT_TRUE(read->object()->OpenAgain(read->path(), O_WRONLY).Is(EACCES));
  EXPECT_TRUE(read->object()->OpenAgain(read->path(), O_RDONLY).ok());
  EXPECT_TRUE(read->Map(false).Is(ENODEV));
}

TEST_F(HostTest, SocketsWork) {
  int fds[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
  auto a = Donate(fds[0]), b = Donate(fds[1]);
  EXPECT_TRUE(ReadText(*a).Is(EAGAIN));
  EXPECT_EQ(WriteText(*b, "hi").value(), 2U);
  EXPECT_EQ((IoctlPointer<int32_t>(*a, FIONREAD)).value(), 2);
  EXPECT_EQ(ReadText(*a).value(), "hi");
  b = nullptr;
  EXPECT_EQ(ReadText(*a).value(), "");
}

TEST_F(HostTest, NullDeviceIsAlwaysReady) {
  auto file = Donate(open("/dev/null", O_RDWR));
  EXPECT_EQ(file->Readiness(EPOLLIN | EPOLLOUT), EPOLLIN | EPOLLOUT);
  EXPECT_EQ(ReadText(*file).value(), "");
  EXPECT_EQ(WriteText(*file, "x").value(), 1U);
  EXPECT_TRUE(IoctlPointer<abi::Termios>(*file, TCGETS).Is(ENOTTY));
}

TEST_F(HostTest, TerminalIoctlsOfTheListReachTheHost) {
  const int master = posix_openpt(O_RDWR | O_NOCTTY);
  ASSERT_GE(master, 0);
  ASSERT_EQ(grantpt(master), 0);
  ASSERT_EQ(unlockpt(master), 0);
  auto file = Donate(open(ptsname(master), O_RDWR | O_NOCTTY));
  EXPECT_TRUE(file->object()->is_terminal());
  const abi::WindowSize size{.rows = 24, .columns = 80, .x_pixels = 0, .y_pixels = 0};
  EXPECT_TRUE(IoctlPointer(*file, TIOCSWINSZ, size).ok());
  EXPECT_EQ((IoctlPointer<abi::WindowSize>(*file, TIOCGWINSZ)).value(), size);
  abi::Termios termios = IoctlPointer<abi::Termios>(*file, TCGETS).value();
  EXPECT_NE(termios.local_flags & ICANON, 0U);
  termios.local_flags &= ~ICANON;
  EXPECT_TRUE(IoctlPointer(*file, TCSETS, termios).ok());
  EXPECT_EQ((IoctlPointer<abi::Termios>(*file, TCGETS)).value().local_flags & ICANON, 0U);
  EXPECT_TRUE(IoctlPointer<char>(*file, TIOCSTI, 'x').Is(ENOTTY));
  EXPECT_TRUE(IoctlPointer<int32_t>(*file, TIOCGPGRP).Is(ENOTTY));
  EXPECT_TRUE(ReadText(*file).Is(EAGAIN));
  EXPECT_EQ(WriteText(*file, "out").value(), 3U);
  EXPECT_EQ(write(master, "in", 2), 2);
  EXPECT_TRUE(WaitReady(*file, EPOLLIN));
  EXPECT_EQ(ReadText(*file).value(), "in");
  close(master);
}

}  // namespace
}  // namespace redoubt::fs
