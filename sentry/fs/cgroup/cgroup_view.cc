// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/cgroup/cgroup_view.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sentry/fs/proc/memory_use.h"
#include "sentry/fs/text_tree/text_tree.h"

namespace redoubt::cgroup_view {

namespace {

using kernel::Kernel;

constexpr uint64_t kCgroup2Magic = 0x63677270;

// Files whose text never changes, without their newline.
constexpr std::pair<std::string_view, std::string_view> kFixed[] = {
    {"cgroup.controllers", "cpuset cpu memory pids"},
    {"cgroup.events", "populated 1\nfrozen 0"},
    {"cgroup.freeze", "0"},
    {"cgroup.max.depth", "max"},
    {"cgroup.max.descendants", "max"},
    {"cgroup.stat", "nr_descendants 0\nnr_dying_descendants 0"},
    {"cgroup.type", "domain"},
    {"cpu.idle", "0"},
    {"cpu.max.burst", "0"},
    {"cpu.weight", "100"},
    {"cpu.weight.nice", "0"},
    {"cpuset.cpus.partition", "member"},
    {"cpuset.mems.effective", "0"},
    {"memory.high", "max"},
    {"memory.low", "0"},
    {"memory.min", "0"},
    {"memory.oom.group", "0"},
    {"memory.swap.current", "0"},
    {"memory.swap.max", "max"},
    {"memory.swap.events", "high 0\nmax 0\nfail 0"},
};
constexpr std::string_view kEmpty[] = {"cgroup.subtree_control", "cpuset.cpus", "cpuset.mems"};

std::string Processes(Kernel& kernel) {
  std::string text;
  for (const RefPtr<kernel::ThreadGroup>& group : kernel.tasks().Groups()) {
    absl::StrAppend(&text, group->tgid(), "\n");
  }
  return text;
}

std::string Threads(Kernel& kernel) {
  std::string text;
  MutexLock lock(&kernel.tasks().mu_);
  for (const RefPtr<kernel::ThreadGroup>& group : kernel.tasks().GroupsLocked()) {
    for (const RefPtr<kernel::Task>& task : group->tasks) {
      absl::StrAppend(&text, task->tid(), "\n");
    }
  }
  return text;
}

std::string CpuMax(Kernel& kernel) {
  const kernel::SandboxLimits limits = kernel.limits();
  std::string quota = limits.cpu_quota_us > 0 ? absl::StrCat(limits.cpu_quota_us) : "max";
  return absl::StrCat(quota, " ", limits.cpu_period_us, "\n");
}

std::string CpuStat(Kernel& kernel) {
  uint64_t used_ns = 0;
  for (const RefPtr<kernel::ThreadGroup>& group : kernel.tasks().Groups()) {
    used_ns += group->CpuTimeNs() + group->ChildrenUsage().user_ns;
  }
  uint64_t used_us = used_ns / 1000;
  return absl::StrCat("usage_usec ", used_us, "\nuser_usec ", used_us,
                      "\nsystem_usec 0\nnr_periods 0\nnr_throttled 0\nthrottled_usec 0\n");
}

std::string CpusEffective(Kernel& kernel) {
  unsigned count = std::max(1u, kernel.cpu_count());
  return count == 1 ? "0\n" : absl::StrCat("0-", count - 1, "\n");
}

std::string MemoryMax(Kernel& kernel) {
  uint64_t limit = kernel.limits().memory_bytes;
  return limit == 0 ? "max\n" : absl::StrCat(limit, "\n");
}

uint64_t MemoryBytes(Kernel& kernel) {
  proc::MemoryUse use = proc::SumMemoryUse(kernel);
  uint64_t bytes = (use.anonymous_kib + use.shared_kib) * 1024;
  // Shared pages count once for each process that maps them: more than all would be nonsense.
  return std::min(bytes, kernel.memory_bytes());
}

std::string MemoryStat(Kernel& kernel) {
  proc::MemoryUse use = proc::SumMemoryUse(kernel);
  uint64_t anonymous = use.anonymous_kib * 1024, file = use.shared_kib * 1024;
  return absl::StrCat("anon ", anonymous, "\nfile ", file, "\nkernel 0\nshmem 0\nfile_mapped ",
                      file, "\ninactive_anon ", anonymous, "\nactive_anon 0\ninactive_file ", file,
                      "\nactive_file 0\nunevictable 0\nslab 0\npgfault 0\npgmajfault 0\n");
}

std::string MemoryEvents(Kernel& kernel) {
  uint64_t kills = kernel.oom_kills();
  return absl::StrCat("low 0\nhigh 0\nmax 0\noom ", kills, "\noom_kill ", kills,
                      "\noom_group_kill 0\n");
}

std::string PidsMax(Kernel& kernel) {
  int limit = kernel.limits().tasks;
  return limit == 0 ? "max\n" : absl::StrCat(limit, "\n");
}

}  // namespace

RefPtr<vfs::Inode> NewRoot(Kernel& kernel) {
  auto superblock = MakeRef<fs::TreeSuperblock>("cgroup2", kCgroup2Magic);
  fs::TextTree tree(
      MakeRef<fs::TreeDirectory>(std::move(superblock), 0555, fs::TextTree::kRootNumber));
  auto add = [&](std::string_view name, auto text) {
    tree.AddFile(name, 0444, [text, &kernel]() -> Result<std::string> { return text(kernel); });
  };
  for (auto [name, text] : kFixed) {
    add(name, [text = std::string(text) + "\n"](Kernel&) { return text; });
  }
  for (std::string_view name : kEmpty) add(name, [](Kernel&) { return std::string("\n"); });
  add("cgroup.procs", &Processes);
  add("cgroup.threads", &Threads);
  add("cpu.max", &CpuMax);
  add("cpu.stat", &CpuStat);
  add("cpuset.cpus.effective", &CpusEffective);
  add("memory.max", &MemoryMax);
  add("memory.current", [](Kernel& k) { return absl::StrCat(MemoryBytes(k), "\n"); });
  auto peak = std::make_shared<std::atomic<uint64_t>>(0);
  add("memory.peak", [peak](Kernel& k) {
    uint64_t now = MemoryBytes(k), before = peak->load();
    while (before < now && !peak->compare_exchange_weak(before, now)) {
    }
    return absl::StrCat(std::max(before, now), "\n");
  });
  add("memory.stat", &MemoryStat);
  add("memory.events", &MemoryEvents);
  add("memory.events.local", &MemoryEvents);
  add("pids.max", &PidsMax);
  add("pids.current", [](Kernel& k) { return absl::StrCat(k.tasks().task_count(), "\n"); });
  add("pids.peak", [](Kernel& k) { return absl::StrCat(k.tasks().task_count(), "\n"); });
  add("pids.events", [](Kernel&) { return std::string("max 0\n"); });
  return tree.root();
}

}  // namespace redoubt::cgroup_view
