// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/proc/process_settings.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace redoubt::proc {

namespace {

std::string LimitText(uint64_t value) {
  return value == kernel::kUnlimited ? "unlimited" : std::to_string(value);
}

}  // namespace

Result<std::string> LimitsTable(const Subject& subject) {
  struct Row {
    int resource;
    const char *name, *unit;
  };
  static constexpr Row kRows[] = {
      {RLIMIT_CPU, "Max cpu time", "seconds"},
      {RLIMIT_FSIZE, "Max file size", "bytes"},
      {RLIMIT_DATA, "Max data size", "bytes"},
      {RLIMIT_STACK, "Max stack size", "bytes"},
      {RLIMIT_CORE, "Max core file size", "bytes"},
      {RLIMIT_RSS, "Max resident set", "bytes"},
      {RLIMIT_NPROC, "Max processes", "processes"},
      {RLIMIT_NOFILE, "Max open files", "files"},
      {RLIMIT_MEMLOCK, "Max locked memory", "bytes"},
      {RLIMIT_AS, "Max address space", "bytes"},
      {RLIMIT_LOCKS, "Max file locks", "locks"},
      {RLIMIT_SIGPENDING, "Max pending signals", "signals"},
      {RLIMIT_MSGQUEUE, "Max msgqueue size", "bytes"},
      {RLIMIT_NICE, "Max nice priority", ""},
      {RLIMIT_RTPRIO, "Max realtime priority", ""},
      {RLIMIT_RTTIME, "Max realtime timeout", "us"},
  };
  std::string text =
      absl::StrFormat("%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
  for (const Row& row : kRows) {
    kernel::Limit limit = subject.group->limit(row.resource);
    absl::StrAppendFormat(&text, "%-25s %-20s %-20s %-10s\n", row.name, LimitText(limit.current),
                          LimitText(limit.maximum), row.unit);
  }
  return text;
}

// What the host's OOM killer goes by is the stub's memory; the guest sees its own wish.
Result<std::string> OomScore(const Subject& subject) {
  return absl::StrCat(std::max(0, subject.group->oom_score_adjustment.load()), "\n");
}

Result<std::string> OomScoreAdj(const Subject& subject) {
  return absl::StrCat(subject.group->oom_score_adjustment.load(), "\n");
}

Result<void> SetOomScoreAdj(const Subject& subject, std::string_view text,
                            const vfs::Caller& caller) {
  int value = 0;
  absl::string_view trimmed =
      absl::StripAsciiWhitespace(absl::string_view(text.data(), text.size()));
  if (!absl::SimpleAtoi(trimmed, &value) || value < -1000 || value > 1000) return Errno(EINVAL);
  std::atomic<int>& adjustment = subject.group->oom_score_adjustment;
  if (value < adjustment.load() && !caller.HasCapability(CAP_SYS_RESOURCE)) return Errno(EACCES);
  adjustment.store(value);
  return {};
}

// The old scale, -17 (never) to 15.
Result<std::string> OomAdj(const Subject& subject) {
  int value = subject.group->oom_score_adjustment.load();
  return absl::StrCat(value == 1000 ? 15 : value * 17 / 1000, "\n");
}

Result<void> SetOomAdj(const Subject& subject, std::string_view text, const vfs::Caller& caller) {
  int value = 0;
  absl::string_view trimmed =
      absl::StripAsciiWhitespace(absl::string_view(text.data(), text.size()));
  if (!absl::SimpleAtoi(trimmed, &value) || value < -17 || value > 15) return Errno(EINVAL);
  int scaled = value == 15 ? 1000 : value * 1000 / 17;
  return SetOomScoreAdj(subject, std::to_string(scaled), caller);
}

// Referenced bits are the host's, and stay as they are.
Result<void> ClearRefs(const Subject& subject, std::string_view text, const vfs::Caller& caller) {
  int value = 0;
  absl::string_view trimmed =
      absl::StripAsciiWhitespace(absl::string_view(text.data(), text.size()));
  if (!absl::SimpleAtoi(trimmed, &value) || value < 1 || value > 5) return Errno(EINVAL);
  return {};
}

Result<void> SetTimerSlack(const Subject& subject, std::string_view text,
                           const vfs::Caller& caller) {
  uint64_t value = 0;
  absl::string_view trimmed =
      absl::StripAsciiWhitespace(absl::string_view(text.data(), text.size()));
  if (!absl::SimpleAtoi(trimmed, &value)) return Errno(EINVAL);
  constexpr uint64_t kDefault = 50'000;
  subject.task->timer_slack_ns.store(value == 0 ? kDefault : value);
  return {};
}

Result<std::string> TimerSlack(const Subject& subject) {
  return absl::StrCat(subject.task->timer_slack_ns.load(), "\n");
}

Result<std::string> CurrentSyscall(const Subject& subject) {
  uint64_t number = subject.task->syscall_number();
  if (number == kernel::Task::kNoSyscall) return std::string("running\n");
  return absl::StrCat(number, " 0x0 0x0 0x0 0x0 0x0 0x0 0x0 0x0\n");
}

Result<std::string> IdMap(const Subject& subject) {
  return absl::StrFormat("%10d %10d %10d\n", 0, 0, ~uint32_t{0});
}

Result<void> RefuseWrite(const Subject& subject, std::string_view text, const vfs::Caller& caller) {
  return Errno(EPERM);
}

}  // namespace redoubt::proc
