// SPDX-License-Identifier: Apache-2.0
//
// mprotect(2), and code that is written and then run.

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "test/util/fork.h"
#include "test/util/syscall_matchers.h"
#include "test/util/thread.h"

namespace redoubt::test {
namespace {

constexpr size_t kPage = 4096;
constexpr int kReadWrite = PROT_READ | PROT_WRITE;

class MprotectTest : public ::testing::Test {
 protected:
  ~MprotectTest() override { munmap(area_, 4 * kPage); }

  // Puts `mov $value, %eax; ret` at the start of the area.
  void WriteFunction(uint32_t value) {
    const unsigned char code[] = {0xb8, 0, 0, 0, 0, 0xc3};
    memcpy(area_, code, sizeof(code));
    memcpy(area_ + 1, &value, sizeof(value));
  }
  int Call() { return reinterpret_cast<int (*)()>(area_)(); }

  char* const area_ =
      static_cast<char*>(mmap(nullptr, 4 * kPage, kReadWrite, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
};

TEST_F(MprotectTest, TakesAwayAndGivesBack) {
  area_[0] = 5;
  ASSERT_THAT(mprotect(area_, kPage, PROT_READ), SyscallSucceeds());
  EXPECT_THAT(InForkedProcess([&] { *static_cast<volatile char*>(area_) = 1; }), KilledBy(SIGSEGV));
  ASSERT_THAT(mprotect(area_, kPage, PROT_NONE), SyscallSucceeds());
  EXPECT_THAT(InForkedProcess([&] { (void)*static_cast<volatile char*>(area_); }),
              KilledBy(SIGSEGV));
  ASSERT_THAT(mprotect(area_, kPage, kReadWrite), SyscallSucceeds());
  EXPECT_EQ(area_[0], 5);
}

TEST_F(MprotectTest, SplitsAMapping) {
  ASSERT_THAT(mprotect(area_ + kPage, kPage, PROT_READ), SyscallSucceeds());
  area_[0] = area_[2 * kPage] = 1;
  EXPECT_THAT(InForkedProcess([&] { *static_cast<volatile char*>(area_ + kPage) = 1; }),
              KilledBy(SIGSEGV));
}

TEST_F(MprotectTest, BadArguments) {
  EXPECT_THAT(mprotect(area_ + 1, kPage, PROT_READ), SyscallFailsWith(EINVAL));
  EXPECT_THAT(mprotect(area_, kPage, 0x100), SyscallFailsWith(EINVAL));
  EXPECT_THAT(mprotect(area_ + 1, 0, PROT_READ), SyscallFailsWith(EINVAL));
  EXPECT_THAT(mprotect(area_, 0, PROT_READ), SyscallSucceeds());
}

TEST_F(MprotectTest, HoleIsEnomemAfterThePartBeforeIt) {
  munmap(area_ + 2 * kPage, kPage);
  EXPECT_THAT(mprotect(area_, 4 * kPage, PROT_READ), SyscallFailsWith(ENOMEM));
  EXPECT_THAT(InForkedProcess([&] { *static_cast<volatile char*>(area_) = 1; }), KilledBy(SIGSEGV));
}

TEST_F(MprotectTest, WrittenCodeRuns) {
  WriteFunction(42);
  ASSERT_THAT(mprotect(area_, kPage, PROT_READ | PROT_EXEC), SyscallSucceeds());
  EXPECT_EQ(Call(), 42);
  ASSERT_THAT(mprotect(area_, kPage, kReadWrite), SyscallSucceeds());
  WriteFunction(43);
  ASSERT_THAT(mprotect(area_, kPage, PROT_READ | PROT_EXEC), SyscallSucceeds());
  EXPECT_EQ(Call(), 43);
}

TEST_F(MprotectTest, WritableCodeIsRewrittenInPlace) {
  ASSERT_THAT(mprotect(area_, kPage, kReadWrite | PROT_EXEC), SyscallSucceeds());
  for (int i = 0; i < 100; i++) {
    WriteFunction(i);
    ASSERT_EQ(Call(), i);
  }
}

TEST_F(MprotectTest, GeneratedCodeMayMakeSystemCalls) {
  // mov $39 (getpid), %eax; syscall; ret
  const unsigned char code[] = {0xb8, 39, 0, 0, 0, 0x0f, 0x05, 0xc3};
  memcpy(area_, code, sizeof(code));
  ASSERT_THAT(mprotect(area_, kPage, PROT_READ | PROT_EXEC), SyscallSucceeds());
  // Often enough for a sandbox to rewrite the site, and the pid must still be right in a child.
  for (int i = 0; i < 1000; i++) ASSERT_EQ(Call(), getpid());
  EXPECT_THAT(InForkedProcess([&] { CHILD_CHECK(Call() == getpid()); }), ExitedWith(0));
  // The code reads as it was written.
  EXPECT_EQ(memcmp(area_, code, sizeof(code)), 0);
  // And can be replaced: another number at the same place.
  ASSERT_THAT(mprotect(area_, kPage, kReadWrite | PROT_EXEC), SyscallSucceeds());
  area_[1] = static_cast<char>(186);  // gettid
  TestThread thread([&] { EXPECT_EQ(Call(), gettid()); });
}

TEST_F(MprotectTest, SystemCallIntoTheMiddleOfASite) {
  // mov $39, %eax; syscall; ret, entered at the `syscall` with another number in eax.
  const unsigned char code[] = {0xb8, 39, 0, 0, 0, 0x0f, 0x05, 0xc3};
  memcpy(area_, code, sizeof(code));
  ASSERT_THAT(mprotect(area_, kPage, PROT_READ | PROT_EXEC), SyscallSucceeds());
  for (int i = 0; i < 1000; i++) ASSERT_EQ(Call(), getpid());
  long result = 186;  // gettid
  asm volatile("call *%1" : "+a"(result) : "r"(area_ + 5) : "rcx", "r11", "memory");
  EXPECT_EQ(result, gettid());
}

}  // namespace
}  // namespace redoubt::test
