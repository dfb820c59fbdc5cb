// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/proc/process_status.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "sentry/fs/proc/process_snapshot.h"

namespace redoubt::proc {

namespace {

// PF_RANDOMIZE and PF_FORKNOEXEC of task->flags: the rest of them is the host kernel's business.
constexpr uint64_t kRandomize = 0x00400000;
constexpr uint64_t kForkedNoExec = 0x00000040;
// Linux's encoding of a device in a 32-bit number (new_encode_dev()).
uint64_t EncodeDevice(uint64_t device) {
  uint64_t minor = (device & 0xff) | (device >> 12 & 0xfff00);
  uint64_t major = device >> 8 & 0xfff;
  return (minor & 0xff) | major << 8 | (minor & ~uint64_t{0xff}) << 12;
}

// Where the program's parts are; zeros when the reader may not know or nothing is there any more.
mm::ImageLayout VisibleLayout(const Subject& subject, const mm::MemoryMap* memory) {
  if (memory == nullptr || !subject.may_inspect) return {};
  return memory->layout();
}

}  // namespace

// proc(5) numbers the fields; each line below says where it begins.
Result<std::string> Stat(const Subject& subject) {
  ProcessSnapshot now = TakeSnapshot(subject);
  RefPtr<mm::MemoryMap> memory = subject.task->memory();
  HostCounters host = ReadHostCounters(memory.get());
  mm::ImageLayout layout = VisibleLayout(subject, memory.get());
  kernel::Task& task = *subject.task;
  int64_t nice = task.nice_value.load();
  auto shown = [&](uint64_t value) { return subject.may_inspect ? value : 0; };
  uint64_t heap = memory ? shown(memory->break_start()) : 0;
  uint64_t flags = kRandomize | (now.has_execed ? 0 : kForkedNoExec);
  using Fields = std::vector<int64_t>;
  auto number = [](uint64_t value) { return static_cast<int64_t>(value); };
  Fields fields = {
      now.parent,
      now.process_group,
      now.session,  // 4
      number(EncodeDevice(now.terminal)),
      now.foreground_group,
      number(flags),  // 7
      number(host.minor_faults),
      0,
      number(host.major_faults),
      0,  // 10
      number(ToTicks(CpuTime(subject))),
      0,  // 14
      number(ToTicks(ChildrenCpuTime(subject))),
      0,  // 16
      20 + nice,
      nice,
      now.threads,
      0,                                                   // 18
      number(ToTicks(number(StartedAfterBoot(subject)))),  // 22
      number(host.virtual_bytes),
      number(host.resident_pages),  // 23
  };
  std::string text = absl::StrCat(task.tid(), " (", task.name(), ") ", std::string(1, now.state),
                                  " ", absl::StrJoin(fields, " "));
  absl::StrAppend(&text, " ", subject.group->limit(RLIMIT_RSS).current);  // 25
  // Signal sets are shown as far as 31 bits go, as on Linux.
  auto low = [](kernel::SignalSet set) { return static_cast<int64_t>(set.bits() & 0x7fffffff); };
  fields = {
      number(layout.start_code),
      number(layout.end_code),
      number(layout.start_stack),
      0,
      0,  // 26
      low(now.thread_pending),
      low(now.blocked),
      low(now.ignored),
      low(now.caught),  // 31
      0,
      0,
      0,
      subject.whole_process ? now.exit_signal : -1,
      0,
      0,  // 35
      task.scheduling_policy.load(),
      0,
      0,
      0,  // 41
      number(layout.start_data),
      number(layout.end_data),
      number(heap),  // 45
      number(layout.argument_start),
      number(layout.argument_end),  // 48
      number(layout.environment_start),
      number(layout.environment_end),  // 50
      number(shown(now.exit_status)),  // 52
  };
  absl::StrAppend(&text, " ", absl::StrJoin(fields, " "), "\n");
  return text;
}

Result<std::string> Statm(const Subject& subject) {
  RefPtr<mm::MemoryMap> memory = subject.task->memory();
  if (!memory) return std::string("0 0 0 0 0 0 0\n");
  std::string text = TRY(memory->Statm());
  if (!text.ends_with('\n')) text += '\n';
  return text;
}

Result<std::string> Sched(const Subject& subject) {
  return absl::StrFormat("%s (%d, #threads: %d)\n", subject.task->name(), subject.task->tid(),
                         TakeSnapshot(subject).threads);
}

// CPU time; neither waiting time nor time slices are counted.
Result<std::string> Schedstat(const Subject& subject) {
  return absl::StrCat(CpuTime(subject), " 0 0\n");
}

Result<std::string> Comm(const Subject& subject) { return subject.task->name() + "\n"; }

Result<void> SetComm(const Subject& subject, std::string_view text, const vfs::Caller& caller) {
  if (caller.tgid != subject.group->tgid()) return Errno(EINVAL);
  if (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  subject.task->SetName(text.substr(0, text.find('\0')));
  return {};
}

}  // namespace redoubt::proc
