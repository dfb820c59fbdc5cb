// SPDX-License-Identifier: Apache-2.0
#include "sentry/time/timer_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "abi/linux/time.h"

namespace redoubt::time {
namespace {

constexpr int64_t kMillisecond = 1'000'000;

void WaitUntil(const std::function<bool()>& condition) {
  const int64_t deadline = DeadlineAfter(Clock::kMonotonic, 5'000 * kMillisecond);
  while (!condition() && Now(Clock::kMonotonic) < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_TRUE(condition());
}

class TimerQueueTest : public testing::Test {
 protected:
  std::unique_ptr<TimerQueue> queue_ = TimerQueue::Create().value();
};

TEST_F(TimerQueueTest, CallsBackOnEachClockNotBeforeTheDeadline) {
  for (Clock clock : {Clock::kRealtime, Clock::kMonotonic, Clock::kBoottime}) {
    std::atomic<int64_t> fired{0};
    Timer timer(*queue_, clock, [&] { fired = Now(clock); });
    const int64_t deadline = DeadlineAfter(clock, 5 * kMillisecond);
    timer.Set(deadline);
    WaitUntil([&] { return fired != 0; });
    EXPECT_GE(fired.load(), deadline);
  }
}

TEST_F(TimerQueueTest, PastDeadlineFiresAtOnce) {
  std::atomic<int> fired{0};
  Timer timer(*queue_, Clock::kMonotonic, [&] { ++fired; });
  timer.Set(0);
  WaitUntil([&] { return fired == 1; });
  timer.Set(-5);
  WaitUntil([&] { return fired == 2; });
}

TEST_F(TimerQueueTest, CancelledTimerStaysSilent) {
  std::atomic<int> fired{0}, other{0};
  Timer timer(*queue_, Clock::kMonotonic, [&] { ++fired; });
  Timer later(*queue_, Clock::kMonotonic, [&] { ++other; });
  timer.Set(DeadlineAfter(Clock::kMonotonic, 20 * kMillisecond));
  later.Set(DeadlineAfter(Clock::kMonotonic, 40 * kMillisecond));
  timer.Cancel();
  WaitUntil([&] { return other == 1; });
  EXPECT_EQ(fired, 0);
}

TEST_F(TimerQueueTest, EarlierDeadlineOvertakes) {
  std::atomic<int> order{0};
  std::atomic<int> first{0}, second{0};
  Timer slow(*queue_, Clock::kMonotonic, [&] { second = ++order; });
  Timer fast(*queue_, Clock::kMonotonic, [&] { first = ++order; });
  slow.Set(DeadlineAfter(Clock::kMonotonic, 60 * kMillisecond));
  fast.Set(DeadlineAfter(Clock::kMonotonic, 5 * kMillisecond));
  WaitUntil([&] { return order == 2; });
  EXPECT_EQ(first, 1);
  EXPECT_EQ(second, 2);
}

TEST_F(TimerQueueTest, CallbackMaySetItsOwnTimer) {
  std::atomic<int> fired{0};
  Timer* self = nullptr;
  Timer timer(*queue_, Clock::kMonotonic, [&] {
    if (++fired < 5) self->Set(DeadlineAfter(Clock::kMonotonic, kMillisecond));
  });
  self = &timer;
  timer.Set(0);
  WaitUntil([&] { return fired == 5; });
}

TEST_F(TimerQueueTest, DestructionWaitsForTheCallback) {
  for (int i = 0; i < 50; ++i) {
    auto state = std::make_unique<std::atomic<int>>(0);
    auto timer = std::make_unique<Timer>(*queue_, Clock::kMonotonic, [raw = state.get()] {
      raw->store(1);
      std::this_thread::sleep_for(std::chrono::microseconds(100));
      raw->store(2);
    });
    timer->Set(0);
    std::this_thread::sleep_for(std::chrono::microseconds(i * 5));
    timer.reset();
    EXPECT_NE(state->load(), 1);
  }
}

TEST_F(TimerQueueTest, ManyThreadsSetAndCancel) {
  std::atomic<int> fired{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 500; ++i) {
        Timer timer(*queue_, Clock::kMonotonic, [&] { ++fired; });
        timer.Set(DeadlineAfter(Clock::kMonotonic, (i % 7) * 10'000));
        if (i % 3 == 0) timer.Cancel();
        if (i % 5 == 0) std::this_thread::sleep_for(std::chrono::microseconds(100));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(fired.load(), 0);
}

TEST(Clock, ReadsTheHostsClocks) {
  EXPECT_GT(ReadClock(CLOCK_REALTIME).value(), 1'600'000'000 * abi::kNanosecondsPerSecond);
  EXPECT_TRUE(ReadClock(CLOCK_MONOTONIC_COARSE).ok());
  EXPECT_TRUE(ReadClock(CLOCK_PROCESS_CPUTIME_ID).Is(EINVAL));
  EXPECT_TRUE(ReadClock(-1).Is(EINVAL));
  EXPECT_TRUE(TimerClock(CLOCK_MONOTONIC_RAW).Is(EINVAL));
  EXPECT_EQ(ClockResolution(CLOCK_MONOTONIC).value(), 1);
  EXPECT_EQ(DeadlineAfter(Clock::kMonotonic, INT64_MAX), INT64_MAX);
}

}  // namespace
}  // namespace redoubt::time
