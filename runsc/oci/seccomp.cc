// SPDX-License-Identifier: Apache-2.0
#include "runsc/oci/seccomp.h"

#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/owned_fd.h"
#include "nlohmann/json.hpp"
#include "runsc/oci/json_reader.h"

namespace redoubt::oci {

namespace {

struct NamedAction {
  const char* name;
  uint32_t action;
  bool takes_errno;
};
constexpr std::array kActions = {
    NamedAction{"SCMP_ACT_ALLOW", SCMP_ACT_ALLOW, false},
    NamedAction{"SCMP_ACT_ERRNO", SCMP_ACT_ERRNO(0), true},
    NamedAction{"SCMP_ACT_KILL", SCMP_ACT_KILL_THREAD, false},
    NamedAction{"SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS, false},
    NamedAction{"SCMP_ACT_KILL_THREAD", SCMP_ACT_KILL_THREAD, false},
    NamedAction{"SCMP_ACT_LOG", SCMP_ACT_LOG, false},
    NamedAction{"SCMP_ACT_NOTIFY", SCMP_ACT_NOTIFY, false},
    NamedAction{"SCMP_ACT_TRACE", SCMP_ACT_TRACE(0), true},
    NamedAction{"SCMP_ACT_TRAP", SCMP_ACT_TRAP, false},
};

struct NamedOperator {
  const char* name;
  scmp_compare value;
};
constexpr std::array kOperators = {
    NamedOperator{"SCMP_CMP_EQ", SCMP_CMP_EQ},
    NamedOperator{"SCMP_CMP_GE", SCMP_CMP_GE},
    NamedOperator{"SCMP_CMP_GT", SCMP_CMP_GT},
    NamedOperator{"SCMP_CMP_LE", SCMP_CMP_LE},
    NamedOperator{"SCMP_CMP_LT", SCMP_CMP_LT},
    NamedOperator{"SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ},
    NamedOperator{"SCMP_CMP_NE", SCMP_CMP_NE},
};

constexpr std::array kArchitectures = {
    "SCMP_ARCH_AARCH64",  "SCMP_ARCH_ARM",         "SCMP_ARCH_LOONGARCH64", "SCMP_ARCH_M68K",
    "SCMP_ARCH_MIPS",     "SCMP_ARCH_MIPS64",      "SCMP_ARCH_MIPS64N32",   "SCMP_ARCH_MIPSEL",
    "SCMP_ARCH_MIPSEL64", "SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_PARISC",      "SCMP_ARCH_PARISC64",
    "SCMP_ARCH_PPC",      "SCMP_ARCH_PPC64",       "SCMP_ARCH_PPC64LE",     "SCMP_ARCH_RISCV64",
    "SCMP_ARCH_S390",     "SCMP_ARCH_S390X",       "SCMP_ARCH_SH",          "SCMP_ARCH_SHEB",
    "SCMP_ARCH_X32",      "SCMP_ARCH_X86",         "SCMP_ARCH_X86_64",
};

constexpr std::array kFlags = {
    std::pair("SECCOMP_FILTER_FLAG_TSYNC", uint32_t{SECCOMP_FILTER_FLAG_TSYNC}),
    std::pair("SECCOMP_FILTER_FLAG_LOG", uint32_t{SECCOMP_FILTER_FLAG_LOG}),
    std::pair("SECCOMP_FILTER_FLAG_SPEC_ALLOW", uint32_t{SECCOMP_FILTER_FLAG_SPEC_ALLOW}),
    std::pair("SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", uint32_t{1} << 5),
};

absl::Status Invalid(const std::string& text) { return absl::InvalidArgumentError(text); }

absl::StatusOr<uint32_t> ActionOf(const std::string& name, std::optional<uint32_t> error) {
  for (const NamedAction& known : kActions) {
    if (name != known.name) continue;
    if (!known.takes_errno) return known.action;
    uint32_t value = error.value_or(EPERM);
    if (value > 0xffff) return Invalid(absl::StrCat("seccomp: errnoRet ", value, " is too large"));
    return known.action | value;
  }
  return Invalid(absl::StrCat("string ", name, " is not a valid action for seccomp"));
}

// One compiled filter of libseccomp, while rules are added to it.
class Builder {
 public:
  Builder(scmp_filter_ctx context, uint32_t default_action)
      : context_(context, &seccomp_release), default_action_(default_action) {}

  absl::Status Add(const JsonReader& rule);
  int newest_call() const { return newest_call_; }
  bool notifies() const { return notifies_; }
  absl::StatusOr<std::vector<sock_filter>> Export() const;

 private:
  absl::Status AddCall(const std::string& name, uint32_t action,
                       const std::vector<scmp_arg_cmp>& conditions);

  std::unique_ptr<void, void (*)(scmp_filter_ctx)> context_;
  const uint32_t default_action_;
  int newest_call_ = -1;
  bool notifies_ = false;
};

absl::StatusOr<scmp_arg_cmp> ReadCondition(const JsonReader& json) {
  uint32_t index = 0;
  uint64_t value = 0, second = 0;
  std::string name;
  json.Read("index", &index);
  json.Read("value", &value);
  json.Read("valueTwo", &second);
  json.Read("op", &name);
  if (index > 5) return Invalid(absl::StrCat("seccomp: there is no argument ", index));
  for (const NamedOperator& known : kOperators) {
    if (name == known.name) return scmp_arg_cmp{index, known.value, value, second};
  }
  return Invalid(absl::StrCat("string ", name, " is not a valid operator for seccomp"));
}

bool HaveOneArgumentTwice(const std::vector<scmp_arg_cmp>& conditions) {
  std::array<int, 6> count{};
  return std::any_of(conditions.begin(), conditions.end(),
                     [&](const scmp_arg_cmp& each) { return ++count[each.arg] > 1; });
}

absl::Status Builder::AddCall(const std::string& name, uint32_t action,
                              const std::vector<scmp_arg_cmp>& conditions) {
  int number = seccomp_syscall_resolve_name(name.c_str());
  if (number < 0) return absl::OkStatus();  // Not of this architecture, or newer than our table.
  newest_call_ = std::max(newest_call_, number);
  if (action == SCMP_ACT_NOTIFY && name == "write") {
    return Invalid("SCMP_ACT_NOTIFY cannot be used for the write syscall");
  }
  if (action == default_action_) return absl::OkStatus();
  int result = 0;
  if (HaveOneArgumentTwice(conditions)) {
    for (const scmp_arg_cmp& each : conditions) {
      result = seccomp_rule_add_array(context_.get(), action, number, 1, &each);
      if (result != 0) break;
    }
  } else {
    result = seccomp_rule_add_array(context_.get(), action, number,
                                    static_cast<unsigned>(conditions.size()), conditions.data());
  }
  if (result == 0) return absl::OkStatus();
  return Invalid(absl::StrCat("seccomp: cannot add a rule for ", name, ": ", strerror(-result)));
}

absl::Status Builder::Add(const JsonReader& rule) {
  std::string action_name;
  std::vector<std::string> names;
  std::optional<uint32_t> error;
  rule.Read("action", &action_name);
  rule.Read("names", &names);
  rule.Read("errnoRet", &error);
  std::vector<scmp_arg_cmp> conditions;
  absl::Status status;
  rule.ForEachObject("args", [&](const JsonReader& json) {
    absl::StatusOr<scmp_arg_cmp> condition = ReadCondition(json);
    status.Update(condition.status());
    if (condition.ok()) conditions.push_back(*condition);
  });
  if (!status.ok() || !rule.ok()) return status;
  absl::StatusOr<uint32_t> action = ActionOf(action_name, error);
  if (!action.ok()) return action.status();
  if (names.empty()) return Invalid("seccomp: a rule without names");
  notifies_ |= *action == SCMP_ACT_NOTIFY;
  for (const std::string& name : names) {
    if (status = AddCall(name, *action, conditions); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<sock_filter>> Builder::Export() const {
  absl::Status failed = absl::InternalError("seccomp: the filter cannot be compiled");
  OwnedFd file(memfd_create("seccomp", MFD_CLOEXEC));
  if (!file.valid() || seccomp_export_bpf(context_.get(), file.get()) != 0) return failed;
  off_t size = lseek(file.get(), 0, SEEK_END);
  if (size <= 0 || static_cast<size_t>(size) % sizeof(sock_filter) != 0) return failed;
  std::vector<sock_filter> program(static_cast<size_t>(size) / sizeof(sock_filter));
  if (pread(file.get(), program.data(), static_cast<size_t>(size), 0) != size) return failed;
  return program;
}

// In front of the program: numbers above `newest` are unknown, not refused. x32 numbers are left
// to the program.
void PrependUnknownCalls(int newest, std::vector<sock_filter>& program) {
  constexpr uint32_t kX32 = 0x40000000;
  const std::array<sock_filter, 4> stub = {
      sock_filter{BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)},
      sock_filter{BPF_JMP | BPF_JGE | BPF_K, 2, 0, kX32},
      sock_filter{BPF_JMP | BPF_JGT | BPF_K, 0, 1, static_cast<uint32_t>(newest)},
      sock_filter{BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | ENOSYS},
  };
  program.insert(program.begin(), stub.begin(), stub.end());
}

absl::StatusOr<uint32_t> ReadFlags(const JsonReader& json) {
  std::vector<std::string> names;
  json.Read("flags", &names);
  uint32_t flags = 0;
  for (const std::string& name : names) {
    auto found = std::find_if(kFlags.begin(), kFlags.end(),
                              [&](const auto& flag) { return name == flag.first; });
    if (found == kFlags.end()) {
      return Invalid(absl::StrCat("seccomp flags \"", name, "\" not yet supported by runsc"));
    }
    flags |= found->second;
  }
  return flags;
}

// Whether the profile names x32 as well.
absl::StatusOr<bool> ReadArchitectures(const JsonReader& json) {
  std::vector<std::string> names;
  json.Read("architectures", &names);
  bool x32 = false;
  for (const std::string& name : names) {
    auto same = [&](const char* known) { return name == known; };
    if (std::none_of(kArchitectures.begin(), kArchitectures.end(), same)) {
      return Invalid(absl::StrCat("string ", name, " is not a valid arch for seccomp"));
    }
    x32 |= name == "SCMP_ARCH_X32";
  }
  return x32;
}

absl::StatusOr<SeccompProfile> Compile(const JsonReader& json) {
  SeccompProfile profile;
  std::string default_name;
  std::optional<uint32_t> default_error;
  json.Read("defaultAction", &default_name);
  json.Read("defaultErrnoRet", &default_error);
  json.Read("listenerPath", &profile.listener_path);
  json.Read("listenerMetadata", &profile.listener_metadata);
  absl::StatusOr<uint32_t> fallback = ActionOf(default_name, default_error);
  if (!fallback.ok()) return fallback.status();
  if (*fallback == SCMP_ACT_NOTIFY) {
    return Invalid("SCMP_ACT_NOTIFY cannot be used as default action");
  }
  absl::StatusOr<uint32_t> flags = ReadFlags(json);
  if (!flags.ok()) return flags.status();
  profile.flags = *flags;
  absl::StatusOr<bool> x32 = ReadArchitectures(json);
  if (!x32.ok()) return x32.status();

  scmp_filter_ctx context = seccomp_init(*fallback);
  if (context == nullptr) return absl::InternalError("seccomp: cannot start a filter");
  Builder builder(context, *fallback);
  if (*x32) (void)seccomp_attr_set(context, SCMP_FLTATR_ACT_BADARCH, *fallback);
  // A decision tree instead of a list: libseccomp 2.5 on; slower code without.
  (void)seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, 2);
  absl::Status status;
  json.ForEachObject("syscalls", [&](const JsonReader& rule) {
    if (status.ok()) status = builder.Add(rule);
  });
  if (!status.ok()) return status;
  absl::StatusOr<std::vector<sock_filter>> program = builder.Export();
  if (!program.ok()) return program.status();
  profile.program = *std::move(program);
  profile.notifies = builder.notifies();
  bool refuses = *fallback != SCMP_ACT_ALLOW && *fallback != SCMP_ACT_LOG &&
                 *fallback != SCMP_ACT_ERRNO(ENOSYS);
  if (refuses && builder.newest_call() >= 0) {
    PrependUnknownCalls(builder.newest_call(), profile.program);
  }
  return profile;
}

template <typename List>
std::vector<std::string> Names(const List& list) {
  std::vector<std::string> names;
  for (const auto& entry : list) names.emplace_back(entry.name);
  return names;
}

}  // namespace

absl::StatusOr<SeccompProfile> CompileSeccomp(const nlohmann::json& seccomp) {
  absl::Status status;
  absl::StatusOr<SeccompProfile> profile = Compile(JsonReader(seccomp, "linux.seccomp", &status));
  if (!status.ok()) return status;  // A wrong type; what came of it tells less.
  return profile;
}

absl::StatusOr<SeccompProfile> CompileSeccompText(const std::string& text) {
  nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
  if (json.is_discarded()) return Invalid("linux.seccomp: not valid JSON");
  return CompileSeccomp(json);
}

std::vector<std::string> SeccompActions() { return Names(kActions); }
std::vector<std::string> SeccompOperators() { return Names(kOperators); }
std::vector<std::string> SeccompArchitectures() {
  return {kArchitectures.begin(), kArchitectures.end()};
}

}  // namespace redoubt::oci
