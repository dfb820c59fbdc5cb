// SPDX-License-Identifier: Apache-2.0
//
// What a platform may answer without the sentry: ids, and a signal mask that only grows beyond the
// one that the sentry knows. A signal that the guest has blocked meanwhile interrupts it; the mask
// is taken over then, before anybody asks whether the signal can be delivered.
#include "sentry/kernel/kernel.h"
#include "sentry/kernel/task.h"

namespace redoubt::kernel {

void Task::TakeLocalMask() {
  if (std::optional<uint64_t> mask = context_->LocalSignalMask()) SetSignalMask(SignalSet(*mask));
}

void Task::TellLocalAnswers() {
  if (!kernel_->answers_locally()) return;
  uint64_t mask = signal_mask().bits();
  if (seccomp.active()) sees_all_calls_ = true;  // Another thread may have added a filter.
  if (told_.has_value() && !sees_all_calls_ && !local_answers_stale_ && told_->signal_mask == mask)
    return;
  local_answers_stale_ = false;
  if (sees_all_calls_) {
    told_.reset();
    return context_->SetLocalAnswers(nullptr);
  }
  RefPtr<Credentials> ids = credentials();
  told_ = {.pid = tgid(),
           .tid = tid(),
           .uid = ids->uid,
           .effective_uid = ids->euid,
           .gid = ids->gid,
           .effective_gid = ids->egid,
           .signal_mask = mask};
  context_->SetLocalAnswers(&*told_);
}

}  // namespace redoubt::kernel
