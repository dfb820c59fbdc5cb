// SPDX-License-Identifier: Apache-2.0
//
// epoll(7).

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <set>
#include <vector>

#include "test/util/file_descriptor.h"
#include "test/util/fork.h"
#include "test/util/signals.h"
#include "test/util/syscall_matchers.h"
#include "test/util/temp_path.h"
#include "test/util/thread.h"
#include "test/util/timing.h"

namespace redoubt::test {
namespace {

class EpollTest : public ::testing::Test {
 protected:
  int Control(int operation, int fd, uint32_t events, uint64_t data = 7) {
    epoll_event event = {.events = events, .data = {.u64 = data}};
    return epoll_ctl(epoll_.get(), operation, fd, &event);
  }
  int Add(int fd, uint32_t events, uint64_t data = 7) {
    return Control(EPOLL_CTL_ADD, fd, events, data);
  }
  // What is ready now, with a limit of 8 events.
  std::vector<epoll_event> Ready(int timeout = 0) {
    std::vector<epoll_event> events(8);
    const int count = epoll_wait(epoll_.get(), events.data(), 8, timeout);
    EXPECT_GE(count, 0);
    events.resize(std::max(count, 0));
    return events;
  }
  void Write(const char* text = "x") {
    ASSERT_THAT(write(pipe_.writer.get(), text, 1), SyscallSucceedsWithValue(1));
  }
  void Read() {
    char byte;
    ASSERT_THAT(read(pipe_.reader.get(), &byte, 1), SyscallSucceedsWithValue(1));
  }

