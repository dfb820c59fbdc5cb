// SPDX-License-Identifier: Apache-2.0
//
// What stat and status tell, collected before it is written down: first what TaskSet::mu_ guards,
// in one go, then what the host tells about the stub.
#ifndef SENTRY_FS_PROC_PROCESS_SNAPSHOT_H_
#define SENTRY_FS_PROC_PROCESS_SNAPSHOT_H_

#include <cstdint>
#include <map>
#include <string>

#include "sentry/fs/proc/subject.h"

namespace redoubt::proc {

struct ProcessSnapshot {
  char state = 'R';
  int parent = 0;
  int process_group = 0;
  int session = 0;
  uint64_t terminal = 0;  // Its device number; 0 none.
  int foreground_group = -1;
  int threads = 0;
  int exit_signal = 0;
  int exit_status = 0;
  bool has_execed = false;
  kernel::SignalSet thread_pending, group_pending, blocked, ignored, caught;
};
ProcessSnapshot TakeSnapshot(const Subject& subject);

// CPU time in nanoseconds: of the process, or of a thread as far as it can be told apart (0).
uint64_t CpuTime(const Subject& subject);
uint64_t ChildrenCpuTime(const Subject& subject);

// From the host's /proc/PID/stat of the stub.
struct HostCounters {
  uint64_t minor_faults = 0, major_faults = 0;
  uint64_t virtual_bytes = 0, resident_pages = 0;
};
HostCounters ReadHostCounters(const mm::MemoryMap* memory);
// The Vm* and Rss* lines (and context switches) of the host's status, values only: "VmRSS" ->
// "    1234 kB". Empty when the host does not show them.
std::map<std::string, std::string> ReadHostStatus(const Subject& subject);

// Nanoseconds to clock ticks, the unit of stat (100 a second).
constexpr uint64_t ToTicks(uint64_t ns) { return ns / 10'000'000; }
// Nanoseconds from the sandbox's start to that of the process.
int64_t StartedAfterBoot(const Subject& subject);

}  // namespace redoubt::proc

#endif  // SENTRY_FS_PROC_PROCESS_SNAPSHOT_H_
