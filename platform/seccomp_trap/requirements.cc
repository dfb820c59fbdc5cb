// SPDX-License-Identifier: Apache-2.0
#include "platform/seccomp_trap/requirements.h"

#include <linux/futex.h>
#include <linux/seccomp.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "platform/seccomp_trap/protocol.h"

namespace redoubt::platform::seccomp_trap {
namespace {

constexpr unsigned long kHwcap2Fsgsbase = 2;
constexpr unsigned long kMaxSignalFrame = kStackSize / 3;

// A filter that does not exist cannot be installed, but the flags are looked at first.
bool HasFilterFlags(unsigned long flags) {
  return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, nullptr) == -1 && errno == EFAULT;
}

}  // namespace

absl::Status CheckHost() {
  if (!(getauxval(AT_HWCAP2) & kHwcap2Fsgsbase)) {
    return absl::UnavailableError(
        "seccomp-trap needs the FSGSBASE instructions (Linux 5.9, Intel Ivy Bridge, AMD "
        "Excavator)");
  }
  uint32_t action = SECCOMP_RET_USER_NOTIF;
  if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) != 0) {
    return absl::UnavailableError("seccomp-trap needs a kernel with seccomp user notification");
  }
  // Linux 5.19; by then the kernel also has FLAG_CONTINUE (5.5) and ADDFD (5.9).
  if (!HasFilterFlags(SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV)) {
    return absl::UnavailableError(
        "seccomp-trap needs SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (Linux "
        "5.19)");
  }
  if (getauxval(AT_MINSIGSTKSZ) > kMaxSignalFrame) {
    return absl::UnavailableError("seccomp-trap: this processor's signal frames are too large");
  }
  return absl::OkStatus();
}

// Memory (never executable), locks and threads are on the sentry's own list, with rules for their
// arguments (base/host/common_calls.h); a line here would undo those.
std::vector<host::AllowedCall> HostCalls() {
  return {
      {SYS_tgkill, "interrupts a stub thread; asks whether one exists", {}},
      {SYS_kill, "ends a stub", {}},
      {SYS_waitid, "learns how a stub ended and reaps it", {}},
      {SYS_pidfd_open, "watches a stub", {}},
      {SYS_epoll_wait, "watches all stubs", {}},
      {SYS_epoll_pwait, "watches all stubs", {}},
      {SYS_epoll_ctl, "adds a stub to those watched", {}},
      {SYS_read, "takes a wake-up of the warden", {}},
      {SYS_write, "wakes the warden", {}},
      {SYS_memfd_create, "memory shared with a new stub", {}},
      {SYS_ftruncate, "sizes that memory", {}},
      {SYS_process_vm_readv, "reads guest memory", {}},
      {SYS_process_vm_writev, "writes guest memory", {}},
      {SYS_clock_getres, "finds out whether a stub's CPU clock exists", {}},
      {SYS_poll, "sees whether any stub is left", {}},
      {SYS_ioctl, "receives a stub's call", {{1, SECCOMP_IOCTL_NOTIF_RECV}}},
      {SYS_ioctl, "answers a stub's call", {{1, SECCOMP_IOCTL_NOTIF_SEND}}},
      {SYS_ioctl, "gives a stub the file it is to map", {{1, SECCOMP_IOCTL_NOTIF_ADDFD}}},
      {SYS_sched_setaffinity, "keeps a stub thread and its serving thread on one CPU", {}},
      {SYS_sched_getaffinity, "the C library counts CPUs for its heaps", {}},
      {SYS_getcpu, "where a thread runs, on hosts whose vDSO cannot tell", {}},
  };
}

}  // namespace redoubt::platform::seccomp_trap
