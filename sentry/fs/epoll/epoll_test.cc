// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/epoll/epoll.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "sentry/fs/eventfd/eventfd.h"
#include "sentry/fs/pipe/pipe_file.h"
#include "sentry/fs/testing/testing.h"

namespace redoubt::fs {
namespace {

RefPtr<EpollFile> NewEpoll() { return EpollFile::Create(0).value(); }
RefPtr<EventFd> NewEvent(uint32_t count = 0) { return EventFd::Create(count, 0).value(); }

Result<void> Add(EpollFile& epoll, int fd, vfs::FileDescription& file, uint32_t events) {
  return epoll.Control(EPOLL_CTL_ADD, fd, file, {.events = events, .data = uint64_t(fd)});
}

// The data of what is ready.
std::vector<uint64_t> Collect(EpollFile& epoll, size_t most = 16) {
  std::vector<abi::EpollEvent> events(most);
  events.resize(epoll.Collect(events));
  std::vector<uint64_t> data;
  for (const abi::EpollEvent& event : events) data.push_back(event.data);
  return data;
}

using Fds = std::vector<uint64_t>;

class EpollTest : public testing::Test {
 protected:
  RefPtr<EpollFile> epoll_ = NewEpoll();
  RefPtr<EventFd> event_ = NewEvent();
};

TEST_F(EpollTest, LevelTriggeredRepeats) {
  ASSERT_TRUE(Add(*epoll_, 3, *event_, EPOLLIN).ok());
  EXPECT_EQ(Collect(*epoll_), Fds{});
  event_->Signal(1);
  EXPECT_EQ(Collect(*epoll_), Fds{3});
  EXPECT_EQ(Collect(*epoll_), Fds{3});
  ReadText(*event_).value();
  EXPECT_EQ(Collect(*epoll_), Fds{});
}

TEST_F(EpollTest, EdgeTriggeredTellsOfEachWrite) {
  ASSERT_TRUE(Add(*epoll_, 3, *event_, EPOLLIN | EPOLLET).ok());
  event_->Signal(1);
  EXPECT_EQ(Collect(*epoll_), Fds{3});
  EXPECT_EQ(Collect(*epoll_), Fds{});
  event_->Signal(1);
  EXPECT_EQ(Collect(*epoll_), Fds{3});
}

TEST_F(EpollTest, WhatIsReadyBeforeAddIsToldOnce) {
  event_->Signal(1);
  ASSERT_TRUE(Add(*epoll_, 3, *event_, EPOLLIN | EPOLLET).ok());
  EXPECT_EQ(Collect(*epoll_), Fds{3});
  EXPECT_EQ(Collect(*epoll_), Fds{});
}

TEST_F(EpollTest, OneShotSleepsUntilModified) {
  ASSERT_TRUE(Add(*epoll_, 3, *event_, EPOLLIN | EPOLLONESHOT).ok());
  event_->Signal(1);
  EXPECT_EQ(Collect(*epoll_), Fds{3});
  event_->Signal(1);
  EXPECT_EQ(Collect(*epoll_), Fds{});
  const abi::EpollEvent again{.events = EPOLLIN | EPOLLONESHOT, .data = 9};
  ASSERT_TRUE(epoll_->Control(EPOLL_CTL_MOD, 3, *event_, again).ok());
  EXPECT_EQ(Collect(*epoll_), Fds{9});
}

TEST_F(EpollTest, ErrorsComeUnasked) {
  PipeEnds ends = CreatePipe(0, 0, 0).value();
  ASSERT_TRUE(Add(*epoll_, 3, *ends.read, 0).ok());
  ASSERT_TRUE(Add(*epoll_, 4, *ends.write, EPOLLOUT).ok());
  abi::EpollEvent event;
  ASSERT_EQ(epoll_->Collect({&event, 1}), 1U);
  EXPECT_EQ(event.events, uint32_t{EPOLLOUT});
  ends.read = nullptr;
  ASSERT_EQ(epoll_->Collect({&event, 1}), 1U);
  EXPECT_EQ(event.events, uint32_t{EPOLLOUT | EPOLLERR});
}

TEST_F(EpollTest, ControlErrors) {
  auto& e = *event_;
  EXPECT_TRUE(epoll_->Control(EPOLL_CTL_MOD, 3, e, {}).Is(ENOENT));
  EXPECT_TRUE(epoll_->Control(EPOLL_CTL_DEL, 3, e, {}).Is(ENOENT));
  EXPECT_TRUE(epoll_->Control(99, 3, e, {}).Is(EINVAL));
  EXPECT_TRUE(Add(*epoll_, 3, *epoll_, EPOLLIN).Is(EINVAL));
  ASSERT_TRUE(Add(*epoll_, 3, e, EPOLLIN).ok());
  EXPECT_TRUE(Add(*epoll_, 3, e, EPOLLIN).Is(EEXIST));
  EXPECT_TRUE(Add(*epoll_, 4, e, EPOLLIN).ok());  // A dup of it.
  EXPECT_TRUE(EpollFile::Create(1).Is(EINVAL));
}

TEST_F(EpollTest, ExclusiveHasRules) {
  EXPECT_TRUE(Add(*epoll_, 3, *event_, EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT).Is(EINVAL));
  EXPECT_TRUE(Add(*epoll_, 3, *event_, EPOLLIN | EPOLLEXCLUSIVE | EPOLLET).ok());
  EXPECT_TRUE(epoll_->Control(EPOLL_CTL_MOD, 3, *event_, {.events = EPOLLIN}).Is(EINVAL));
  auto other = NewEpoll();
  EXPECT_TRUE(Add(*epoll_, 4, *other, EPOLLIN | EPOLLEXCLUSIVE).Is(EINVAL));
}

TEST_F(EpollTest, ItemsGoWithTheFile) {
  ASSERT_TRUE(Add(*epoll_, 3, *event_, EPOLLIN).ok());
  event_->Signal(1);
  event_ = nullptr;
  EXPECT_EQ(Collect(*epoll_), Fds{});
  event_ = NewEvent(1);
  EXPECT_TRUE(Add(*epoll_, 3, *event_, EPOLLIN).ok());
  EXPECT_EQ(Collect(*epoll_), Fds{3});
}

TEST_F(EpollTest, FilesOutliveTheEpoll) {
  ASSERT_TRUE(Add(*epoll_, 3, *event_, EPOLLIN).ok());
  epoll_ = nullptr;
  event_->Signal(1);
  EXPECT_FALSE(event_->wait_queue()->HasWaiters());
}

TEST_F(EpollTest, DeleteForgetsWhatWasReady) {
  ASSERT_TRUE(Add(*epoll_, 3, *event_, EPOLLIN).ok());
  event_->Signal(1);
  ASSERT_TRUE(epoll_->Control(EPOLL_CTL_DEL, 3, *event_, {}).ok());
  EXPECT_EQ(Collect(*epoll_), Fds{});
}

TEST_F(EpollTest, MoreThanFitComeInTurns) {
  std::vector<RefPtr<EventFd>> events;
  for (int i = 0; i < 6; ++i) {
    events.push_back(NewEvent(1));
    ASSERT_TRUE(Add(*epoll_, i, *events.back(), EPOLLIN).ok());
  }
  EXPECT_EQ(Collect(*epoll_, 4), (Fds{0, 1, 2, 3}));
  EXPECT_EQ(Collect(*epoll_, 4), (Fds{4, 5, 0, 1}));
}

TEST_F(EpollTest, NestedEpollIsReadable) {
  auto outer = NewEpoll();
  ASSERT_TRUE(Add(*outer, 4, *epoll_, EPOLLIN).ok());
  ASSERT_TRUE(Add(*epoll_, 3, *event_, EPOLLIN).ok());
  EXPECT_EQ(Collect(*outer), Fds{});
  Waiter waiter(outer->wait_queue(), EPOLLIN);
  event_->Signal(1);
  EXPECT_EQ(waiter.count(), 1);
  EXPECT_EQ(Collect(*outer), Fds{4});
  EXPECT_EQ(Collect(*epoll_), Fds{3});
  ReadText(*event_).value();
  EXPECT_EQ(Collect(*outer), Fds{});
}

TEST_F(EpollTest, CirclesAreEloop) {
  // Abseil's detector remembers the order of locks that have long been apart.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  auto a = NewEpoll(), b = NewEpoll(), c = NewEpoll();
  ASSERT_TRUE(Add(*a, 1, *b, EPOLLIN).ok());
  ASSERT_TRUE(Add(*b, 1, *c, EPOLLIN).ok());
  EXPECT_TRUE(Add(*c, 1, *a, EPOLLIN).Is(ELOOP));
  // Allowed once the chain is broken.
  ASSERT_TRUE(a->Control(EPOLL_CTL_DEL, 1, *b, {}).ok());
  EXPECT_TRUE(Add(*c, 1, *a, EPOLLIN).ok());
}

TEST_F(EpollTest, DeepChainsAreEloopFromBothEnds) {
  std::vector<RefPtr<EpollFile>> down{NewEpoll()}, up{NewEpoll()};
  int down_depth = 1, up_depth = 1;
  for (int i = 0; i < 8; ++i) {
    down.push_back(NewEpoll());
    if (!Add(*down[down_depth - 1], 1, *down.back(), EPOLLIN).ok()) break;
    ++down_depth;
  }
  for (int i = 0; i < 8; ++i) {
    up.push_back(NewEpoll());
    if (!Add(*up.back(), 1, *up[up_depth - 1], EPOLLIN).ok()) break;
    ++up_depth;
  }
  EXPECT_EQ(down_depth, 5);
  EXPECT_EQ(up_depth, 5);
}

TEST_F(EpollTest, ClosingAnInnerEpollUnlinksIt) {
  auto outer = NewEpoll();
  ASSERT_TRUE(Add(*outer, 4, *epoll_, EPOLLIN).ok());
  ASSERT_TRUE(Add(*epoll_, 3, *event_, EPOLLIN).ok());
  epoll_ = nullptr;
  event_->Signal(1);
  EXPECT_EQ(Collect(*outer), Fds{});
}

TEST(EpollThreads, FilesCloseWhileTheyAreWatchedAndWritten) {
  auto epoll = NewEpoll();
  std::atomic<bool> stop{false};
  std::thread collector([&] {
    while (!stop) Collect(*epoll);
  });
  std::vector<std::thread> closers;
  for (int t = 0; t < 3; ++t) {
    closers.emplace_back([&, t] {
      for (int i = 0; i < 3000; ++i) {
        auto event = NewEvent();
        ASSERT_TRUE(Add(*epoll, t, *event, i % 2 ? EPOLLIN | EPOLLET : EPOLLIN).ok());
        event->Signal(1);
        if (i % 3 == 0) epoll->Control(EPOLL_CTL_DEL, t, *event, {}).value();
      }
    });
  }
  for (std::thread& closer : closers) closer.join();
  stop = true;
  collector.join();
  EXPECT_EQ(Collect(*epoll), Fds{});
}

TEST(EpollThreads, EpollsCloseWhileFilesAreWritten) {
  auto event = NewEvent();
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    while (!stop) {
      event->Signal(1);
      (void)ReadText(*event);
    }
  });
  for (int i = 0; i < 3000; ++i) {
    auto epoll = NewEpoll();
    auto outer = NewEpoll();
    ASSERT_TRUE(Add(*outer, 1, *epoll, EPOLLIN).ok());
    ASSERT_TRUE(Add(*epoll, 1, *event, EPOLLIN).ok());
    Collect(*outer);
  }
  stop = true;
  writer.join();
}

TEST(EpollThreads, BothSidesCloseAtOnce) {
  for (int i = 0; i < 2000; ++i) {
    auto event = NewEvent();
    auto epoll = NewEpoll();
    ASSERT_TRUE(Add(*epoll, 1, *event, EPOLLIN).ok());
    std::thread a([file = std::move(event)]() mutable { file = nullptr; });
    epoll = nullptr;
    a.join();
  }
}

TEST(EpollThreads, NoEdgeIsLost) {
  auto epoll = NewEpoll();
  auto event = NewEvent();
  ASSERT_TRUE(Add(*epoll, 1, *event, EPOLLIN | EPOLLET).ok());
  constexpr int kRounds = 20000;
  std::atomic<int> acknowledged{0};
  std::thread writer([&] {
    for (int i = 0; i < kRounds; ++i) {
      event->Signal(1);
      while (acknowledged.load() <= i) std::this_thread::yield();
    }
  });
  for (int i = 0; i < kRounds; ++i) {
    ASSERT_TRUE(WaitReady(*epoll, EPOLLIN)) << i;
    Collect(*epoll);
    (void)ReadText(*event);
    ++acknowledged;
  }
  writer.join();
}

}  // namespace
}  // namespace redoubt::fs
