// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/sys_seccomp.h"

#include <linux/filter.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "sentry/kernel/task_seccomp.h"

namespace redoubt::syscalls {

namespace {

// struct sock_fprog.
struct ProgramHead {
  uint16_t length;
  uint16_t padding[3];
  uint64_t instructions;
};
static_assert(sizeof(ProgramHead) == sizeof(sock_fprog));

// Not before Linux 5.19's headers.
constexpr uint32_t kTsyncEsrch = 1 << 4;

SyscallResult GetActionAvailable(Task& task, uint32_t flags, UserAddress argument) {
  if (flags != 0) return Errno(EINVAL);
  // Not USER_NOTIF: filters cannot have listeners here.
  constexpr std::array<uint32_t, 7> kActions = {
      SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_KILL_THREAD, SECCOMP_RET_TRAP, SECCOMP_RET_ERRNO,
      SECCOMP_RET_TRACE,        SECCOMP_RET_LOG,         SECCOMP_RET_ALLOW};
  uint32_t action = TRY(task.CopyIn<uint32_t>(argument.address()));
  bool known = std::find(kActions.begin(), kActions.end(), action) != kActions.end();
  if (!known) return Errno(EOPNOTSUPP);
  return 0UL;
}

SyscallResult GetNotificationSizes(Task& task, uint32_t flags, UserAddress argument) {
  if (flags != 0) return Errno(EINVAL);
  seccomp_notif_sizes sizes = {sizeof(seccomp_notif), sizeof(seccomp_notif_resp),
                               sizeof(seccomp_data)};
  TRY(task.CopyOut(argument.address(), sizes));
  return 0UL;
}

}  // namespace

SyscallResult SetSeccompStrict(Task& task) {
  TRY(kernel::EnterStrictMode(task));
  return 0UL;
}

SyscallResult SetSeccompFilter(Task& task, uint32_t flags, UserAddress program) {
  constexpr uint32_t kKnown = SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_LOG |
                              SECCOMP_FILTER_FLAG_SPEC_ALLOW | kTsyncEsrch;
  if ((flags & ~kKnown) != 0) return Errno(EINVAL);
  auto head = TRY(task.CopyIn<ProgramHead>(program.address()));
  if (head.length == 0 || head.length > seccomp::kMaxInstructions) return Errno(EINVAL);
  // A filter must not lead a more privileged program astray.
  if (!task.no_new_privileges && !task.credentials()->HasCapability(CAP_SYS_ADMIN)) {
    return Errno(EACCES);
  }
  if (head.instructions == 0) return Errno(EINVAL);
  std::vector<sock_filter> instructions(head.length);
  TRY(task.CopyIn(head.instructions, std::as_writable_bytes(std::span(instructions))));
  auto checked = TRY(seccomp::BpfProgram::Create(std::move(instructions)));
  kernel::FilterOptions options;
  options.log = (flags & SECCOMP_FILTER_FLAG_LOG) != 0;
  options.all_threads = (flags & SECCOMP_FILTER_FLAG_TSYNC) != 0;
  options.esrch = (flags & kTsyncEsrch) != 0;
  return TRY(kernel::InstallFilter(task, std::move(checked), options));
}

SyscallResult SysSeccomp(Task& task, uint32_t operation, uint32_t flags, UserAddress argument) {
  switch (operation) {
    case SECCOMP_SET_MODE_STRICT:
      if (flags != 0 || argument) return Errno(EINVAL);
      return SetSeccompStrict(task);
    case SECCOMP_SET_MODE_FILTER:
      return SetSeccompFilter(task, flags, argument);
    case SECCOMP_GET_ACTION_AVAIL:
      return GetActionAvailable(task, flags, argument);
    case SECCOMP_GET_NOTIF_SIZES:
      return GetNotificationSizes(task, flags, argument);
  }
  return Errno(EINVAL);
}

}  // namespace redoubt::syscalls
