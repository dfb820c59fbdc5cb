// SPDX-License-Identifier: Apache-2.0
//
// read(2), write(2), pread(2), pwrite(2) on regular files. The vectored forms are in readv_test.cc.

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "test/util/file_descriptor.h"
#include "test/util/fork.h"
#include "test/util/signals.h"
#include "test/util/syscall_matchers.h"
#include "test/util/temp_path.h"

namespace redoubt::test {
namespace {

class ReadWriteTest : public ::testing::Test {
 protected:
  ReadWriteTest() : file_(open(dir_.File("a", "0123456789").c_str(), O_RDWR)) {}

  off_t Offset() { return lseek(file_.get(), 0, SEEK_CUR); }

  TempDir dir_;
  FileDescriptor file_;
  char buffer_[64] = {};
};

TEST_F(ReadWriteTest, ReadMovesTheOffsetAndStopsAtTheEnd) {
  EXPECT_THAT(read(file_.get(), buffer_, 4), SyscallSucceedsWithValue(4));
  EXPECT_EQ(std::string(buffer_, 4), "0123");
  EXPECT_THAT(read(file_.get(), buffer_, sizeof(buffer_)), SyscallSucceedsWithValue(6));
  EXPECT_EQ(std::string(buffer_, 6), "456789");
  EXPECT_THAT(read(file_.get(), buffer_, sizeof(buffer_)), SyscallSucceedsWithValue(0));
}

TEST_F(ReadWriteTest, WriteOverwritesInPlace) {
  ASSERT_THAT(lseek(file_.get(), 3, SEEK_SET), SyscallSucceeds());
  ASSERT_THAT(write(file_.get(), "abc", 3), SyscallSucceedsWithValue(3));
  EXPECT_EQ(Offset(), 6);
  EXPECT_EQ(ReadFile(dir_.Path("a")), "012abc6789");
}

TEST_F(ReadWriteTest, WriteBeyondTheEndLeavesAHoleOfZeros) {
  ASSERT_THAT(pwrite(file_.get(), "x", 1, 20), SyscallSucceedsWithValue(1));
  EXPECT_EQ(ReadFile(dir_.Path("a")), "0123456789" + std::string(10, '\0') + "x");
}

TEST_F(ReadWriteTest, PreadAndPwriteLeaveTheOffsetAlone) {
  EXPECT_THAT(pread(file_.get(), buffer_, 3, 5), SyscallSucceedsWithValue(3));
  EXPECT_EQ(std::string(buffer_, 3), "567");
  EXPECT_THAT(pwrite(file_.get(), "zz", 2, 1), SyscallSucceedsWithValue(2));
  EXPECT_EQ(Offset(), 0);
  EXPECT_THAT(pread(file_.get(), buffer_, 3, 10), SyscallSucceedsWithValue(0));
  EXPECT_THAT(pread(file_.get(), buffer_, 3, 1000), SyscallSucceedsWithValue(0));
}

TEST_F(ReadWriteTest, NegativeOffsetIsEinval) {
  EXPECT_THAT(pread(file_.get(), buffer_, 1, -1), SyscallFailsWith(EINVAL));
  EXPECT_THAT(pwrite(file_.get(), buffer_, 1, -1), SyscallFailsWith(EINVAL));
  EXPECT_THAT(pread(-1, buffer_, 1, -1), SyscallFailsWith(EINVAL));  // Before EBADF.
}

TEST_F(ReadWriteTest, PwriteOnAppendingDescriptorAppends) {
  // Linux's own way, against POSIX; see pwrite(2), BUGS.
  FileDescriptor appending(open(dir_.Path("a").c_str(), O_WRONLY | O_APPEND));
  ASSERT_THAT(pwrite(appending.get(), "end", 3, 0), SyscallSucceedsWithValue(3));
  EXPECT_EQ(ReadFile(dir_.Path("a")), "0123456789end");
}

TEST_F(ReadWriteTest, BadDescriptorIsEbadf) {
  EXPECT_THAT(read(-1, buffer_, 1), SyscallFailsWith(EBADF));
  EXPECT_THAT(write(12345, buffer_, 1), SyscallFailsWith(EBADF));
  EXPECT_THAT(pread(-1, buffer_, 1, 0), SyscallFailsWith(EBADF));
}

TEST_F(ReadWriteTest, ZeroBytesIsNothingButADescriptorCheck) {
  EXPECT_THAT(read(file_.get(), nullptr, 0), SyscallSucceedsWithValue(0));
  EXPECT_THAT(write(file_.get(), nullptr, 0), SyscallSucceedsWithValue(0));
  EXPECT_THAT(read(-1, nullptr, 0), SyscallFailsWith(EBADF));
}

TEST_F(ReadWriteTest, ReadingADirectoryIsEisdir) {
  FileDescriptor directory(open(dir_.c_str(), O_RDONLY));
  EXPECT_THAT(read(directory.get(), buffer_, 1), SyscallFailsWith(EISDIR));
  EXPECT_THAT(pread(directory.get(), buffer_, 1, 0), SyscallFailsWith(EISDIR));
}

TEST_F(ReadWriteTest, BadBufferIsEfaultAndOffsetStays) {
  char* const bad = reinterpret_cast<char*>(8);
  EXPECT_THAT(syscall(SYS_read, file_.get(), bad, 4), SyscallFailsWith(EFAULT));
  EXPECT_THAT(syscall(SYS_write, file_.get(), bad, 4), SyscallFailsWith(EFAULT));
  EXPECT_EQ(Offset(), 0);
}

TEST_F(ReadWriteTest, ReadIntoPartlyMappedBufferGivesWhatFits) {
  const size_t page = getpagesize();
  char* area = static_cast<char*>(
      mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  ASSERT_NE(area, MAP_FAILED);
  ASSERT_THAT(munmap(area + page, page), SyscallSucceeds());
  // Linux gives the bytes before the fault; file systems that check first may give EFAULT.
  EXPECT_THAT(syscall(SYS_read, file_.get(), area + page - 4, 10),
              ::testing::AnyOf(SyscallSucceedsWithValue(4), SyscallFailsWith(EFAULT)));
  munmap(area, page);
}

TEST_F(ReadWriteTest, LargeTransferArrivesWhole) {
  std::vector<char> data(3 << 20);
  for (size_t i = 0; i < data.size(); i++) data[i] = static_cast<char>(i * 7 + (i >> 12));
  ASSERT_THAT(pwrite(file_.get(), data.data(), data.size(), 0),
              SyscallSucceedsWithValue(static_cast<ssize_t>(data.size())));
  std::vector<char> back(data.size());
  ASSERT_THAT(pread(file_.get(), back.data(), back.size(), 0),
              SyscallSucceedsWithValue(static_cast<ssize_t>(back.size())));
  EXPECT_TRUE(data == back);
}

TEST_F(ReadWriteTest, UnlinkedFileKeepsItsContents) {
  ASSERT_THAT(unlink(dir_.Path("a").c_str()), SyscallSucceeds());
  EXPECT_THAT(read(file_.get(), buffer_, 10), SyscallSucceedsWithValue(10));
  EXPECT_THAT(write(file_.get(), "more", 4), SyscallSucceedsWithValue(4));
  EXPECT_THAT(pread(file_.get(), buffer_, sizeof(buffer_), 0), SyscallSucceedsWithValue(14));
}

TEST_F(ReadWriteTest, FileSizeLimitIsEfbigWithSigxfsz) {
  EXPECT_THAT(InForkedProcess([&] {
                const rlimit limit = {.rlim_cur = 12, .rlim_max = 12};
                CHILD_CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
                signal(SIGXFSZ, CountSignal);
                signals_seen = 0;
                CHILD_CHECK(pwrite(file_.get(), "abcd", 4, 10) == 2);  // As far as the limit.
                CHILD_CHECK(signals_seen == 0);
                CHILD_CHECK_FAILS(pwrite(file_.get(), "a", 1, 12), EFBIG);
                CHILD_CHECK(signals_seen == 1);
              }),
              ExitedWith(0));
}

}  // namespace
}  // namespace redoubt::test
