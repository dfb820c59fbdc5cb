// SPDX-License-Identifier: Apache-2.0
#include "runsc/cmd/do_limits.h"

#include <cctype>
#include <cmath>
#include <cstdio>
#include <optional>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "runsc/sandbox/temporary_cgroup.h"

namespace redoubt::runsc {

namespace {

absl::StatusOr<int64_t> ParseMemory(const std::string& text) {
  constexpr int64_t kLeast = 16 << 20;  // Less does not hold the sandbox itself.
  int shift = 0;
  std::string number = text;
  if (!number.empty() && isalpha(static_cast<unsigned char>(number.back())) != 0) {
    switch (tolower(static_cast<unsigned char>(number.back()))) {
      case 'b':
        break;
      case 'k':
        shift = 10;
        break;
      case 'm':
        shift = 20;
        break;
      case 'g':
        shift = 30;
        break;
      default:
        shift = -1;
    }
    number.pop_back();
  }
  int64_t value = 0;
  bool good =
      shift >= 0 && absl::SimpleAtoi(number, &value) && value > 0 && value <= INT64_MAX >> shift;
  if (!good) {
    return absl::InvalidArgumentError(
        absl::StrCat("--memory ", text, ": want a number with b, k, m or g behind it"));
  }
  if (value << shift < kLeast) {
    return absl::InvalidArgumentError(absl::StrCat("--memory ", text, ": want 16m or more"));
  }
  return value << shift;
}

void Warn(absl::string_view message) {
  fprintf(stderr, "runsc: do: warning: %.*s\n", static_cast<int>(message.size()), message.data());
}

void TellOfKills(uint64_t kills, const oci::LinuxResources& resources) {
  if (kills == 0) return;
  Warn(absl::StrCat("out of memory (limit ", resources.memory.limit.value_or(0), " bytes): ", kills,
                    kills == 1 ? " process was" : " processes were", " killed"));
}

}  // namespace

void AddLimitFlags(CLI::App& command, LimitFlags& flags) {
  command.add_option("--memory", flags.memory, "Most memory, the sandbox's own included")
      ->type_name("BYTES[b|k|m|g]");
  command.add_option("--cpus", flags.cpus, "Most processor time: processors, with a fraction")
      ->type_name("NUMBER");
  command.add_option("--pids-limit", flags.pids_limit, "Most processes and threads in the guest")
      ->type_name("NUMBER");
}

absl::StatusOr<oci::LinuxResources> ParseLimits(const LimitFlags& flags) {
  oci::LinuxResources resources;
  if (!flags.memory.empty()) {
    absl::StatusOr<int64_t> memory = ParseMemory(flags.memory);
    if (!memory.ok()) return memory.status();
    resources.memory.limit = *memory;
  }
  if (!flags.cpus.empty()) {
    constexpr uint64_t kPeriod = 100'000;
    double cpus = 0;
    if (!absl::SimpleAtod(flags.cpus, &cpus) || !(cpus >= 0.01) || !(cpus <= 8192)) {
      return absl::InvalidArgumentError(
          absl::StrCat("--cpus ", flags.cpus, ": want a number from 0.01 to 8192"));
    }
    resources.cpu.period = kPeriod;
    resources.cpu.quota = std::llround(cpus * static_cast<double>(kPeriod));
  }
  if (!flags.pids_limit.empty()) {
    int limit = 0;
    if (!absl::SimpleAtoi(flags.pids_limit, &limit) || limit < 1) {
      return absl::InvalidArgumentError(
          absl::StrCat("--pids-limit ", flags.pids_limit, ": want a whole number from 1"));
    }
    resources.pids_limit = limit;
  }
  return resources;
}

absl::StatusOr<SandboxOutcome> RunWithLimits(const SandboxSpec& spec,
                                             const oci::LinuxResources& resources) {
  bool limited = resources.memory.limit || resources.cpu.quota || resources.pids_limit;
  if (!limited) return RunSandbox(spec);
  absl::StatusOr<TemporaryCgroup> group = TemporaryCgroup::Make(resources);
  absl::Status entered = group.ok() ? group->Enter() : group.status();
  if (!entered.ok()) {
    Warn(absl::StrCat("limits are shown, not enforced: ", entered.message()));
    return RunSandbox(spec);
  }
  SandboxOptions options;
  options.after_launch = [&] {
    absl::Status left = group->Leave();
    if (!left.ok()) Warn(left.message());
  };
  absl::StatusOr<SandboxOutcome> outcome = RunSandbox(spec, options);
  TellOfKills(group->OomKills(), resources);
  return outcome;
}

}  // namespace redoubt::runsc
