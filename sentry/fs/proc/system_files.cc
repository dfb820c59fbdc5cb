// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/proc/system_files.h"

#include "sentry/fs/proc/system_cpu.h"
#include "sentry/fs/proc/system_ipc.h"
#include "sentry/fs/proc/system_lists.h"
#include "sentry/fs/proc/system_memory.h"

namespace redoubt::proc {

namespace {

constexpr SystemEntry kEntries[] = {
    {"cgroups", 0444, &Cgroups},       {"cmdline", 0444, &KernelCmdline},
    {"cpuinfo", 0444, &Cpuinfo},       {"devices", 0444, &Devices},
    {"crypto", 0444, &Crypto},
    {"diskstats", 0444, &Nothing},     {"filesystems", 0444, &Filesystems},
    {"interrupts", 0444, &Interrupts}, {"loadavg", 0444, &Loadavg},
    {"key-users", 0444, &KeyUsers},
    {"meminfo", 0444, &Meminfo},       {"modules", 0444, &Nothing},
    {"pressure/cpu", 0444, &Pressure},
    {"pressure/io", 0444, &Pressure},
    {"pressure/memory", 0444, &Pressure},
    {"partitions", 0444, &Partitions}, {"softirqs", 0444, &Interrupts},
    {"stat", 0444, &SystemStat},       {"swaps", 0444, &Swaps},
    {"sysvipc/msg", 0444, &MessageQueues},
    {"sysvipc/sem", 0444, &SemaphoreSets},
    {"sysvipc/shm", 0444, &SharedMemorySegments},
    {"uptime", 0444, &Uptime},         {"version", 0444, &Version},
    {"vmstat", 0444, &Vmstat},
};

}  // namespace

void AddEntries(fs::TextTree& tree, kernel::Kernel& kernel, std::span<const SystemEntry> entries) {
  for (const SystemEntry& entry : entries) {
    fs::WriteText write;
    if (entry.write != nullptr) {
      write = [&kernel, write = entry.write](std::string_view text, const vfs::Caller& caller) {
        return write(kernel, text, caller);
      };
    }
    tree.AddFile(
        entry.path, entry.permissions, [&kernel, read = entry.read] { return read(kernel); },
        std::move(write));
  }
}

void AddSystemFiles(fs::TextTree& tree, kernel::Kernel& kernel) {
  StartMeasuringFrequency();
  tree.AddLink("mounts", "self/mounts");
  tree.AddLink("net", "self/net");
  AddEntries(tree, kernel, kEntries);
  AddSysctls(tree, kernel);
}

}  // namespace redoubt::proc
