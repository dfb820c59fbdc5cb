// SPDX-License-Identifier: Apache-2.0
//
// timer_create(2) and its relatives.

#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "test/util/fork.h"
#include "test/util/signals.h"
#include "test/util/syscall_matchers.h"
#include "test/util/timing.h"

namespace redoubt::test {
namespace {

// The kernel's timer ids; libc's timer_t hides them.
using TimerId = int;

class PosixTimerTest : public ::testing::Test {
 protected:
  PosixTimerTest() : block_({SIGUSR1}) {}
  ~PosixTimerTest() override { syscall(SYS_timer_delete, id_); }

  long Create(int notify = SIGEV_SIGNAL, clockid_t clock = CLOCK_MONOTONIC) {
    sigevent event = {};
    event.sigev_notify = notify;
    event.sigev_signo = SIGUSR1;
    event.sigev_value.sival_int = 42;
    event._sigev_un._tid = gettid();
    return syscall(SYS_timer_create, clock, &event, &id_);
  }
  long Set(nanoseconds first, nanoseconds interval = nanoseconds(0), int flags = 0,
           itimerspec* old = nullptr) {
    const itimerspec value = {.it_interval = ToTimespec(interval), .it_value = ToTimespec(first)};
    return syscall(SYS_timer_settime, id_, flags, &value, old);
  }
  siginfo_t Take() {
    const sigset_t set = SignalSet({SIGUSR1});
    const timespec limit = ToTimespec(kForever);
    siginfo_t info = {};
    EXPECT_THAT(sigtimedwait(&set, &info, &limit), SyscallSucceedsWithValue(SIGUSR1));
    return info;
  }

  ScopedHandler handler_{SIGUSR1, CountSignal};
  ScopedBlock block_;
  TimerId id_ = -1;
};

TEST_F(PosixTimerTest, SendsItsSignalWithItsValue) {
  ASSERT_THAT(Create(), SyscallSucceeds());
  const Stopwatch watch;
  ASSERT_THAT(Set(milliseconds(10)), SyscallSucceeds());
  const siginfo_t info = Take();
  EXPECT_GE(watch.Elapsed(), milliseconds(10));
  EXPECT_EQ(info.si_code, SI_TIMER);
  EXPECT_EQ(info.si_value.sival_int, 42);
  EXPECT_EQ(info.si_timerid, id_);
  EXPECT_EQ(info.si_overrun, 0);
}

TEST_F(PosixTimerTest, ToOneThread) {
  ASSERT_THAT(Create(SIGEV_THREAD_ID), SyscallSucceeds());
  ASSERT_THAT(Set(milliseconds(1)), SyscallSucceeds());
  EXPECT_EQ(Take().si_code, SI_TIMER);
}

TEST_F(PosixTimerTest, OverrunsAreCountedWhileOneIsPending) {
  ASSERT_THAT(Create(), SyscallSucceeds());
  ASSERT_THAT(Set(milliseconds(1), milliseconds(1)), SyscallSucceeds());
  const Stopwatch watch;
  PollUntil([&] { return watch.Elapsed() > milliseconds(20); });
  EXPECT_GE(Take().si_overrun, 5);
  EXPECT_THAT(syscall(SYS_timer_getoverrun, id_), SyscallSucceedsWithValue(::testing::Ge(5)));
}

TEST_F(PosixTimerTest, GettimeAndOldValue) {
  ASSERT_THAT(Create(), SyscallSucceeds());
  ASSERT_THAT(Set(std::chrono::seconds(100), std::chrono::seconds(3)), SyscallSucceeds());
  itimerspec now;
  ASSERT_THAT(syscall(SYS_timer_gettime, id_, &now), SyscallSucceeds());
  EXPECT_GT(now.it_value.tv_sec, 50);
  EXPECT_EQ(now.it_interval.tv_sec, 3);
  itimerspec old;
  ASSERT_THAT(Set(milliseconds(0), milliseconds(0), 0, &old), SyscallSucceeds());
  EXPECT_GT(old.it_value.tv_sec, 50);
}

TEST_F(PosixTimerTest, AbsoluteTimeInThePastFiresAtOnce) {
  ASSERT_THAT(Create(), SyscallSucceeds());
  ASSERT_THAT(Set(nanoseconds(1), nanoseconds(0), TIMER_ABSTIME), SyscallSucceeds());
  EXPECT_EQ(Take().si_code, SI_TIMER);
}

TEST_F(PosixTimerTest, WithoutNotificationItOnlyRuns) {
  ASSERT_THAT(Create(SIGEV_NONE), SyscallSucceeds());
  ASSERT_THAT(Set(milliseconds(1)), SyscallSucceeds());
  itimerspec now;
  EXPECT_TRUE(PollUntil([&] {
    syscall(SYS_timer_gettime, id_, &now);
    return ToNanoseconds(now.it_value).count() == 0;
  }));
  EXPECT_FALSE(IsPending(SIGUSR1));
}

TEST_F(PosixTimerTest, IsNotInheritedByFork) {
  ASSERT_THAT(Create(), SyscallSucceeds());
  EXPECT_THAT(InForkedProcess([&] {
                itimerspec now;
                CHILD_CHECK_FAILS(syscall(SYS_timer_gettime, id_, &now), EINVAL);
              }),
              ExitedWith(0));
}

TEST_F(PosixTimerTest, BadArgumentsAreEinval) {
  EXPECT_THAT(Create(SIGEV_SIGNAL, 99), SyscallFailsWith(EINVAL));
  EXPECT_THAT(Create(77), SyscallFailsWith(EINVAL));
  EXPECT_THAT(syscall(SYS_timer_delete, 12345), SyscallFailsWith(EINVAL));
  ASSERT_THAT(Create(), SyscallSucceeds());
  const itimerspec bad = {.it_interval = {}, .it_value = {.tv_sec = 0, .tv_nsec = -1}};
  EXPECT_THAT(syscall(SYS_timer_settime, id_, 0, &bad, nullptr), SyscallFailsWith(EINVAL));
}

}  // namespace
}  // namespace redoubt::test
