// SPDX-License-Identifier: Apache-2.0
//
// The sentry's allow-list. Every line has its reason; what only a platform needs, it says itself.
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include <utility>

#include "base/host/common_calls.h"
#include "base/host/filter.h"
#include "sentry/boot/confine.h"
#include "sentry/fs/gofer/gofer_superblock.h"

namespace redoubt::boot {

namespace {

host::ArgumentRule IntEquals(unsigned index, int value) {
  return {index, static_cast<uint32_t>(value), 0xffffffff};
}

// Files of the guest that are host descriptors: donated by the gofer or by the launcher, memfds.
std::vector<host::AllowedCall> FileCalls() {
  return {
      {SYS_read, "host descriptors that have an offset of their own; event descriptors", {}},
      {SYS_write, "host descriptors that have an offset of their own; event descriptors", {}},
      {SYS_pread64, "file data", {}},
      {SYS_pwrite64, "file data", {}},
      {SYS_preadv2, "reads that never wait, from pipes and terminals", {}},
      {SYS_pwritev2, "writes that never wait, to pipes and terminals", {}},
      {SYS_lseek, "offsets shared with host processes; SEEK_DATA and SEEK_HOLE", {}},
      {SYS_fstat, "attributes of donated descriptors", {}},
      {SYS_newfstatat, "glibc's fstat", {}},
      {SYS_ftruncate, "sizes of files", {}},
      {SYS_fallocate, "space of files", {}},
      {SYS_fsync, "fsync(2) of a guest is true", {}},
      {SYS_fdatasync, "fdatasync(2) of a guest is true", {}},
      {SYS_memfd_create, "contents of memory files that are mapped", {}},
      {SYS_poll, "readiness of host descriptors", {}},
      {SYS_ppoll, "readiness of host descriptors", {}},
      {SYS_epoll_wait, "readiness of host descriptors", {}},
      {SYS_epoll_pwait, "readiness of host descriptors", {}},
      {SYS_epoll_ctl, "readiness of host descriptors", {}},
      {SYS_timerfd_settime, "timers of guests", {}},
      {SYS_fcntl, "flags of donated descriptors", {IntEquals(1, F_GETFL)}},
      {SYS_fcntl, "seals of memory files", {IntEquals(1, F_ADD_SEALS)}},
      {SYS_fcntl, "seals of memory files", {IntEquals(1, F_GET_SEALS)}},
      {SYS_fcntl, "a second descriptor for a guest's file", {IntEquals(1, F_DUPFD_CLOEXEC)}},
      {SYS_sysinfo, "how much memory the machine has, for the size of a tmpfs", {}},
      {SYS_prlimit64, "passes limits that the host enforces on to stubs", {}},
  };
}

// Terminals of the host that were donated.
std::vector<host::AllowedCall> TerminalCalls() {
  std::vector<host::AllowedCall> calls;
  for (unsigned command : {TCGETS, TCSETS, TCSETSW, TCSETSF, TIOCGWINSZ, TIOCSWINSZ, FIONREAD,
                           TIOCOUTQ, TCFLSH, TCSBRK, TCXONC}) {
    calls.push_back(
        {SYS_ioctl, "a host terminal that was donated", {IntEquals(1, static_cast<int>(command))}});
  }
  return calls;
}

}  // namespace

std::vector<host::AllowedCall> SentryCalls(int log_fd, int procfs, int control, int gofer,
                                           std::vector<host::AllowedCall> platform_calls) {
  std::vector<host::AllowedCall> calls = host::CommonCalls(log_fd);
  host::Append(&calls, host::ThreadCalls());
  host::Append(&calls, FileCalls());
  host::Append(&calls, TerminalCalls());
  host::Append(&calls, gofer_fs::GoferFileCalls(gofer));
  calls.push_back({SYS_sendmsg, "tells the launcher", {IntEquals(0, control)}});
  calls.push_back({SYS_recvmsg, "listens to the launcher", {IntEquals(0, control)}});
  if (procfs >= 0) {
    // The one open: read-only, below the stubs' own procfs.
    calls.push_back({SYS_openat,
                     "maps and counters of the stubs",
                     {IntEquals(0, procfs), IntEquals(2, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)}});
    // The same, following a link: to its own descriptors, that is, since all else there is a
    // stub's.
    calls.push_back({SYS_openat,
                     "a read-only descriptor of a memory file",
                     {IntEquals(0, procfs), IntEquals(2, O_RDONLY | O_CLOEXEC)}});
  }
  host::Append(&calls, std::move(platform_calls));
  return calls;
}

std::string DescribeSentryCalls(std::vector<host::AllowedCall> platform_calls) {
  // The numbers of descriptors are examples: they differ from sandbox to sandbox.
  return host::DescribeFilter(SentryCalls(2, 3, 4, 5, std::move(platform_calls)),
                              {.refused = host::CommonRefusals(), .log_and_refuse = false});
}

absl::Status InstallSentryFilter(const std::vector<host::AllowedCall>& calls, bool log_breaches) {
  host::FilterOptions options;
  options.refused = host::CommonRefusals();
  options.log_and_refuse = log_breaches;
  Result<void> installed = host::InstallFilter(calls, options);
  if (!installed.ok()) return absl::InternalError("the sentry's seccomp filter was refused");
  return absl::OkStatus();
}

}  // namespace redoubt::boot
