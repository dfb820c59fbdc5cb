// SPDX-License-Identifier: Apache-2.0

#include <dirent.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <map>
#include <set>
#include <string>

#include "test/util/file_descriptor.h"
#include "test/util/syscall_matchers.h"
#include "test/util/temp_path.h"

namespace redoubt::test {
namespace {

// The kernel's record; glibc's struct dirent64 is the same.
using Record = struct dirent64;

class Getdents64Test : public ::testing::Test {
 protected:
  void OpenDir() { fd_.reset(open(dir_.c_str(), O_RDONLY | O_DIRECTORY)); }

  long Read(size_t size) { return syscall(SYS_getdents64, fd_.get(), buffer_, size); }

  // Name to type, reading in chunks of `size`.
  std::map<std::string, int> ReadAll(size_t size = sizeof(buffer_)) {
    std::map<std::string, int> found;
    long got;
    while ((got = Read(size)) > 0) {
      for (long at = 0; at < got;) {
        const auto* record = reinterpret_cast<const Record*>(buffer_ + at);
        EXPECT_TRUE(found.emplace(record->d_name, record->d_type).second) << record->d_name;
        at += record->d_reclen;
      }
    }
    EXPECT_EQ(got, 0);
    return found;
  }

  TempDir dir_;
  FileDescriptor fd_;
  alignas(8) char buffer_[32768];
};

TEST_F(Getdents64Test, EmptyDirectoryHoldsDotAndDotDot) {
  OpenDir();
  EXPECT_EQ(ReadAll(), (std::map<std::string, int>{{".", DT_DIR}, {"..", DT_DIR}}));
}

TEST_F(Getdents64Test, TypesAreGiven) {
  dir_.File("file");
  dir_.Dir("dir");
  ASSERT_THAT(symlink("x", dir_.Path("link").c_str()), SyscallSucceeds());
  OpenDir();
  auto found = ReadAll();
  EXPECT_EQ(found["file"], DT_REG);
  EXPECT_EQ(found["dir"], DT_DIR);
  EXPECT_EQ(found["link"], DT_LNK);
  EXPECT_EQ(found.size(), 5u);
}

TEST_F(Getdents64Test, ManyEntriesInSmallReadsComeOnceEach) {
  for (int i = 0; i < 400; i++) dir_.File("file_with_a_longish_name_" + std::to_string(i));
  OpenDir();
  EXPECT_EQ(ReadAll(200).size(), 402u);
}

TEST_F(Getdents64Test, TooSmallABufferIsEinval) {
  OpenDir();
  EXPECT_THAT(Read(8), SyscallFailsWith(EINVAL));
}

TEST_F(Getdents64Test, SeekToStartReadsAgain) {
  dir_.File("a");
  OpenDir();
  EXPECT_EQ(ReadAll().size(), 3u);
  EXPECT_THAT(Read(sizeof(buffer_)), SyscallSucceedsWithValue(0));
  ASSERT_THAT(lseek(fd_.get(), 0, SEEK_SET), SyscallSucceedsWithValue(0));
  dir_.File("b");
  EXPECT_EQ(ReadAll().size(), 4u);
}

TEST_F(Getdents64Test, EntryOffsetCanBeSeekedTo) {
  for (int i = 0; i < 5; i++) dir_.File(std::to_string(i));
  OpenDir();
  ASSERT_GT(Read(sizeof(buffer_)), 0);
  const auto* first = reinterpret_cast<const Record*>(buffer_);
  const auto* second = reinterpret_cast<const Record*>(buffer_ + first->d_reclen);
  const std::string second_name = second->d_name;
  ASSERT_THAT(lseek(fd_.get(), first->d_off, SEEK_SET), SyscallSucceeds());
  ASSERT_GT(Read(sizeof(buffer_)), 0);
  EXPECT_EQ(reinterpret_cast<const Record*>(buffer_)->d_name, second_name);
}

TEST_F(Getdents64Test, RemovingWhatWasReadDoesNotSkipTheRest) {
  for (int i = 0; i < 100; i++) dir_.File("f" + std::to_string(i));
  OpenDir();
  std::set<std::string> seen;
  long got;
  while ((got = Read(256)) > 0) {
    for (long at = 0; at < got;) {
      const auto* record = reinterpret_cast<const Record*>(buffer_ + at);
      if (record->d_name[0] == 'f') {
        seen.insert(record->d_name);
        unlink(dir_.Path(record->d_name).c_str());
      }
      at += record->d_reclen;
    }
  }
  EXPECT_EQ(seen.size(), 100u);
  EXPECT_THAT(rmdir(dir_.c_str()), SyscallSucceeds());
}

TEST_F(Getdents64Test, NotADirectoryIsEnotdir) {
  fd_.reset(open(dir_.File("a").c_str(), O_RDONLY));
  EXPECT_THAT(Read(sizeof(buffer_)), SyscallFailsWith(ENOTDIR));
  fd_.reset();
  EXPECT_THAT(Read(sizeof(buffer_)), SyscallFailsWith(EBADF));
}

TEST_F(Getdents64Test, RemovedDirectoryIsEnoent) {
  OpenDir();
  ASSERT_THAT(rmdir(dir_.c_str()), SyscallSucceeds());
  EXPECT_THAT(Read(sizeof(buffer_)), SyscallFailsWith(ENOENT));
}

TEST_F(Getdents64Test, BadBufferIsEfault) {
  OpenDir();
  EXPECT_THAT(syscall(SYS_getdents64, fd_.get(), 8, 4096), SyscallFailsWith(EFAULT));
}

}  // namespace
}  // namespace redoubt::test
