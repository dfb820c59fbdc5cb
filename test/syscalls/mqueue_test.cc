// SPDX-License-Identifier: Apache-2.0

#include <fcntl.h>
#include <gmock/gmock.h>
#include <mqueue.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <string>

#include "test/util/file_descriptor.h"
#include "test/util/fork.h"
#include "test/util/syscall_matchers.h"
#include "test/util/temp_path.h"
#include "test/util/timing.h"

namespace redoubt::test {
namespace {

class MqueueTest : public ::testing::Test {
 protected:
  MqueueTest() : name_("/redoubt-test-" + std::to_string(getpid())) {
    mq_unlink(name_.c_str());
    queue_ = Open(O_CREAT | O_RDWR | O_NONBLOCK, 3, 16);
  }
  ~MqueueTest() override {
    if (queue_ >= 0) mq_close(queue_);
    mq_unlink(name_.c_str());
  }
  void SetUp() override {
    if (queue_ < 0 && (errno == ENOSYS || errno == EACCES)) GTEST_SKIP() << "no message queues";
    ASSERT_GE(queue_, 0);
  }
  mqd_t Open(int flags, long messages = 3, long size = 16) {
    mq_attr attributes = {};
    attributes.mq_maxmsg = messages;
    attributes.mq_msgsize = size;
    return mq_open(name_.c_str(), flags, 0600, &attributes);
  }
  int Send(const std::string& text, unsigned priority = 0) {
    return mq_send(queue_, text.data(), text.size(), priority);
  }
  std::string Receive(unsigned* priority = nullptr) {
    char buffer[16];
    ssize_t size = mq_receive(queue_, buffer, sizeof(buffer), priority);
    return size < 0 ? std::string("[") + strerrorname_np(errno) + "]"
                    : std::string(buffer, static_cast<size_t>(size));
  }

