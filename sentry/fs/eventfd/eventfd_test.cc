// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/eventfd/eventfd.h"

#include <gtest/gtest.h>
#include <sys/eventfd.h>

#include <thread>

#include "sentry/fs/testing/testing.h"

namespace redoubt::fs {
namespace {

Result<uint64_t> ReadCount(EventFd& file) {
  uint64_t value = 0;
  TRY(file.Read(std::as_writable_bytes(std::span(&value, 1))));
  return value;
}
Result<size_t> Add(EventFd& file, uint64_t value) {
  return file.Write(std::as_bytes(std::span(&value, 1)), RootCaller());
}

TEST(EventFd, ReadTakesTheSum) {
  auto file = EventFd::Create(3, 0).value();
  Add(*file, 4).value();
  EXPECT_EQ(ReadCount(*file).value(), 7U);
  EXPECT_TRUE(ReadCount(*file).Is(EAGAIN));
}

TEST(EventFd, SemaphoreTakesOne) {
  auto file = EventFd::Create(2, EFD_SEMAPHORE).value();
  EXPECT_EQ(ReadCount(*file).value(), 1U);
  EXPECT_EQ(ReadCount(*file).value(), 1U);
  EXPECT_TRUE(ReadCount(*file).Is(EAGAIN));
}

TEST(EventFd, WriteThatWouldOverflowWaits) {
  auto file = EventFd::Create(0, 0).value();
  EXPECT_TRUE(Add(*file, ~uint64_t{0}).Is(EINVAL));
  Add(*file, ~uint64_t{0} - 1).value();
  EXPECT_TRUE(Add(*file, 1).Is(EAGAIN));
  EXPECT_EQ(file->Readiness(EPOLLIN | EPOLLOUT), EventMask{EPOLLIN});
  file->Signal(1);
  EXPECT_EQ(file->Readiness(EPOLLIN | EPOLLOUT), EPOLLIN | EPOLLERR);
}

TEST(EventFd, ShortBuffersAreEinval) {
  auto file = EventFd::Create(1, 0).value();
  EXPECT_TRUE(ReadText(*file, 7).Is(EINVAL));
  EXPECT_TRUE(WriteText(*file, "1234567").Is(EINVAL));
  EXPECT_TRUE(EventFd::Create(0, 2 | EFD_SEMAPHORE).Is(EINVAL));
}

TEST(EventFd, WakesAcrossThreads) {
  auto file = EventFd::Create(0, 0).value();
  std::thread other([&] { Add(*file, 5).value(); });
  EXPECT_TRUE(WaitReady(*file, EPOLLIN));
  EXPECT_EQ(ReadCount(*file).value(), 5U);
  other.join();
}

}  // namespace
}  // namespace redoubt::fs
