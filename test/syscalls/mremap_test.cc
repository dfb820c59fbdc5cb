// SPDX-License-Identifier: Apache-2.0

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <string>

#include "test/util/file_descriptor.h"
#include "test/util/fork.h"
#include "test/util/syscall_matchers.h"
#include "test/util/temp_path.h"

namespace redoubt::test {
namespace {

constexpr size_t kPage = 4096;
constexpr int kReadWrite = PROT_READ | PROT_WRITE;

class MremapTest : public ::testing::Test {
 protected:
  // Pages that hold their number, with free room after them.
  void SetUp() override {
    area_ = static_cast<char*>(
        mmap(nullptr, 8 * kPage, kReadWrite, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    ASSERT_NE(area_, MAP_FAILED);
    ASSERT_THAT(munmap(area_ + 4 * kPage, 4 * kPage), SyscallSucceeds());
    for (int i = 0; i < 4; i++) area_[i * kPage] = static_cast<char>('0' + i);
  }
  void TearDown() override { munmap(area_, 8 * kPage); }

  char* Remap(size_t from, size_t to, int flags) {
    return static_cast<char*>(mremap(area_, from, to, flags));
  }
  static std::string Numbers(const char* at, int pages) {
    std::string numbers;
    for (int i = 0; i < pages; i++) numbers += at[i * kPage];
    return numbers;
  }

  char* area_;
};

TEST_F(MremapTest, ShrinksInPlace) {
  EXPECT_EQ(Remap(4 * kPage, 2 * kPage, 0), area_);
  EXPECT_EQ(Numbers(area_, 2), "01");
  EXPECT_THAT(msync(area_ + 2 * kPage, kPage, MS_ASYNC), SyscallFailsWith(ENOMEM));
}

TEST_F(MremapTest, GrowsInPlaceWhereThereIsRoom) {
  EXPECT_EQ(Remap(4 * kPage, 6 * kPage, 0), area_);
  EXPECT_EQ(Numbers(area_, 6), std::string("0123\0\0", 6));
}

TEST_F(MremapTest, WithoutRoomIsEnomemUnlessItMayMove) {
  // The second page stands in the way of the first.
  EXPECT_THAT(Remap(kPage, 2 * kPage, 0), SyscallFailsWith(ENOMEM));
  char* moved = Remap(kPage, 2 * kPage, MREMAP_MAYMOVE);
  ASSERT_NE(moved, MAP_FAILED);
  EXPECT_NE(moved, area_);
  EXPECT_EQ(moved[0], '0');
  EXPECT_EQ(moved[kPage], 0);
  EXPECT_THAT(msync(area_, kPage, MS_ASYNC), SyscallFailsWith(ENOMEM));  // The old place is free.
  munmap(moved, 2 * kPage);
}

TEST_F(MremapTest, FixedMovesOntoItsTarget) {
  char* target =
      static_cast<char*>(mmap(nullptr, 2 * kPage, kReadWrite, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  target[0] = 'x';
  EXPECT_EQ(mremap(area_, 2 * kPage, 2 * kPage, MREMAP_MAYMOVE | MREMAP_FIXED, target), target);
  EXPECT_EQ(Numbers(target, 2), "01");
  munmap(target, 2 * kPage);
}

TEST_F(MremapTest, BadArguments) {
  constexpr int kFixed = MREMAP_MAYMOVE | MREMAP_FIXED;
  EXPECT_THAT(mremap(area_ + 1, kPage, kPage, 0), SyscallFailsWith(EINVAL));
  EXPECT_THAT(Remap(kPage, 0, 0), SyscallFailsWith(EINVAL));
  EXPECT_THAT(Remap(kPage, kPage, 0x100), SyscallFailsWith(EINVAL));
  EXPECT_THAT(mremap(area_, kPage, kPage, MREMAP_FIXED, area_), SyscallFailsWith(EINVAL));
  EXPECT_THAT(mremap(area_, 2 * kPage, 2 * kPage, kFixed, area_ + kPage), SyscallFailsWith(EINVAL));
  EXPECT_THAT(mremap(area_ + 6 * kPage, kPage, 2 * kPage, MREMAP_MAYMOVE),
              SyscallFailsWith(EFAULT));
}

TEST_F(MremapTest, FileMappingMoves) {
  TempDir dir;
  FileDescriptor file(open(dir.File("a", std::string(kPage, 'f')).c_str(), O_RDWR));
  char* mapped =
      static_cast<char*>(mmap(area_, kPage, kReadWrite, MAP_SHARED | MAP_FIXED, file.get(), 0));
  ASSERT_EQ(mapped, area_);
  ASSERT_THAT(ftruncate(file.get(), 2 * kPage), SyscallSucceeds());
  char* moved = Remap(kPage, 2 * kPage, MREMAP_MAYMOVE);
  ASSERT_NE(moved, MAP_FAILED);
  EXPECT_EQ(moved[10], 'f');
  moved[kPage] = 'g';
  EXPECT_EQ(ReadFile(dir.Path("a"))[kPage], 'g');
  munmap(moved, 2 * kPage);
}

TEST_F(MremapTest, LargeAreaKeepsItsContents) {
  constexpr size_t kSize = 8 << 20;
  char* big =
      static_cast<char*>(mmap(nullptr, kSize, kReadWrite, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  memset(big, 'q', kSize);
  char* grown = static_cast<char*>(mremap(big, kSize, 2 * kSize, MREMAP_MAYMOVE));
  ASSERT_NE(grown, MAP_FAILED);
  for (size_t i = 0; i < kSize; i += kPage) ASSERT_EQ(grown[i], 'q');
  EXPECT_EQ(grown[kSize], 0);
  munmap(grown, 2 * kSize);
}

}  // namespace
}  // namespace redoubt::test
