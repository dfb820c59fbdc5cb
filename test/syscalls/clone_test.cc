// SPDX-License-Identifier: Apache-2.0
//
// clone(2), clone3(2), set_tid_address(2), and threads as pthreads make them.

#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <set>
#include <vector>

#include "test/util/file_descriptor.h"
#include "test/util/fork.h"
#include "test/util/syscall_matchers.h"
#include "test/util/thread.h"
#include "test/util/timing.h"

namespace redoubt::test {
namespace {

// A stack for a child of clone(2).
class Stack {
 public:
  void* top() { return memory_.get() + kSize; }

 private:
  static constexpr size_t kSize = 64 << 10;
  std::unique_ptr<char[]> memory_{new char[kSize]};
};

TEST(Clone, SharedMemoryWithoutThread) {
  Stack stack;
  std::atomic<int> shared{0};
  const pid_t child = clone(
      [](void* argument) {
        *static_cast<std::atomic<int>*>(argument) = 7;
        return 5;
      },
      stack.top(), CLONE_VM | SIGCHLD, &shared);
  ASSERT_GT(child, 0);
  EXPECT_THAT(WaitFor(child), ExitedWith(5));
  EXPECT_EQ(shared, 7);
}

TEST(Clone, SharedDescriptorTable) {
  Stack stack;
  Pipe pipe;
  int fd = pipe.reader.release();
  const pid_t child = clone([](void* argument) { return close(*static_cast<int*>(argument)); },
                            stack.top(), CLONE_FILES | SIGCHLD, &fd);
  ASSERT_GT(child, 0);
  EXPECT_THAT(WaitFor(child), ExitedWith(0));
  EXPECT_FALSE(IsOpen(fd));
}

TEST(Clone, SharedWorkingDirectoryAndUmask) {
  EXPECT_THAT(InForkedProcess([] {
                Stack stack;
                CHILD_CHECK(chdir("/tmp") == 0);
                umask(022);
                const pid_t child = clone(
                    [](void*) {
                      umask(055);
                      return chdir("/");
                    },
                    stack.top(), CLONE_FS | SIGCHLD, nullptr);
                CHILD_CHECK(WaitFor(child) == 0);
                char cwd[64];
                CHILD_CHECK(getcwd(cwd, sizeof(cwd)) != nullptr && cwd[1] == '\0');
                CHILD_CHECK(umask(0) == 055);
              }),
              ExitedWith(0));
}

TEST(Clone, ParentSetTidAndChildClearTid) {
  Stack stack;
  struct Tids {
    pid_t parent;
    pid_t child;
  };
  Tids* tids = static_cast<Tids*>(
      mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  tids->child = -1;
  const pid_t child =
      clone([](void* argument) { return static_cast<Tids*>(argument)->child == getpid() ? 0 : 1; },
            stack.top(), CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | SIGCHLD, tids, &tids->parent,
            nullptr, &tids->child);
  ASSERT_GT(child, 0);
  EXPECT_EQ(tids->parent, child);
  EXPECT_THAT(WaitFor(child), ExitedWith(0));
  EXPECT_EQ(tids->child, child);
  munmap(tids, 4096);
}

TEST(Clone, ChildClearTidIsZeroedAndWoken) {
  Stack stack;
  static std::atomic<int> word;
  word = 1;
  const pid_t child =
      clone([](void*) { return 0; }, stack.top(), CLONE_VM | CLONE_CHILD_CLEARTID | SIGCHLD,
            nullptr, nullptr, nullptr, reinterpret_cast<pid_t*>(&word));
  ASSERT_GT(child, 0);
  while (word == 1) syscall(SYS_futex, &word, 0 /* FUTEX_WAIT */, 1, nullptr, nullptr, 0);
  EXPECT_EQ(word, 0);
  EXPECT_THAT(WaitFor(child), ExitedWith(0));
}

TEST(Clone, InvalidCombinationsAreEinval) {
  EXPECT_THAT(syscall(SYS_clone, CLONE_THREAD | SIGCHLD, 0, 0, 0, 0), SyscallFailsWith(EINVAL));
  EXPECT_THAT(syscall(SYS_clone, CLONE_SIGHAND | SIGCHLD, 0, 0, 0, 0), SyscallFailsWith(EINVAL));
  EXPECT_THAT(syscall(SYS_clone, CLONE_FS | CLONE_NEWNS | SIGCHLD, 0, 0, 0, 0),
              SyscallFailsWith(EINVAL));
}

TEST(Clone, ExitSignalOtherThanSigchldNeedsWall) {
  Stack stack;
  const pid_t child = clone([](void*) { return 0; }, stack.top(), 0, nullptr);
  ASSERT_GT(child, 0);
  EXPECT_THAT(waitpid(child, nullptr, 0), SyscallFailsWith(ECHILD));
  EXPECT_THAT(waitpid(child, nullptr, __WALL), SyscallSucceedsWithValue(child));
}

TEST(Clone3, MakesAChild) {
  clone_args args = {};
  args.exit_signal = SIGCHLD;
  const long child = syscall(SYS_clone3, &args, sizeof(args));
  if (child == 0) _exit(6);
  ASSERT_GT(child, 0);
  EXPECT_THAT(WaitFor(static_cast<pid_t>(child)), ExitedWith(6));
}

TEST(Clone3, SizeIsChecked) {
  clone_args args = {};
  EXPECT_THAT(syscall(SYS_clone3, &args, 8), SyscallFailsWith(EINVAL));
  EXPECT_THAT(syscall(SYS_clone3, &args, 1 << 20), SyscallFailsWith(E2BIG));
  args.flags = uint64_t{1} << 60;
  EXPECT_THAT(syscall(SYS_clone3, &args, sizeof(args)), SyscallFailsWith(EINVAL));
}

TEST(SetTidAddress, ReturnsTheCallersTid) {
  // In a child, since it replaces the word on which libc waits for a thread's end.
  EXPECT_THAT(InForkedProcess([] {
                static int word;
                CHILD_CHECK(syscall(SYS_set_tid_address, &word) == getpid());
              }),
              ExitedWith(0));
}

TEST(Threads, ShareThePidNotTheTid) {
  std::set<pid_t> tids;
  std::vector<std::unique_ptr<TestThread>> threads;
  for (int i = 0; i < 20; i++) {
    threads.push_back(std::make_unique<TestThread>([pid = getpid()] { EXPECT_EQ(getpid(), pid); }));
    tids.insert(threads.back()->tid());
  }
  EXPECT_EQ(tids.size(), 20u);
}

TEST(Threads, TwoHundredAtOnce) {
  std::atomic<int> count{0};
  Pipe gate;
  std::vector<std::unique_ptr<TestThread>> threads;
  for (int i = 0; i < 200; i++) {
    threads.push_back(std::make_unique<TestThread>([&] {
      char byte;
      (void)!read(gate.reader.get(), &byte, 1);
      count++;
    }));
  }
  gate.writer.reset();
  threads.clear();
  EXPECT_EQ(count, 200);
}

TEST(Threads, FiveHundredInTurn) {
  int count = 0;
  for (int i = 0; i < 500; i++) {
    std::thread([&] { count++; }).join();
  }
  EXPECT_EQ(count, 500);
}

TEST(Threads, HaveTheirOwnThreadLocals) {
  thread_local int local = 0;
  local = 1;
  TestThread other([] {
    EXPECT_EQ(local, 0);
    local = 5;
  });
  other.Join();
  EXPECT_EQ(local, 1);
}

TEST(Threads, DescriptorOpenedInOneIsSeenInTheOther) {
  FileDescriptor fd;
  TestThread opener([&] { fd.reset(dup(0)); });
  opener.Join();
  EXPECT_TRUE(IsOpen(fd.get()));
}

}  // namespace
}  // namespace redoubt::test
