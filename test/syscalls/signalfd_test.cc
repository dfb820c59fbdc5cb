// SPDX-License-Identifier: Apache-2.0

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "test/util/file_descriptor.h"
#include "test/util/fork.h"
#include "test/util/signals.h"
#include "test/util/syscall_matchers.h"
#include "test/util/timing.h"

namespace redoubt::test {
namespace {

class SignalfdTest : public ::testing::Test {
 protected:
  SignalfdTest() : block_({SIGUSR1, SIGUSR2}), fd_(signalfd(-1, &set_, SFD_NONBLOCK)) {}

  const sigset_t set_ = SignalSet({SIGUSR1, SIGUSR2});
  ScopedBlock block_;
  FileDescriptor fd_;
  signalfd_siginfo info_[2] = {};
};

TEST_F(SignalfdTest, ReadTakesThePendingSignal) {
  ASSERT_TRUE(fd_.valid());
  EXPECT_THAT(read(fd_.get(), info_, sizeof(info_)), SyscallFailsWith(EAGAIN));
  kill(getpid(), SIGUSR1);
  ASSERT_THAT(read(fd_.get(), info_, sizeof(info_)), SyscallSucceedsWithValue(128));
  EXPECT_EQ(info_[0].ssi_signo, static_cast<uint32_t>(SIGUSR1));
  EXPECT_EQ(info_[0].ssi_pid, static_cast<uint32_t>(getpid()));
  EXPECT_EQ(info_[0].ssi_code, SI_USER);
  EXPECT_FALSE(IsPending(SIGUSR1));
}

TEST_F(SignalfdTest, SeveralInOneRead) {
  raise(SIGUSR1);
  raise(SIGUSR2);
  EXPECT_THAT(read(fd_.get(), info_, sizeof(info_)), SyscallSucceedsWithValue(256));
}

TEST_F(SignalfdTest, PollWakesForASignalOfAnotherProcess) {
  const pid_t parent = getpid();
  ForkedChild sender([&] {
    AwaitSleeping(parent);
    kill(parent, SIGUSR2);
  });
  pollfd entry = {.fd = fd_.get(), .events = POLLIN, .revents = 0};
  EXPECT_THAT(poll(&entry, 1, kForever.count()), SyscallSucceedsWithValue(1));
  ASSERT_THAT(read(fd_.get(), info_, sizeof(info_)), SyscallSucceedsWithValue(128));
  EXPECT_EQ(info_[0].ssi_pid, static_cast<uint32_t>(sender.pid()));
  EXPECT_THAT(sender.Wait(), ExitedWith(0));
}

TEST_F(SignalfdTest, MaskCanBeChanged) {
  const sigset_t only_second = SignalSet({SIGUSR2});
  EXPECT_THAT(signalfd(fd_.get(), &only_second, 0), SyscallSucceedsWithValue(fd_.get()));
  raise(SIGUSR1);
  EXPECT_THAT(read(fd_.get(), info_, sizeof(info_)), SyscallFailsWith(EAGAIN));
  const sigset_t taken = SignalSet({SIGUSR1});
  int signal;
  sigwait(&taken, &signal);
}

TEST_F(SignalfdTest, BadArgumentsAreEinval) {
  Pipe pipe;
  EXPECT_THAT(signalfd(-1, &set_, 0x100), SyscallFailsWith(EINVAL));
  EXPECT_THAT(signalfd(pipe.reader.get(), &set_, 0), SyscallFailsWith(EINVAL));
  EXPECT_THAT(signalfd(12345, &set_, 0), SyscallFailsWith(EBADF));
  EXPECT_THAT(read(fd_.get(), info_, 100), SyscallFailsWith(EINVAL));
}

}  // namespace
}  // namespace redoubt::test
