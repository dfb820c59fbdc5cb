// SPDX-License-Identifier: Apache-2.0
//
// One function for each command of the multiplexer; the tables at the end say which.
#include "sentry/syscalls/sys_prctl.h"

#include <linux/securebits.h>
#include <sys/prctl.h>

#include <algorithm>
#include <array>
#include <span>
#include <string>

#include "sentry/kernel/kernel.h"
#include "sentry/syscalls/credentials_change.h"
#include "sentry/syscalls/sys_seccomp.h"

namespace redoubt::syscalls {

namespace {

struct PrctlArguments {
  uint64_t second, third, fourth, fifth;
  bool RestIsZero() const { return third == 0 && fourth == 0 && fifth == 0; }
  bool AllZero() const { return second == 0 && RestIsZero(); }
};

SyscallResult SetParentDeathSignal(Task& task, const PrctlArguments& a) {
  if (a.second > static_cast<uint64_t>(abi::kSignalCount)) return Errno(EINVAL);
  task.parent_death_signal = static_cast<int>(a.second);
  return 0UL;
}

SyscallResult GetParentDeathSignal(Task& task, const PrctlArguments& a) {
  TRY(task.CopyOut(a.second, int32_t{task.parent_death_signal.load()}));
  return 0UL;
}

SyscallResult SetDumpable(Task& task, const PrctlArguments& a) {
  if (a.second > 1) return Errno(EINVAL);
  task.group()->dumpable = a.second == 1;
  return 0UL;
}

SyscallResult GetDumpable(Task& task, const PrctlArguments&) {
  return uint64_t{task.group()->dumpable.load()};
}

SyscallResult SetKeepCapabilities(Task& task, const PrctlArguments& a) {
  RefPtr<kernel::Credentials> next = task.credentials()->Copy();
  if ((next->securebits & SECBIT_KEEP_CAPS_LOCKED) != 0) return Errno(EPERM);
  if (a.second > 1) return Errno(EINVAL);
  next->securebits &= ~uint32_t{SECBIT_KEEP_CAPS};
  if (a.second == 1) next->securebits |= SECBIT_KEEP_CAPS;
  task.SetCredentials(std::move(next));
  return 0UL;
}

SyscallResult GetKeepCapabilities(Task& task, const PrctlArguments&) {
  return uint64_t{(task.credentials()->securebits & SECBIT_KEEP_CAPS) != 0};
}

SyscallResult SetSecurebits(Task& task, const PrctlArguments& a) {
  RefPtr<kernel::Credentials> next = task.credentials()->Copy();
  uint64_t changed = next->securebits ^ a.second;
  uint64_t locked = next->securebits & SECURE_ALL_LOCKS;
  if (((locked >> 1) & changed) != 0 ||  // A locked bit would change,
      (locked & ~a.second) != 0 ||       // or be unlocked,
      (a.second & ~uint64_t{SECURE_ALL_LOCKS | SECURE_ALL_BITS}) != 0 ||
      !next->HasCapability(CAP_SETPCAP)) {
    return Errno(EPERM);
  }
  next->securebits = static_cast<uint32_t>(a.second);
  task.SetCredentials(std::move(next));
  return 0UL;
}

SyscallResult GetSecurebits(Task& task, const PrctlArguments&) {
  return uint64_t{task.credentials()->securebits};
}

SyscallResult ReadBounding(Task& task, const PrctlArguments& a) {
  if (a.second > CAP_LAST_CAP) return Errno(EINVAL);
  return task.credentials()->bounding >> a.second & 1;
}

SyscallResult DropBounding(Task& task, const PrctlArguments& a) {
  RefPtr<kernel::Credentials> next = task.credentials()->Copy();
  if (!next->HasCapability(CAP_SETPCAP)) return Errno(EPERM);
  if (a.second > CAP_LAST_CAP) return Errno(EINVAL);
  next->bounding &= ~(uint64_t{1} << a.second);
  task.SetCredentials(std::move(next));
  return 0UL;
}

SyscallResult ChangeAmbient(Task& task, const PrctlArguments& a) {
  RefPtr<kernel::Credentials> next = task.credentials()->Copy();
  if (a.second == PR_CAP_AMBIENT_CLEAR_ALL) {
    if (!a.RestIsZero()) return Errno(EINVAL);
    next->ambient = 0;
    task.SetCredentials(std::move(next));
    return 0UL;
  }
  if (a.fourth != 0 || a.fifth != 0 || a.third > CAP_LAST_CAP) return Errno(EINVAL);
  uint64_t bit = uint64_t{1} << a.third;
  switch (a.second) {
    case PR_CAP_AMBIENT_IS_SET:
      return uint64_t{(next->ambient & bit) != 0};
    case PR_CAP_AMBIENT_RAISE:
      if ((next->permitted & next->inheritable & bit) == 0 ||
          (next->securebits & SECBIT_NO_CAP_AMBIENT_RAISE) != 0) {
        return Errno(EPERM);
      }
      next->ambient |= bit;
      break;
    case PR_CAP_AMBIENT_LOWER:
      next->ambient &= ~bit;
      break;
    default:
      return Errno(EINVAL);
  }
  task.SetCredentials(std::move(next));
  return 0UL;
}

SyscallResult SetName(Task& task, const PrctlArguments& a) {
  // Longer names are cut, as strncpy_from_user() does. Memory may end right behind the NUL.
  std::array<char, 15> name{};
  size_t size = TRY(task.CopyInSome(a.second, std::as_writable_bytes(std::span(name))));
  size_t length =
      static_cast<size_t>(std::find(name.begin(), name.begin() + size, '\0') - name.begin());
  if (length == size && size < name.size()) return Errno(EFAULT);
  task.SetName(std::string_view(name.data(), length));
  return 0UL;
}

SyscallResult GetName(Task& task, const PrctlArguments& a) {
  std::array<char, 16> buffer{};
  std::string name = task.name();
  name.copy(buffer.data(), buffer.size() - 1);
  TRY(task.CopyOut(a.second, std::as_bytes(std::span(buffer))));
  return 0UL;
}

SyscallResult SetNoNewPrivileges(Task& task, const PrctlArguments& a) {
  if (a.second != 1 || !a.RestIsZero()) return Errno(EINVAL);
  task.no_new_privileges = true;
  return 0UL;
}

SyscallResult GetNoNewPrivileges(Task& task, const PrctlArguments& a) {
  if (!a.AllZero()) return Errno(EINVAL);
  return uint64_t{task.no_new_privileges.load()};
}

SyscallResult SetTimerSlack(Task& task, const PrctlArguments& a) {
  constexpr uint64_t kDefault = 50'000;
  bool reset = a.second == 0 || static_cast<int64_t>(a.second) < 0;
  task.timer_slack_ns = reset ? kDefault : a.second;
  return 0UL;
}

SyscallResult GetTimerSlack(Task& task, const PrctlArguments&) {
  return uint64_t{task.timer_slack_ns.load()};
}

SyscallResult SetChildSubreaper(Task& task, const PrctlArguments& a) {
  MutexLock lock(&task.kernel().tasks().mu_);
  task.group()->child_subreaper = a.second != 0;
  return 0UL;
}

SyscallResult GetChildSubreaper(Task& task, const PrctlArguments& a) {
  int32_t value;
  {
    MutexLock lock(&task.kernel().tasks().mu_);
    value = task.group()->child_subreaper ? 1 : 0;
  }
  TRY(task.CopyOut(a.second, value));
  return 0UL;
}

SyscallResult GetTidAddress(Task& task, const PrctlArguments& a) {
  TRY(task.CopyOut(a.second, task.clear_child_tid));
  return 0UL;
}

SyscallResult GetTiming(Task&, const PrctlArguments&) { return uint64_t{PR_TIMING_STATISTICAL}; }

SyscallResult SetTiming(Task&, const PrctlArguments& a) {
  if (a.second != PR_TIMING_STATISTICAL) return Errno(EINVAL);
  return 0UL;
}

SyscallResult GetTsc(Task& task, const PrctlArguments& a) {
  TRY(task.CopyOut(a.second, int32_t{PR_TSC_ENABLE}));
  return 0UL;
}

SyscallResult SetTsc(Task&, const PrctlArguments& a) {
  if (a.second != PR_TSC_ENABLE) return Errno(EINVAL);
  return 0UL;
}

SyscallResult GetThpDisable(Task&, const PrctlArguments& a) {
  if (!a.AllZero()) return Errno(EINVAL);
  return 0UL;
}

SyscallResult SetSeccomp(Task& task, const PrctlArguments& a) {
  if (a.second == SECCOMP_MODE_STRICT) return SetSeccompStrict(task);
  if (a.second == SECCOMP_MODE_FILTER) return SetSeccompFilter(task, 0, UserAddress(a.third));
  return Errno(EINVAL);
}

SyscallResult GetSeccomp(Task& task, const PrctlArguments&) {
  return static_cast<unsigned long>(task.seccomp.mode());
}

struct Command {
  int option;
  SyscallResult (*run)(Task&, const PrctlArguments&);
};

// What is not here gives EINVAL, as a kernel built without it: PR_SET_MM, PR_SET_VMA,
// speculation control, core scheduling, Yama.
constexpr Command kCommands[] = {
    {PR_SET_PDEATHSIG, SetParentDeathSignal},
    {PR_GET_PDEATHSIG, GetParentDeathSignal},
    {PR_SET_DUMPABLE, SetDumpable},
    {PR_GET_DUMPABLE, GetDumpable},
    {PR_SET_KEEPCAPS, SetKeepCapabilities},
    {PR_GET_KEEPCAPS, GetKeepCapabilities},
    {PR_SET_TIMING, SetTiming},
    {PR_GET_TIMING, GetTiming},
    {PR_SET_NAME, SetName},
    {PR_GET_NAME, GetName},
    {PR_CAPBSET_READ, ReadBounding},
    {PR_CAPBSET_DROP, DropBounding},
    {PR_SET_TSC, SetTsc},
    {PR_GET_TSC, GetTsc},
    {PR_SET_SECUREBITS, SetSecurebits},
    {PR_GET_SECUREBITS, GetSecurebits},
    {PR_SET_TIMERSLACK, SetTimerSlack},
    {PR_GET_TIMERSLACK, GetTimerSlack},
    {PR_SET_CHILD_SUBREAPER, SetChildSubreaper},
    {PR_GET_CHILD_SUBREAPER, GetChildSubreaper},
    {PR_SET_SECCOMP, SetSeccomp},
    {PR_GET_SECCOMP, GetSeccomp},
    {PR_SET_NO_NEW_PRIVS, SetNoNewPrivileges},
    {PR_GET_NO_NEW_PRIVS, GetNoNewPrivileges},
    {PR_GET_TID_ADDRESS, GetTidAddress},
    {PR_GET_THP_DISABLE, GetThpDisable},
    {PR_CAP_AMBIENT, ChangeAmbient},
};

// arch/x86/include/uapi/asm/prctl.h.
constexpr int kArchSetGs = 0x1001, kArchSetFs = 0x1002, kArchGetFs = 0x1003, kArchGetGs = 0x1004;
constexpr int kArchGetCpuid = 0x1011, kArchSetCpuid = 0x1012;
constexpr uint64_t kTaskSizeMaximum = 0x7fff'ffff'f000;

}  // namespace

SyscallResult SysPrctl(Task& task, int32_t option, uint64_t second, uint64_t third, uint64_t fourth,
                       uint64_t fifth) {
  for (const Command& command : kCommands) {
    if (command.option == option) return command.run(task, {second, third, fourth, fifth});
  }
  return Errno(EINVAL);
}

SyscallResult SysArchPrctl(Task& task, int32_t option, UserAddress address) {
  switch (option) {
    case kArchSetFs:
    case kArchSetGs:
      if (address.address() >= kTaskSizeMaximum) return Errno(EPERM);
      (option == kArchSetFs ? task.registers().fs_base : task.registers().gs_base) =
          address.address();
      return 0UL;
    case kArchGetFs:
      TRY(task.CopyOut(address.address(), uint64_t{task.registers().fs_base}));
      return 0UL;
    case kArchGetGs:
      TRY(task.CopyOut(address.address(), uint64_t{task.registers().gs_base}));
      return 0UL;
    case kArchGetCpuid:
      return 1UL;  // The instruction works.
    case kArchSetCpuid:
      return Errno(ENODEV);  // As a processor that cannot fault on it.
  }
  return Errno(EINVAL);
}

SyscallResult SysPersonality(Task&, uint32_t persona) {
  constexpr uint32_t kQuery = 0xffffffff, kLinux = 0;
  if (persona != kQuery && persona != kLinux) return Errno(EINVAL);
  return uint64_t{kLinux};
}

}  // namespace redoubt::syscalls
