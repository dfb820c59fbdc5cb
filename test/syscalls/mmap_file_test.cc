// SPDX-License-Identifier: Apache-2.0
//
// mmap(2) of files, msync(2).

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <string>

#include "test/util/file_descriptor.h"
#include "test/util/fork.h"
#include "test/util/signals.h"
#include "test/util/syscall_matchers.h"
#include "test/util/temp_path.h"

namespace redoubt::test {
namespace {

constexpr size_t kPage = 4096;
constexpr int kReadWrite = PROT_READ | PROT_WRITE;

class MmapFileTest : public ::testing::Test {
 protected:
  MmapFileTest()
      : path_(dir_.File("a", std::string(kPage, 'a') + std::string(100, 'b'))),
        file_(open(path_.c_str(), O_RDWR)) {}
  ~MmapFileTest() override {
    if (area_ != MAP_FAILED) munmap(area_, 2 * kPage);
  }

  char* Map(int protection, int flags, off_t offset = 0) {
    area_ = static_cast<char*>(mmap(nullptr, 2 * kPage, protection, flags, file_.get(), offset));
    return area_;
  }

  TempDir dir_;
  const std::string path_;
  FileDescriptor file_;
  char* area_ = static_cast<char*>(MAP_FAILED);
};

TEST_F(MmapFileTest, PrivateShowsTheContentsAndZerosAfterThem) {
  ASSERT_NE(Map(PROT_READ, MAP_PRIVATE), MAP_FAILED);
  EXPECT_EQ(area_[0], 'a');
  EXPECT_EQ(area_[kPage + 99], 'b');
  EXPECT_EQ(area_[kPage + 100], 0);
  EXPECT_EQ(area_[2 * kPage - 1], 0);
}

TEST_F(MmapFileTest, PrivateWritesStayPrivate) {
  ASSERT_NE(Map(kReadWrite, MAP_PRIVATE), MAP_FAILED);
  area_[0] = 'X';
  EXPECT_EQ(ReadFile(path_)[0], 'a');
}

TEST_F(MmapFileTest, SharedWritesReachTheFile) {
  ASSERT_NE(Map(kReadWrite, MAP_SHARED), MAP_FAILED);
  area_[0] = 'X';
  EXPECT_EQ(ReadFile(path_)[0], 'X');
  EXPECT_THAT(msync(area_, 2 * kPage, MS_SYNC), SyscallSucceeds());
}

TEST_F(MmapFileTest, WritesToTheFileAreSeenInTheMapping) {
  ASSERT_NE(Map(PROT_READ, MAP_SHARED), MAP_FAILED);
  EXPECT_EQ(area_[5], 'a');
  ASSERT_THAT(pwrite(file_.get(), "Z", 1, 5), SyscallSucceedsWithValue(1));
  EXPECT_EQ(*static_cast<volatile char*>(area_ + 5), 'Z');
}

TEST_F(MmapFileTest, SharedBetweenProcessesThatMapItThemselves) {
  ASSERT_NE(Map(kReadWrite, MAP_SHARED), MAP_FAILED);
  EXPECT_THAT(InForkedProcess([&] {
                const int fd = open(path_.c_str(), O_RDWR);
                void* mine = mmap(nullptr, kPage, kReadWrite, MAP_SHARED, fd, 0);
                CHILD_CHECK(mine != MAP_FAILED);
                static_cast<char*>(mine)[7] = 'S';
              }),
              ExitedWith(0));
  EXPECT_EQ(*static_cast<volatile char*>(area_ + 7), 'S');
}

TEST_F(MmapFileTest, StaysAfterCloseAndUnlink) {
  ASSERT_NE(Map(PROT_READ, MAP_PRIVATE), MAP_FAILED);
  file_.reset();
  unlink(path_.c_str());
  EXPECT_EQ(area_[1], 'a');
}

TEST_F(MmapFileTest, OffsetsArePages) {
  ASSERT_NE(Map(PROT_READ, MAP_PRIVATE, kPage), MAP_FAILED);
  EXPECT_EQ(area_[0], 'b');
  EXPECT_THAT(mmap(nullptr, kPage, PROT_READ, MAP_PRIVATE, file_.get(), 100),
              SyscallFailsWith(EINVAL));
}

TEST_F(MmapFileTest, BeyondTheLastPageIsSigbus) {
  EXPECT_THAT(InForkedProcess([&] {
                signal(
                    SIGBUS, +[](int) { _exit(17); });
                char* area = Map(PROT_READ, MAP_PRIVATE, kPage);
                (void)*static_cast<volatile char*>(area + kPage);
              }),
              ExitedWith(17));
}

TEST_F(MmapFileTest, TruncationMakesItSigbus) {
  static sigjmp_buf recovery;
  static siginfo_t fault;
  ASSERT_NE(Map(PROT_READ, MAP_SHARED), MAP_FAILED);
  EXPECT_EQ(area_[kPage], 'b');
  ASSERT_THAT(ftruncate(file_.get(), 0), SyscallSucceeds());
  ScopedHandler handler(
      SIGBUS, +[](int, siginfo_t* info, void*) {
        fault = *info;
        siglongjmp(recovery, 1);
      });
  if (sigsetjmp(recovery, 1) == 0) {
    (void)*static_cast<volatile char*>(area_ + kPage);
    ADD_FAILURE() << "no SIGBUS";
  }
  EXPECT_EQ(fault.si_addr, area_ + kPage);
  EXPECT_EQ(fault.si_code, BUS_ADRERR);
}

TEST_F(MmapFileTest, AccessModeIsEacces) {
  FileDescriptor reader(open(path_.c_str(), O_RDONLY));
  FileDescriptor writer(open(path_.c_str(), O_WRONLY));
  EXPECT_THAT(mmap(nullptr, kPage, kReadWrite, MAP_SHARED, reader.get(), 0),
              SyscallFailsWith(EACCES));
  EXPECT_THAT(mmap(nullptr, kPage, PROT_READ, MAP_PRIVATE, writer.get(), 0),
              SyscallFailsWith(EACCES));
  void* area = mmap(nullptr, kPage, kReadWrite, MAP_PRIVATE, reader.get(), 0);
  EXPECT_NE(area, MAP_FAILED);
  munmap(area, kPage);
}

TEST_F(MmapFileTest, SharedReadOnlyMappingOfAReadOnlyFileCannotBecomeWritable) {
  FileDescriptor reader(open(path_.c_str(), O_RDONLY));
  void* area = mmap(nullptr, kPage, PROT_READ, MAP_SHARED, reader.get(), 0);
  ASSERT_NE(area, MAP_FAILED);
  EXPECT_THAT(mprotect(area, kPage, kReadWrite), SyscallFailsWith(EACCES));
  munmap(area, kPage);
}

TEST_F(MmapFileTest, BadDescriptors) {
  Pipe pipe;
  FileDescriptor directory(open(dir_.c_str(), O_RDONLY));
  EXPECT_THAT(mmap(nullptr, kPage, PROT_READ, MAP_PRIVATE, -1, 0), SyscallFailsWith(EBADF));
  EXPECT_THAT(mmap(nullptr, 0, PROT_READ, MAP_PRIVATE, -1, 0), SyscallFailsWith(EBADF));
  EXPECT_THAT(mmap(nullptr, 0, PROT_READ, MAP_PRIVATE, file_.get(), 0), SyscallFailsWith(EINVAL));
  EXPECT_THAT(mmap(nullptr, kPage, PROT_READ, MAP_PRIVATE, pipe.reader.get(), 0),
              SyscallFailsWith(ENODEV));
  EXPECT_THAT(mmap(nullptr, kPage, PROT_READ, MAP_PRIVATE, directory.get(), 0),
              SyscallFailsWith(ENODEV));
}

TEST_F(MmapFileTest, ReadIntoAMappingOfTheSameFile) {
  ASSERT_NE(Map(kReadWrite, MAP_SHARED), MAP_FAILED);
  EXPECT_THAT(pread(file_.get(), area_, 10, kPage), SyscallSucceedsWithValue(10));
  EXPECT_EQ(ReadFile(path_).substr(0, 11), std::string(10, 'b') + "a");
}

TEST_F(MmapFileTest, ForkKeepsBothKinds) {
  ASSERT_NE(Map(kReadWrite, MAP_PRIVATE), MAP_FAILED);
  char* shared = static_cast<char*>(mmap(nullptr, kPage, kReadWrite, MAP_SHARED, file_.get(), 0));
  area_[0] = 'P';
  EXPECT_THAT(InForkedProcess([&] {
                CHILD_CHECK(area_[0] == 'P');
                area_[0] = 'C';
                shared[1] = 'C';
              }),
              ExitedWith(0));
  EXPECT_EQ(area_[0], 'P');
  EXPECT_EQ(shared[1], 'C');
  munmap(shared, kPage);
}

TEST(Msync, BadArguments) {
  char* area =
      static_cast<char*>(mmap(nullptr, 2 * kPage, kReadWrite, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  EXPECT_THAT(msync(area, kPage, MS_SYNC | MS_ASYNC), SyscallFailsWith(EINVAL));
  EXPECT_THAT(msync(area + 1, kPage, MS_SYNC), SyscallFailsWith(EINVAL));
  munmap(area + kPage, kPage);
  EXPECT_THAT(msync(area, 2 * kPage, MS_SYNC), SyscallFailsWith(ENOMEM));
  munmap(area, kPage);
}

TEST(DevZero, MapsAsAnonymousMemory) {
  FileDescriptor zero(open("/dev/zero", O_RDWR));
  char* area = static_cast<char*>(mmap(nullptr, kPage, kReadWrite, MAP_PRIVATE, zero.get(), 0));
  ASSERT_NE(area, MAP_FAILED);
  EXPECT_EQ(area[0], 0);
  area[0] = 1;
  munmap(area, kPage);
}

}  // namespace
}  // namespace redoubt::test
