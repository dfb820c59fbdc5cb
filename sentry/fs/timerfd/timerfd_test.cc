// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/timerfd/timerfd.h"

#include <gtest/gtest.h>
#include <sys/timerfd.h>

#include <chrono>
#include <thread>

#include "sentry/fs/testing/testing.h"

namespace redoubt::fs {
namespace {

constexpr int64_t kMillisecond = 1'000'000;

class TimerFdTest : public testing::Test {
 protected:
  void Set(int64_t value, int64_t interval, uint32_t flags = 0) {
    file_
        ->SetTime(flags, {.interval = abi::FromNanoseconds(interval),
                          .value = abi::FromNanoseconds(value)})
        .value();
  }
  Result<uint64_t> Ticks() {
    uint64_t ticks = 0;
    TRY(file_->Read(std::as_writable_bytes(std::span(&ticks, 1))));
    return ticks;
  }
  std::unique_ptr<time::TimerQueue> queue_ = time::TimerQueue::Create().value();
  RefPtr<TimerFd> file_ = TimerFd::Create(*queue_, CLOCK_MONOTONIC, 0).value();
};

TEST_F(TimerFdTest, FiresOnceAndIsRead) {
  EXPECT_TRUE(Ticks().Is(EAGAIN));
  Set(5 * kMillisecond, 0);
  EXPECT_TRUE(WaitReady(*file_, EPOLLIN));
  EXPECT_EQ(Ticks().value(), 1U);
  EXPECT_TRUE(Ticks().Is(EAGAIN));
  EXPECT_EQ(file_->Readiness(EPOLLIN), 0U);
}

TEST_F(TimerFdTest, IntervalsAddUp) {
  Set(kMillisecond, kMillisecond);
  std::this_thread::sleep_for(std::chrono::milliseconds(12));
  EXPECT_GE(Ticks().value(), 10U);
  EXPECT_TRUE(WaitReady(*file_, EPOLLIN));
  EXPECT_GE(Ticks().value(), 1U);
}

TEST_F(TimerFdTest, AbsoluteTimeInThePastFiresAtOnce) {
  Set(1, 0, TFD_TIMER_ABSTIME);
  EXPECT_TRUE(WaitReady(*file_, EPOLLIN));
  EXPECT_EQ(Ticks().value(), 1U);
}

TEST_F(TimerFdTest, GetTellsWhatRemains) {
  Set(1000 * kMillisecond, 7);
  const abi::IntervalTimerSpec spec = file_->GetTime();
  EXPECT_EQ(abi::ToNanoseconds(spec.interval), 7);
  EXPECT_GT(abi::ToNanoseconds(spec.value), 900 * kMillisecond);
  Set(0, 0);
  EXPECT_EQ(abi::ToNanoseconds(file_->GetTime().value), 0);
}

TEST_F(TimerFdTest, DisarmedTimerStaysSilent) {
  Set(3 * kMillisecond, 0);
  Set(0, 0);
  std::this_thread::sleep_for(std::chrono::milliseconds(6));
  EXPECT_TRUE(Ticks().Is(EAGAIN));
}

TEST_F(TimerFdTest, BadArgumentsAreEinval) {
  EXPECT_TRUE(TimerFd::Create(*queue_, CLOCK_PROCESS_CPUTIME_ID, 0).Is(EINVAL));
  EXPECT_TRUE(TimerFd::Create(*queue_, CLOCK_MONOTONIC, 1).Is(EINVAL));
  EXPECT_TRUE(file_->SetTime(4, {}).Is(EINVAL));
  EXPECT_TRUE(file_->SetTime(0, {.interval = {}, .value = {0, 1'000'000'000}}).Is(EINVAL));
  EXPECT_TRUE(ReadText(*file_, 7).Is(EINVAL));
}

}  // namespace
}  // namespace redoubt::fs
