// SPDX-License-Identifier: Apache-2.0

#include <gmock/gmock.h>
#include <sched.h>
#include <signal.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <unistd.h>

#include <vector>

#include "test/util/fork.h"
#include "test/util/syscall_matchers.h"
#include "test/util/temp_path.h"
#include "test/util/thread.h"
#include "test/util/timing.h"

namespace redoubt::test {
namespace {

class SemaphoreSet {
 public:
  explicit SemaphoreSet(int count = 1, key_t key = IPC_PRIVATE, int flags = IPC_CREAT | 0600)
      : id_(semget(key, count, flags)) {}
  ~SemaphoreSet() { Remove(); }
  int id() const { return id_; }
  int Remove() { return semctl(id_, 0, IPC_RMID); }
  int Value(int number = 0) const { return semctl(id_, number, GETVAL); }
  int Set(int value, int number = 0) { return semctl(id_, number, SETVAL, value); }
  int Change(short by, short flags = 0, unsigned short number = 0) const {
    sembuf operation{.sem_num = number, .sem_op = by, .sem_flg = flags};
    return semop(id_, &operation, 1);
  }
  int Operate(std::vector<sembuf> operations) const {
    return semop(id_, operations.data(), operations.size());
  }

 private:
  const int id_;
};

TEST(SysvSem, StartsAtZeroAndCounts) {
  SemaphoreSet set;
  EXPECT_EQ(set.Value(), 0);
  EXPECT_THAT(set.Change(3), SyscallSucceeds());
  EXPECT_THAT(set.Change(-1), SyscallSucceeds());
  EXPECT_EQ(set.Value(), 2);
  EXPECT_EQ(semctl(set.id(), 0, GETPID), getpid());
}

TEST(SysvSem, NoWaitIsEagain) {
  SemaphoreSet set;
  EXPECT_THAT(set.Change(-1, IPC_NOWAIT), SyscallFailsWith(EAGAIN));
  set.Set(1);
  EXPECT_THAT(set.Change(0, IPC_NOWAIT), SyscallFailsWith(EAGAIN));
}

TEST(SysvSem, OperationsAreAllOrNothing) {
  SemaphoreSet set(2);
  EXPECT_THAT(set.Operate({{0, 5, 0}, {1, -1, IPC_NOWAIT}}), SyscallFailsWith(EAGAIN));
  EXPECT_EQ(set.Value(0), 0);
  EXPECT_THAT(set.Operate({{0, 5, 0}, {1, 1, 0}, {0, -5, 0}, {0, 0, 0}}), SyscallSucceeds());
  EXPECT_EQ(set.Value(0), 0);
  EXPECT_EQ(set.Value(1), 1);
}

TEST(SysvSem, BadArguments) {
  SemaphoreSet set(2);
  EXPECT_THAT(semget(IPC_PRIVATE, 0, 0600), SyscallFailsWith(EINVAL));
  EXPECT_THAT(semget(IPC_PRIVATE, -1, 0600), SyscallFailsWith(EINVAL));
  EXPECT_THAT(semget(IPC_PRIVATE, 1000000, 0600), SyscallFailsWith(EINVAL));
  EXPECT_THAT(set.Change(1, 0, 2), SyscallFailsWith(EFBIG));
  sembuf operation{};
  EXPECT_THAT(semop(set.id(), &operation, 0), SyscallFailsWith(EINVAL));
  EXPECT_THAT(semop(-1, &operation, 1), SyscallFailsWith(EINVAL));
  EXPECT_THAT(semop(set.id(), nullptr, 1), SyscallFailsWith(EFAULT));
  std::vector<sembuf> many(501);
  EXPECT_THAT(semop(set.id(), many.data(), many.size()), SyscallFailsWith(E2BIG));
  EXPECT_THAT(set.Set(-1), SyscallFailsWith(ERANGE));
  EXPECT_THAT(set.Set(32768), SyscallFailsWith(ERANGE));
  EXPECT_THAT(set.Set(1, 2), SyscallFailsWith(EINVAL));
  EXPECT_THAT(semctl(set.id(), 2, GETVAL), SyscallFailsWith(EINVAL));
  EXPECT_THAT(semctl(set.id(), 0, 99), SyscallFailsWith(EINVAL));
  set.Set(32767);
  EXPECT_THAT(set.Change(1), SyscallFailsWith(ERANGE));
}

TEST(SysvSem, KeysFindSets) {
  constexpr key_t kKey = 0x52440002;
  SemaphoreSet set(3, kKey, IPC_CREAT | IPC_EXCL | 0600);
  ASSERT_GE(set.id(), 0);
  EXPECT_THAT(semget(kKey, 0, 0), SyscallSucceedsWithValue(set.id()));
  EXPECT_THAT(semget(kKey, 4, 0), SyscallFailsWith(EINVAL));
  EXPECT_THAT(semget(kKey, 3, IPC_CREAT | IPC_EXCL | 0600), SyscallFailsWith(EEXIST));
}

TEST(SysvSem, SleeperIsWoken) {
  SemaphoreSet set;
  ForkedChild child([&] { CHILD_CHECK(set.Change(-2) == 0); });
  AwaitSleeping(child.pid());
  EXPECT_TRUE(PollUntil([&] { return semctl(set.id(), 0, GETNCNT) == 1; }));
  set.Change(1);
  AwaitSleeping(child.pid());
  set.Change(1);
  EXPECT_THAT(child.Wait(), ExitedWith(0));
  EXPECT_EQ(set.Value(), 0);
  EXPECT_EQ(semctl(set.id(), 0, GETNCNT), 0);
}

TEST(SysvSem, WaitForZero) {
  SemaphoreSet set;
  set.Set(1);
  ForkedChild child([&] { CHILD_CHECK(set.Change(0) == 0); });
  AwaitSleeping(child.pid());
  EXPECT_TRUE(PollUntil([&] { return semctl(set.id(), 0, GETZCNT) == 1; }));
  set.Change(-1);
  EXPECT_THAT(child.Wait(), ExitedWith(0));
}

TEST(SysvSem, RemovalWakesWithEidrm) {
  SemaphoreSet set;
  ForkedChild child([&] { CHILD_CHECK_FAILS(set.Change(-1), EIDRM); });
  AwaitSleeping(child.pid());
  ASSERT_THAT(set.Remove(), SyscallSucceeds());
  EXPECT_THAT(child.Wait(), ExitedWith(0));
}

TEST(SysvSem, TimeoutIsEagain) {
  SemaphoreSet set;
  sembuf operation{.sem_num = 0, .sem_op = -1, .sem_flg = 0};
  timespec limit = ToTimespec(milliseconds(30));
  Stopwatch watch;
  EXPECT_THAT(semtimedop(set.id(), &operation, 1, &limit), SyscallFailsWith(EAGAIN));
  EXPECT_GE(watch.Elapsed(), milliseconds(30));
  timespec bad{.tv_sec = 0, .tv_nsec = 1'000'000'000};
  EXPECT_THAT(semtimedop(set.id(), &operation, 1, &bad), SyscallFailsWith(EINVAL));
}

TEST(SysvSem, SignalIsEintrEvenWithRestart) {
  SemaphoreSet set;
  ForkedChild child([&] {
    struct sigaction action = {};
    action.sa_handler = [](int) {};
    action.sa_flags = SA_RESTART;
    sigaction(SIGUSR1, &action, nullptr);
    CHILD_CHECK_FAILS(set.Change(-1), EINTR);
  });
  EXPECT_TRUE(PollUntil([&] { return semctl(set.id(), 0, GETNCNT) == 1; }));
  kill(child.pid(), SIGUSR1);
  EXPECT_THAT(child.Wait(), ExitedWith(0));
}

TEST(SysvSem, UndoAtExit) {
  SemaphoreSet set(2);
  set.Set(5);
  ForkedChild child([&] {
    CHILD_CHECK(set.Change(-2, SEM_UNDO) == 0);
    CHILD_CHECK(set.Change(3, SEM_UNDO, 1) == 0);
    CHILD_CHECK(set.Value(0) == 3);
  });
  EXPECT_THAT(child.Wait(), ExitedWith(0));
  EXPECT_EQ(set.Value(0), 5);
  EXPECT_EQ(set.Value(1), 0);
}

TEST(SysvSem, UndoWakesSleepers) {
  SemaphoreSet set;
  set.Set(1);
  SyncPoint go;
  ForkedChild holder([&] {
    CHILD_CHECK(set.Change(-1, SEM_UNDO) == 0);
    go.Await();
  });
  EXPECT_TRUE(PollUntil([&] { return set.Value() == 0; }));
  ForkedChild waiter([&] { CHILD_CHECK(set.Change(-1) == 0); });
  EXPECT_TRUE(PollUntil([&] { return semctl(set.id(), 0, GETNCNT) == 1; }));
  kill(holder.pid(), SIGKILL);
  EXPECT_THAT(waiter.Wait(), ExitedWith(0));
}

TEST(SysvSem, ThreadsShareTheirUndoList) {
  SemaphoreSet set;
  set.Set(3);
  EXPECT_THAT(InForkedProcess([&] {
                {
                  TestThread thread([&] { set.Change(-1, SEM_UNDO); });
                }
                // The thread ended, its process did not.
                CHILD_CHECK(set.Value() == 2);
              }),
              ExitedWith(0));
  EXPECT_EQ(set.Value(), 3);
}

TEST(SysvSem, SetvalForgetsUndo) {
  SemaphoreSet set;
  set.Set(5);
  EXPECT_THAT(InForkedProcess([&] {
                CHILD_CHECK(set.Change(-2, SEM_UNDO) == 0);
                CHILD_CHECK(semctl(set.id(), 0, SETVAL, 7) == 0);
              }),
              ExitedWith(0));
  EXPECT_EQ(set.Value(), 7);
}

TEST(SysvSem, SetAllGetAll) {
  SemaphoreSet set(3);
  unsigned short values[] = {1, 2, 3}, read[3] = {};
  ASSERT_THAT(semctl(set.id(), 0, SETALL, values), SyscallSucceeds());
  ASSERT_THAT(semctl(set.id(), 0, GETALL, read), SyscallSucceeds());
  EXPECT_THAT(read, testing::ElementsAre(1, 2, 3));
  unsigned short bad[] = {1, 40000, 3};
  EXPECT_THAT(semctl(set.id(), 0, SETALL, bad), SyscallFailsWith(ERANGE));
}

TEST(SysvSem, StatInfoAndProc) {
  SemaphoreSet set(4);
  set.Change(1);
  semid_ds status{};
  ASSERT_THAT(semctl(set.id(), 0, IPC_STAT, &status), SyscallSucceeds());
  EXPECT_EQ(status.sem_nsems, 4u);
  EXPECT_EQ(status.sem_perm.mode, 0600);
  EXPECT_NE(status.sem_otime, 0);
  seminfo info{};
  ASSERT_THAT(semctl(0, 0, IPC_INFO, &info), SyscallSucceeds());
  EXPECT_EQ(info.semvmx, 32767);
  ASSERT_THAT(semctl(0, 0, SEM_INFO, &info), SyscallSucceeds());
  EXPECT_GE(info.semusz, 1);
  EXPECT_THAT(ReadFile("/proc/sysvipc/sem"),
              testing::HasSubstr(" " + std::to_string(set.id()) + " "));
}

TEST(SysvSem, PermissionsAreChecked) {
  if (geteuid() != 0) GTEST_SKIP() << "needs two users";
  SemaphoreSet set;
  EXPECT_THAT(InForkedProcess([&] {
                CHILD_CHECK(setresuid(65534, 65534, 65534) == 0);
                CHILD_CHECK_FAILS(set.Change(1), EACCES);
                CHILD_CHECK_FAILS(semctl(set.id(), 0, GETVAL), EACCES);
                CHILD_CHECK_FAILS(set.Remove(), EPERM);
              }),
              ExitedWith(0));
}

}  // namespace
}  // namespace redoubt::test
