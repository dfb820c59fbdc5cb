// SPDX-License-Identifier: Apache-2.0
#include "sentry/boot/process_spec.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <sys/syscall.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "sentry/boot/filesystems.h"
#include "sentry/seccomp/bpf_program.h"
#include "sentry/vfs/operations.h"

namespace redoubt::boot {

namespace {

constexpr size_t kMostPasswdBytes = 1 << 20;

std::string ReadGuestFile(const vfs::Caller& caller, const char* path) {
  auto file = vfs::Open(caller, caller.root, path, {.flags = O_RDONLY | O_NONBLOCK});
  std::string content;
  if (!file.ok() || !(*file)->inode()->IsRegular()) return content;
  std::array<std::byte, 4096> buffer;
  while (content.size() < kMostPasswdBytes) {
    Result<size_t> got = (*file)->Read(buffer);
    if (!got.ok() || *got == 0) break;
    content.append(reinterpret_cast<const char*>(buffer.data()), *got);
  }
  return content;
}

// passwd(5): name:password:uid:gid:comment:home:shell.
std::string HomeOf(const vfs::Caller& caller, uint32_t uid) {
  std::string passwd = ReadGuestFile(caller, "/etc/passwd");
  for (const auto& line : absl::StrSplit(passwd, '\n')) {
    std::vector<std::string> fields = absl::StrSplit(line, ':');
    uint32_t number = 0;
    if (fields.size() < 6 || !absl::SimpleAtoi(fields[2], &number) || number != uid) continue;
    return fields[5].empty() ? "/" : fields[5];
  }
  return "/";
}

void AddHome(const vfs::Caller& caller, uint32_t uid, std::vector<std::string>* environment) {
  for (const std::string& variable : *environment) {
    if (variable.starts_with("HOME=") && variable.size() > 5) return;
  }
  environment->push_back("HOME=" + HomeOf(caller, uid));
}

RefPtr<kernel::Credentials> MakeCredentials(const ProcessSpec& spec) {
  auto credentials = MakeRef<kernel::Credentials>();
  kernel::Credentials& c = *credentials;
  c.uid = c.euid = c.suid = c.fsuid = spec.uid();
  c.gid = c.egid = c.sgid = c.fsgid = spec.gid();
  c.groups.assign(spec.groups().begin(), spec.groups().end());
  const CapabilitySets& sets = spec.capabilities();
  c.bounding = sets.bounding() & kernel::kAllCapabilities;
  c.permitted = sets.permitted() & kernel::kAllCapabilities;
  c.effective = sets.effective() & c.permitted;
  c.inheritable = sets.inheritable() & kernel::kAllCapabilities;
  c.ambient = sets.ambient() & c.permitted & c.inheritable;
  return credentials;
}

std::vector<sock_filter> SeccompProgram(const ProcessSpec& spec) {
  std::vector<sock_filter> program(spec.seccomp_program().size() / sizeof(sock_filter));
  spec.seccomp_program().copy(reinterpret_cast<char*>(program.data()),
                              program.size() * sizeof(sock_filter));
  return program;
}

}  // namespace

bool FilterLooksAtMemoryCalls(const ProcessSpec& spec) {
  if (spec.seccomp_program().empty()) return false;
  Result<seccomp::BpfProgram> program = seccomp::BpfProgram::Create(SeccompProgram(spec));
  if (!program.ok()) return false;  // Starting it will tell.
  constexpr std::array<uint32_t, 5> kMemoryCalls = {SYS_mmap, SYS_munmap, SYS_mprotect, SYS_mremap,
                                                    SYS_madvise};
  return std::any_of(kMemoryCalls.begin(), kMemoryCalls.end(),
                     [&](uint32_t number) { return !program->AlwaysAllows(number); });
}

vfs::Caller CallerOf(const kernel::Kernel& kernel, const kernel::InitialProcess& process) {
  vfs::Caller caller = RootCaller(*const_cast<kernel::Kernel&>(kernel).mounts());
  caller.uid = process.credentials->fsuid;
  caller.gid = process.credentials->fsgid;
  caller.groups = process.credentials->groups;
  caller.capabilities = process.credentials->effective;
  caller.umask = process.umask;
  return caller;
}

Result<kernel::InitialProcess> MakeProcess(kernel::Kernel& kernel, const ProcessSpec& spec,
                                           const kernel::Limits& limits) {
  if (spec.arguments().empty()) return Errno(EINVAL);
  kernel::InitialProcess process;
  process.file = spec.file().empty() ? spec.arguments(0) : spec.file();
  process.arguments.assign(spec.arguments().begin(), spec.arguments().end());
  process.environment.assign(spec.environment().begin(), spec.environment().end());
  if (spec.add_home()) {
    AddHome(RootCaller(*kernel.mounts()), spec.uid(), &process.environment);
  }
  process.credentials = MakeCredentials(spec);
  process.working_directory = spec.working_directory().empty() ? "/" : spec.working_directory();
  process.limits = limits;
  for (const ResourceLimit& limit : spec.limits()) {
    if (limit.resource() < 0 || limit.resource() >= RLIM_NLIMITS) return Errno(EINVAL);
    process.limits[static_cast<size_t>(limit.resource())] = {limit.soft(), limit.hard()};
  }
  process.umask = spec.umask() & 0777;
  process.no_new_privileges = spec.no_new_privileges();
  process.unkillable = spec.unkillable();
  process.oom_score_adjustment = spec.oom_score_adjustment();
  if (spec.seccomp_program().size() % sizeof(sock_filter) != 0) return Errno(EINVAL);
  process.seccomp = SeccompProgram(spec);
  process.seccomp_log = spec.seccomp_log();
  return process;
}

std::string StartMessage(const ProcessSpec& spec, bool bad_directory, int error) {
  std::string file = spec.arguments().empty() ? "" : spec.arguments(0);
  if (!spec.file().empty()) file = spec.file();
  // runc's words are Go's: in lower case.
  std::string reason = strerror(error);
  if (!reason.empty()) reason[0] = absl::ascii_tolower(static_cast<unsigned char>(reason[0]));
  if (bad_directory) {
    return absl::StrCat("chdir to cwd (\"", spec.working_directory(),
                        "\") set in config.json failed: ", reason);
  }
  if (error == ENOENT && file.find('/') == std::string::npos) {
    return absl::StrCat("exec: \"", file, "\": executable file not found in $PATH");
  }
  return absl::StrCat("exec: \"", file, "\": ", reason);
}

}  // namespace redoubt::boot
