// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/proc/process_snapshot.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <string_view>

#include "sentry/time/clock.h"

namespace redoubt::proc {

namespace {

void CollectSignalsLocked(const Subject& subject, ProcessSnapshot& snapshot) {
  snapshot.thread_pending = subject.task->OwnPendingLocked();
  snapshot.group_pending = subject.group->pending.set();
  snapshot.blocked = subject.task->signal_mask();
  for (int signal = 1; signal <= abi::kSignalCount; ++signal) {
    uint64_t handler = (*subject.group->handlers)[signal].handler;
    if (handler == abi::kSignalIgnore) {
      snapshot.ignored.Add(signal);
    } else if (handler != abi::kSignalDefault) {
      snapshot.caught.Add(signal);
    }
  }
}

}  // namespace

ProcessSnapshot TakeSnapshot(const Subject& subject) {
  ProcessSnapshot snapshot;
  snapshot.state = subject.task->StateLetter();
  kernel::ThreadGroup& group = *subject.group;
  MutexLock lock(&subject.kernel.tasks().mu_);
  snapshot.parent = group.parent != nullptr ? group.parent->tgid() : 0;
  if (group.process_group) {
    const kernel::Session& session = *group.process_group->session;
    snapshot.process_group = group.process_group->id;
    snapshot.session = session.id;
    if (session.controlling_terminal) {
      snapshot.terminal = session.controlling_terminal->device();
      snapshot.foreground_group = session.foreground_group;
    }
  }
  // A zombie counts as one.
  snapshot.threads = std::max(1, static_cast<int>(group.tasks.size()));
  snapshot.exit_signal = group.exit_signal;
  snapshot.exit_status = group.exit_status;
  snapshot.has_execed = group.has_execed;
  CollectSignalsLocked(subject, snapshot);
  return snapshot;
}

uint64_t CpuTime(const Subject& subject) {
  // The platform counts by stub: the time of one thread among several is not known.
  bool alone;
  {
    MutexLock lock(&subject.kernel.tasks().mu_);
    alone = subject.group->tasks.size() <= 1;
  }
  if (!subject.whole_process && !alone) return 0;
  return subject.group->CpuTimeNs();
}

uint64_t ChildrenCpuTime(const Subject& subject) { return subject.group->ChildrenUsage().user_ns; }

HostCounters ReadHostCounters(const mm::MemoryMap* memory) {
  HostCounters counters;
  if (memory == nullptr) return counters;
  auto stat = memory->policy().host_proc->Read(memory->space()->host_pid(), "stat");
  if (!stat.ok()) return counters;
  // The name may hold anything, parentheses too.
  size_t end = stat->rfind(')');
  if (end == std::string::npos) return counters;
  // state ppid pgrp session tty tpgid flags minflt cminflt majflt cmajflt utime stime cutime cstime
  // priority nice threads itrealvalue starttime vsize rss
  (void)sscanf(stat->c_str() + end + 1,
               " %*c %*d %*d %*d %*d %*d %*u %" SCNu64 " %*u %" SCNu64
               " %*u %*u %*u %*d %*d %*d %*d %*d %*d %*u %" SCNu64 " %" SCNu64,
               &counters.minor_faults, &counters.major_faults, &counters.virtual_bytes,
               &counters.resident_pages);
  return counters;
}

std::map<std::string, std::string> ReadHostStatus(const Subject& subject) {
  std::map<std::string, std::string> lines;
  RefPtr<mm::MemoryMap> memory = subject.task->memory();
  if (!memory) return lines;
  auto status = subject.kernel.host_proc().Read(memory->space()->host_pid(), "status");
  if (!status.ok()) return lines;
  std::string_view rest = *status;
  while (!rest.empty()) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    size_t colon = line.find(":\t");
    if (colon == std::string_view::npos) continue;
    std::string_view name = line.substr(0, colon), value = line.substr(colon + 2);
    bool wanted = name.starts_with("Vm") || name.starts_with("Rss") ||
                  name.ends_with("voluntary_ctxt_switches");
    if (wanted) lines.emplace(name, value);
  }
  return lines;
}

int64_t StartedAfterBoot(const Subject& subject) {
  int64_t slept = time::Now(time::Clock::kBoottime) - time::Now(time::Clock::kMonotonic);
  int64_t boot = subject.kernel.boot_time_ns() + slept;
  return std::max<int64_t>(0, subject.group->start_time_ns - boot);
}

}  // namespace redoubt::proc
