// SPDX-License-Identifier: Apache-2.0
//
// poll(2), ppoll(2).

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "test/util/file_descriptor.h"
#include "test/util/fork.h"
#include "test/util/signals.h"
#include "test/util/syscall_matchers.h"
#include "test/util/temp_path.h"
#include "test/util/thread.h"
#include "test/util/timing.h"

namespace redoubt::test {
namespace {

// The events of one descriptor, without waiting.
int Events(int fd, short wanted) {
  pollfd entry = {.fd = fd, .events = wanted, .revents = 0};
  const int ready = poll(&entry, 1, 0);
  EXPECT_EQ(ready, entry.revents != 0 ? 1 : 0);
  return entry.revents;
}

TEST(Poll, PipeStates) {
  Pipe pipe;
  EXPECT_EQ(Events(pipe.reader.get(), POLLIN), 0);
  EXPECT_EQ(Events(pipe.writer.get(), POLLOUT), POLLOUT);
  ASSERT_THAT(write(pipe.writer.get(), "x", 1), SyscallSucceedsWithValue(1));
  EXPECT_EQ(Events(pipe.reader.get(), POLLIN), POLLIN);
  EXPECT_EQ(Events(pipe.reader.get(), POLLOUT), 0);
}

TEST(Poll, HangupAndErrorComeUnasked) {
  Pipe left;
  left.writer.reset();
  EXPECT_EQ(Events(left.reader.get(), 0), POLLHUP);
  Pipe unread;
  unread.reader.reset();
  EXPECT_EQ(Events(unread.writer.get(), POLLOUT), POLLOUT | POLLERR);
}

TEST(Poll, DataAndHangupTogether) {
  Pipe pipe;
  ASSERT_THAT(write(pipe.writer.get(), "x", 1), SyscallSucceedsWithValue(1));
  pipe.writer.reset();
  EXPECT_EQ(Events(pipe.reader.get(), POLLIN), POLLIN | POLLHUP);
}

TEST(Poll, ClosedDescriptorIsPollnvalAndNegativeIsSkipped) {
  pollfd entries[2] = {{.fd = 987, .events = POLLIN, .revents = 0},
                       {.fd = -1, .events = POLLIN, .revents = 77}};
  EXPECT_THAT(poll(entries, 2, -1), SyscallSucceedsWithValue(1));
  EXPECT_EQ(entries[0].revents, POLLNVAL);
  EXPECT_EQ(entries[1].revents, 0);
}

TEST(Poll, RegularFileIsAlwaysReady) {
  TempDir dir;
  FileDescriptor file(open(dir.File("a").c_str(), O_RDWR));
  EXPECT_EQ(Events(file.get(), POLLIN | POLLOUT), POLLIN | POLLOUT);
}

TEST(Poll, TimesOut) {
  Pipe pipe;
  pollfd entry = {.fd = pipe.reader.get(), .events = POLLIN, .revents = 0};
  const Stopwatch watch;
  EXPECT_THAT(poll(&entry, 1, 30), SyscallSucceedsWithValue(0));
  EXPECT_GE(watch.Elapsed(), milliseconds(30));
  EXPECT_THAT(poll(nullptr, 0, 1), SyscallSucceedsWithValue(0));
}

TEST(Poll, IsWokenByAWriteFromAnotherProcess) {
  Pipe pipe;
  const pid_t parent = getpid();
  ForkedChild writer([&] {
    AwaitSleeping(parent);
    CHILD_CHECK(write(pipe.writer.get(), "x", 1) == 1);
  });
  pollfd entry = {.fd = pipe.reader.get(), .events = POLLIN, .revents = 0};
  EXPECT_THAT(poll(&entry, 1, kForever.count()), SyscallSucceedsWithValue(1));
  EXPECT_EQ(entry.revents, POLLIN);
  EXPECT_THAT(writer.Wait(), ExitedWith(0));
}

TEST(Poll, SignalIsEintrEvenWithSaRestart) {
  ScopedHandler handler(SIGUSR1, CountSignal, SA_RESTART);
  int error = 0;
  TestThread waiter([&] { error = poll(nullptr, 0, kForever.count()) == -1 ? errno : 0; });
  AwaitSleeping(getpid(), waiter.tid());
  pthread_kill(waiter.handle(), SIGUSR1);
  waiter.Join();
  EXPECT_EQ(error, EINTR);
}

TEST(Poll, MoreThanTheDescriptorLimitIsEinval) {
  pollfd entry = {.fd = 0, .events = 0, .revents = 0};
  EXPECT_THAT(syscall(SYS_poll, &entry, 0x7fff'ffff, 0), SyscallFailsWith(EINVAL));
  EXPECT_THAT(syscall(SYS_poll, 8, 1, 0), SyscallFailsWith(EFAULT));
}

TEST(Ppoll, WaitsWithItsOwnMask) {
  ScopedBlock block({SIGUSR1});
  ScopedHandler handler(SIGUSR1, CountSignal);
  signals_seen = 0;
  raise(SIGUSR1);
  EXPECT_EQ(signals_seen, 0);
  const timespec timeout = ToTimespec(kForever);
  EXPECT_THAT(ppoll(nullptr, 0, &timeout, &block.previous()), SyscallFailsWith(EINTR));
  EXPECT_EQ(signals_seen, 1);
  EXPECT_TRUE(IsBlocked(SIGUSR1));
}

TEST(Ppoll, BadArgumentsAreEinval) {
  const timespec negative = {.tv_sec = -1, .tv_nsec = 0};
  const timespec too_many = {.tv_sec = 0, .tv_nsec = 1'000'000'000};
  EXPECT_THAT(ppoll(nullptr, 0, &negative, nullptr), SyscallFailsWith(EINVAL));
  EXPECT_THAT(ppoll(nullptr, 0, &too_many, nullptr), SyscallFailsWith(EINVAL));
  const timespec zero = {};
  const uint64_t mask = 0;
  EXPECT_THAT(syscall(SYS_ppoll, nullptr, 0, &zero, &mask, 4), SyscallFailsWith(EINVAL));
}

TEST(Ppoll, RawCallWritesTheTimeLeft) {
  Pipe pipe;
  ASSERT_THAT(write(pipe.writer.get(), "x", 1), SyscallSucceedsWithValue(1));
  pollfd entry = {.fd = pipe.reader.get(), .events = POLLIN, .revents = 0};
  timespec timeout = {.tv_sec = 100, .tv_nsec = 0};
  ASSERT_THAT(syscall(SYS_ppoll, &entry, 1, &timeout, nullptr, 8), SyscallSucceedsWithValue(1));
  EXPECT_LE(ToNanoseconds(timeout), std::chrono::seconds(100));
  EXPECT_GT(ToNanoseconds(timeout), std::chrono::seconds(50));
}

}  // namespace
}  // namespace redoubt::test
