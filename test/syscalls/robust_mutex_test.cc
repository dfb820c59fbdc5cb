// SPDX-License-Identifier: Apache-2.0
//
// pthread synchronisation that leans on the kernel: robust lists, process-shared objects, barriers.

#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "test/util/fork.h"
#include "test/util/syscall_matchers.h"
#include "test/util/thread.h"
#include "test/util/timing.h"

namespace redoubt::test {
namespace {

struct Shared {
  pthread_mutex_t mutex;
  pthread_cond_t condition;
  sem_t semaphore;
  int counter;
};

// A robust, process-shared mutex and a condition variable in memory that children share.
class RobustMutexTest : public ::testing::Test {
 protected:
  void SetUp() override {
    shared_ = static_cast<Shared*>(
        mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    ASSERT_NE(shared_, MAP_FAILED);
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&shared_->mutex, &attributes);
    pthread_condattr_t condition;
    pthread_condattr_init(&condition);
    pthread_condattr_setpshared(&condition, PTHREAD_PROCESS_SHARED);
    pthread_cond_init(&shared_->condition, &condition);
    sem_init(&shared_->semaphore, 1, 0);
  }
  void TearDown() override { munmap(shared_, sizeof(Shared)); }

  // What the next one to lock must see, and that the mutex can be made whole.
  void ExpectOwnerDied() {
    EXPECT_EQ(pthread_mutex_lock(&shared_->mutex), EOWNERDEAD);
    EXPECT_EQ(pthread_mutex_consistent(&shared_->mutex), 0);
    EXPECT_EQ(pthread_mutex_unlock(&shared_->mutex), 0);
    EXPECT_EQ(pthread_mutex_lock(&shared_->mutex), 0);
    EXPECT_EQ(pthread_mutex_unlock(&shared_->mutex), 0);
  }

  Shared* shared_;
};

TEST_F(RobustMutexTest, ExitedThreadIsADeadOwner) {
  TestThread([&] { pthread_mutex_lock(&shared_->mutex); }).Join();
  ExpectOwnerDied();
}

TEST_F(RobustMutexTest, ExitedProcessIsADeadOwner) {
  EXPECT_THAT(InForkedProcess([&] { CHILD_CHECK(pthread_mutex_lock(&shared_->mutex) == 0); }),
              ExitedWith(0));
  ExpectOwnerDied();
}

TEST_F(RobustMutexTest, KilledProcessWakesTheWaiter) {
  SyncPoint locked;
  ForkedChild owner([&] {
    CHILD_CHECK(pthread_mutex_lock(&shared_->mutex) == 0);
    locked.Open();
    pause();
  });
  ASSERT_TRUE(locked.Await());
  ForkedChild waiter([&] { CHILD_CHECK(pthread_mutex_lock(&shared_->mutex) == EOWNERDEAD); });
  AwaitSleeping(waiter.pid());
  kill(owner.pid(), SIGKILL);
  EXPECT_THAT(waiter.Wait(), ExitedWith(0));
}

TEST_F(RobustMutexTest, ExecIsADeadOwner) {
  EXPECT_THAT(InForkedProcess([&] {
                CHILD_CHECK(pthread_mutex_lock(&shared_->mutex) == 0);
                execl("/bin/sh", "sh", "-c", "exit 0", nullptr);
                _exit(127);
              }),
              ExitedWith(0));
  ExpectOwnerDied();
}

TEST_F(RobustMutexTest, CountsRightBetweenProcesses) {
  auto work = [&] {
    for (int i = 0; i < 5000; i++) {
      pthread_mutex_lock(&shared_->mutex);
      shared_->counter++;
      pthread_mutex_unlock(&shared_->mutex);
    }
  };
  ForkedChild first(work);
  ForkedChild second(work);
  EXPECT_THAT(first.Wait(), ExitedWith(0));
  EXPECT_THAT(second.Wait(), ExitedWith(0));
  EXPECT_EQ(shared_->counter, 10000);
}

TEST_F(RobustMutexTest, ConditionPingPongBetweenProcesses) {
  constexpr int kRounds = 200;
  auto take_turns = [&](int parity) {
    for (int i = 0; i < kRounds; i++) {
      pthread_mutex_lock(&shared_->mutex);
      while (shared_->counter % 2 != parity) {
        pthread_cond_wait(&shared_->condition, &shared_->mutex);
      }
      shared_->counter++;
      pthread_cond_signal(&shared_->condition);
      pthread_mutex_unlock(&shared_->mutex);
    }
  };
  ForkedChild child([&] { take_turns(1); });
  take_turns(0);
  EXPECT_THAT(child.Wait(), ExitedWith(0));
  EXPECT_EQ(shared_->counter, 2 * kRounds);
}

TEST_F(RobustMutexTest, TimedConditionWaitTimesOut) {
  pthread_mutex_lock(&shared_->mutex);
  const timespec deadline = ToTimespec(Now(CLOCK_REALTIME) + milliseconds(10));
  EXPECT_EQ(pthread_cond_timedwait(&shared_->condition, &shared_->mutex, &deadline), ETIMEDOUT);
  pthread_mutex_unlock(&shared_->mutex);
}

TEST_F(RobustMutexTest, SemaphoreBetweenProcesses) {
  ForkedChild child([&] {
    for (int i = 0; i < 100; i++) CHILD_CHECK(sem_wait(&shared_->semaphore) == 0);
  });
  for (int i = 0; i < 100; i++) sem_post(&shared_->semaphore);
  EXPECT_THAT(child.Wait(), ExitedWith(0));
}

TEST(RobustList, SizeIsChecked) {
  void* head = nullptr;
  size_t size = 0;
  EXPECT_THAT(syscall(SYS_get_robust_list, 0, &head, &size), SyscallSucceeds());
  EXPECT_EQ(size, sizeof(robust_list_head));
  EXPECT_NE(head, nullptr);  // libc has set one.
  EXPECT_THAT(syscall(SYS_set_robust_list, head, 1), SyscallFailsWith(EINVAL));
}

TEST(Barrier, AllThreadsMeet) {
  pthread_barrier_t barrier;
  pthread_barrier_init(&barrier, nullptr, 4);
  std::atomic<int> serial{0};
  auto meet = [&] {
    for (int i = 0; i < 50; i++) {
      if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD) serial++;
    }
  };
  {
    TestThread a(meet);
    TestThread b(meet);
    TestThread c(meet);
    meet();
  }
  EXPECT_EQ(serial, 50);
  pthread_barrier_destroy(&barrier);
}

}  // namespace
}  // namespace redoubt::test
