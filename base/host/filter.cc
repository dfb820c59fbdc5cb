// SPDX-License-Identifier: Apache-2.0
#include "base/host/filter.h"

#include <seccomp.h>
#include <signal.h>
#include <ucontext.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "base/check.h"
#include "base/log.h"

namespace redoubt::host {
namespace {

constexpr unsigned kMostArguments = 6;
constexpr size_t kNamedCalls = 512;

struct FilterDeleter {
  void operator()(void* context) const { seccomp_release(context); }
};
using Filter = std::unique_ptr<void, FilterDeleter>;

// libseccomp gives negative errno values.
Result<void> Check(int status) {
  if (status < 0) return Errno(-status);
  return {};
}

Result<void> AddAllowed(scmp_filter_ctx context, const AllowedCall& call) {
  std::array<scmp_arg_cmp, kMostArguments> rules;
  size_t count = 0;
  for (const ArgumentRule& rule : call.arguments) {
    CHECK(rule.index < kMostArguments && count < kMostArguments);
    rules[count++] = {rule.index, SCMP_CMP_MASKED_EQ, rule.mask, rule.value};
  }
  return Check(seccomp_rule_add_array(context, SCMP_ACT_ALLOW, static_cast<int>(call.number),
                                      static_cast<unsigned>(count), rules.data()));
}

// SIGSYS handlers may not allocate, so the names are made beforehand.
std::array<char[24], kNamedCalls>* g_names = nullptr;

void OnRefused(int, siginfo_t* info, void* context) {
  char line[64] = "seccomp filter refuses ";
  unsigned number = static_cast<unsigned>(info->si_syscall);
  strncat(line, g_names && number < kNamedCalls ? (*g_names)[number] : "an unknown call", 30);
  Log(LogLevel::kError, __FILE__, __LINE__, line);
  static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_RAX] = -EPERM;
}

void CatchRefusals() {
  g_names = new std::array<char[24], kNamedCalls>();
  for (size_t number = 0; number < kNamedCalls; ++number) {
    snprintf((*g_names)[number], sizeof((*g_names)[number]), "%.23s",
             SyscallName(static_cast<long>(number)).c_str());
  }
  struct sigaction action = {};
  action.sa_sigaction = OnRefused;
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  sigaction(SIGSYS, &action, nullptr);
}

void AppendRule(const ArgumentRule& rule, std::string* text) {
  char part[80];
  if (rule.mask == ~uint64_t{0}) {
    snprintf(part, sizeof(part), " arg%u==%#llx", rule.index,
             static_cast<unsigned long long>(rule.value));
  } else {
    snprintf(part, sizeof(part), " arg%u&%#llx==%#llx", rule.index,
             static_cast<unsigned long long>(rule.mask),
             static_cast<unsigned long long>(rule.value));
  }
  *text += part;
}

// Pads to the column where reasons start.
void AppendReason(size_t line_start, const char* reason, std::string* text) {
  constexpr size_t kColumn = 44;
  size_t width = text->size() - line_start;
  text->append(width < kColumn ? kColumn - width : 1, ' ');
  *text += reason;
  *text += '\n';
}

}  // namespace

Result<void> InstallFilter(std::span<const AllowedCall> calls, const FilterOptions& options) {
  Filter filter(seccomp_init(options.log_and_refuse ? SCMP_ACT_TRAP : SCMP_ACT_KILL_PROCESS));
  if (!filter) return Errno(ENOMEM);
  // A binary tree instead of a list of comparisons, and all threads at once.
  TRY(Check(seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2)));
  TRY(Check(seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_TSYNC, 1)));
  for (const AllowedCall& call : calls) TRY(AddAllowed(filter.get(), call));
  for (const RefusedCall& call : options.refused) {
    TRY(Check(seccomp_rule_add_array(filter.get(),
                                     SCMP_ACT_ERRNO(static_cast<unsigned>(call.error)),
                                     static_cast<int>(call.number), 0, nullptr)));
  }
  if (options.log_and_refuse) CatchRefusals();
  return Check(seccomp_load(filter.get()));
}

std::string DescribeFilter(std::span<const AllowedCall> calls, const FilterOptions& options) {
  std::string text;
  for (const AllowedCall& call : calls) {
    size_t start = text.size();
    text += SyscallName(call.number);
    for (const ArgumentRule& rule : call.arguments) AppendRule(rule, &text);
    AppendReason(start, call.reason, &text);
  }
  for (const RefusedCall& call : options.refused) {
    size_t start = text.size();
    text += SyscallName(call.number) + " fails: " + strerrorname_np(call.error);
    AppendReason(start, call.reason, &text);
  }
  text += options.log_and_refuse ? "anything else: logged, fails with EPERM\n"
                                 : "anything else: ends the process\n";
  return text;
}

std::string SyscallName(long number) {
  char* name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, static_cast<int>(number));
  if (name == nullptr) return std::to_string(number);
  std::string result = name;
  free(name);
  return result;
}

}  // namespace redoubt::host
