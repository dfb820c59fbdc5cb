// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/devpts/devpts.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <string>
#include <thread>
#include <vector>

#include "abi/linux/termios.h"
#include "sentry/fs/testing/testing.h"
#include "sentry/fs/tty/job_control.h"

namespace redoubt::fs {
namespace {

constexpr EventMask kAll = EPOLLIN | EPOLLOUT;

// One session that takes any terminal.
class FakeJobControl : public JobControl {
 public:
  Result<RefPtr<Terminal>> ControllingTerminal(const vfs::Caller& caller) override {
    return Errno(ENXIO);
  }
  void OnTerminalOpened(const vfs::Caller& caller, Terminal& terminal) override { ++opened; }
  Result<void> SetControlling(const vfs::Caller& caller, Terminal& terminal, bool steal) override {
    controlled = &terminal;
    return {};
  }
  Result<void> GiveUpControlling(const vfs::Caller& caller, Terminal& terminal) override {
    if (controlled != &terminal) return Errno(ENOTTY);
    controlled = nullptr;
    return {};
  }
  Result<int> ForegroundGroup(const vfs::Caller& caller, Terminal& terminal) override {
    return group;
  }
  Result<void> SetForegroundGroup(const vfs::Caller& caller, Terminal& terminal,
                                  int wanted) override {
    group = wanted;
    return {};
  }
  Result<int> SessionOf(const vfs::Caller& caller, Terminal& terminal) override { return 5; }
  int ForegroundGroupOf(Terminal& terminal) override { return group; }
  int SessionOf(Terminal& terminal) override { return 5; }
  void SignalForeground(Terminal& terminal, int signal) override { signals.push_back(signal); }
  void HangUp(Terminal& terminal) override { ++hang_ups; }

