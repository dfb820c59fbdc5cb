// SPDX-License-Identifier: Apache-2.0
//
// ThreadGroup: a process (Linux's signal_struct and its tasks); ProcessGroup and Session for job
// control; TaskSet: all of them and the lock that guards the tree.
#ifndef SENTRY_KERNEL_THREAD_GROUP_H_
#define SENTRY_KERNEL_THREAD_GROUP_H_

#include <functional>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/ref_counted.h"
#include "base/sync/mutex.h"
#include "base/sync/wait_queue.h"
#include "sentry/fs/tty/job_control.h"
#include "sentry/kernel/limits.h"
#include "sentry/kernel/signals.h"
#include "sentry/kernel/task.h"

namespace redoubt::kernel {

class IntervalTimers;

// References are held by its process groups.
class Session : public RefCounted<Session> {
 public:
  explicit Session(int id) : id(id) {}
  const int id;  // The tgid of its leader.
  // The controlling terminal, or null. Guarded by TaskSet::mu_, as is the group in its foreground.
  RefPtr<fs::Terminal> controlling_terminal;
  int foreground_group = 0;
};

// References are held by its members.
class ProcessGroup : public RefCounted<ProcessGroup> {
 public:
  ProcessGroup(int id, RefPtr<Session> session) : id(id), session(std::move(session)) {}
  const int id;
  const RefPtr<Session> session;
};

// CPU time and faults, for getrusage and wait4.
struct ResourceUsage {
  uint64_t user_ns = 0;
  uint64_t system_ns = 0;
  uint64_t max_resident_kib = 0;
};

// References are held by its tasks and its parent's list of children until it is reaped.
class ThreadGroup : public RefCounted<ThreadGroup> {
 public:
  ThreadGroup(Kernel* kernel, int tgid, RefPtr<SignalHandlers> handlers, Limits limits);
  ~ThreadGroup();

  Kernel& kernel() const { return *kernel_; }
  int tgid() const { return tgid_; }

  // Any thread.
  Limit limit(int resource) const;
  void SetLimit(int resource, Limit limit);
  Limits limits() const;

  IntervalTimers& timers() { return *timers_; }
  // CPU time of all its threads, past and present.
  uint64_t CpuTimeNs() const;
  // The same, and the most memory it had, which the host does not tell cheaply.
  ResourceUsage Usage() const;
  // Of waited-for children.
  ResourceUsage ChildrenUsage() const;
  // `child` was waited for: its usage, and its children's, are added to ChildrenUsage().
  void AddReapedChild(ThreadGroup& child);
  // What an address space that its tasks leave by exec has used keeps counting here.
  void AddPastUsage(const mm::MemoryMap& memory);
  // The same at the end of the process, in two steps: the parent is told in between, and does not
  // wait for the memory's peak unless it asks. Null: nobody will ask.
  void BeginLastUsage(const mm::MemoryMap& memory);
  void FinishLastUsage(const mm::MemoryMap* memory);

  // --- Guarded by TaskSet::mu_. ---
  std::vector<RefPtr<Task>> tasks;  // Those that have not exited.
  RefPtr<Task> leader;              // Stays, as a zombie at last; null once the group is reaped.
  RefPtr<SignalHandlers> handlers;
  PendingSignals pending;
  ThreadGroup* parent = nullptr;  // Null for the first process.
  std::vector<RefPtr<ThreadGroup>> children;
  RefPtr<ProcessGroup> process_group;
  int exit_signal = 17;  // SIGCHLD; 0 none. Sent to the parent at exit.
  bool exiting = false;  // exit_group has begun.
  int exit_status = 0;   // wait4 form.
  bool zombie = false;
  bool reaped = false;
  bool child_subreaper = false;
  bool unkillable = false;  // A container's init: SIGNAL_UNKILLABLE.
  bool has_execed = false;  // setpgid(2) of a child after exec gives EACCES.
  // Of a process that was started from outside: told its exit status, once. May only take locks
  // below TaskSet::mu_.
  std::function<void(int)> on_exit;
  // Job control.
  bool stopping = false;  // A stop signal was taken; tasks are to stop.
  bool stopped = false;   // All have.
  int stop_signal = 0;
  bool stop_to_report = false;      // For wait4(WUNTRACED).
  bool continue_to_report = false;  // For wait4(WCONTINUED).
  Task* execing = nullptr;          // The task whose exec is ending its siblings.
  // wait4 of this group's children sleeps here; woken when a child changes state.
  WaitQueue child_events;
  // Woken when a sibling of an exec has gone.
  WaitQueue group_events;
  // Woken with EPOLLIN whenever a signal is queued to this group or one of its tasks (signalfd).
  WaitQueue signal_events;

