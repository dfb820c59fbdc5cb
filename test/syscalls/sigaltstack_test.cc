// SPDX-License-Identifier: Apache-2.0

#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <memory>

#include "test/util/fork.h"
#include "test/util/signals.h"
#include "test/util/syscall_matchers.h"
#include "test/util/thread.h"

namespace redoubt::test {
namespace {

constexpr size_t kSize = 64 << 10;

// An alternate stack for the duration of a test.
class SigaltstackTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const stack_t stack = {.ss_sp = memory_.get(), .ss_flags = 0, .ss_size = kSize};
    ASSERT_THAT(sigaltstack(&stack, nullptr), SyscallSucceeds());
    low_ = memory_.get();
    flags_in_handler_ = -1;
  }
  void TearDown() override {
    const stack_t off = {.ss_sp = nullptr, .ss_flags = SS_DISABLE, .ss_size = 0};
    sigaltstack(&off, nullptr);
  }

  static bool OnIt(const void* address) {
    const char* at = static_cast<const char*>(address);
    return at >= low_ && at < low_ + kSize;
  }
  static void Look(int) {
    char local;
    on_it_ = OnIt(&local);
    stack_t now = {};
    sigaltstack(nullptr, &now);
    flags_in_handler_ = now.ss_flags;
  }

  std::unique_ptr<char[]> memory_{new char[kSize]};
  static inline char* low_;
  static inline volatile bool on_it_;
  static inline int flags_in_handler_;
};

TEST_F(SigaltstackTest, HandlerRunsOnItWhenAsked) {
  ScopedHandler handler(SIGUSR1, Look, SA_ONSTACK);
  raise(SIGUSR1);
  EXPECT_TRUE(on_it_);
  EXPECT_EQ(flags_in_handler_, SS_ONSTACK);
}

TEST_F(SigaltstackTest, HandlerWithoutTheFlagStaysOnTheNormalStack) {
  ScopedHandler handler(SIGUSR1, Look);
  raise(SIGUSR1);
  EXPECT_FALSE(on_it_);
  EXPECT_EQ(flags_in_handler_, 0);
}

TEST_F(SigaltstackTest, ItIsToldAndCanBeDisabled) {
  stack_t now = {};
  ASSERT_THAT(sigaltstack(nullptr, &now), SyscallSucceeds());
  EXPECT_EQ(now.ss_sp, memory_.get());
  EXPECT_EQ(now.ss_size, kSize);
  TearDown();
  ASSERT_THAT(sigaltstack(nullptr, &now), SyscallSucceeds());
  EXPECT_EQ(now.ss_flags, SS_DISABLE);
}

TEST_F(SigaltstackTest, CannotBeChangedWhileInUse) {
  static int error;
  ScopedHandler handler(
      SIGUSR1,
      +[](int) {
        const stack_t off = {.ss_sp = nullptr, .ss_flags = SS_DISABLE, .ss_size = 0};
        error = sigaltstack(&off, nullptr) == -1 ? errno : 0;
      },
      SA_ONSTACK);
  raise(SIGUSR1);
  EXPECT_EQ(error, EPERM);
}

TEST_F(SigaltstackTest, BadArguments) {
  const stack_t small = {.ss_sp = memory_.get(), .ss_flags = 0, .ss_size = 100};
  const stack_t bad = {.ss_sp = memory_.get(), .ss_flags = 0x40, .ss_size = kSize};
  EXPECT_THAT(sigaltstack(&small, nullptr), SyscallFailsWith(ENOMEM));
  EXPECT_THAT(sigaltstack(&bad, nullptr), SyscallFailsWith(EINVAL));
}

TEST_F(SigaltstackTest, NestedSignalStaysOnIt) {
  static bool inner_on_it;
  ScopedHandler inner(
      SIGUSR2,
      +[](int) {
        char local;
        inner_on_it = OnIt(&local);
      },
      SA_ONSTACK);
  ScopedHandler outer(
      SIGUSR1, +[](int) { raise(SIGUSR2); }, SA_ONSTACK);
  raise(SIGUSR1);
  EXPECT_TRUE(inner_on_it);
}

TEST_F(SigaltstackTest, IsInheritedByForkNotByAThread) {
  EXPECT_THAT(InForkedProcess([] {
                stack_t now = {};
                CHILD_CHECK(sigaltstack(nullptr, &now) == 0);
                CHILD_CHECK(now.ss_size == kSize);
              }),
              ExitedWith(0));
  TestThread thread([] {
    stack_t now = {};
    EXPECT_THAT(sigaltstack(nullptr, &now), SyscallSucceeds());
    EXPECT_EQ(now.ss_flags, SS_DISABLE);
  });
}

TEST_F(SigaltstackTest, AutoDisarmIsOffInTheHandlerAndBackAfterIt) {
  constexpr int kAutoDisarm = 1u << 31;
  const stack_t stack = {.ss_sp = memory_.get(), .ss_flags = kAutoDisarm, .ss_size = kSize};
  ASSERT_THAT(sigaltstack(&stack, nullptr), SyscallSucceeds());
  ScopedHandler handler(SIGUSR1, Look, SA_ONSTACK);
  raise(SIGUSR1);
  EXPECT_EQ(flags_in_handler_, SS_DISABLE);
  stack_t now = {};
  ASSERT_THAT(sigaltstack(nullptr, &now), SyscallSucceeds());
  EXPECT_EQ(now.ss_sp, memory_.get());
  EXPECT_EQ(now.ss_flags, kAutoDisarm);
}

// Uses up the stack. The array keeps the compiler from turning it into a loop.
__attribute__((noinline)) int Recurse(int depth) {
  volatile char filler[4096];
  filler[0] = static_cast<char>(depth);
  return depth < 0 ? 0 : Recurse(depth + 1) + filler[0];
}

TEST_F(SigaltstackTest, StackOverflowCanBeHandled) {
  EXPECT_THAT(InForkedProcess([] {
                struct sigaction action = {};
                action.sa_handler = [](int) { _exit(14); };
                action.sa_flags = SA_ONSTACK;
                sigaction(SIGSEGV, &action, nullptr);
                Recurse(0);
              }),
              ExitedWith(14));
}

TEST(Sigaltstack, StackOverflowWithoutItKills) {
  EXPECT_THAT(InForkedProcess([] {
                signal(
                    SIGSEGV, +[](int) { _exit(14); });
                Recurse(0);
              }),
              KilledBy(SIGSEGV));
}

}  // namespace
}  // namespace redoubt::test
