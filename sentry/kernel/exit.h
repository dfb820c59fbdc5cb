// SPDX-License-Identifier: Apache-2.0
//
// The end of tasks and waiting for it: exit(2), exit_group(2), wait4(2), waitid(2).
#ifndef SENTRY_KERNEL_EXIT_H_
#define SENTRY_KERNEL_EXIT_H_

#include "base/result.h"
#include "sentry/kernel/task.h"
#include "sentry/kernel/thread_group.h"

namespace redoubt::kernel {

// Statuses in wait4 form.
constexpr int ExitedStatus(int code) { return (code & 0xff) << 8; }
constexpr int SignaledStatus(int signal, bool core) { return signal | (core ? 0x80 : 0); }

// Marks the calling task as leaving; the way back to the guest ends it.
void ExitTask(Task& task, int status);
// exit_group: the same for every task of the process. The first status counts.
void ExitGroup(ThreadGroup& group, int status);
void ExitGroupLocked(TaskSet& tasks, ThreadGroup& group, int status)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(tasks.mu_);

// Runs on the task's thread when it leaves for good: gives back all it holds, tells its parent.
void FinishExit(Task& task);

// Sends the exit signal of a zombie to its parent, wakes waiters; reaps it when the parent wants no
// zombies.
void NotifyParentOfExitLocked(TaskSet& tasks, ThreadGroup& group)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(tasks.mu_);
// The zombie's number becomes free and its parent forgets it.
// The caller drops what TakeBuriedLocked() gives, when it has let go of the lock.
void ReapLocked(TaskSet& tasks, ThreadGroup& group) ABSL_EXCLUSIVE_LOCKS_REQUIRED(tasks.mu_);

// What exec and exit have in common. Zeroes the word that pthread_join waits for and wakes whoever
// does (set_tid_address(2)); the old memory must still be there.
void ClearChildTid(Task& task);
// Lets the parent of a vfork(2) go on, if the task has one that waits.
void SignalVforkDone(Task& task);

struct WaitRequest {
  enum class Who : uint8_t { kAny, kProcess, kProcessGroup };
  Who who = Who::kAny;
  int id = 0;
  bool exited = false, stopped = false, continued = false;  // WEXITED, WSTOPPED, WCONTINUED.
  bool no_hang = false, keep = false;                       // WNOHANG, WNOWAIT.
  bool usage = false;                                       // WaitResult::usage is wanted.
  bool only_clone_children = false, all_children = false;   // __WCLONE, __WALL.
};
struct WaitResult {
  int pid = 0;  // 0: nothing yet (WNOHANG).
  uint32_t uid = 0;
  int code = 0;    // CLD_EXITED, CLD_KILLED ...
  int status = 0;  // wait4 form; for waitid see WaitidStatus.
  ResourceUsage usage;
};
// ECHILD, ERESTARTSYS.
Result<WaitResult> Wait(Task& task, const WaitRequest& request);
// si_status: the exit code or the signal.
int WaitidStatus(const WaitResult& result);

}  // namespace redoubt::kernel

#endif  // SENTRY_KERNEL_EXIT_H_
