// SPDX-License-Identifier: Apache-2.0
//
// Numbers that name no system call, and ways to make one other than `syscall`.

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "test/util/fork.h"
#include "test/util/syscall_matchers.h"

namespace redoubt::test {
namespace {

TEST(UnknownSyscall, IsEnosys) {
  for (const long number : {600L, 1000L, 4095L, 0x3fff'ffffL, -1L, -4096L, 0x7fff'ffffL}) {
    EXPECT_THAT(syscall(number, 1, 2, 3, 4, 5, 6), SyscallFailsWith(ENOSYS)) << number;
  }
}

TEST(UnknownSyscall, GapsOfTheTableAreEnosys) {
  // Kept free from 337 to 423; 335 and 336 are uretprobe and uprobe, which kill a stray caller.
  for (long number = 337; number < 424; number += 8) {
    EXPECT_THAT(syscall(number, 0, 0, 0, 0, 0, 0), SyscallFailsWith(ENOSYS)) << number;
  }
}

TEST(UnknownSyscall, RetiredCallsAreEnosys) {
  // create_module, get_kernel_syms, query_module, nfsservctl, getpmsg, putpmsg, afs_syscall,
  // tuxcall, security, vserver.
  for (const long number : {174, 177, 178, 180, 181, 182, 183, 184, 185, 236}) {
    EXPECT_THAT(syscall(number, 0, 0, 0, 0, 0, 0), SyscallFailsWith(ENOSYS)) << number;
  }
}

TEST(UnknownSyscall, KeepsTheOtherRegisters) {
  long result = 777;
  uint64_t rdi = 0x11, rsi = 0x22, rdx = 0x33;
  register uint64_t r8 asm("r8") = 0x44;
  register uint64_t r10 asm("r10") = 0x55;
  asm volatile("syscall"
               : "+a"(result), "+D"(rdi), "+S"(rsi), "+d"(rdx), "+r"(r8), "+r"(r10)
               :
               : "rcx", "r11", "memory");
  const uint64_t r8_after = r8;  // At once: any call may use the registers.
  const uint64_t r10_after = r10;
  EXPECT_EQ(result, -ENOSYS);
  EXPECT_EQ(rdi, 0x11u);
  EXPECT_EQ(rsi, 0x22u);
  EXPECT_EQ(rdx, 0x33u);
  EXPECT_EQ(r8_after, 0x44u);
  EXPECT_EQ(r10_after, 0x55u);
}

TEST(UnknownSyscall, UpperHalfOfTheNumberIsNotLookedAt) {
  // The kernel takes eax: a number of 64 bits whose low half is getpid's is getpid.
  long result = (1L << 32) | SYS_getpid;
  asm volatile("syscall" : "+a"(result) : : "rcx", "r11", "memory");
  EXPECT_EQ(result, getpid());
}

}  // namespace
}  // namespace redoubt::test
