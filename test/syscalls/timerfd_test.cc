// SPDX-License-Identifier: Apache-2.0

#include <fcntl.h>
#include <poll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "test/util/file_descriptor.h"
#include "test/util/syscall_matchers.h"
#include "test/util/timing.h"

namespace redoubt::test {
namespace {

class TimerfdTest : public ::testing::Test {
 protected:
  int Set(nanoseconds first, nanoseconds interval = nanoseconds(0), int flags = 0) {
    const itimerspec value = {.it_interval = ToTimespec(interval), .it_value = ToTimespec(first)};
    return timerfd_settime(fd_.get(), flags, &value, nullptr);
  }

  FileDescriptor fd_{timerfd_create(CLOCK_MONOTONIC, 0)};
  uint64_t count_ = 0;
};

TEST_F(TimerfdTest, FiresOnceAfterItsTime) {
  const Stopwatch watch;
  ASSERT_THAT(Set(milliseconds(20)), SyscallSucceeds());
  ASSERT_THAT(read(fd_.get(), &count_, 8), SyscallSucceedsWithValue(8));
  EXPECT_GE(watch.Elapsed(), milliseconds(20));
  EXPECT_EQ(count_, 1u);
  itimerspec left;
  ASSERT_THAT(timerfd_gettime(fd_.get(), &left), SyscallSucceeds());
  EXPECT_EQ(ToNanoseconds(left.it_value).count(), 0);
}

TEST_F(TimerfdTest, PeriodicCountsItsExpirations) {
  const Stopwatch watch;
  ASSERT_THAT(Set(milliseconds(5), milliseconds(5)), SyscallSucceeds());
  uint64_t total = 0;
  while (total < 4) {
    ASSERT_THAT(read(fd_.get(), &count_, 8), SyscallSucceedsWithValue(8));
    total += count_;
  }
  EXPECT_GE(watch.Elapsed(), milliseconds(5 * 4));
}

TEST_F(TimerfdTest, AbsoluteTimeInThePastFiresAtOnce) {
  ASSERT_THAT(Set(nanoseconds(1), nanoseconds(0), TFD_TIMER_ABSTIME), SyscallSucceeds());
  pollfd entry = {.fd = fd_.get(), .events = POLLIN, .revents = 0};
  EXPECT_THAT(poll(&entry, 1, kForever.count()), SyscallSucceedsWithValue(1));
  EXPECT_THAT(read(fd_.get(), &count_, 8), SyscallSucceedsWithValue(8));
  EXPECT_EQ(count_, 1u);
}

TEST_F(TimerfdTest, DisarmedDoesNotFire) {
  ASSERT_THAT(fcntl(fd_.get(), F_SETFL, O_NONBLOCK), SyscallSucceeds());
  ASSERT_THAT(Set(milliseconds(1)), SyscallSucceeds());
  ASSERT_THAT(Set(milliseconds(0)), SyscallSucceeds());
  EXPECT_THAT(read(fd_.get(), &count_, 8), SyscallFailsWith(EAGAIN));
}

TEST_F(TimerfdTest, SettingReturnsWhatWasLeft) {
  ASSERT_THAT(Set(std::chrono::seconds(100), std::chrono::seconds(3)), SyscallSucceeds());
  itimerspec old;
  const itimerspec off = {};
  ASSERT_THAT(timerfd_settime(fd_.get(), 0, &off, &old), SyscallSucceeds());
  EXPECT_GT(old.it_value.tv_sec, 50);
  EXPECT_EQ(old.it_interval.tv_sec, 3);
}

TEST_F(TimerfdTest, BadArguments) {
  EXPECT_THAT(timerfd_create(999, 0), SyscallFailsWith(EINVAL));
  EXPECT_THAT(timerfd_create(CLOCK_MONOTONIC, 1), SyscallFailsWith(EINVAL));
  const itimerspec bad = {.it_interval = {}, .it_value = {.tv_sec = 0, .tv_nsec = 1'000'000'000}};
  EXPECT_THAT(timerfd_settime(fd_.get(), 0, &bad, nullptr), SyscallFailsWith(EINVAL));
  EXPECT_THAT(timerfd_settime(0, 0, &bad, nullptr), SyscallFailsWith(EINVAL));
  EXPECT_THAT(read(fd_.get(), &count_, 4), SyscallFailsWith(EINVAL));
}

}  // namespace
}  // namespace redoubt::test
