// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/proc/task_entries.h"

#include <array>
#include <charconv>
#include <utility>

#include "sentry/fs/proc/descriptors.h"
#include "sentry/fs/proc/namespaces.h"
#include "sentry/fs/proc/net.h"
#include "sentry/fs/proc/process_links.h"
#include "sentry/fs/proc/process_memory.h"
#include "sentry/fs/proc/process_mounts.h"
#include "sentry/fs/proc/process_settings.h"
#include "sentry/fs/proc/process_smaps.h"
#include "sentry/fs/proc/process_status.h"
#include "sentry/fs/proc/threads.h"

namespace redoubt::proc {

namespace {

// Not counted by the sentry.
constexpr char kNoIo[] =
    "rchar: 0\nwchar: 0\nsyscr: 0\nsyscw: 0\nread_bytes: 0\nwrite_bytes: 0\n"
    "cancelled_write_bytes: 0\n";
constexpr char kOneCgroup[] = "0::/\n";
constexpr char kUnsetId[] = "4294967295";
constexpr char kAllow[] = "allow\n";
constexpr char kZero[] = "0";
constexpr char kPersonality[] = "00000000\n";
constexpr char kCoreFilter[] = "00000033\n";
constexpr char kNothing[] = "";

constexpr auto kAll = Access::kAnyone;
constexpr auto kInspect = Access::kInspectors;

const auto kEntries = std::to_array<TaskEntry>({
    TextEntry("auxv", 0400, kInspect, &Auxv),
    TextEntry("cgroup", 0444, kAll, &Always<kOneCgroup>),
    TextEntry("children", 0444, kAll, &Children, nullptr, Level::kThread),
    TextEntry("clear_refs", 0200, kAll, &Always<kNothing>, &ClearRefs, Level::kProcess),
    TextEntry("cmdline", 0444, kAll, &Cmdline),
    TextEntry("comm", 0644, kAll, &Comm, &SetComm),
    TextEntry("coredump_filter", 0444, kAll, &Always<kCoreFilter>, nullptr, Level::kProcess),
    LinkEntry("cwd", &WorkingDirectory),
    TextEntry("environ", 0400, kInspect, &Environ),
    LinkEntry("exe", &Executable),
    SpecialEntry("fd", 0500, &MakeFdDirectory),
    SpecialEntry("fdinfo", 0555, &MakeFdinfoDirectory),
    TextEntry("gid_map", 0644, kAll, &IdMap, &RefuseWrite),
    TextEntry("io", 0400, kInspect, &Always<kNoIo>),
    TextEntry("limits", 0444, kAll, &LimitsTable),
    TextEntry("loginuid", 0644, kAll, &Always<kUnsetId>, &RefuseWrite),
    TextEntry("maps", 0444, kInspect, &Maps),
    TextEntry("mountinfo", 0444, kInspect, &Mountinfo),
    TextEntry("mounts", 0444, kInspect, &Mounts),
    TextEntry("mountstats", 0400, kInspect, &Mountstats, nullptr, Level::kProcess),
    DirectoryEntry("net", 0555, NetEntries()),
    DirectoryEntry("ns", 0511, NamespaceEntries()),
    TextEntry("oom_adj", 0644, kAll, &OomAdj, &SetOomAdj),
    TextEntry("oom_score", 0444, kAll, &OomScore),
    TextEntry("oom_score_adj", 0644, kAll, &OomScoreAdj, &SetOomScoreAdj),
    TextEntry("personality", 0400, kInspect, &Always<kPersonality>),
    LinkEntry("root", &RootDirectory),
    TextEntry("sched", 0444, kAll, &Sched),
    TextEntry("schedstat", 0444, kAll, &Schedstat),
    TextEntry("sessionid", 0444, kAll, &Always<kUnsetId>),
    TextEntry("setgroups", 0644, kAll, &Always<kAllow>, &RefuseWrite, Level::kProcess),
    TextEntry("smaps", 0444, kInspect, &Smaps),
    TextEntry("smaps_rollup", 0444, kInspect, &SmapsRollup),
    TextEntry("stack", 0400, kInspect, &Always<kNothing>),
    TextEntry("stat", 0444, kAll, &Stat),
    TextEntry("statm", 0444, kAll, &Statm),
    TextEntry("status", 0444, kAll, &Status),
    TextEntry("syscall", 0400, kInspect, &CurrentSyscall),
    SpecialEntry("task", 0555, &MakeThreadsDirectory, Level::kProcess),
    TextEntry("timerslack_ns", 0444, kInspect, &TimerSlack, &SetTimerSlack, Level::kProcess),
    TextEntry("uid_map", 0644, kAll, &IdMap, &RefuseWrite),
    TextEntry("wchan", 0444, kAll, &Always<kZero>),
});
static_assert(kEntries.size() < 255, "An index in an inode number is a byte.");

}  // namespace

std::optional<int> ParseNumber(std::string_view name) {
  if (name.empty() || (name.size() > 1 && name.front() == '0')) return std::nullopt;
  if (name.front() < '0' || name.front() > '9') return std::nullopt;
  int value = 0;
  auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), value);
  if (error != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return value;
}

RefPtr<TaskInode> NewTaskDirectory(RefPtr<vfs::Superblock> superblock, const TaskId& id) {
  return MakeRef<TaskDirectory>(std::move(superblock), 0555, NumberSpace::Base(id), id, kEntries);
}

}  // namespace redoubt::proc
