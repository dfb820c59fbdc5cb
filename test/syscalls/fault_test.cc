// SPDX-License-Identifier: Apache-2.0
//
// Signals that the processor raises: SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP.

#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "test/util/fork.h"
#include "test/util/signals.h"
#include "test/util/syscall_matchers.h"
#include "test/util/temp_path.h"
#include "test/util/thread.h"

namespace redoubt::test {
namespace {

thread_local sigjmp_buf recovery;
thread_local siginfo_t fault;

void Recover(int, siginfo_t* info, void*) {
  fault = *info;
  siglongjmp(recovery, 1);
}

// Runs `body`; true when it raised `signal`, whose details are in `fault` then.
template <typename Body>
bool Raises(int signal, Body body) {
  ScopedHandler handler(signal, Recover);
  fault = {};
  if (sigsetjmp(recovery, 1) == 0) {
    body();
    return false;
  }
  return fault.si_signo == signal;
}

char* Map(int protection, size_t size = 4096) {
  void* area = mmap(nullptr, size, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  EXPECT_NE(area, MAP_FAILED);
  return static_cast<char*>(area);
}

void Touch(uintptr_t address) { *reinterpret_cast<volatile char*>(address) = 1; }

TEST(Fault, UnmappedAddressIsMaperr) {
  char* volatile address = reinterpret_cast<char*>(0x1234);
  EXPECT_TRUE(Raises(SIGSEGV, [&] { *address = 1; }));
  EXPECT_EQ(fault.si_code, SEGV_MAPERR);
  EXPECT_EQ(fault.si_addr, address);
}

TEST(Fault, WriteToReadOnlyPageIsAccerr) {
  char* page = Map(PROT_READ);
  EXPECT_TRUE(Raises(SIGSEGV, [&] { *static_cast<volatile char*>(page + 123) = 1; }));
  EXPECT_EQ(fault.si_code, SEGV_ACCERR);
  EXPECT_EQ(fault.si_addr, page + 123);
  munmap(page, 4096);
}

TEST(Fault, ReadOfAClosedPageIsAccerr) {
  char* page = Map(PROT_NONE);
  EXPECT_TRUE(Raises(SIGSEGV, [&] { (void)*static_cast<volatile char*>(page); }));
  EXPECT_EQ(fault.si_code, SEGV_ACCERR);
  munmap(page, 4096);
}

TEST(Fault, ExecutingDataIsAccerr) {
  char* page = Map(PROT_READ | PROT_WRITE);
  page[0] = '\xc3';  // ret
  EXPECT_TRUE(Raises(SIGSEGV, [&] { reinterpret_cast<void (*)()>(page)(); }));
  EXPECT_EQ(fault.si_code, SEGV_ACCERR);
  EXPECT_EQ(fault.si_addr, page);
  munmap(page, 4096);
}

TEST(Fault, NonCanonicalAddressHasNoAddress) {
  char* volatile address = reinterpret_cast<char*>(uint64_t{1} << 62);
  EXPECT_TRUE(Raises(SIGSEGV, [&] { *address = 1; }));
  EXPECT_EQ(fault.si_code, SI_KERNEL);
  EXPECT_EQ(fault.si_addr, nullptr);
}

TEST(Fault, PrivilegedInstructionIsSigsegv) {
  EXPECT_TRUE(Raises(SIGSEGV, [] { asm volatile("hlt"); }));
  EXPECT_EQ(fault.si_code, SI_KERNEL);
}

TEST(Fault, DivisionByZeroIsSigfpe) {
  volatile int zero = 0;
  volatile int result = 0;
  EXPECT_TRUE(Raises(SIGFPE, [&] {
    int quotient;
    asm volatile("cltd; idivl %2" : "=a"(quotient) : "a"(1), "r"(zero) : "edx");
    result = quotient;
  }));
  EXPECT_EQ(fault.si_code, FPE_INTDIV);
}

TEST(Fault, IllegalInstructionIsSigill) {
  EXPECT_TRUE(Raises(SIGILL, [] { asm volatile("ud2"); }));
  EXPECT_EQ(fault.si_code, ILL_ILLOPN);
  EXPECT_NE(fault.si_addr, nullptr);
}

TEST(Fault, BreakpointIsSigtrapAfterTheInstruction) {
  ScopedHandler handler(
      SIGTRAP, +[](int, siginfo_t* info, void*) { fault = *info; });
  fault = {};
  asm volatile("int3");
  EXPECT_EQ(fault.si_signo, SIGTRAP);
  EXPECT_EQ(fault.si_code, SI_KERNEL);
}

TEST(Fault, SingleStepIsSigtrap) {
  static volatile int steps;
  steps = 0;
  ScopedHandler handler(
      SIGTRAP, +[](int, siginfo_t* info, void* context) {
        fault = *info;
        steps = steps + 1;
        // Stop after the second step, by clearing the trap flag.
        if (steps == 2) static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_EFL] &= ~0x100L;
      });
  asm volatile(
      "pushfq; orq $0x100, (%%rsp); popfq\n"
      "nop; nop; nop; nop" ::
          : "memory", "cc");
  EXPECT_EQ(steps, 2);
  EXPECT_EQ(fault.si_code, TRAP_TRACE);
}

TEST(Fault, HandlerMayRepairAndRetry) {
  static char* page;
  page = Map(PROT_NONE);
  ScopedHandler handler(
      SIGSEGV, +[](int, siginfo_t*, void*) { mprotect(page, 4096, PROT_READ | PROT_WRITE); });
  *static_cast<volatile char*>(page) = 5;
  EXPECT_EQ(page[0], 5);
  munmap(page, 4096);
}

TEST(Fault, ContextTellsWhereAndWhy) {
  static greg_t error_code;
  static greg_t address;
  static char* page;
  page = Map(PROT_READ);
  ScopedHandler handler(
      SIGSEGV, +[](int, siginfo_t*, void* context) {
        const greg_t* registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
        error_code = registers[REG_ERR];
        address = registers[REG_CR2];
        mprotect(page, 4096, PROT_READ | PROT_WRITE);
      });
  (void)*static_cast<volatile char*>(page);  // Makes the page present.
  *static_cast<volatile char*>(page + 8) = 5;
  EXPECT_EQ(error_code & 7, 7);  // Page present, a write, from user mode.
  EXPECT_EQ(address, reinterpret_cast<greg_t>(page + 8));
  munmap(page, 4096);
}

TEST(Fault, UnhandledFaultKills) {
  EXPECT_THAT(InForkedProcess([] {
                signal(SIGSEGV, SIG_DFL);
                Touch(8);
              }),
              KilledBy(SIGSEGV));
  EXPECT_THAT(InForkedProcess([] { asm volatile("ud2"); }), KilledBy(SIGILL));
}

TEST(Fault, BlockedOrIgnoredFaultStillKills) {
  EXPECT_THAT(InForkedProcess([] {
                ScopedBlock block({SIGSEGV});
                signal(
                    SIGSEGV, +[](int) { _exit(3); });
                Touch(8);
              }),
              KilledBy(SIGSEGV));
  EXPECT_THAT(InForkedProcess([] {
                signal(SIGSEGV, SIG_IGN);
                Touch(8);
              }),
              KilledBy(SIGSEGV));
}

TEST(Fault, ThousandRecoveriesInTwoThreads) {
  auto work = [] {
    for (int i = 0; i < 500; i++) {
      if (sigsetjmp(recovery, 1) == 0) Touch(16);
      ASSERT_EQ(fault.si_addr, reinterpret_cast<void*>(16));
    }
  };
  ScopedHandler handler(SIGSEGV, Recover);
  TestThread other(work);
  work();
}

}  // namespace
}  // namespace redoubt::test
