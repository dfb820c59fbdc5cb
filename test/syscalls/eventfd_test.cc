// SPDX-License-Identifier: Apache-2.0

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "test/util/file_descriptor.h"
#include "test/util/fork.h"
#include "test/util/syscall_matchers.h"
#include "test/util/thread.h"
#include "test/util/timing.h"

namespace redoubt::test {
namespace {

constexpr uint64_t kMaximum = UINT64_MAX - 1;

ssize_t Add(int fd, uint64_t value) { return write(fd, &value, sizeof(value)); }

uint64_t Take(int fd) {
  uint64_t value = 0;
  EXPECT_THAT(read(fd, &value, sizeof(value)), SyscallSucceedsWithValue(8));
  return value;
}

TEST(Eventfd, AddsUpAndReadsAll) {
  FileDescriptor event(eventfd(3, EFD_NONBLOCK));
  EXPECT_THAT(Add(event.get(), 4), SyscallSucceedsWithValue(8));
  EXPECT_EQ(Take(event.get()), 7u);
  uint64_t value;
  EXPECT_THAT(read(event.get(), &value, 8), SyscallFailsWith(EAGAIN));
}

TEST(Eventfd, SemaphoreReadsOneByOne) {
  FileDescriptor event(eventfd(2, EFD_NONBLOCK | EFD_SEMAPHORE));
  EXPECT_EQ(Take(event.get()), 1u);
  EXPECT_EQ(Take(event.get()), 1u);
  uint64_t value;
  EXPECT_THAT(read(event.get(), &value, 8), SyscallFailsWith(EAGAIN));
}

TEST(Eventfd, OverflowIsEagainAndTheValueMinusOneEinval) {
  FileDescriptor event(eventfd(0, EFD_NONBLOCK));
  EXPECT_THAT(Add(event.get(), kMaximum), SyscallSucceedsWithValue(8));
  EXPECT_THAT(Add(event.get(), 1), SyscallFailsWith(EAGAIN));
  EXPECT_THAT(Add(event.get(), UINT64_MAX), SyscallFailsWith(EINVAL));
  EXPECT_EQ(Take(event.get()), kMaximum);
}

TEST(Eventfd, ShortBuffersAreEinval) {
  FileDescriptor event(eventfd(1, EFD_NONBLOCK));
  uint32_t small = 1;
  EXPECT_THAT(read(event.get(), &small, 4), SyscallFailsWith(EINVAL));
  EXPECT_THAT(write(event.get(), &small, 4), SyscallFailsWith(EINVAL));
}

TEST(Eventfd, PollTellsItsState) {
  FileDescriptor event(eventfd(0, EFD_NONBLOCK));
  pollfd entry = {.fd = event.get(), .events = POLLIN | POLLOUT, .revents = 0};
  ASSERT_THAT(poll(&entry, 1, 0), SyscallSucceedsWithValue(1));
  EXPECT_EQ(entry.revents, POLLOUT);
  Add(event.get(), kMaximum);
  ASSERT_THAT(poll(&entry, 1, 0), SyscallSucceedsWithValue(1));
  EXPECT_EQ(entry.revents, POLLIN);
}

TEST(Eventfd, BlockedReaderIsWokenAcrossProcesses) {
  FileDescriptor event(eventfd(0, 0));
  ForkedChild child([&] {
    uint64_t value;
    CHILD_CHECK(read(event.get(), &value, 8) == 8);
    CHILD_CHECK(value == 42);
  });
  AwaitSleeping(child.pid());
  EXPECT_THAT(Add(event.get(), 42), SyscallSucceedsWithValue(8));
  EXPECT_THAT(child.Wait(), ExitedWith(0));
}

TEST(Eventfd, BlockedWriterIsWokenByARead) {
  FileDescriptor event(eventfd(0, 0));
  Add(event.get(), kMaximum);
  ssize_t result = 0;
  TestThread writer([&] { result = Add(event.get(), 5); });
  AwaitSleeping(getpid(), writer.tid());
  EXPECT_EQ(Take(event.get()), kMaximum);
  writer.Join();
  EXPECT_EQ(result, 8);
  EXPECT_EQ(Take(event.get()), 5u);
}

TEST(Eventfd, FlagsAreChecked) {
  EXPECT_THAT(eventfd(0, 0x100), SyscallFailsWith(EINVAL));
  FileDescriptor event(eventfd(0, EFD_CLOEXEC));
  EXPECT_THAT(fcntl(event.get(), F_GETFD), SyscallSucceedsWithValue(FD_CLOEXEC));
}

}  // namespace
}  // namespace redoubt::test
