// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/sys/sysfs.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "sentry/fs/sys/net_devices.h"
#include "sentry/fs/text_tree/text_tree.h"
#include "sentry/kernel/kernel.h"

namespace redoubt::sys {

namespace {

constexpr uint64_t kSysfsMagic = 0x62656572;

constexpr std::string_view kEmptyDirectories[] = {
    "block",    "bus",       "class/block", "class/tty",    "dev/block", "dev/char",
    "firmware", "fs/cgroup", "hypervisor",  "kernel/debug", "module",    "power",
};

// Attributes that never change, without their newline.
constexpr std::pair<std::string_view, std::string_view> kFixed[] = {
    {"devices/system/cpu/smt/active", "0"},
    {"devices/system/cpu/smt/control", "notsupported"},
    {"devices/system/node/has_cpu", "0"},
    {"devices/system/node/has_memory", "0"},
    {"devices/system/node/has_normal_memory", "0"},
    {"devices/system/node/online", "0"},
    {"devices/system/node/possible", "0"},
    {"devices/system/node/node0/distance", "10"},
    {"kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "0"},
    {"kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "0"},
    {"kernel/mm/transparent_hugepage/defrag", "always defer defer+madvise [madvise] never"},
    {"kernel/mm/transparent_hugepage/enabled", "always [madvise] never"},
    {"kernel/mm/transparent_hugepage/hpage_pmd_size", "2097152"},
    {"kernel/mm/transparent_hugepage/shmem_enabled",
     "always within_size advise [never] deny force"},
};

void AddText(fs::TextTree& tree, std::string_view path, std::string text) {
  tree.AddFile(path, 0444,
               [text = std::move(text) + "\n"]() -> Result<std::string> { return text; });
}

// "0-3" for four processors.
std::string RangeTo(unsigned count) { return count <= 1 ? "0" : absl::StrCat("0-", count - 1); }

// The bits of processors [first, end), in words of 32 bits, the highest first, as many as `count`
// processors need.
std::string MaskOf(unsigned first, unsigned end, unsigned count) {
  std::string text;
  for (unsigned word = (count + 31) / 32; word-- > 0;) {
    uint32_t bits = 0;
    for (unsigned bit = 0; bit < 32; ++bit) {
      unsigned cpu = word * 32 + bit;
      if (first <= cpu && cpu < end) bits |= uint32_t{1} << bit;
    }
    text += text.empty() ? absl::StrFormat("%x", bits) : absl::StrFormat(",%08x", bits);
  }
  return text;
}

void AddProcessors(fs::TextTree& tree, unsigned count) {
  const std::string base = "devices/system/cpu/";
  AddText(tree, base + "kernel_max", "8191");
  AddText(tree, base + "offline", "");
  AddText(tree, base + "online", RangeTo(count));
  AddText(tree, base + "possible", RangeTo(count));
  AddText(tree, base + "present", RangeTo(count));
  for (unsigned cpu = 0; cpu < count; ++cpu) {
    std::string here = absl::StrCat(base, "cpu", cpu, "/");
    if (cpu > 0) AddText(tree, here + "online", "1");
    here += "topology/";
    std::string own = std::to_string(cpu);
    for (const char* name : {"core_cpus", "thread_siblings"}) {
      AddText(tree, here + name, MaskOf(cpu, cpu + 1, count));
      AddText(tree, here + name + "_list", own);
    }
    for (const char* name : {"core_siblings", "package_cpus"}) {
      AddText(tree, here + name, MaskOf(0, count, count));
      AddText(tree, here + name + "_list", RangeTo(count));
    }
    AddText(tree, here + "core_id", own);
    AddText(tree, here + "die_id", "0");
    AddText(tree, here + "physical_package_id", "0");
  }
}

// All memory and all processors are near each other.
void AddNode(fs::TextTree& tree, kernel::Kernel& kernel) {
  const std::string here = "devices/system/node/node0/";
  unsigned count = std::max(1u, kernel.cpu_count());
  AddText(tree, here + "cpulist", RangeTo(count));
  AddText(tree, here + "cpumap", MaskOf(0, count, count));
  uint64_t kib = kernel.memory_bytes() / 1024;
  AddText(tree, here + "meminfo",
          absl::StrFormat("Node 0 MemTotal:       %d kB\nNode 0 MemFree:        %d kB", kib, kib));
}

}  // namespace

RefPtr<vfs::Inode> NewRoot(kernel::Kernel& kernel) {
  auto superblock = MakeRef<fs::TreeSuperblock>("sysfs", kSysfsMagic);
  fs::TextTree tree(
      MakeRef<fs::TreeDirectory>(std::move(superblock), 0555, fs::TextTree::kRootNumber));
  for (std::string_view path : kEmptyDirectories) tree.AddDirectory(path);
  for (const auto& [path, text] : kFixed) AddText(tree, path, std::string(text));
  AddProcessors(tree, std::max(1u, kernel.cpu_count()));
  AddNode(tree, kernel);
  AddNetworkDevices(tree);
  return tree.root();
}

}  // namespace redoubt::sys
