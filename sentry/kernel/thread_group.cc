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

void Add(const ResourceUsage& more, ResourceUsage& usage) {
  usage.user_ns += more.user_ns;
  usage.system_ns += more.system_ns;
  usage.max_resident_kib = std::max(usage.max_resident_kib, more.max_resident_kib);
}

ResourceUsage UsageOf(const mm::MemoryMap& memory) {
  return {.user_ns = memory.space()->CpuTimeNs(), .max_resident_kib = memory.PeakResidentKib()};
}

}  // namespace

RefPtr<mm::MemoryMap> ThreadGroup::Memory() const {
  MutexLock lock(&kernel_->tasks().mu_);
  return tasks.empty() ? nullptr : tasks.front()->memory();
}

uint64_t ThreadGroup::CpuTimeNs() const {
  uint64_t past;
  {
    MutexLock lock(&usage_mu_);
    past = past_usage_.user_ns;
  }
  RefPtr<mm::MemoryMap> memory = Memory();
  return memory ? past + memory->space()->CpuTimeNs() : past;
}

ResourceUsage ThreadGroup::Usage() const {
  ResourceUsage usage;
  {
    MutexLock lock(&usage_mu_);
    while (peak_pending_) usage_known_.Wait(usage_mu_.raw());
    usage = past_usage_;
  }
  if (RefPtr<mm::MemoryMap> memory = Memory()) Add(UsageOf(*memory), usage);
  return usage;
}

ResourceUsage ThreadGroup::ChildrenUsage() const {
  MutexLock lock(&usage_mu_);
  while (children_pending_ > 0) usage_known_.Wait(usage_mu_.raw());
  return children_usage_;
}

void ThreadGroup::AddChildUsage(const ResourceUsage& usage, bool ends_pending) {
  MutexLock lock(&usage_mu_);
  Add(usage, children_usage_);
  if (ends_pending && --children_pending_ == 0) usage_known_.SignalAll();
}

void ThreadGroup::AddReapedChild(ThreadGroup& child) {
  AddChildUsage(child.ChildrenUsage(), false);
  {
    MutexLock lock(&usage_mu_);
    ++children_pending_;
  }
  ResourceUsage usage;
  {
    MutexLock lock(&child.usage_mu_);
    if (child.peak_pending_) {
      child.heir_ = RefPtr<ThreadGroup>(this);
      return;
    }
    usage = child.past_usage_;
  }
  AddChildUsage(usage, true);
}

void ThreadGroup::AddPastUsage(const mm::MemoryMap& memory) {
  ResourceUsage usage = UsageOf(memory);
  MutexLock lock(&usage_mu_);
  Add(usage, past_usage_);
}

void ThreadGroup::BeginLastUsage(const mm::MemoryMap& memory) {
  uint64_t used = memory.space()->CpuTimeNs();
  MutexLock lock(&usage_mu_);
  past_usage_.user_ns += used;
  peak_pending_ = true;
}

void ThreadGroup::FinishLastUsage(const mm::MemoryMap* memory) {
  uint64_t peak = memory == nullptr ? 0 : memory->PeakResidentKib();
  RefPtr<ThreadGroup> heir;
  ResourceUsage usage;
  {
    MutexLock lock(&usage_mu_);
    past_usage_.max_resident_kib = std::max(past_usage_.max_resident_kib, peak);
    usage = past_usage_;
    peak_pending_ = false;
    heir = std::move(heir_);
    usage_known_.SignalAll();
  }
  if (heir) heir->AddChildUsage(usage, true);
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
  if (static_cast<int>(tasks_.size()) >= max_tasks()) return Errno(EAGAIN);
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

void TaskSet::BuryLocked(RefPtr<Task> leader) { buried_.push_back(std::move(leader)); }

void TaskSet::RenumberLocked(int old_tid, int new_tid) {
  auto node = tasks_.extract(old_tid);
  CHECK(!node.empty());
  tasks_.erase(new_tid);
  node.key() = new_tid;
  tasks_.insert(std::move(node));
  task_count_.store(static_cast<int>(tasks_.size()), std::memory_order_relaxed);
}

}  // namespace redoubt::kernel
