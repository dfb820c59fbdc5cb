// SPDX-License-Identifier: Apache-2.0
//
// select(2), pselect(2).

#include <sys/select.h>
#include <unistd.h>

#include "test/util/file_descriptor.h"
#include "test/util/signals.h"
#include "test/util/syscall_matchers.h"
#include "test/util/timing.h"

namespace redoubt::test {
namespace {

fd_set SetOf(std::initializer_list<int> fds) {
  fd_set set;
  FD_ZERO(&set);
  for (int fd : fds) FD_SET(fd, &set);
  return set;
}

TEST(Select, LeavesOnlyWhatIsReady) {
  Pipe full;
  Pipe empty;
  ASSERT_THAT(write(full.writer.get(), "x", 1), SyscallSucceedsWithValue(1));
  fd_set readers = SetOf({full.reader.get(), empty.reader.get()});
  fd_set writers = SetOf({empty.writer.get()});
  timeval zero = {};
  EXPECT_THAT(select(100, &readers, &writers, nullptr, &zero), SyscallSucceedsWithValue(2));
  EXPECT_TRUE(FD_ISSET(full.reader.get(), &readers));
  EXPECT_FALSE(FD_ISSET(empty.reader.get(), &readers));
  EXPECT_TRUE(FD_ISSET(empty.writer.get(), &writers));
}

TEST(Select, HungUpReaderIsReadable) {
  Pipe pipe;
  pipe.writer.reset();
  fd_set readers = SetOf({pipe.reader.get()});
  EXPECT_THAT(select(100, &readers, nullptr, nullptr, nullptr), SyscallSucceedsWithValue(1));
}

TEST(Select, TimesOutAndClearsTheSets) {
  Pipe pipe;
  fd_set readers = SetOf({pipe.reader.get()});
  timeval timeout = ToTimeval(milliseconds(20));
  const Stopwatch watch;
  EXPECT_THAT(select(100, &readers, nullptr, nullptr, &timeout), SyscallSucceedsWithValue(0));
  EXPECT_GE(watch.Elapsed(), milliseconds(20));
  EXPECT_FALSE(FD_ISSET(pipe.reader.get(), &readers));
  EXPECT_EQ(timeout.tv_sec, 0);  // Linux writes back the time left.
  EXPECT_EQ(timeout.tv_usec, 0);
}

TEST(Select, ClosedDescriptorIsEbadf) {
  Pipe pipe;
  const int fd = pipe.reader.get();
  fd_set readers = SetOf({fd});
  pipe.reader.reset();  // Below the highest one open: Linux ignores those beyond its table.
  timeval zero = {};
  EXPECT_THAT(select(fd + 1, &readers, nullptr, nullptr, &zero), SyscallFailsWith(EBADF));
}

TEST(Select, BadArgumentsAreEinval) {
  timeval zero = {};
  timeval negative = {.tv_sec = -1, .tv_usec = 0};
  EXPECT_THAT(select(-1, nullptr, nullptr, nullptr, &zero), SyscallFailsWith(EINVAL));
  EXPECT_THAT(select(0, nullptr, nullptr, nullptr, &negative), SyscallFailsWith(EINVAL));
}

TEST(Pselect, WaitsWithItsOwnMask) {
  ScopedBlock block({SIGUSR1});
  ScopedHandler handler(SIGUSR1, CountSignal);
  signals_seen = 0;
  raise(SIGUSR1);
  EXPECT_THAT(pselect(0, nullptr, nullptr, nullptr, nullptr, &block.previous()),
              SyscallFailsWith(EINTR));
  EXPECT_EQ(signals_seen, 1);
  EXPECT_TRUE(IsBlocked(SIGUSR1));
}

}  // namespace
}  // namespace redoubt::test