  FileDescriptor epoll_{epoll_create1(EPOLL_CLOEXEC)};
  Pipe pipe_{O_NONBLOCK};
};

TEST_F(EpollTest, LevelTriggeredRepeatsWhileReady) {
  ASSERT_THAT(Add(pipe_.reader.get(), EPOLLIN, 0x1122334455667788), SyscallSucceeds());
  EXPECT_EQ(Ready().size(), 0u);
  Write();
  for (int i = 0; i < 2; i++) {
    const auto events = Ready();
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(uint32_t{events[0].events}, uint32_t{EPOLLIN});
    EXPECT_EQ(uint64_t{events[0].data.u64}, 0x1122334455667788u);
  }
  Read();
  EXPECT_EQ(Ready().size(), 0u);
}

TEST_F(EpollTest, EdgeTriggeredReportsOncePerArrival) {
  ASSERT_THAT(Add(pipe_.reader.get(), EPOLLIN | EPOLLET), SyscallSucceeds());
  Write();
  EXPECT_EQ(Ready().size(), 1u);
  EXPECT_EQ(Ready().size(), 0u);
  Write();
  EXPECT_EQ(Ready().size(), 1u);
  EXPECT_EQ(Ready().size(), 0u);
}

TEST_F(EpollTest, EdgeTriggeredReportsWhatWasReadyWhenAdded) {
  Write();
  ASSERT_THAT(Add(pipe_.reader.get(), EPOLLIN | EPOLLET), SyscallSucceeds());
  EXPECT_EQ(Ready().size(), 1u);
  EXPECT_EQ(Ready().size(), 0u);
}

TEST_F(EpollTest, OneShotIsSilentUntilRearmed) {
  ASSERT_THAT(Add(pipe_.reader.get(), EPOLLIN | EPOLLONESHOT), SyscallSucceeds());
  Write();
  EXPECT_EQ(Ready().size(), 1u);
  Write();
  EXPECT_EQ(Ready().size(), 0u);
  ASSERT_THAT(Control(EPOLL_CTL_MOD, pipe_.reader.get(), EPOLLIN | EPOLLONESHOT),
              SyscallSucceeds());
  EXPECT_EQ(Ready().size(), 1u);
}

TEST_F(EpollTest, HangupComesUnasked) {
  ASSERT_THAT(Add(pipe_.reader.get(), 0), SyscallSucceeds());
  pipe_.writer.reset();
  const auto events = Ready();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(uint32_t{events[0].events}, uint32_t{EPOLLHUP});
}

TEST_F(EpollTest, ModifyChangesInterestAndData) {
  ASSERT_THAT(Add(pipe_.writer.get(), EPOLLIN, 1), SyscallSucceeds());
  EXPECT_EQ(Ready().size(), 0u);
  ASSERT_THAT(Control(EPOLL_CTL_MOD, pipe_.writer.get(), EPOLLOUT, 2), SyscallSucceeds());
  const auto events = Ready();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(uint64_t{events[0].data.u64}, 2u);
  ASSERT_THAT(Control(EPOLL_CTL_DEL, pipe_.writer.get(), 0), SyscallSucceeds());
  EXPECT_EQ(Ready().size(), 0u);
}

TEST_F(EpollTest, ErrorsOfControl) {
  const int fd = pipe_.reader.get();
  EXPECT_THAT(Control(EPOLL_CTL_MOD, fd, EPOLLIN), SyscallFailsWith(ENOENT));
  EXPECT_THAT(Control(EPOLL_CTL_DEL, fd, 0), SyscallFailsWith(ENOENT));
  ASSERT_THAT(Add(fd, EPOLLIN), SyscallSucceeds());
  EXPECT_THAT(Add(fd, EPOLLIN), SyscallFailsWith(EEXIST));
  EXPECT_THAT(Add(-1, EPOLLIN), SyscallFailsWith(EBADF));
  EXPECT_THAT(Add(epoll_.get(), EPOLLIN), SyscallFailsWith(EINVAL));
  EXPECT_THAT(Control(99, fd, EPOLLIN), SyscallFailsWith(EINVAL));
  epoll_event event = {};
  EXPECT_THAT(epoll_ctl(fd, EPOLL_CTL_ADD, pipe_.writer.get(), &event), SyscallFailsWith(EINVAL));
  EXPECT_THAT(epoll_ctl(-1, EPOLL_CTL_ADD, fd, &event), SyscallFailsWith(EBADF));
}

TEST_F(EpollTest, RegularFilesAreEperm) {
  TempDir dir;
  FileDescriptor file(open(dir.File("a").c_str(), O_RDONLY));
  EXPECT_THAT(Add(file.get(), EPOLLIN), SyscallFailsWith(EPERM));
}

TEST_F(EpollTest, ErrorsOfWait) {
  epoll_event event;
  EXPECT_THAT(epoll_wait(epoll_.get(), &event, 0, 0), SyscallFailsWith(EINVAL));
  EXPECT_THAT(syscall(SYS_epoll_wait, epoll_.get(), &event, -1, 0), SyscallFailsWith(EINVAL));
  EXPECT_THAT(epoll_wait(pipe_.reader.get(), &event, 1, 0), SyscallFailsWith(EINVAL));
  EXPECT_THAT(epoll_wait(-1, &event, 1, 0), SyscallFailsWith(EBADF));
}

TEST_F(EpollTest, ErrorsOfCreate) {
  EXPECT_THAT(epoll_create(0), SyscallFailsWith(EINVAL));
  EXPECT_THAT(epoll_create1(1), SyscallFailsWith(EINVAL));
  EXPECT_THAT(fcntl(epoll_.get(), F_GETFD), SyscallSucceedsWithValue(FD_CLOEXEC));
}

TEST_F(EpollTest, ClosingTheLastDescriptorRemovesIt) {
  FileDescriptor copy(dup(pipe_.reader.get()));
  ASSERT_THAT(Add(pipe_.reader.get(), EPOLLIN), SyscallSucceeds());
  Write();
  pipe_.reader.reset();
  EXPECT_EQ(Ready().size(), 1u);  // The open file lives on in the copy.
  copy.reset();
  EXPECT_EQ(Ready().size(), 0u);
}

TEST_F(EpollTest, NestedEpollIsReadableWhenItHasEvents) {
  FileDescriptor outer(epoll_create1(0));
  ASSERT_THAT(Add(pipe_.reader.get(), EPOLLIN), SyscallSucceeds());
  epoll_event event = {.events = EPOLLIN, .data = {.u64 = 9}};
  ASSERT_THAT(epoll_ctl(outer.get(), EPOLL_CTL_ADD, epoll_.get(), &event), SyscallSucceeds());
  EXPECT_THAT(epoll_wait(outer.get(), &event, 1, 0), SyscallSucceedsWithValue(0));
  Write();
  EXPECT_THAT(epoll_wait(outer.get(), &event, 1, 0), SyscallSucceedsWithValue(1));
  EXPECT_EQ(uint64_t{event.data.u64}, 9u);
}

TEST_F(EpollTest, CycleOfEpollsIsEloop) {
  FileDescriptor outer(epoll_create1(0));
  epoll_event event = {.events = EPOLLIN, .data = {.u64 = 9}};
  ASSERT_THAT(epoll_ctl(outer.get(), EPOLL_CTL_ADD, epoll_.get(), &event), SyscallSucceeds());
  EXPECT_THAT(Add(outer.get(), EPOLLIN), SyscallFailsWith(ELOOP));
}

TEST_F(EpollTest, MoreReadyThanAskedForComeInTurn) {
  std::vector<Pipe> pipes(5);
  for (size_t i = 0; i < pipes.size(); i++) {
    ASSERT_THAT(Add(pipes[i].writer.get(), EPOLLOUT, i), SyscallSucceeds());
  }
  std::set<uint64_t> seen;
  for (int round = 0; round < 3; round++) {
    epoll_event events[2];
    ASSERT_THAT(epoll_wait(epoll_.get(), events, 2, 0), SyscallSucceedsWithValue(2));
    for (const epoll_event& event : events) seen.insert(event.data.u64);
  }
  EXPECT_EQ(seen.size(), 5u);
}

TEST_F(EpollTest, WaiterIsWokenAndTimeoutIsKept) {
  ASSERT_THAT(Add(pipe_.reader.get(), EPOLLIN), SyscallSucceeds());
  const Stopwatch watch;
  EXPECT_EQ(Ready(20).size(), 0u);
  EXPECT_GE(watch.Elapsed(), milliseconds(20));
  const pid_t waiter = gettid();
  TestThread writer([&] {
    AwaitSleeping(getpid(), waiter);
    Write();
  });
  EXPECT_EQ(Ready(kForever.count()).size(), 1u);
}

TEST_F(EpollTest, ReadinessIsSeenAfterFork) {
  ASSERT_THAT(Add(pipe_.reader.get(), EPOLLIN), SyscallSucceeds());
  EXPECT_THAT(InForkedProcess([&] {
                CHILD_CHECK(write(pipe_.writer.get(), "x", 1) == 1);
                epoll_event event;
                CHILD_CHECK(epoll_wait(epoll_.get(), &event, 1, 0) == 1);
              }),
              ExitedWith(0));
  EXPECT_EQ(Ready().size(), 1u);
}

TEST_F(EpollTest, PwaitUsesItsMask) {
  ScopedBlock block({SIGUSR1});
  ScopedHandler handler(SIGUSR1, CountSignal);
  signals_seen = 0;
  raise(SIGUSR1);
  epoll_event event;
  EXPECT_THAT(epoll_pwait(epoll_.get(), &event, 1, -1, &block.previous()), SyscallFailsWith(EINTR));
  EXPECT_EQ(signals_seen, 1);
}

}  // namespace
}  // namespace redoubt::test
