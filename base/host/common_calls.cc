// SPDX-License-Identifier: Apache-2.0
#include "base/host/common_calls.h"

#include <linux/futex.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <cerrno>
#include <iterator>

namespace redoubt::host {
namespace {

// Argument `index` has none of `bits`.
ArgumentRule Without(unsigned index, uint64_t bits) { return {index, 0, bits}; }
// Descriptors and other ints: the kernel looks at the low half only.
ArgumentRule IntEquals(unsigned index, int value) {
  return {index, static_cast<uint32_t>(value), 0xffffffff};
}

std::vector<AllowedCall> FutexCalls() {
  constexpr const char* kReason = "locks and condition variables";
  constexpr uint64_t kCommandMask = static_cast<uint32_t>(FUTEX_CMD_MASK);
  std::vector<AllowedCall> calls;
  for (int command : {FUTEX_WAIT, FUTEX_WAKE, FUTEX_WAIT_BITSET, FUTEX_WAKE_BITSET}) {
    calls.push_back({SYS_futex, kReason, {{1, static_cast<uint64_t>(command), kCommandMask}}});
  }
  return calls;
}

}  // namespace

std::vector<AllowedCall> CommonCalls(int log_fd) {
  std::vector<AllowedCall> calls = {
      {SYS_mmap, "allocates memory, never executable", {Without(2, PROT_EXEC)}},
      {SYS_munmap, "gives memory back", {}},
      {SYS_mremap, "grows large allocations", {}},
      {SYS_mprotect, "grows heaps of threads, never executable", {Without(2, PROT_EXEC)}},
      {SYS_madvise, "gives free pages back", {}},
      {SYS_brk, "the main heap", {}},
      {SYS_getrandom, "seeds hash tables and the allocator", {}},
      {SYS_clock_gettime, "time, where the vDSO cannot tell it", {}},
      {SYS_clock_nanosleep, "waits", {}},
      {SYS_nanosleep, "waits while a lock is spun on", {}},
      {SYS_restart_syscall, "goes on waiting after a stop", {}},
      {SYS_sched_yield, "lets others run while a lock is spun on", {}},
      {SYS_rt_sigprocmask, "masks signals around thread creation and abort", {}},
      {SYS_rt_sigaction, "resets handlers in abort", {}},
      {SYS_rt_sigreturn, "returns from a signal handler", {}},
      {SYS_sigaltstack, "stacks for signal handlers", {}},
      {SYS_getpid, "abort raises a signal in itself", {}},
      {SYS_gettid, "abort raises a signal in itself", {}},
      {SYS_tgkill, "abort raises a signal in itself", {}},
      {SYS_close, "closes descriptors", {}},
      {SYS_exit, "a thread ends", {}},
      {SYS_exit_group, "the process ends", {}},
  };
  if (log_fd >= 0) calls.push_back({SYS_write, "the log", {IntEquals(0, log_fd)}});
  Append(&calls, FutexCalls());
  return calls;
}

std::vector<AllowedCall> ThreadCalls() {
  constexpr uint64_t kThreadFlags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
                                    CLONE_THREAD | CLONE_SYSVSEM | CLONE_SETTLS |
                                    CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
  return {
      {SYS_clone, "a thread, with the flags of pthread_create", {{0, kThreadFlags}}},
      {SYS_set_robust_list, "a new thread tells its robust locks", {}},
      {SYS_rseq, "a new thread tells its restartable sequences", {}},
      {SYS_sched_getparam, "Abseil's locks queue sleepers by their priority", {}},
      {SYS_sched_getscheduler, "the same", {}},
      {SYS_set_tid_address, "where the kernel clears a thread's id", {}},
  };
}

std::vector<RefusedCall> CommonRefusals() {
  return {
      {SYS_clone3, ENOSYS, "its flags lie in memory, out of a filter's sight; libc falls back"}};
}

void Append(std::vector<AllowedCall>* calls, std::vector<AllowedCall> more) {
  calls->insert(calls->end(), std::make_move_iterator(more.begin()),
                std::make_move_iterator(more.end()));
}

}  // namespace redoubt::host
