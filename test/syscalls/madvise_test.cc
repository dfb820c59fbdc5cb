// SPDX-License-Identifier: Apache-2.0
//
// madvise(2), mincore(2).

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "test/util/file_descriptor.h"
#include "test/util/fork.h"
#include "test/util/syscall_matchers.h"
#include "test/util/temp_path.h"

namespace redoubt::test {
namespace {

constexpr size_t kPage = 4096;
constexpr int kReadWrite = PROT_READ | PROT_WRITE;

class MadviseTest : public ::testing::Test {
 protected:
  ~MadviseTest() override { munmap(area_, 4 * kPage); }

  char* const area_ =
      static_cast<char*>(mmap(nullptr, 4 * kPage, kReadWrite, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
};

TEST_F(MadviseTest, DontNeedZeroesAnonymousMemory) {
  memset(area_, 'x', 4 * kPage);
  ASSERT_THAT(madvise(area_ + kPage, kPage, MADV_DONTNEED), SyscallSucceeds());
  EXPECT_EQ(area_[0], 'x');
  EXPECT_EQ(area_[kPage], 0);
  EXPECT_EQ(area_[2 * kPage], 'x');
}

TEST_F(MadviseTest, DontNeedOfAPrivateFileBringsTheFileBack) {
  TempDir dir;
  FileDescriptor file(open(dir.File("a", std::string(kPage, 'f')).c_str(), O_RDONLY));
  char* mapped =
      static_cast<char*>(mmap(area_, kPage, kReadWrite, MAP_PRIVATE | MAP_FIXED, file.get(), 0));
  ASSERT_EQ(mapped, area_);
  area_[0] = 'x';
  ASSERT_THAT(madvise(area_, kPage, MADV_DONTNEED), SyscallSucceeds());
  EXPECT_EQ(area_[0], 'f');
}

TEST_F(MadviseTest, DontForkLeavesAHoleInTheChild) {
  ASSERT_THAT(madvise(area_, kPage, MADV_DONTFORK), SyscallSucceeds());
  EXPECT_THAT(InForkedProcess([&] { *static_cast<volatile char*>(area_) = 1; }), KilledBy(SIGSEGV));
  EXPECT_THAT(InForkedProcess([&] { area_[kPage] = 1; }), ExitedWith(0));
}

TEST_F(MadviseTest, WipeOnForkGivesTheChildZeros) {
  area_[0] = 'x';
  ASSERT_THAT(madvise(area_, kPage, MADV_WIPEONFORK), SyscallSucceeds());
  EXPECT_THAT(InForkedProcess([&] { CHILD_CHECK(area_[0] == 0); }), ExitedWith(0));
  EXPECT_EQ(area_[0], 'x');
}

TEST_F(MadviseTest, HintsAreAccepted) {
  for (const int advice : {MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL, MADV_WILLNEED, MADV_FREE}) {
    EXPECT_THAT(madvise(area_, kPage, advice), SyscallSucceeds()) << advice;
  }
}

TEST_F(MadviseTest, BadArguments) {
  EXPECT_THAT(madvise(area_ + 1, kPage, MADV_NORMAL), SyscallFailsWith(EINVAL));
  EXPECT_THAT(madvise(area_, kPage, 9999), SyscallFailsWith(EINVAL));
  EXPECT_THAT(madvise(area_, 0, MADV_DONTNEED), SyscallSucceeds());
  munmap(area_ + kPage, kPage);
  EXPECT_THAT(madvise(area_, 4 * kPage, MADV_DONTNEED), SyscallFailsWith(ENOMEM));
}

TEST_F(MadviseTest, MincoreTellsWhatIsResident) {
  unsigned char resident[4] = {};
  area_[kPage] = 1;
  ASSERT_THAT(mincore(area_, 4 * kPage, resident), SyscallSucceeds());
  EXPECT_EQ(resident[1] & 1, 1);
  EXPECT_EQ(resident[3] & 1, 0);
}

TEST_F(MadviseTest, ErrorsOfMincore) {
  unsigned char resident[4];
  EXPECT_THAT(mincore(area_ + 1, kPage, resident), SyscallFailsWith(EINVAL));
  munmap(area_ + kPage, kPage);
  EXPECT_THAT(mincore(area_, 2 * kPage, resident), SyscallFailsWith(ENOMEM));
  EXPECT_THAT(mincore(area_, kPage, reinterpret_cast<unsigned char*>(8)), SyscallFailsWith(EFAULT));
}

}  // namespace
}  // namespace redoubt::test
