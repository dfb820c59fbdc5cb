// SPDX-License-Identifier: Apache-2.0

#include <gmock/gmock.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <unistd.h>

#include <cstring>

#include "test/util/fork.h"
#include "test/util/platform.h"
#include "test/util/syscall_matchers.h"
#include "test/util/temp_path.h"

namespace redoubt::test {
namespace {

constexpr size_t kSize = 8192;

// A segment that is removed at the end.
class Segment {
 public:
  explicit Segment(size_t size = kSize, key_t key = IPC_PRIVATE, int flags = IPC_CREAT | 0600)
      : id_(shmget(key, size, flags)) {}
  ~Segment() {
    if (id_ >= 0) shmctl(id_, IPC_RMID, nullptr);
  }
  int id() const { return id_; }
  shmid_ds Status() const {
    shmid_ds status{};
    EXPECT_EQ(shmctl(id_, IPC_STAT, &status), 0);
    return status;
  }

 private:
  const int id_;
};

TEST(SysvShm, AttachWriteDetach) {
  Segment segment;
  ASSERT_GE(segment.id(), 0);
  char* memory = static_cast<char*>(shmat(segment.id(), nullptr, 0));
  ASSERT_NE(memory, reinterpret_cast<char*>(-1));
  EXPECT_EQ(memory[0], 0);
  strcpy(memory, "hello");
  EXPECT_EQ(segment.Status().shm_nattch, 1u);
  ASSERT_THAT(shmdt(memory), SyscallSucceeds());
  EXPECT_EQ(segment.Status().shm_nattch, 0u);
  memory = static_cast<char*>(shmat(segment.id(), nullptr, 0));
  EXPECT_STREQ(memory, "hello");
  shmdt(memory);
}

TEST(SysvShm, TwoAttachmentsShareTheirPages) {
  Segment segment;
  char* first = static_cast<char*>(shmat(segment.id(), nullptr, 0));
  char* second = static_cast<char*>(shmat(segment.id(), nullptr, SHM_RDONLY));
  ASSERT_NE(first, second);
  first[kSize - 1] = 'x';
  EXPECT_EQ(second[kSize - 1], 'x');
  EXPECT_EQ(segment.Status().shm_nattch, 2u);
  shmdt(first), shmdt(second);
}

TEST(SysvShm, ForkSharesAndCounts) {
  Segment segment;
  int* memory = static_cast<int*>(shmat(segment.id(), nullptr, 0));
  SyncPoint attached, go;
  ForkedChild child([&] {
    memory[0] = 42;
    attached.Open();
    go.Await();
  });
  ASSERT_TRUE(attached.Await());
  EXPECT_EQ(memory[0], 42);
  EXPECT_EQ(segment.Status().shm_nattch, 2u);
  go.Open();
  EXPECT_THAT(child.Wait(), ExitedWith(0));
  EXPECT_EQ(segment.Status().shm_nattch, 1u);
  shmdt(memory);
}

TEST(SysvShm, ExecDetaches) {
  Segment segment;
  ASSERT_EQ(InForkedProcess([&] {
              shmat(segment.id(), nullptr, 0);
              execl("/bin/true", "true", nullptr);
            }),
            0);
  EXPECT_EQ(segment.Status().shm_nattch, 0u);
}

TEST(SysvShm, RemovalWaitsForTheLastDetach) {
  int id = shmget(IPC_PRIVATE, kSize, 0600);
  char* memory = static_cast<char*>(shmat(id, nullptr, 0));
  ASSERT_THAT(shmctl(id, IPC_RMID, nullptr), SyscallSucceeds());
  shmid_ds status{};
  ASSERT_THAT(shmctl(id, IPC_STAT, &status), SyscallSucceeds());
  EXPECT_NE(status.shm_perm.mode & SHM_DEST, 0);
  memory[0] = 'x';
  char* again = static_cast<char*>(shmat(id, nullptr, 0));
  ASSERT_NE(again, reinterpret_cast<char*>(-1));
  EXPECT_EQ(again[0], 'x');
  shmdt(again), shmdt(memory);
  EXPECT_THAT(shmctl(id, IPC_STAT, &status), SyscallFailsWith(testing::AnyOf(EINVAL, EIDRM)));
}

TEST(SysvShm, KeysFindSegments) {
  constexpr key_t kKey = 0x52440001;
  Segment segment(kSize, kKey, IPC_CREAT | IPC_EXCL | 0600);
  ASSERT_GE(segment.id(), 0);
  EXPECT_THAT(shmget(kKey, 0, 0), SyscallSucceedsWithValue(segment.id()));
  EXPECT_THAT(shmget(kKey, 100, 0600), SyscallSucceedsWithValue(segment.id()));
  EXPECT_THAT(shmget(kKey, kSize, IPC_CREAT | IPC_EXCL | 0600), SyscallFailsWith(EEXIST));
  EXPECT_THAT(shmget(kKey, kSize + 1, 0600), SyscallFailsWith(EINVAL));
  EXPECT_THAT(shmget(kKey + 1, kSize, 0600), SyscallFailsWith(ENOENT));
}

TEST(SysvShm, BadArguments) {
  EXPECT_THAT(shmget(IPC_PRIVATE, 0, 0600), SyscallFailsWith(EINVAL));
  EXPECT_EQ(shmat(-1, nullptr, 0), reinterpret_cast<void*>(-1));
  EXPECT_EQ(errno, EINVAL);
  Segment segment;
  EXPECT_EQ(shmat(segment.id(), reinterpret_cast<void*>(0x10000001), 0),
            reinterpret_cast<void*>(-1));
  EXPECT_EQ(errno, EINVAL);
  int local;
  EXPECT_THAT(shmdt(&local), SyscallFailsWith(EINVAL));
  EXPECT_THAT(shmdt(nullptr), SyscallFailsWith(EINVAL));
  EXPECT_THAT(shmctl(segment.id(), 99, nullptr), SyscallFailsWith(EINVAL));
  EXPECT_THAT(shmctl(segment.id(), IPC_STAT, nullptr), SyscallFailsWith(EFAULT));
}

TEST(SysvShm, FixedAddressIsRoundedAndNotReplaced) {
  Segment segment;
  char* place = static_cast<char*>(
      mmap(nullptr, 4 * kSize, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  EXPECT_EQ(shmat(segment.id(), place, 0), reinterpret_cast<void*>(-1));
  EXPECT_EQ(errno, EINVAL);
  EXPECT_EQ(shmat(segment.id(), place + 5, SHM_RND | SHM_REMAP), place);
  place[0] = 1;
  EXPECT_THAT(shmdt(place), SyscallSucceeds());
  munmap(place, 4 * kSize);
}

TEST(SysvShm, ReadOnlyAttachmentFaults) {
  Segment segment;
  EXPECT_THAT(InForkedProcess([&] {
                char* memory = static_cast<char*>(shmat(segment.id(), nullptr, SHM_RDONLY));
                memory[0] = 1;
              }),
              KilledBy(SIGSEGV));
}

TEST(SysvShm, PermissionsAreChecked) {
  if (geteuid() != 0) GTEST_SKIP() << "needs two users";
  Segment segment;
  EXPECT_THAT(InForkedProcess([&] {
                CHILD_CHECK(setresuid(65534, 65534, 65534) == 0);
                CHILD_CHECK(shmat(segment.id(), nullptr, 0) == reinterpret_cast<void*>(-1));
                CHILD_CHECK(errno == EACCES);
                shmid_ds status;
                CHILD_CHECK_FAILS(shmctl(segment.id(), IPC_STAT, &status), EACCES);
                CHILD_CHECK_FAILS(shmctl(segment.id(), IPC_RMID, nullptr), EPERM);
              }),
              ExitedWith(0));
}

TEST(SysvShm, SetChangesOwnerAndMode) {
  Segment segment;
  shmid_ds status = segment.Status();
  EXPECT_EQ(status.shm_segsz, kSize);
  EXPECT_EQ(status.shm_cpid, getpid());
  EXPECT_EQ(status.shm_perm.mode & 0777, 0600);
  status.shm_perm.mode = 0640;
  ASSERT_THAT(shmctl(segment.id(), IPC_SET, &status), SyscallSucceeds());
  EXPECT_EQ(segment.Status().shm_perm.mode & 0777, 0640);
}

TEST(SysvShm, InfoTellsLimits) {
  Segment segment;
  shminfo info{};
  ASSERT_THAT(shmctl(0, IPC_INFO, reinterpret_cast<shmid_ds*>(&info)), SyscallSucceeds());
  EXPECT_EQ(info.shmmin, 1u);
  EXPECT_GE(info.shmmni, 4096u);
  shm_info usage{};
  int highest = shmctl(0, SHM_INFO, reinterpret_cast<shmid_ds*>(&usage));
  ASSERT_GE(highest, 0);
  EXPECT_GE(usage.used_ids, 1);
  bool found = false;
  for (int slot = 0; slot <= highest; ++slot) {
    shmid_ds status;
    found = found || shmctl(slot, SHM_STAT, &status) == segment.id();
  }
  EXPECT_TRUE(found);
}

TEST(SysvShm, ProcShowsIt) {
  Segment segment(12345);
  std::string text = ReadFile("/proc/sysvipc/shm");
  EXPECT_THAT(text, testing::HasSubstr(" " + std::to_string(segment.id()) + " "));
  EXPECT_THAT(text, testing::HasSubstr(" 12345 "));
  char* memory = static_cast<char*>(shmat(segment.id(), nullptr, 0));
  EXPECT_THAT(ReadFile("/proc/self/maps"), testing::HasSubstr("/SYSV00000000 (deleted)"));
  shmdt(memory);
}

// seccomp-trap leaves munmap(2) to the host: there only shmdt(2), exec and exit are counted.
TEST(SysvShm, UnmappingAllOfItDetaches) {
  if (PlatformName() == "seccomp_trap") GTEST_SKIP() << "the platform unmaps by itself";
  Segment segment;
  void* memory = shmat(segment.id(), nullptr, 0);
  ASSERT_THAT(munmap(memory, kSize), SyscallSucceeds());
  EXPECT_EQ(segment.Status().shm_nattch, 0u);
}

}  // namespace
}  // namespace redoubt::test
