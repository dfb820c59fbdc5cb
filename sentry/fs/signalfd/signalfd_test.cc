// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/signalfd/signalfd.h"

#include <gtest/gtest.h>

#include <deque>

#include "sentry/fs/testing/testing.h"

namespace redoubt::fs {
namespace {

class FakeSource : public SignalSource {
 public:
  std::optional<abi::SignalInfo> Dequeue(abi::SignalSet set) override {
    for (auto it = pending_.begin(); it != pending_.end(); ++it) {
      if (!set.Has(it->signal)) continue;
      abi::SignalInfo info = *it;
      pending_.erase(it);
      return info;
    }
    return std::nullopt;
  }
  bool HasPending(abi::SignalSet set) override {
    for (const auto& info : pending_) {
      if (set.Has(info.signal)) return true;
    }
    return false;
  }
  WaitQueue& wait_queue() override { return queue_; }
  void Send(int signal, int pid) {
    abi::SignalInfo info;
    info.signal = signal;
    info.fields.sender = {.pid = pid, .uid = 5, .value = 0};
    pending_.push_back(info);
    queue_.Wake(EPOLLIN);
  }

 private:
  std::deque<abi::SignalInfo> pending_;
  WaitQueue queue_;
};

class SignalFdTest : public testing::Test {
 protected:
  RefPtr<FakeSource> source_ = MakeRef<FakeSource>();
  RefPtr<SignalFd> file_ =
      SignalFd::Create(source_, abi::SignalSet::OfAll(SIGUSR1, SIGUSR2), 0).value();
};

TEST_F(SignalFdTest, GivesPendingSignalsOfItsSet) {
  EXPECT_TRUE(ReadText(*file_).Is(EAGAIN));
  source_->Send(SIGTERM, 1);
  EXPECT_EQ(file_->Readiness(EPOLLIN), 0U);
  source_->Send(SIGUSR1, 42);
  source_->Send(SIGUSR2, 43);
  EXPECT_EQ(file_->Readiness(EPOLLIN), EventMask{EPOLLIN});
  abi::SignalfdInfo records[3];
  EXPECT_EQ(file_->Read(std::as_writable_bytes(std::span(records))).value(), 256U);
  EXPECT_EQ(records[0].signal, uint32_t{SIGUSR1});
  EXPECT_EQ(records[0].pid, 42U);
  EXPECT_EQ(records[0].uid, 5U);
  EXPECT_EQ(records[1].pid, 43U);
}

TEST_F(SignalFdTest, MaskCanChange) {
  source_->Send(SIGTERM, 1);
  Waiter waiter(file_->wait_queue(), EPOLLIN);
  file_->SetMask(abi::SignalSet::OfAll(SIGTERM, SIGKILL));
  EXPECT_EQ(waiter.count(), 1);
  EXPECT_EQ(file_->Readiness(EPOLLIN), EventMask{EPOLLIN});
}

TEST_F(SignalFdTest, ShortBufferIsEinval) {
  EXPECT_TRUE(ReadText(*file_, 127).Is(EINVAL));
  EXPECT_TRUE(WriteText(*file_, "x").Is(EINVAL));
  EXPECT_TRUE(SignalFd::Create(source_, {}, 1).Is(EINVAL));
}

TEST(SignalFdInfo, ChildFieldsAreTranslated) {
  abi::SignalInfo info;
  info.signal = SIGCHLD;
  info.code = CLD_EXITED;
  info.fields.child = {
      .pid = 9, .uid = 8, .status = 7, .unused = 0, .user_time = 6, .system_time = 5};
  const abi::SignalfdInfo record = ToSignalfdInfo(info);
  EXPECT_EQ(record.pid, 9U);
  EXPECT_EQ(record.status, 7);
  EXPECT_EQ(record.user_time, 6U);
}

}  // namespace
}  // namespace redoubt::fs
