// SPDX-License-Identifier: Apache-2.0
//
// pipe(2), pipe2(2) and the behaviour of both ends.

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "test/util/file_descriptor.h"
#include "test/util/fork.h"
#include "test/util/signals.h"
#include "test/util/syscall_matchers.h"
#include "test/util/thread.h"
#include "test/util/timing.h"

namespace redoubt::test {
namespace {

// Fills a non-blocking pipe; returns how much went in.
size_t Fill(int fd) {
  const std::vector<char> chunk(4096, 'x');
  size_t total = 0;
  ssize_t done;
  while ((done = write(fd, chunk.data(), chunk.size())) > 0) total += done;
  EXPECT_EQ(errno, EAGAIN);
  return total;
}

TEST(Pipe, CarriesBytesInOrder) {
  Pipe pipe;
  char buffer[16];
  ASSERT_THAT(write(pipe.writer.get(), "abc", 3), SyscallSucceedsWithValue(3));
  ASSERT_THAT(write(pipe.writer.get(), "def", 3), SyscallSucceedsWithValue(3));
  EXPECT_THAT(read(pipe.reader.get(), buffer, 4), SyscallSucceedsWithValue(4));
  EXPECT_EQ(std::string(buffer, 4), "abcd");
  EXPECT_THAT(read(pipe.reader.get(), buffer, 16), SyscallSucceedsWithValue(2));
}

TEST(Pipe, EachEndHasOneDirection) {
  Pipe pipe;
  char byte = 0;
  EXPECT_THAT(write(pipe.reader.get(), &byte, 1), SyscallFailsWith(EBADF));
  EXPECT_THAT(read(pipe.writer.get(), &byte, 1), SyscallFailsWith(EBADF));
}

TEST(Pipe, EndOfFileWhenTheLastWriterIsGone) {
  Pipe pipe;
  FileDescriptor second_writer(dup(pipe.writer.get()));
  ASSERT_THAT(write(pipe.writer.get(), "x", 1), SyscallSucceedsWithValue(1));
  pipe.writer.reset();
  second_writer.reset();
  char byte;
  EXPECT_THAT(read(pipe.reader.get(), &byte, 1), SyscallSucceedsWithValue(1));
  EXPECT_THAT(read(pipe.reader.get(), &byte, 1), SyscallSucceedsWithValue(0));
}

TEST(Pipe, BlockedReaderSeesTheWriterLeave) {
  Pipe pipe;
  ssize_t got = -1;
  TestThread reader([&] {
    char byte;
    got = read(pipe.reader.get(), &byte, 1);
  });
  AwaitSleeping(getpid(), reader.tid());
  pipe.writer.reset();
  reader.Join();
  EXPECT_EQ(got, 0);
}

TEST(Pipe, WriteWithoutReadersIsEpipe) {
  Pipe pipe;
  pipe.reader.reset();
  signals_seen = 0;
  ScopedHandler handler(SIGPIPE, CountSignal);
  EXPECT_THAT(write(pipe.writer.get(), "x", 1), SyscallFailsWith(EPIPE));
  EXPECT_EQ(signals_seen, 1);
}

TEST(Pipe, WriteWithoutReadersKillsBySigpipe) {
  Pipe pipe;
  pipe.reader.reset();
  EXPECT_THAT(InForkedProcess([&] {
                signal(SIGPIPE, SIG_DFL);
                (void)!write(pipe.writer.get(), "x", 1);
              }),
              KilledBy(SIGPIPE));
}

TEST(Pipe, NonBlockingEndsGiveEagain) {
  Pipe pipe(O_NONBLOCK);
  char byte;
  EXPECT_THAT(read(pipe.reader.get(), &byte, 1), SyscallFailsWith(EAGAIN));
  const size_t capacity = Fill(pipe.writer.get());
  EXPECT_EQ(capacity, static_cast<size_t>(fcntl(pipe.writer.get(), F_GETPIPE_SZ)));
  std::vector<char> room(4096);
  EXPECT_THAT(read(pipe.reader.get(), room.data(), 4096), SyscallSucceedsWithValue(4096));
  EXPECT_THAT(write(pipe.writer.get(), "x", 1), SyscallSucceedsWithValue(1));
}

TEST(Pipe, SmallWritesAreAtomicAlsoWithoutBlocking) {
  Pipe pipe(O_NONBLOCK);
  Fill(pipe.writer.get());
  std::vector<char> buffer(4096);
  // Room for one page now: 4096 bytes fit as a whole, and then nothing more, not even in part.
  ASSERT_THAT(read(pipe.reader.get(), buffer.data(), 4096), SyscallSucceedsWithValue(4096));
  EXPECT_THAT(write(pipe.writer.get(), buffer.data(), 4096), SyscallSucceedsWithValue(4096));
  EXPECT_THAT(write(pipe.writer.get(), buffer.data(), 4096), SyscallFailsWith(EAGAIN));
}

TEST(Pipe, LargeWriteBlocksUntilItIsRead) {
  Pipe pipe;
  constexpr size_t kSize = 1 << 20;
  ForkedChild writer([&] {
    std::vector<char> data(kSize);
    for (size_t i = 0; i < kSize; i++) data[i] = static_cast<char>(i % 251);
    CHILD_CHECK(write(pipe.writer.get(), data.data(), kSize) == static_cast<ssize_t>(kSize));
  });
  pipe.writer.reset();
  std::vector<char> buffer(10000);
  size_t total = 0;
  bool right = true;
  ssize_t got;
  while ((got = read(pipe.reader.get(), buffer.data(), buffer.size())) > 0) {
    for (ssize_t i = 0; i < got; i++) right &= buffer[i] == static_cast<char>((total + i) % 251);
    total += got;
  }
  EXPECT_EQ(total, kSize);
  EXPECT_TRUE(right);
  EXPECT_THAT(writer.Wait(), ExitedWith(0));
}

TEST(Pipe, FlagsOfPipe2) {
  Pipe pipe(O_CLOEXEC | O_NONBLOCK);
  EXPECT_THAT(fcntl(pipe.reader.get(), F_GETFD), SyscallSucceedsWithValue(FD_CLOEXEC));
  EXPECT_THAT(fcntl(pipe.reader.get(), F_GETFL), SyscallSucceedsWithValue(O_NONBLOCK));
  EXPECT_THAT(fcntl(pipe.writer.get(), F_GETFL), SyscallSucceedsWithValue(O_WRONLY | O_NONBLOCK));
  int fds[2];
  EXPECT_THAT(pipe2(fds, O_APPEND), SyscallFailsWith(EINVAL));
}

TEST(Pipe, BadResultAddressLeavesNoDescriptorOpen) {
  FileDescriptor next(dup(0));
  const int lowest = next.get();
  next.reset();
  EXPECT_THAT(syscall(SYS_pipe2, 8, 0), SyscallFailsWith(EFAULT));
  next.reset(dup(0));
  EXPECT_EQ(next.get(), lowest);
}

TEST(Pipe, FionreadCountsWhatWaits) {
  Pipe pipe;
  int waiting = -1;
  ASSERT_THAT(write(pipe.writer.get(), "abcde", 5), SyscallSucceedsWithValue(5));
  ASSERT_THAT(ioctl(pipe.reader.get(), FIONREAD, &waiting), SyscallSucceeds());
  EXPECT_EQ(waiting, 5);
}

TEST(Pipe, InterruptedReadIsEintr) {
  Pipe pipe;
  ScopedHandler handler(SIGUSR1, CountSignal);  // Without SA_RESTART.
  int error = 0;
  TestThread reader([&] {
    char byte;
    error = read(pipe.reader.get(), &byte, 1) == -1 ? errno : 0;
  });
  AwaitSleeping(getpid(), reader.tid());
  pthread_kill(reader.handle(), SIGUSR1);
  reader.Join();
  EXPECT_EQ(error, EINTR);
}

TEST(Pipe, CanBeReopenedThroughProc) {
  Pipe pipe;
  const std::string path = "/proc/self/fd/" + std::to_string(pipe.writer.get());
  FileDescriptor again(open(path.c_str(), O_WRONLY));
  ASSERT_TRUE(again.valid());
  ASSERT_THAT(write(again.get(), "x", 1), SyscallSucceedsWithValue(1));
  char byte;
  EXPECT_THAT(read(pipe.reader.get(), &byte, 1), SyscallSucceedsWithValue(1));
}

}  // namespace
}  // namespace redoubt::test
