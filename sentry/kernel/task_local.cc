// SPDX-License-Identifier: Apache-2.0
//
// What a platform may answer without the sentry: ids, and a signal mask that only grows beyond the
// one that the sentry knows. A signal that the guest has blocked meanwhile interrupts it; the mask
// is taken over then, before anybody asks whether the signal can be delivered.
#include <sys/syscall.h>

#include <algorithm>
#include <array>

#include "sentry/kernel/exit.h"
#include "sentry/kernel/kernel.h"
#include "sentry/kernel/task.h"
#include "sentry/seccomp/filter.h"

namespace redoubt::kernel {

namespace {

// What a platform may answer (platform/local_answers.h) or leave to the host
// (platform/seccomp_trap/filter.h).
constexpr std::array<uint32_t, 16> kCallsWithoutEvent = {
    SYS_getpid,          SYS_gettid, SYS_getuid, SYS_geteuid,    SYS_getgid, SYS_getegid,
    SYS_rt_sigprocmask,  SYS_mmap,   SYS_munmap, SYS_mprotect,   SYS_mremap, SYS_madvise,
    SYS_set_robust_list, SYS_rseq,   SYS_futex,  SYS_sched_yield};

bool MayRefuseCallsWithoutEvent(const seccomp::TaskFilters& filters) {
  if (filters.mode() == SECCOMP_MODE_STRICT) return true;
  const seccomp::Filter* filter = filters.head();
  return !std::all_of(kCallsWithoutEvent.begin(), kCallsWithoutEvent.end(),
                      [&](uint32_t number) { return filter->AlwaysAllows(number); });
}

}  // namespace

// The platform is to be told even if a call sets things back to what it was told before.
void Task::TakeLocalChanges() {
  if (std::optional<uint64_t> mask = context_->LocalSignalMask()) {
    SetSignalMask(SignalSet(*mask));
    local_answers_stale_ = true;
  }
  if (std::optional<uint64_t> head = context_->LocalRobustList()) SetRobustList(*head);
}

Result<void> Task::ReportCallsToFilters() {
  if (reports_every_call_ || !MayRefuseCallsWithoutEvent(seccomp)) return {};
  TRY(context_->ReportEveryCall());
  reports_every_call_ = true;
  return {};
}

void Task::TellLocalAnswers() {
  // A filter of its own, a thread's that syncs all (TSYNC), or its parent's.
  if (seccomp.active() && !ReportCallsToFilters().ok()) {
    return ExitGroup(*group(), SignaledStatus(SIGKILL, false));
  }
  if (!kernel_->answers_locally() || reports_every_call_) return;
  uint64_t mask = signal_mask().bits();
  if (told_.has_value() && !local_answers_stale_ && told_->signal_mask == mask) return;
  local_answers_stale_ = false;
  RefPtr<Credentials> ids = credentials();
  told_ = {.pid = tgid(),
           .tid = tid(),
           .uid = ids->uid,
           .effective_uid = ids->euid,
           .gid = ids->gid,
           .effective_gid = ids->egid,
           .signal_mask = mask,
           .robust_list = robust_list_};
  context_->SetLocalAnswers(&*told_);
}

}  // namespace redoubt::kernel
