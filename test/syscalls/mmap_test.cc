// SPDX-License-Identifier: Apache-2.0
//
// mmap(2) and munmap(2) of anonymous memory. Files are in mmap_file_test.cc.

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <vector>

#include "test/util/file_descriptor.h"
#include "test/util/fork.h"
#include "test/util/syscall_matchers.h"
#include "test/util/temp_path.h"
#include "test/util/thread.h"

namespace redoubt::test {
namespace {

constexpr size_t kPage = 4096;
constexpr int kReadWrite = PROT_READ | PROT_WRITE;
constexpr int kAnonymous = MAP_PRIVATE | MAP_ANONYMOUS;

char* Map(size_t size, int protection = kReadWrite, int flags = kAnonymous, void* hint = nullptr) {
  return static_cast<char*>(mmap(hint, size, protection, flags, -1, 0));
}

// Whether the byte at `address` can be read: asks the kernel, so nothing faults.
bool Readable(const void* address) {
  Pipe pipe(O_NONBLOCK);
  return syscall(SYS_write, pipe.writer.get(), address, 1) == 1;
}

TEST(Mmap, AnonymousMemoryIsZeroAndWritable) {
  char* area = Map(3 * kPage);
  ASSERT_NE(area, MAP_FAILED);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(area) % kPage, 0u);
  for (size_t i = 0; i < 3 * kPage; i++) ASSERT_EQ(area[i], 0);
  area[3 * kPage - 1] = 1;
  EXPECT_THAT(munmap(area, 3 * kPage), SyscallSucceeds());
  EXPECT_FALSE(Readable(area));
}

TEST(Mmap, LengthIsRoundedUpToPages) {
  char* area = Map(1);
  area[kPage - 1] = 1;
  EXPECT_THAT(munmap(area, 1), SyscallSucceeds());
  EXPECT_FALSE(Readable(area + kPage - 1));
}

TEST(Mmap, BadArgumentsAreEinval) {
  EXPECT_THAT(Map(0), SyscallFailsWith(EINVAL));
  EXPECT_THAT(Map(kPage, kReadWrite, MAP_ANONYMOUS), SyscallFailsWith(EINVAL));
  EXPECT_THAT(mmap(nullptr, kPage, kReadWrite, kAnonymous, -1, 123), SyscallFailsWith(EINVAL));
  EXPECT_THAT(Map(kPage, kReadWrite, kAnonymous | MAP_FIXED, reinterpret_cast<void*>(0x100001)),
              SyscallFailsWith(EINVAL));
}

TEST(Mmap, TooLargeIsEnomem) {
  EXPECT_THAT(Map(size_t{1} << 60), SyscallFailsWith(ENOMEM));
  EXPECT_THAT(Map(SIZE_MAX), SyscallFailsWith(ENOMEM));
  EXPECT_THAT(
      Map(kPage, kReadWrite, kAnonymous | MAP_FIXED, reinterpret_cast<void*>(uint64_t{1} << 62)),
      SyscallFailsWith(ENOMEM));
}

TEST(Mmap, HintIsTakenWhenFree) {
  char* area = Map(2 * kPage);
  ASSERT_THAT(munmap(area, 2 * kPage), SyscallSucceeds());
  EXPECT_EQ(Map(kPage, kReadWrite, kAnonymous, area), area);
  // Taken now: another place, no error.
  char* other = Map(kPage, kReadWrite, kAnonymous, area);
  EXPECT_NE(other, MAP_FAILED);
  EXPECT_NE(other, area);
  munmap(area, kPage);
  munmap(other, kPage);
}

TEST(Mmap, FixedReplacesWhatWasThere) {
  char* area = Map(3 * kPage);
  area[0] = area[kPage] = area[2 * kPage] = 1;
  EXPECT_EQ(Map(kPage, kReadWrite, kAnonymous | MAP_FIXED, area + kPage), area + kPage);
  EXPECT_EQ(area[0], 1);
  EXPECT_EQ(area[kPage], 0);
  EXPECT_EQ(area[2 * kPage], 1);
  munmap(area, 3 * kPage);
}

TEST(Mmap, FixedNoReplaceIsEexist) {
  char* area = Map(2 * kPage);
  constexpr int kFlags = kAnonymous | MAP_FIXED_NOREPLACE;
  EXPECT_THAT(Map(kPage, kReadWrite, kFlags, area), SyscallFailsWith(EEXIST));
  ASSERT_THAT(munmap(area + kPage, kPage), SyscallSucceeds());
  EXPECT_THAT(Map(2 * kPage, kReadWrite, kFlags, area), SyscallFailsWith(EEXIST));
  EXPECT_EQ(Map(kPage, kReadWrite, kFlags, area + kPage), area + kPage);
  munmap(area, 2 * kPage);
}

TEST(Mmap, SystemCallOnUnreadableMemoryIsEfault) {
  Pipe pipe;
  char* closed = Map(kPage, PROT_NONE);
  char* read_only = Map(kPage, PROT_READ);
  EXPECT_THAT(syscall(SYS_write, pipe.writer.get(), closed, 1), SyscallFailsWith(EFAULT));
  ASSERT_THAT(write(pipe.writer.get(), "x", 1), SyscallSucceedsWithValue(1));
  EXPECT_THAT(syscall(SYS_read, pipe.reader.get(), read_only, 1), SyscallFailsWith(EFAULT));
  munmap(closed, kPage);
  munmap(read_only, kPage);
}

TEST(Mmap, SharedAnonymousIsSharedWithChildren) {
  char* area = Map(kPage, kReadWrite, MAP_SHARED | MAP_ANONYMOUS);
  ASSERT_NE(area, MAP_FAILED);
  EXPECT_THAT(InForkedProcess([&] { area[10] = 77; }), ExitedWith(0));
  EXPECT_EQ(area[10], 77);
  munmap(area, kPage);
}

TEST(Mmap, LazilyReservedMemoryCanBeHuge) {
  constexpr size_t kHuge = size_t{64} << 30;
  char* area = Map(kHuge, PROT_NONE, kAnonymous | MAP_NORESERVE);
  ASSERT_NE(area, MAP_FAILED);
  ASSERT_THAT(mprotect(area + (kHuge / 2), kPage, kReadWrite), SyscallSucceeds());
  area[kHuge / 2] = 1;
  EXPECT_THAT(munmap(area, kHuge), SyscallSucceeds());
}

TEST(Mmap, AddressSpaceLimitIsEnomem) {
  EXPECT_THAT(InForkedProcess([] {
                const rlimit limit = {.rlim_cur = 256 << 20, .rlim_max = 256 << 20};
                CHILD_CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
                CHILD_CHECK(Map(512 << 20) == MAP_FAILED);
                CHILD_CHECK(errno == ENOMEM);
              }),
              ExitedWith(0));
}

TEST(Mmap, PopulateAndStackFlagsAreAccepted) {
  char* area = Map(16 * kPage, kReadWrite,
                   kAnonymous | MAP_POPULATE | MAP_STACK | MAP_NORESERVE | MAP_DENYWRITE);
  ASSERT_NE(area, MAP_FAILED);
  munmap(area, 16 * kPage);
}

TEST(Mmap, ThreadsMapAtOnce) {
  std::atomic<int> wrong{0};
  auto work = [&] {
    for (int i = 0; i < 300; i++) {
      char* area = Map(4 * kPage);
      if (area == MAP_FAILED || area[0] != 0) wrong++;
      area[0] = 1;
      if (munmap(area, 4 * kPage) != 0) wrong++;
    }
  };
  {
    TestThread a(work);
    TestThread b(work);
    TestThread c(work);
  }
  EXPECT_EQ(wrong, 0);
}

TEST(Munmap, MakesHolesAndIgnoresThem) {
  char* area = Map(4 * kPage);
  EXPECT_THAT(munmap(area + kPage, kPage), SyscallSucceeds());
  EXPECT_TRUE(Readable(area));
  EXPECT_FALSE(Readable(area + kPage));
  EXPECT_TRUE(Readable(area + 2 * kPage));
  EXPECT_THAT(munmap(area, 4 * kPage), SyscallSucceeds());
}

TEST(Munmap, BadArgumentsAreEinval) {
  char* area = Map(kPage);
  EXPECT_THAT(munmap(area + 1, kPage), SyscallFailsWith(EINVAL));
  EXPECT_THAT(munmap(area, 0), SyscallFailsWith(EINVAL));
  EXPECT_THAT(munmap(reinterpret_cast<void*>(uint64_t{1} << 62), kPage), SyscallFailsWith(EINVAL));
  munmap(area, kPage);
}

}  // namespace
}  // namespace redoubt::test
