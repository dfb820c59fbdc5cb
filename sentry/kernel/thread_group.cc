// SPDX-License-Identifier: Apache-2.0
#include "sentry/kernel/thread_group.h"

#include <algorithm>
#include <utility>

#include "sentry/kernel/interval_timers.h"
#include "sentry/kernel/kernel.h"
#include "sentry/time/clock.h"

namespace redoubt::kernel {

ThreadGroup::ThreadGroup(Kernel* kernel, int tgid, RefPtr<SignalHandlers> handlers, Limits limits)
    : handlers(std::move(handlers)),
      start_time_ns(time::Now(time::Clock::kBoottime)),
      kernel_(kernel),
      tgid_(tgid),
      limits_(limits),
      timers_(std::make_unique<IntervalTimers>(this)) {}

ThreadGroup::~ThreadGroup() = default;

Limit ThreadGroup::limit(int resource) const {
  MutexLock lock(&limits_mu_);
  return limits_[static_cast<size_t>(resource)];
}

void ThreadGroup::SetLimit(int resource, Limit limit) {
  MutexLock lock(&limits_mu_);
  limits_[static_cast<size_t>(resource)] = limit;
}

Limits ThreadGroup::limits() const {
  MutexLock lock(&limits_mu_);
  return limits_;
}

namespace {

void AddUsage(const mm::MemoryMap& memory, ResourceUsage& usage) {
  usage.user_ns += memory.space()->CpuTimeNs();
  usage.max_resident_kib = std::max(usage.max_resident_kib, memory.PeakResidentKib());
}

}  // namespace

ResourceUsage ThreadGroup::Usage() const {
  ResourceUsage usage;
  {
    MutexLock lock(&usage_mu_);
    usage = past_usage_;
  }
  RefPtr<mm::MemoryMap> memory;
  {
    MutexLock lock(&kernel_->tasks().mu_);
    if (!tasks.empty()) memory = tasks.front()->memory();
  }
  if (memory) AddUsage(*memory, usage);
  return usage;
}

ResourceUsage ThreadGroup::ChildrenUsage() const {
  MutexLock lock(&usage_mu_);
  return children_usage_;
}

void ThreadGroup::AddChildUsage(const ResourceUsage& usage) {
  MutexLock lock(&usage_mu_);
  children_usage_.user_ns += usage.user_ns;
  children_usage_.system_ns += usage.system_ns;
  children_usage_.max_resident_kib =
      std::max(children_usage_.max_resident_kib, usage.max_resident_kib);
}

void ThreadGroup::AddPastUsage(const mm::MemoryMap& memory) {
  ResourceUsage usage;
  AddUsage(memory, usage);
  MutexLock lock(&usage_mu_);
  past_usage_.user_ns += usage.user_ns;
  past_usage_.max_resident_kib = std::max(past_usage_.max_resident_kib, usage.max_resident_kib);
}

Result<RefPtr<Task>> TaskSet::FindLocked(int tid) {
  auto it = tasks_.find(tid);
  if (it == tasks_.end()) return Errno(ESRCH);
  return it->second;
}

Result<RefPtr<Task>> TaskSet::Find(int tid) {
  MutexLock lock(&mu_);
  return FindLocked(tid);
}

Result<RefPtr<ThreadGroup>> TaskSet::FindGroupLocked(int tgid) {
  RefPtr<Task> task = TRY(FindLocked(tgid));
  if (task->tgid() != tgid) return Errno(ESRCH);
  return task->group();
}

Result<RefPtr<ThreadGroup>> TaskSet::FindGroup(int tgid) {
  MutexLock lock(&mu_);
  return FindGroupLocked(tgid);
}

std::vector<RefPtr<ThreadGroup>> TaskSet::GroupsLocked() {
  std::vector<RefPtr<ThreadGroup>> groups;
  for (const auto& [tid, task] : tasks_) {
    if (task->tgid() == tid) groups.push_back(task->group());
  }
  return groups;
}

std::vector<RefPtr<ThreadGroup>> TaskSet::Groups() {
  MutexLock lock(&mu_);
  return GroupsLocked();
}

Result<int> TaskSet::AllocateTidLocked() {
  constexpr int kTidLimit = 4'194'304;  // PID_MAX_LIMIT of 64-bit Linux.
  constexpr int kReserved = 300;        // Where Linux goes on after wrapping.
  if (static_cast<int>(tasks_.size()) >= max_tasks_) return Errno(EAGAIN);
  int tid = last_tid_ + 1;
  while (true) {
    if (tid >= kTidLimit) tid = kReserved;
    if (!tasks_.contains(tid)) break;
    ++tid;
  }
  last_tid_ = tid;
  return tid;
}

void TaskSet::AddLocked(RefPtr<Task> task) {
  int tid = task->tid();  // `=` moves from its right side first.
  tasks_[tid] = std::move(task);
  task_count_.store(static_cast<int>(tasks_.size()), std::memory_order_relaxed);
}

void TaskSet::RemoveLocked(int tid) {
  tasks_.erase(tid);
  task_count_.store(static_cast<int>(tasks_.size()), std::memory_order_relaxed);
}

void TaskSet::RenumberLocked(int old_tid, int new_tid) {
  auto node = tasks_.extract(old_tid);
  CHECK(!node.empty());
  tasks_.erase(new_tid);
  node.key() = new_tid;
  tasks_.insert(std::move(node));
  task_count_.store(static_cast<int>(tasks_.size()), std::memory_order_relaxed);
}

}  // namespace redoubt::kernel
