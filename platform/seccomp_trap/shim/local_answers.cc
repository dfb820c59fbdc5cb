// SPDX-License-Identifier: Apache-2.0
//
// SHIM CODE: runs inside the guest's address space, under the guest's control.
//
// Calls that need nobody: what the sentry has told of the thread's ids, signal masks as long as
// nothing is unblocked that the sentry believes to be blocked (protocol.h, LocalState), and what each
// new thread of libc asks for.
#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>

#include "platform/seccomp_trap/shim/shim.h"

namespace redoubt::platform::seccomp_trap {
namespace {

constexpr uint64_t kRobustListHeadSize = 24;  // sizeof(struct robust_list_head)

constexpr uint64_t kUnblockable = uint64_t{1} << (SIGKILL - 1) | uint64_t{1} << (SIGSTOP - 1);

// rt_sigprocmask(how, set, old, size).
bool AnswerMask(LocalState& local, int how, uint64_t set, uint64_t old, uint64_t size) {
  if (size != sizeof(uint64_t)) return false;
  uint64_t mask = local.signal_mask;
  if (set != 0) {
    uint64_t given;
    if (ShimCopyUser(&given, reinterpret_cast<const void*>(set), sizeof(given)) != 0) return false;
    if (how == SIG_BLOCK) {
      mask |= given;
    } else if (how == SIG_UNBLOCK) {
      mask &= ~given;
    } else if (how == SIG_SETMASK) {
      mask = given;
    } else {
      return false;
    }
    mask &= ~kUnblockable;
    if ((local.answers.signal_mask & ~mask) != 0) return false;
  }
  uint64_t before = local.signal_mask;
  if (old != 0 && ShimCopyUser(reinterpret_cast<void*>(old), &before, sizeof(before)) != 0) {
    return false;
  }
  local.signal_mask = mask;
  return true;
}

}  // namespace

bool AnswerLocally(Slot* slot, const CallRegisters& call, uint64_t* result) {
  LocalState& local = slot->local;
  if (!local.enabled) return false;
  const LocalAnswers& answers = local.answers;
  switch (call.number) {
    case SYS_getpid:
      *result = static_cast<uint64_t>(answers.pid);
      return true;
    case SYS_gettid:
      *result = static_cast<uint64_t>(answers.tid);
      return true;
    case SYS_getuid:
      *result = answers.uid;
      return true;
    case SYS_geteuid:
      *result = answers.effective_uid;
      return true;
    case SYS_getgid:
      *result = answers.gid;
      return true;
    case SYS_getegid:
      *result = answers.effective_gid;
      return true;
    case SYS_rt_sigprocmask:
      *result = 0;
      return AnswerMask(local, static_cast<int>(call.rdi), call.rsi, call.rdx, call.r10);
    case SYS_set_robust_list:
      if (call.rsi != kRobustListHeadSize) return false;
      local.robust_list = call.rdi;
      *result = 0;
      return true;
    case SYS_rseq:
      *result = static_cast<uint64_t>(-ENOSYS);  // The sentry has none to offer.
      return true;
    default:
      return false;
  }
}

}  // namespace redoubt::platform::seccomp_trap