  std::atomic<bool> dumpable{true};
  std::atomic<int> oom_score_adjustment{0};
  int64_t start_time_ns = 0;  // Boot time clock.

 private:
  Kernel* const kernel_;
  const int tgid_;
  mutable Mutex<LockRank::kLeaf> limits_mu_;
  Limits limits_ ABSL_GUARDED_BY(limits_mu_);
  std::unique_ptr<IntervalTimers> timers_;
  RefPtr<mm::MemoryMap> Memory() const;
  void AddChildUsage(const ResourceUsage& usage, bool ends_pending);

  mutable Mutex<LockRank::kLeaf> usage_mu_;
  mutable absl::CondVar usage_known_;
  bool peak_pending_ ABSL_GUARDED_BY(usage_mu_) = false;  // Between Begin- and FinishLastUsage.
  int children_pending_ ABSL_GUARDED_BY(usage_mu_) = 0;   // Reaped ones, of which that holds.
  RefPtr<ThreadGroup> heir_ ABSL_GUARDED_BY(usage_mu_);   // Who reaped us while it held.
  ResourceUsage past_usage_ ABSL_GUARDED_BY(usage_mu_);  // Of address spaces left.
  ResourceUsage children_usage_ ABSL_GUARDED_BY(usage_mu_);
};

// All tasks by number. Its mutex guards the process tree, signals, exit states and job control of
// every task: these change together and seldom, and one lock has no order to get wrong.
class TaskSet {
 public:
  explicit TaskSet(int max_tasks) : max_tasks_(max_tasks) {}

  Mutex<LockRank::kTasks> mu_;

  // ESRCH when there is no such task; zombies are found until they are reaped.
  Result<RefPtr<Task>> Find(int tid);
  Result<RefPtr<Task>> FindLocked(int tid) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // The process whose tgid this is.
  Result<RefPtr<ThreadGroup>> FindGroup(int tgid);
  Result<RefPtr<ThreadGroup>> FindGroupLocked(int tgid) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // All processes in ascending order.
  std::vector<RefPtr<ThreadGroup>> Groups();
  std::vector<RefPtr<ThreadGroup>> GroupsLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  int task_count() const { return task_count_.load(std::memory_order_relaxed); }
  int max_tasks() const { return max_tasks_.load(std::memory_order_relaxed); }
  // More may be there already: then there will be no new one until enough have ended.
  void SetMaxTasks(int most) { max_tasks_.store(most, std::memory_order_relaxed); }

  // A free task number; EAGAIN when the sandbox has max_tasks already.
  Result<int> AllocateTidLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void AddLocked(RefPtr<Task> task) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void RemoveLocked(int tid) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // A reaped group lets go of its leader, which holds the group in turn. The last references of
  // both may not be dropped under the lock: whoever has reaped takes them along, and drops them.
  void BuryLocked(RefPtr<Task> leader) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  std::vector<RefPtr<Task>> TakeBuriedLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return std::exchange(buried_, {});
  }
  // Gives a task another number (exec of a non-leader takes the leader's).
  void RenumberLocked(int old_tid, int new_tid) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // Tasks that have not left yet; the sandbox ends with the last one.
  void AddRunningLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { ++running_; }
  int DropRunningLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return --running_; }

 private:
  std::atomic<int> max_tasks_;
  std::atomic<int> task_count_{0};
  int last_tid_ ABSL_GUARDED_BY(mu_) = 0;
  int running_ ABSL_GUARDED_BY(mu_) = 0;
  std::map<int, RefPtr<Task>> tasks_ ABSL_GUARDED_BY(mu_);
  std::vector<RefPtr<Task>> buried_ ABSL_GUARDED_BY(mu_);
};

}  // namespace redoubt::kernel

#endif  // SENTRY_KERNEL_THREAD_GROUP_H_
