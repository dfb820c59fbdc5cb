// SPDX-License-Identifier: Apache-2.0

#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <vector>

#include "test/util/fork.h"
#include "test/util/signals.h"
#include "test/util/syscall_matchers.h"
#include "test/util/thread.h"
#include "test/util/timing.h"

namespace redoubt::test {
namespace {

using Word = std::atomic<uint32_t>;

long Futex(Word* word, int operation, uint32_t value, const timespec* timeout = nullptr,
           Word* second = nullptr, uint32_t value3 = 0) {
  return syscall(SYS_futex, word, operation, value, timeout, second, value3);
}

// Requeue operations take a count where the others take a timeout.
long Requeue(Word* from, int operation, uint32_t wake, uintptr_t move, Word* to,
             uint32_t expected) {
  return syscall(SYS_futex, from, operation, wake, move, to, expected);
}

// Threads that wait once each on a word.
class Waiters {
 public:
  Waiters(Word* word, int count, int operation = FUTEX_WAIT_PRIVATE, uint32_t bits = 0) {
    for (int i = 0; i < count; i++) {
      threads_.push_back(std::make_unique<TestThread>([this, word, operation, bits] {
        if (Futex(word, operation, 0, nullptr, nullptr, bits) == 0) woken_++;
      }));
    }
    for (auto& thread : threads_) AwaitSleeping(getpid(), thread->tid());
  }
  bool AwaitWoken(int count) {
    return PollUntil([&] { return woken_ == count; });
  }
  int woken() const { return woken_; }
  void Join() { threads_.clear(); }

 private:
  std::atomic<int> woken_{0};
  std::vector<std::unique_ptr<TestThread>> threads_;
};

TEST(Futex, WaitOnAnotherValueIsEagain) {
  Word word{5};
  EXPECT_THAT(Futex(&word, FUTEX_WAIT_PRIVATE, 4), SyscallFailsWith(EAGAIN));
  EXPECT_THAT(Futex(&word, FUTEX_WAIT, 4), SyscallFailsWith(EAGAIN));
}

TEST(Futex, WaitTimesOut) {
  Word word{0};
  const timespec timeout = ToTimespec(milliseconds(20));
  const Stopwatch watch;
  EXPECT_THAT(Futex(&word, FUTEX_WAIT_PRIVATE, 0, &timeout), SyscallFailsWith(ETIMEDOUT));
  EXPECT_GE(watch.Elapsed(), milliseconds(20));
}

TEST(Futex, BitsetWaitTakesAnAbsoluteTime) {
  Word word{0};
  const timespec past = ToTimespec(Now() - milliseconds(1));
  EXPECT_THAT(Futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 0, &past, nullptr, FUTEX_BITSET_MATCH_ANY),
              SyscallFailsWith(ETIMEDOUT));
  const timespec soon = ToTimespec(Now(CLOCK_REALTIME) + milliseconds(10));
  EXPECT_THAT(Futex(&word, FUTEX_WAIT_BITSET_PRIVATE | FUTEX_CLOCK_REALTIME, 0, &soon, nullptr,
                    FUTEX_BITSET_MATCH_ANY),
              SyscallFailsWith(ETIMEDOUT));
}

TEST(Futex, WakeWithNobodyThereIsZero) {
  Word word{0};
  EXPECT_THAT(Futex(&word, FUTEX_WAKE_PRIVATE, 10), SyscallSucceedsWithValue(0));
}

TEST(Futex, WakesAsManyAsAsked) {
  Word word{0};
  Waiters waiters(&word, 4);
  EXPECT_THAT(Futex(&word, FUTEX_WAKE_PRIVATE, 1), SyscallSucceedsWithValue(1));
  EXPECT_TRUE(waiters.AwaitWoken(1));
  EXPECT_THAT(Futex(&word, FUTEX_WAKE_PRIVATE, 100), SyscallSucceedsWithValue(3));
  EXPECT_TRUE(waiters.AwaitWoken(4));
}

TEST(Futex, PrivateAndSharedQueuesAreApart) {
  Word word{0};
  Waiters waiters(&word, 1, FUTEX_WAIT);
  EXPECT_THAT(Futex(&word, FUTEX_WAKE_PRIVATE, 1), SyscallSucceedsWithValue(0));
  EXPECT_THAT(Futex(&word, FUTEX_WAKE, 1), SyscallSucceedsWithValue(1));
}

TEST(Futex, BitsetsChooseWhoWakes) {
  Word word{0};
  Waiters low(&word, 1, FUTEX_WAIT_BITSET_PRIVATE, 1);
  Waiters high(&word, 1, FUTEX_WAIT_BITSET_PRIVATE, 2);
  EXPECT_THAT(Futex(&word, FUTEX_WAKE_BITSET_PRIVATE, 10, nullptr, nullptr, 2),
              SyscallSucceedsWithValue(1));
  EXPECT_TRUE(high.AwaitWoken(1));
  EXPECT_EQ(low.woken(), 0);
  EXPECT_THAT(Futex(&word, FUTEX_WAKE_PRIVATE, 10), SyscallSucceedsWithValue(1));
}

TEST(Futex, RequeueMovesTheRest) {
  Word from{0};
  Word to{0};
  Waiters waiters(&from, 3);
  EXPECT_THAT(Requeue(&from, FUTEX_CMP_REQUEUE_PRIVATE, 1, 10, &to, 1), SyscallFailsWith(EAGAIN));
  EXPECT_THAT(Requeue(&from, FUTEX_CMP_REQUEUE_PRIVATE, 1, 10, &to, 0),
              SyscallSucceedsWithValue(3));
  EXPECT_TRUE(waiters.AwaitWoken(1));
  EXPECT_THAT(Futex(&from, FUTEX_WAKE_PRIVATE, 10), SyscallSucceedsWithValue(0));
  EXPECT_THAT(Futex(&to, FUTEX_WAKE_PRIVATE, 10), SyscallSucceedsWithValue(2));
}

TEST(Futex, BadArguments) {
  Word word{0};
  auto* misaligned = reinterpret_cast<Word*>(reinterpret_cast<char*>(&word) + 1);
  EXPECT_THAT(Futex(misaligned, FUTEX_WAIT_PRIVATE, 0), SyscallFailsWith(EINVAL));
  EXPECT_THAT(Futex(nullptr, FUTEX_WAIT_PRIVATE, 0), SyscallFailsWith(EFAULT));
  EXPECT_THAT(Futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 0, nullptr, nullptr, 0),
              SyscallFailsWith(EINVAL));
  EXPECT_THAT(Futex(&word, 99, 0), SyscallFailsWith(ENOSYS));
  const timespec bad = {.tv_sec = 0, .tv_nsec = -1};
  EXPECT_THAT(Futex(&word, FUTEX_WAIT_PRIVATE, 0, &bad), SyscallFailsWith(EINVAL));
}

