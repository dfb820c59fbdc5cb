// SPDX-License-Identifier: Apache-2.0
//
// Whom a file below /proc/PID is about. Inodes keep a TaskId, which holds nothing alive, and find
// the task anew for each question; so a dead process's files say ESRCH, and its number may be used
// again by another without their telling about that one.
#ifndef SENTRY_FS_PROC_SUBJECT_H_
#define SENTRY_FS_PROC_SUBJECT_H_

#include <cstdint>

#include "base/result.h"
#include "sentry/kernel/kernel.h"
#include "sentry/kernel/task.h"
#include "sentry/kernel/thread_group.h"
#include "sentry/vfs/caller.h"

namespace redoubt::proc {

// A task, and whether the whole process is meant (/proc/PID) or the thread (/proc/PID/task/TID).
struct TaskId {
  kernel::Kernel* kernel = nullptr;
  int tid = 0;
  int tgid = 0;
  int64_t start_time_ns = 0;  // Of the process: tells users of one number apart.
  bool whole_process = true;

  static TaskId Of(const kernel::Task& task, bool whole_process);
  bool SameTask(const TaskId& other) const {
    return tid == other.tid && tgid == other.tgid && start_time_ns == other.start_time_ns;
  }
  // ESRCH once it was reaped. A zombie is still there.
  Result<RefPtr<kernel::Task>> Find() const;
};

// What text generators get: valid for one read.
struct Subject {
  kernel::Kernel& kernel;
  RefPtr<kernel::Task> task;
  RefPtr<kernel::ThreadGroup> group;
  bool whole_process = true;
  // Whether the reader may see what the process keeps in memory (addresses in stat).
  bool may_inspect = true;

  // The root directory of the process, as the caller of path functions; an empty caller for a
  // zombie.
  vfs::Caller View() const;
};

// PTRACE_MODE_READ_FSCREDS of ptrace(2): a thread of the same process; else the same ids and a
// dumpable target with no more capabilities; or CAP_SYS_PTRACE. EACCES.
Result<void> CheckInspection(const vfs::Caller& caller, const kernel::Task& target);

}  // namespace redoubt::proc

#endif  // SENTRY_FS_PROC_SUBJECT_H_
