// SPDX-License-Identifier: Apache-2.0
//
// Real-time signals: rt_sigqueueinfo(2), their order, and taking them with sigtimedwait(2).

#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <vector>

#include "test/util/fork.h"
#include "test/util/signals.h"
#include "test/util/syscall_matchers.h"
#include "test/util/thread.h"
#include "test/util/timing.h"

namespace redoubt::test {
namespace {

constexpr timespec kNow = {};

struct Seen {
  int signal;
  int value;
  bool operator==(const Seen&) const = default;
};
std::vector<Seen> seen;

void Note(int signal, siginfo_t* info, void*) {
  seen.push_back({signal, info->si_value.sival_int});
}

int Queue(int signal, int value) { return sigqueue(getpid(), signal, {.sival_int = value}); }

class SigqueueTest : public ::testing::Test {
 protected:
  SigqueueTest() { seen.reserve(64); }
  ~SigqueueTest() override { seen.clear(); }

  const int low_ = SIGRTMIN;
  const int high_ = SIGRTMIN + 1;
  ScopedHandler on_low_{low_, Note};
  ScopedHandler on_high_{high_, Note};
};

TEST_F(SigqueueTest, CarriesAValueAndItsSender) {
  ScopedBlock block({high_});
  ASSERT_THAT(Queue(high_, 42), SyscallSucceeds());
  const sigset_t set = SignalSet({high_});
  siginfo_t info = {};
  ASSERT_THAT(sigtimedwait(&set, &info, &kNow), SyscallSucceedsWithValue(high_));
  EXPECT_EQ(info.si_code, SI_QUEUE);
  EXPECT_EQ(info.si_value.sival_int, 42);
  EXPECT_EQ(info.si_pid, getpid());
}

TEST_F(SigqueueTest, EachOneIsKeptInOrder) {
  const sigset_t set = SignalSet({low_, high_});
  ScopedBlock block({low_, high_});
  for (const auto& [signal, value] : {Seen{high_, 1}, {low_, 2}, {high_, 3}, {low_, 4}}) {
    ASSERT_THAT(Queue(signal, value), SyscallSucceeds());
  }
  // The lowest number first, and each number in the order it was sent.
  siginfo_t info;
  for (const Seen& next : {Seen{low_, 2}, {low_, 4}, {high_, 1}, {high_, 3}}) {
    ASSERT_THAT(sigtimedwait(&set, &info, &kNow), SyscallSucceedsWithValue(next.signal));
    EXPECT_EQ(info.si_value.sival_int, next.value);
  }
  EXPECT_THAT(sigtimedwait(&set, &info, &kNow), SyscallFailsWith(EAGAIN));
}

TEST_F(SigqueueTest, HandlersRunOncePerQueuedSignal) {
  {
    ScopedBlock block({low_});
    for (int i = 0; i < 5; i++) ASSERT_THAT(Queue(low_, i), SyscallSucceeds());
    EXPECT_TRUE(seen.empty());
  }
  EXPECT_EQ(seen, (std::vector<Seen>{{low_, 0}, {low_, 1}, {low_, 2}, {low_, 3}, {low_, 4}}));
}

TEST_F(SigqueueTest, StandardSignalsArePickedBeforeRealTimeOnes) {
  ScopedBlock block({SIGUSR1, low_});
  ASSERT_THAT(Queue(low_, 1), SyscallSucceeds());
  ASSERT_THAT(Queue(SIGUSR1, 2), SyscallSucceeds());
  const sigset_t set = SignalSet({SIGUSR1, low_});
  EXPECT_THAT(sigtimedwait(&set, nullptr, &kNow), SyscallSucceedsWithValue(SIGUSR1));
  EXPECT_THAT(sigtimedwait(&set, nullptr, &kNow), SyscallSucceedsWithValue(low_));
}

TEST_F(SigqueueTest, PendingLimitIsEagain) {
  EXPECT_THAT(InForkedProcess([&] {
                const rlimit limit = {.rlim_cur = 0, .rlim_max = 0};
                CHILD_CHECK(setrlimit(RLIMIT_SIGPENDING, &limit) == 0);
                ScopedBlock block({low_});
                CHILD_CHECK_FAILS(Queue(low_, 1), EAGAIN);
                CHILD_CHECK(kill(getpid(), low_) == 0);  // kill(2) never fails for that.
              }),
              ExitedWith(0));
}

TEST_F(SigqueueTest, ForeignCodesMayNotBeForged) {
  // Codes of the kernel (>= 0) and of tkill cannot be sent to another process.
  ForkedChild child([] { pause(); });
  siginfo_t info = {};
  info.si_code = SI_USER;
  EXPECT_THAT(syscall(SYS_rt_sigqueueinfo, child.pid(), SIGUSR1, &info), SyscallFailsWith(EPERM));
  info.si_code = SI_TKILL;
  EXPECT_THAT(syscall(SYS_rt_sigqueueinfo, child.pid(), SIGUSR1, &info), SyscallFailsWith(EPERM));
  info.si_code = SI_QUEUE;
  EXPECT_THAT(syscall(SYS_rt_sigqueueinfo, child.pid(), 0, &info), SyscallSucceeds());
}

TEST(Sigtimedwait, TimesOutWithEagain) {
  const sigset_t set = SignalSet({SIGUSR1});
  const timespec timeout = ToTimespec(milliseconds(15));
  const Stopwatch watch;
  EXPECT_THAT(sigtimedwait(&set, nullptr, &timeout), SyscallFailsWith(EAGAIN));
  EXPECT_GE(watch.Elapsed(), milliseconds(15));
  const timespec bad = {.tv_sec = 0, .tv_nsec = -1};
  EXPECT_THAT(sigtimedwait(&set, nullptr, &bad), SyscallFailsWith(EINVAL));
}

TEST(Sigtimedwait, IsWokenByASignalAndRunsNoHandler) {
  ScopedHandler handler(SIGUSR1, CountSignal);
  ScopedBlock block({SIGUSR1});
  signals_seen = 0;
  const pid_t parent = getpid();
  ForkedChild child([&] {
    AwaitSleeping(parent);
    kill(parent, SIGUSR1);
  });
  const sigset_t set = SignalSet({SIGUSR1});
  const timespec timeout = ToTimespec(kForever);
  siginfo_t info;
  EXPECT_THAT(sigtimedwait(&set, &info, &timeout), SyscallSucceedsWithValue(SIGUSR1));
  EXPECT_EQ(info.si_pid, child.pid());
  EXPECT_EQ(signals_seen, 0);
  EXPECT_THAT(child.Wait(), ExitedWith(0));
}

TEST(Sigtimedwait, AnotherSignalIsEintr) {
  ScopedHandler handler(SIGUSR2, CountSignal);
  ScopedBlock block({SIGUSR1});
  const sigset_t set = SignalSet({SIGUSR1});
  int error = 0;
  TestThread waiter([&] { error = sigwaitinfo(&set, nullptr) == -1 ? errno : 0; });
  AwaitSleeping(getpid(), waiter.tid());
  pthread_kill(waiter.handle(), SIGUSR2);
  waiter.Join();
  EXPECT_EQ(error, EINTR);
}

}  // namespace
}  // namespace redoubt::test