TEST(Futex, SignalInterruptsAWait) {
  ScopedHandler handler(SIGUSR1, CountSignal);
  Word word{0};
  int error = 0;
  TestThread waiter([&] { error = Futex(&word, FUTEX_WAIT_PRIVATE, 0) == -1 ? errno : 0; });
  AwaitSleeping(getpid(), waiter.tid());
  pthread_kill(waiter.handle(), SIGUSR1);
  waiter.Join();
  EXPECT_EQ(error, EINTR);
}

TEST(Futex, SaRestartGoesOnWaiting) {
  ScopedHandler handler(SIGUSR1, CountSignal, SA_RESTART);
  signals_seen = 0;
  Word word{0};
  long result = -1;
  TestThread waiter([&] { result = Futex(&word, FUTEX_WAIT_PRIVATE, 0); });
  AwaitSleeping(getpid(), waiter.tid());
  pthread_kill(waiter.handle(), SIGUSR1);
  EXPECT_TRUE(PollUntil([] { return signals_seen == 1; }));
  // Woken only once it waits again.
  EXPECT_TRUE(PollUntil([&] { return Futex(&word, FUTEX_WAKE_PRIVATE, 1) == 1; }));
  waiter.Join();
  EXPECT_EQ(result, 0);
}

TEST(Futex, AcrossProcessesInSharedMemory) {
  auto* words = static_cast<Word*>(
      mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  ASSERT_NE(words, MAP_FAILED);
  ForkedChild child([&] {
    for (uint32_t round = 0; round < 100; round++) {
      while (words[0] == round) Futex(&words[0], FUTEX_WAIT, round);
      words[1]++;
      Futex(&words[1], FUTEX_WAKE, 1);
    }
  });
  for (uint32_t round = 0; round < 100; round++) {
    words[0]++;
    Futex(&words[0], FUTEX_WAKE, 1);
    while (words[1] == round) Futex(&words[1], FUTEX_WAIT, round);
  }
  EXPECT_THAT(child.Wait(), ExitedWith(0));
  EXPECT_EQ(words[1], 100u);
  munmap(words, 4096);
}

TEST(Futex, PrivateWordsOfParentAndChildAreApartAfterFork) {
  static Word word{0};
  ForkedChild child([] {
    const timespec timeout = ToTimespec(milliseconds(100));
    CHILD_CHECK_FAILS(Futex(&word, FUTEX_WAIT, 0, &timeout), ETIMEDOUT);
  });
  AwaitSleeping(child.pid());
  EXPECT_THAT(Futex(&word, FUTEX_WAKE, 1), SyscallSucceedsWithValue(0));
  EXPECT_THAT(child.Wait(), ExitedWith(0));
}

TEST(Futex, KilledWaiterLeavesTheQueue) {
  auto* word = static_cast<Word*>(
      mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  ForkedChild child([&] { Futex(word, FUTEX_WAIT, 0); });
  AwaitSleeping(child.pid());
  kill(child.pid(), SIGKILL);
  EXPECT_THAT(child.Wait(), KilledBy(SIGKILL));
  EXPECT_THAT(Futex(word, FUTEX_WAKE, 1), SyscallSucceedsWithValue(0));
  munmap(word, 4096);
}

}  // namespace
}  // namespace redoubt::test
