// SPDX-License-Identifier: Apache-2.0
//
// Resource use and the machine's state: getrusage(2), times(2), sysinfo(2), uname(2).
#ifndef ABI_LINUX_RESOURCE_H_
#define ABI_LINUX_RESOURCE_H_

#include <linux/sysinfo.h>
#include <linux/utsname.h>
#include <sys/resource.h>
#include <sys/times.h>

#include <cstddef>
#include <cstdint>

#include "abi/linux/time.h"

namespace redoubt::abi {

// struct rusage.
struct ResourceUsage {
  Timeval user_time;
  Timeval system_time;
  int64_t max_resident_kib = 0;
  int64_t unused1[3] = {};  // Never filled by Linux.
  int64_t minor_faults = 0;
  int64_t major_faults = 0;
  int64_t swaps = 0;
  int64_t blocks_in = 0;
  int64_t blocks_out = 0;
  int64_t unused2[3] = {};
  int64_t voluntary_switches = 0;
  int64_t involuntary_switches = 0;
};
static_assert(sizeof(ResourceUsage) == sizeof(rusage));
static_assert(offsetof(ResourceUsage, minor_faults) == offsetof(rusage, ru_minflt));
static_assert(offsetof(ResourceUsage, involuntary_switches) == offsetof(rusage, ru_nivcsw));

// struct tms: clock ticks, of which there are 100 a second.
struct ProcessTimes {
  int64_t user = 0, system = 0, children_user = 0, children_system = 0;
};
static_assert(sizeof(ProcessTimes) == sizeof(tms));
inline constexpr int64_t kNanosecondsPerTick = 10'000'000;

// struct sysinfo.
struct SystemInfo {
  int64_t uptime = 0;
  uint64_t loads[3] = {};
  uint64_t total_ram = 0, free_ram = 0, shared_ram = 0, buffer_ram = 0;
  uint64_t total_swap = 0, free_swap = 0;
  uint16_t processes = 0;
  uint16_t padding = 0;
  uint32_t padding2 = 0;
  uint64_t total_high = 0, free_high = 0;
  uint32_t memory_unit = 1;
  uint32_t padding3 = 0;
};
static_assert(sizeof(SystemInfo) == sizeof(struct sysinfo));
static_assert(offsetof(SystemInfo, memory_unit) == offsetof(struct sysinfo, mem_unit));

// struct new_utsname.
inline constexpr size_t kUtsNameLength = 64;
struct UtsName {
  char system[kUtsNameLength + 1] = {};
  char node[kUtsNameLength + 1] = {};
  char release[kUtsNameLength + 1] = {};
  char version[kUtsNameLength + 1] = {};
  char machine[kUtsNameLength + 1] = {};
  char domain[kUtsNameLength + 1] = {};
};
static_assert(sizeof(UtsName) == sizeof(new_utsname));

}  // namespace redoubt::abi

#endif  // ABI_LINUX_RESOURCE_H_
