// SPDX-License-Identifier: Apache-2.0
//
// memfd_create(2) and its seals.

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "test/util/file_descriptor.h"
#include "test/util/fork.h"
#include "test/util/syscall_matchers.h"

namespace redoubt::test {
namespace {

TEST(MemfdCreate, IsAnUnlinkedEmptyFile) {
  FileDescriptor file(memfd_create("name", MFD_CLOEXEC));
  ASSERT_TRUE(file.valid());
  struct stat st;
  ASSERT_THAT(fstat(file.get(), &st), SyscallSucceeds());
  EXPECT_TRUE(S_ISREG(st.st_mode));
  EXPECT_EQ(st.st_size, 0);
  EXPECT_EQ(st.st_nlink, 0u);
  EXPECT_THAT(fcntl(file.get(), F_GETFD), SyscallSucceedsWithValue(FD_CLOEXEC));
  EXPECT_THAT(fcntl(file.get(), F_GETFL),
              SyscallSucceedsWithValue(
                  ::testing::ResultOf([](int flags) { return flags & O_ACCMODE; }, O_RDWR)));
}

TEST(MemfdCreate, ReadWriteAndMapSeeTheSameBytes) {
  FileDescriptor file(memfd_create("name", 0));
  ASSERT_THAT(write(file.get(), "hello", 5), SyscallSucceedsWithValue(5));
  char* area =
      static_cast<char*>(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0));
  ASSERT_NE(area, MAP_FAILED);
  EXPECT_EQ(std::string(area, 5), "hello");
  area[0] = 'J';
  char buffer[5];
  EXPECT_THAT(pread(file.get(), buffer, 5, 0), SyscallSucceedsWithValue(5));
  EXPECT_EQ(std::string(buffer, 5), "Jello");
  munmap(area, 4096);
}

TEST(MemfdCreate, MappingIsSharedWithAChild) {
  FileDescriptor file(memfd_create("name", 0));
  ASSERT_THAT(ftruncate(file.get(), 4096), SyscallSucceeds());
  EXPECT_THAT(InForkedProcess([&] {
                void* area = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
                CHILD_CHECK(area != MAP_FAILED);
                static_cast<char*>(area)[9] = 'c';
              }),
              ExitedWith(0));
  char byte;
  EXPECT_THAT(pread(file.get(), &byte, 1, 9), SyscallSucceedsWithValue(1));
  EXPECT_EQ(byte, 'c');
}

TEST(MemfdCreate, BadArgumentsAreEinval) {
  EXPECT_THAT(memfd_create("name", 0x4000), SyscallFailsWith(EINVAL));
  EXPECT_THAT(memfd_create(std::string(250, 'x').c_str(), 0), SyscallFailsWith(EINVAL));
}

TEST(Seals, AreAddedAndEnforced) {
  FileDescriptor file(memfd_create("name", MFD_ALLOW_SEALING));
  ASSERT_THAT(ftruncate(file.get(), 4096), SyscallSucceeds());
  EXPECT_THAT(fcntl(file.get(), F_GET_SEALS), SyscallSucceedsWithValue(0));
  ASSERT_THAT(fcntl(file.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), SyscallSucceeds());
  EXPECT_THAT(ftruncate(file.get(), 0), SyscallFailsWith(EPERM));
  EXPECT_THAT(ftruncate(file.get(), 8192), SyscallFailsWith(EPERM));
  EXPECT_THAT(write(file.get(), "x", 1), SyscallSucceedsWithValue(1));
  ASSERT_THAT(fcntl(file.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SEAL), SyscallSucceeds());
  EXPECT_THAT(write(file.get(), "x", 1), SyscallFailsWith(EPERM));
  EXPECT_THAT(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0),
              SyscallFailsWith(EPERM));
  EXPECT_THAT(fcntl(file.get(), F_ADD_SEALS, F_SEAL_GROW), SyscallFailsWith(EPERM));
}

TEST(Seals, WriteSealWithAWritableMappingIsEbusy) {
  FileDescriptor file(memfd_create("name", MFD_ALLOW_SEALING));
  ASSERT_THAT(ftruncate(file.get(), 4096), SyscallSucceeds());
  void* area = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  EXPECT_THAT(fcntl(file.get(), F_ADD_SEALS, F_SEAL_WRITE), SyscallFailsWith(EBUSY));
  munmap(area, 4096);
  EXPECT_THAT(fcntl(file.get(), F_ADD_SEALS, F_SEAL_WRITE), SyscallSucceeds());
}

TEST(Seals, WithoutLeaveTheFileIsSealedAgainstSealing) {
  FileDescriptor file(memfd_create("name", 0));
  EXPECT_THAT(fcntl(file.get(), F_GET_SEALS), SyscallSucceedsWithValue(F_SEAL_SEAL));
  EXPECT_THAT(fcntl(file.get(), F_ADD_SEALS, F_SEAL_GROW), SyscallFailsWith(EPERM));
}

}  // namespace
}  // namespace redoubt::test