  const std::string name_;
  mqd_t queue_;
};

TEST_F(MqueueTest, HighestPriorityThenOldest) {
  ASSERT_THAT(Send("low", 1), SyscallSucceeds());
  ASSERT_THAT(Send("high", 5), SyscallSucceeds());
  ASSERT_THAT(Send("low2", 1), SyscallSucceeds());
  unsigned priority = 0;
  EXPECT_EQ(Receive(&priority), "high");
  EXPECT_EQ(priority, 5u);
  EXPECT_EQ(Receive(), "low");
  EXPECT_EQ(Receive(), "low2");
  EXPECT_EQ(Receive(), "[EAGAIN]");
}

TEST_F(MqueueTest, FullAndTooLong) {
  for (int i = 0; i < 3; ++i) ASSERT_THAT(Send("x"), SyscallSucceeds());
  EXPECT_THAT(Send("x"), SyscallFailsWith(EAGAIN));
  EXPECT_THAT(Send(std::string(17, 'x')), SyscallFailsWith(EMSGSIZE));
  char small[15];
  EXPECT_THAT(mq_receive(queue_, small, sizeof(small), nullptr), SyscallFailsWith(EMSGSIZE));
  EXPECT_THAT(Send("x", 32768), SyscallFailsWith(EINVAL));
}

TEST_F(MqueueTest, BytesOfAUserAreLimited) {
  EXPECT_THAT(InForkedProcess([&] {
                rlimit limit;
                CHILD_CHECK(getrlimit(RLIMIT_MSGQUEUE, &limit) == 0);
                limit.rlim_cur = 20'000;
                CHILD_CHECK(setrlimit(RLIMIT_MSGQUEUE, &limit) == 0);
                mq_unlink(name_.c_str());
                CHILD_CHECK_FAILS(Open(O_CREAT | O_EXCL | O_RDWR, 8, 8192), EMFILE);
                CHILD_CHECK(Open(O_CREAT | O_EXCL | O_RDWR, 1, 8192) >= 0);
                mq_unlink(name_.c_str());  // It is open, and counts still.
                CHILD_CHECK_FAILS(Open(O_CREAT | O_EXCL | O_RDWR, 2, 8192), EMFILE);
              }),
              ExitedWith(0));
}

TEST_F(MqueueTest, OpenFlags) {
  EXPECT_THAT(Open(O_CREAT | O_EXCL | O_RDWR), SyscallFailsWith(EEXIST));
  mqd_t other = Open(O_CREAT | O_RDONLY);
  ASSERT_GE(other, 0);
  EXPECT_THAT(mq_send(other, "x", 1, 0), SyscallFailsWith(EBADF));
  EXPECT_THAT(fcntl(other, F_GETFD), SyscallSucceedsWithValue(FD_CLOEXEC));
  mq_close(other);
  EXPECT_THAT(mq_open("/redoubt-none", O_RDWR), SyscallFailsWith(ENOENT));
  EXPECT_THAT(mq_open("/a/b", O_RDWR | O_CREAT, 0600, nullptr), SyscallFailsWith(EACCES));
  EXPECT_THAT(mq_open("/", O_RDWR | O_CREAT, 0600, nullptr), SyscallFailsWith(ENOENT));
  EXPECT_THAT(mq_unlink("/redoubt-none"), SyscallFailsWith(ENOENT));
}

TEST_F(MqueueTest, LimitsAreChecked) {
  mq_unlink(name_.c_str());
  EXPECT_THAT(Open(O_CREAT | O_RDWR, 0, 16), SyscallFailsWith(EINVAL));
  EXPECT_THAT(Open(O_CREAT | O_RDWR, 3, 0), SyscallFailsWith(EINVAL));
  EXPECT_THAT(Open(O_CREAT | O_RDWR, 70000, 16), SyscallFailsWith(EINVAL));
}

TEST_F(MqueueTest, AttributesAndNonblock) {
  Send("x");
  mq_attr attributes = {};
  ASSERT_THAT(mq_getattr(queue_, &attributes), SyscallSucceeds());
  EXPECT_EQ(attributes.mq_maxmsg, 3);
  EXPECT_EQ(attributes.mq_msgsize, 16);
  EXPECT_EQ(attributes.mq_curmsgs, 1);
  EXPECT_EQ(attributes.mq_flags, O_NONBLOCK);
  mq_attr next = {};
  ASSERT_THAT(mq_setattr(queue_, &next, &attributes), SyscallSucceeds());
  EXPECT_EQ(attributes.mq_flags, O_NONBLOCK);
  mq_getattr(queue_, &attributes);
  EXPECT_EQ(attributes.mq_flags, 0);
}

TEST_F(MqueueTest, TimesOut) {
  mq_attr blocking = {};
  mq_setattr(queue_, &blocking, nullptr);
  timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until = ToTimespec(ToNanoseconds(until) + milliseconds(30));
  char buffer[16];
  EXPECT_THAT(mq_timedreceive(queue_, buffer, 16, nullptr, &until), SyscallFailsWith(ETIMEDOUT));
  timespec bad = {.tv_sec = 0, .tv_nsec = -1};
  EXPECT_THAT(mq_timedreceive(queue_, buffer, 16, nullptr, &bad), SyscallFailsWith(EINVAL));
}

TEST_F(MqueueTest, ReceiverAndSenderAreWoken) {
  mq_attr blocking = {};
  mq_setattr(queue_, &blocking, nullptr);
  ForkedChild receiver([&] { CHILD_CHECK(Receive() == "hello"); });
  AwaitSleeping(receiver.pid());
  Send("hello");
  EXPECT_THAT(receiver.Wait(), ExitedWith(0));
  for (int i = 0; i < 3; ++i) Send("fill");
  ForkedChild sender([&] { CHILD_CHECK(Send("late") == 0); });
  AwaitSleeping(sender.pid());
  EXPECT_EQ(Receive(), "fill");
  EXPECT_THAT(sender.Wait(), ExitedWith(0));
}

TEST_F(MqueueTest, PollTellsItsState) {
  pollfd entry = {.fd = queue_, .events = POLLIN | POLLOUT, .revents = 0};
  poll(&entry, 1, 0);
  EXPECT_EQ(entry.revents, POLLOUT);
  for (int i = 0; i < 3; ++i) Send("x");
  poll(&entry, 1, 0);
  EXPECT_EQ(entry.revents, POLLIN);
}

TEST_F(MqueueTest, NotifiesOnceByASignal) {
  sigset_t set, old;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sigprocmask(SIG_BLOCK, &set, &old);
  sigevent event = {};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = SIGUSR1;
  event.sigev_value.sival_int = 42;
  ASSERT_THAT(mq_notify(queue_, &event), SyscallSucceeds());
  EXPECT_THAT(InForkedProcess([&] { CHILD_CHECK_FAILS(mq_notify(queue_, &event), EBUSY); }),
              ExitedWith(0));
  Send("x");
  siginfo_t info;
  timespec limit = {.tv_sec = 10, .tv_nsec = 0};
  ASSERT_THAT(sigtimedwait(&set, &info, &limit), SyscallSucceedsWithValue(SIGUSR1));
  EXPECT_EQ(info.si_code, SI_MESGQ);
  EXPECT_EQ(info.si_value.sival_int, 42);
  EXPECT_EQ(info.si_pid, getpid());
  Receive();
  Send("y");  // The registration is gone.
  limit = {};
  EXPECT_THAT(sigtimedwait(&set, &info, &limit), SyscallFailsWith(EAGAIN));
  sigprocmask(SIG_SETMASK, &old, nullptr);
}

TEST_F(MqueueTest, UnlinkedQueueLivesOn) {
  Send("x");
  ASSERT_THAT(mq_unlink(name_.c_str()), SyscallSucceeds());
  EXPECT_EQ(Receive(), "x");
  EXPECT_THAT(Open(O_RDWR), SyscallFailsWith(ENOENT));
}

TEST_F(MqueueTest, DirectoryListsAndFileDescribesIt) {
  if (access(("/dev/mqueue" + name_).c_str(), F_OK) != 0) GTEST_SKIP() << "not mounted";
  Send("12345");
  EXPECT_THAT(ReadFile("/dev/mqueue" + name_), testing::StartsWith("QSIZE:5 "));
}

}  // namespace
}  // namespace redoubt::test