  int opened = 0, hang_ups = 0, group = 11;
  Terminal* controlled = nullptr;
  std::vector<int> signals;
};

class Names : public vfs::DirectorySink {
 public:
  bool Add(const vfs::DirectoryEntry& entry) override {
    names.emplace_back(entry.name);
    return true;
  }
  std::vector<std::string> names;
};

class DevptsTest : public testing::Test {
 protected:
  DevptsTest() { InstallJobControl(&job_control_); }
  ~DevptsTest() override {
    slave_ = nullptr;
    master_ = nullptr;
    InstallJobControl(nullptr);
  }
  Result<RefPtr<vfs::FileDescription>> Open(const std::string& name, uint32_t flags = O_RDWR) {
    RefPtr<vfs::Inode> inode = TRY(mount_->root()->inode()->Lookup(name));
    const vfs::Path path{mount_, vfs::Dentry::CreateAnonymous(name, inode)};
    return inode->Open(path, flags, RootCaller());
  }
  void OpenPair() {
    master_ = Open("ptmx").value();
    ASSERT_TRUE(IoctlPointer<int32_t>(*master_, TIOCSPTLCK, 0).ok());
    const uint32_t number = IoctlPointer<uint32_t>(*master_, TIOCGPTN).value();
    slave_ = Open(std::to_string(number)).value();
  }
  FakeJobControl job_control_;
  RefPtr<vfs::Mount> mount_ = NewDevptsMount({}, 0, "devpts");
  RefPtr<vfs::FileDescription> master_, slave_;
};

TEST_F(DevptsTest, SlaveIsLockedUntilUnlocked) {
  master_ = Open("ptmx").value();
  EXPECT_TRUE(Open("0").Is(EIO));
  EXPECT_EQ((IoctlPointer<int32_t>(*master_, TIOCGPTLCK)).value(), 1);
  ASSERT_TRUE(IoctlPointer<int32_t>(*master_, TIOCSPTLCK, 0).ok());
  EXPECT_TRUE(Open("0").ok());
  EXPECT_EQ(job_control_.opened, 1);
  EXPECT_TRUE(Open("0", O_RDWR | O_NOCTTY).ok());
  EXPECT_EQ(job_control_.opened, 1);
}

TEST_F(DevptsTest, DirectoryShowsOpenTerminals) {
  OpenPair();
  auto second = Open("ptmx").value();
  Names sink;
  ASSERT_TRUE(mount_->root()->inode()->ReadDirectory(0, sink).ok());
  EXPECT_EQ(sink.names, (std::vector<std::string>{"ptmx", "0", "1"}));
  slave_ = nullptr;
  master_ = nullptr;
  EXPECT_TRUE(Open("0").Is(ENOENT));
  EXPECT_TRUE(Open("00").Is(ENOENT));
  EXPECT_TRUE(Open("x").Is(ENOENT));
  master_ = Open("ptmx").value();
  EXPECT_EQ((IoctlPointer<uint32_t>(*master_, TIOCGPTN)).value(), 0U);
  EXPECT_TRUE(mount_->root()->inode()->Revalidate("ptmx", mount_->root()->inode().get()));
  EXPECT_FALSE(mount_->root()->inode()->Revalidate("7", mount_->root()->inode().get()));
}

TEST_F(DevptsTest, TextGoesBothWays) {
  OpenPair();
  EXPECT_EQ(slave_->Readiness(kAll), EventMask{EPOLLOUT});
  EXPECT_EQ(WriteText(*master_, "hi\n").value(), 3U);
  EXPECT_EQ(slave_->Readiness(kAll), kAll);
  EXPECT_EQ(ReadText(*slave_).value(), "hi\n");
  EXPECT_EQ(ReadText(*master_).value(), "hi\r\n");
  EXPECT_EQ(WriteText(*slave_, "out\n").value(), 4U);
  EXPECT_EQ(ReadText(*master_).value(), "out\r\n");
  EXPECT_TRUE(ReadText(*master_).Is(EAGAIN));
  EXPECT_TRUE(ReadText(*slave_).Is(EAGAIN));
}

TEST_F(DevptsTest, KeysSignalTheForegroundGroup) {
  OpenPair();
  WriteText(*master_, "\x03").value();
  EXPECT_EQ(job_control_.signals, std::vector<int>{SIGINT});
}

TEST_F(DevptsTest, WindowSizeChangesAreSignalled) {
  OpenPair();
  const abi::WindowSize size{.rows = 30, .columns = 100, .x_pixels = 0, .y_pixels = 0};
  ASSERT_TRUE(IoctlPointer(*master_, TIOCSWINSZ, size).ok());
  ASSERT_TRUE(IoctlPointer(*master_, TIOCSWINSZ, size).ok());
  EXPECT_EQ(job_control_.signals, std::vector<int>{SIGWINCH});
  EXPECT_EQ((IoctlPointer<abi::WindowSize>(*slave_, TIOCGWINSZ)).value(), size);
}

TEST_F(DevptsTest, JobControlCommandsReachTheKernel) {
  OpenPair();
  EXPECT_EQ((IoctlPointer<int32_t>(*slave_, TIOCGPGRP)).value(), 11);
  ASSERT_TRUE(IoctlPointer<int32_t>(*slave_, TIOCSPGRP, 12).ok());
  EXPECT_EQ((IoctlPointer<int32_t>(*master_, TIOCGPGRP)).value(), 12);
  EXPECT_EQ((IoctlPointer<int32_t>(*slave_, TIOCGSID)).value(), 5);
  EXPECT_TRUE(IoctlValue(*slave_, TIOCSCTTY, 0).ok());
  EXPECT_NE(job_control_.controlled, nullptr);
  EXPECT_TRUE(IoctlValue(*slave_, TIOCNOTTY, 0).ok());
  EXPECT_TRUE(IoctlValue(*slave_, TIOCNOTTY, 0).Is(ENOTTY));
  EXPECT_TRUE(IoctlValue(*master_, TIOCSCTTY, 0).Is(ENOTTY));
}

TEST_F(DevptsTest, MasterSeesAllSlavesLeave) {
  OpenPair();
  WriteText(*slave_, "bye").value();
  Waiter waiter(master_->wait_queue(), EPOLLIN);
  slave_ = nullptr;
  EXPECT_EQ(waiter.count(), 1);
  EXPECT_EQ(master_->Readiness(kAll), EPOLLIN | EPOLLOUT | EPOLLHUP);
  EXPECT_EQ(ReadText(*master_).value(), "bye");
  EXPECT_TRUE(ReadText(*master_).Is(EIO));
  slave_ = Open("0").value();
  EXPECT_TRUE(ReadText(*master_).Is(EAGAIN));
}

TEST_F(DevptsTest, SlaveIsHungUpWithItsMaster) {
  OpenPair();
  Waiter waiter(slave_->wait_queue(), EPOLLIN);
  master_ = nullptr;
  EXPECT_EQ(job_control_.hang_ups, 1);
  EXPECT_GE(waiter.count(), 1);
  EXPECT_EQ(ReadText(*slave_).value(), "");
  EXPECT_TRUE(WriteText(*slave_, "x").Is(EIO));
  EXPECT_TRUE(IoctlPointer<abi::Termios>(*slave_, TCGETS).Is(EIO));
  EXPECT_NE(slave_->Readiness(kAll) & EPOLLHUP, 0U);
}

TEST_F(DevptsTest, SettingsAreShared) {
  OpenPair();
  abi::Termios termios = IoctlPointer<abi::Termios>(*slave_, TCGETS).value();
  EXPECT_EQ(termios.control_characters[VINTR], 3);
  termios.local_flags &= ~(ICANON | ECHO);
  ASSERT_TRUE(IoctlPointer(*slave_, TCSETSF, termios).ok());
  EXPECT_EQ((IoctlPointer<abi::Termios>(*master_, TCGETS)).value().local_flags,
            termios.local_flags);
  EXPECT_EQ((IoctlPointer<abi::Termios2>(*slave_, TCGETS2)).value().input_speed, 38400U);
  WriteText(*master_, "x").value();
  EXPECT_EQ((IoctlPointer<int32_t>(*slave_, FIONREAD)).value(), 1);
  EXPECT_EQ(ReadText(*slave_).value(), "x");
  EXPECT_TRUE(IoctlValue(*slave_, TCFLSH, 9).Is(EINVAL));
  EXPECT_TRUE(IoctlValue(*slave_, TCFLSH, TCIOFLUSH).ok());
  EXPECT_TRUE(IoctlPointer<char>(*slave_, TIOCSTI, 'x').Is(ENOTTY));
}

TEST_F(DevptsTest, PacketModePrefixesAndReports) {
  OpenPair();
  ASSERT_TRUE(IoctlPointer<int32_t>(*master_, TIOCPKT, 1).ok());
  WriteText(*slave_, "x").value();
  EXPECT_EQ(ReadText(*master_).value(), std::string("\0x", 2));
  WriteText(*master_, "\x13").value();
  EXPECT_EQ(ReadText(*master_).value(), std::string(1, TIOCPKT_STOP));
}

TEST_F(DevptsTest, PeerOpensWithoutAPath) {
  master_ = Open("ptmx").value();
  slave_ = OpenPtyPeer(*master_, O_RDWR | O_NOCTTY, RootCaller()).value();
  WriteText(*slave_, "x").value();
  EXPECT_EQ(ReadText(*master_).value(), "x");
  EXPECT_TRUE(OpenPtyPeer(*slave_, O_RDWR, RootCaller()).Is(ENOTTY));
}

TEST_F(DevptsTest, AttributesAndOptions) {
  mount_ = NewDevptsMount(
      ParseDevptsOptions("newinstance,ptmxmode=0600,mode=0640,gid=5,max=1").value(), 0, "devpts");
  OpenPair();
  vfs::Attributes attributes = slave_->GetAttributes().value();
  EXPECT_EQ(attributes.mode, uint32_t{S_IFCHR | 0640});
  EXPECT_EQ(attributes.gid, 5U);
  EXPECT_EQ(attributes.special_device, uint64_t{136} << 8);
  EXPECT_TRUE(Open("ptmx").Is(ENOSPC));
  EXPECT_EQ(mount_->superblock()->ShowOptions(), "gid=5,mode=640,ptmxmode=600");
  EXPECT_FALSE(ParseDevptsOptions("mode=9").ok());
  EXPECT_FALSE(ParseDevptsOptions("nonsense").ok());
  EXPECT_FALSE(ParseDevptsOptions("gid=x").ok());
}

TEST_F(DevptsTest, LargeOutputWaitsForItsReader) {
  OpenPair();
  constexpr size_t kTotal = 1 << 20;
  std::thread writer([&] {
    size_t sent = 0;
    while (sent < kTotal) {
      Result<size_t> n =
          WriteText(*slave_, std::string(std::min<size_t>(5000, kTotal - sent), 'x'));
      if (n.ok()) {
        sent += *n;
      } else {
        ASSERT_TRUE(WaitReady(*slave_, EPOLLOUT));
      }
    }
  });
  size_t received = 0;
  while (received < kTotal) {
    Result<std::string> text = ReadText(*master_);
    if (text.ok()) {
      received += text->size();
    } else {
      ASSERT_TRUE(WaitReady(*master_, EPOLLIN));
    }
  }
  writer.join();
  EXPECT_EQ(received, kTotal);
}

}  // namespace
}  // namespace redoubt::fs
