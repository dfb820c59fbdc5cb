// SPDX-License-Identifier: Apache-2.0
//
// O_ASYNC: a signal when a file becomes ready.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test/util/file_descriptor.h"
#include "test/util/fork.h"
#include "test/util/syscall_matchers.h"
#include "test/util/temp_path.h"
#include "test/util/thread.h"

namespace redoubt::test {
namespace {

class AsyncIo : public ::testing::Test {
 protected:
  AsyncIo() {
    sigemptyset(&set_);
    sigaddset(&set_, SIGIO);
    sigaddset(&set_, SIGRTMIN);
    sigprocmask(SIG_BLOCK, &set_, &old_);
  }
  ~AsyncIo() override {
    while (Await(0) > 0) {
    }
    sigprocmask(SIG_SETMASK, &old_, nullptr);
  }
  // Only this one: what other files of earlier tests sent late does not count.
  static int AwaitOnly(int signal) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signal);
    const timespec now = {};
    return sigtimedwait(&set, nullptr, &now);
  }
  // The signal that came, or -1.
  int Await(int seconds = 10) {
    timespec limit = {.tv_sec = seconds, .tv_nsec = 0};
    return sigtimedwait(&set_, &info_, &limit);
  }
  static void Enable(int fd) {
    ASSERT_THAT(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_ASYNC), SyscallSucceeds());
  }

  sigset_t set_, old_;
  siginfo_t info_;
};

TEST_F(AsyncIo, OwnerIsKept) {
  Pipe pipe;
  EXPECT_THAT(fcntl(pipe.reader.get(), F_GETOWN), SyscallSucceedsWithValue(0));
  ASSERT_THAT(fcntl(pipe.reader.get(), F_SETOWN, getpid()), SyscallSucceeds());
  EXPECT_THAT(fcntl(pipe.reader.get(), F_GETOWN), SyscallSucceedsWithValue(getpid()));
  f_owner_ex owner = {F_OWNER_TID, gettid()}, read = {};
  ASSERT_THAT(fcntl(pipe.reader.get(), F_SETOWN_EX, &owner), SyscallSucceeds());
  ASSERT_THAT(fcntl(pipe.reader.get(), F_GETOWN_EX, &read), SyscallSucceeds());
  EXPECT_EQ(read.type, F_OWNER_TID);
  EXPECT_EQ(read.pid, gettid());
  owner = {F_OWNER_PGRP, getpgrp()};
  ASSERT_THAT(fcntl(pipe.reader.get(), F_SETOWN_EX, &owner), SyscallSucceeds());
  owner.type = static_cast<__pid_type>(99);
  EXPECT_THAT(fcntl(pipe.reader.get(), F_SETOWN_EX, &owner), SyscallFailsWith(EINVAL));
  owner = {F_OWNER_PID, 0x3ffffff};
  EXPECT_THAT(fcntl(pipe.reader.get(), F_SETOWN_EX, &owner), SyscallFailsWith(ESRCH));
}

TEST_F(AsyncIo, PipeSendsSigio) {
  Pipe pipe;
  ASSERT_THAT(fcntl(pipe.reader.get(), F_SETOWN, getpid()), SyscallSucceeds());
  Enable(pipe.reader.get());
  ASSERT_EQ(write(pipe.writer.get(), "x", 1), 1);
  EXPECT_EQ(Await(), SIGIO);
}

TEST_F(AsyncIo, ChosenSignalTellsTheDescriptor) {
  SocketPair pair;
  ASSERT_THAT(fcntl(pair.first.get(), F_SETOWN, getpid()), SyscallSucceeds());
  ASSERT_THAT(fcntl(pair.first.get(), F_SETSIG, SIGRTMIN), SyscallSucceeds());
  EXPECT_THAT(fcntl(pair.first.get(), F_GETSIG), SyscallSucceedsWithValue(SIGRTMIN));
  EXPECT_THAT(fcntl(pair.first.get(), F_SETSIG, 65), SyscallFailsWith(EINVAL));
  Enable(pair.first.get());
  ASSERT_EQ(write(pair.second.get(), "x", 1), 1);
  ASSERT_EQ(Await(), SIGRTMIN);
  EXPECT_EQ(info_.si_fd, pair.first.get());
  EXPECT_EQ(info_.si_code, POLL_IN);
  EXPECT_NE(info_.si_band & POLLIN, 0);
}

TEST_F(AsyncIo, IoctlDoesTheSame) {
  Pipe pipe;
  int on = 1, off = 0;
  ASSERT_THAT(fcntl(pipe.reader.get(), F_SETOWN, getpid()), SyscallSucceeds());
  ASSERT_THAT(ioctl(pipe.reader.get(), FIOASYNC, &on), SyscallSucceeds());
  EXPECT_NE(fcntl(pipe.reader.get(), F_GETFL) & O_ASYNC, 0);
  ASSERT_EQ(write(pipe.writer.get(), "x", 1), 1);
  EXPECT_EQ(Await(), SIGIO);
  ASSERT_THAT(ioctl(pipe.reader.get(), FIOASYNC, &off), SyscallSucceeds());
  EXPECT_EQ(fcntl(pipe.reader.get(), F_GETFL) & O_ASYNC, 0);
  ASSERT_EQ(write(pipe.writer.get(), "x", 1), 1);
  EXPECT_EQ(AwaitOnly(SIGIO), -1);
}

TEST_F(AsyncIo, NobodyIsSignalledWithoutAnOwner) {
  Pipe pipe;
  Enable(pipe.reader.get());
  ASSERT_EQ(write(pipe.writer.get(), "x", 1), 1);
  EXPECT_EQ(AwaitOnly(SIGIO), -1);
}

TEST_F(AsyncIo, RegularFilesHaveNoSuchMode) {
  TempDir dir;
  FileDescriptor file(open(dir.File("a").c_str(), O_RDWR));
  int on = 1;
  EXPECT_THAT(ioctl(file.get(), FIOASYNC, &on), SyscallFailsWith(ENOTTY));
  ASSERT_THAT(fcntl(file.get(), F_SETFL, O_ASYNC), SyscallSucceeds());
  EXPECT_EQ(fcntl(file.get(), F_GETFL) & O_ASYNC, 0);
}

}  // namespace
}  // namespace redoubt::test
