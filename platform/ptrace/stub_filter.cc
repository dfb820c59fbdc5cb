// SPDX-License-Identifier: Apache-2.0
#include "platform/ptrace/stub_filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <array>
#include <cstddef>
#include <cstdint>

namespace redoubt::platform::ptrace {
namespace {

// What AddressSpace and Context promise to the sentry (HostCall), what stub.S does by itself, and
// the three calls of the vsyscall page, which the host answers without a stop (stop_events.cc).
constexpr std::array<uint32_t, 28> kCalls = {SYS_mmap,
                                             SYS_munmap,
                                             SYS_mprotect,
                                             SYS_mremap,
                                             SYS_madvise,
                                             SYS_mincore,
                                             SYS_msync,
                                             SYS_mlock,
                                             SYS_mlock2,
                                             SYS_munlock,
                                             SYS_mlockall,
                                             SYS_munlockall,
                                             SYS_pkey_mprotect,
                                             SYS_remap_file_pages,
                                             SYS_futex,
                                             SYS_membarrier,
                                             SYS_clock_gettime,
                                             SYS_clock_getres,
                                             SYS_nanosleep,
                                             SYS_clock_nanosleep,
                                             SYS_restart_syscall,
                                             SYS_sched_yield,
                                             SYS_close,
                                             SYS_exit,
                                             SYS_pause,
                                             SYS_time,
                                             SYS_gettimeofday,
                                             SYS_getcpu};

constexpr uint32_t kNewNamespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
                                    CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;

constexpr uint32_t kNumber = offsetof(seccomp_data, nr);
constexpr uint32_t kArch = offsetof(seccomp_data, arch);
constexpr uint32_t kArgument0 = offsetof(seccomp_data, args);
constexpr uint32_t kRefuse = SECCOMP_RET_ERRNO | EPERM;

sock_filter Statement(int code, uint32_t k) { return {static_cast<uint16_t>(code), 0, 0, k}; }
// Skips `otherwise` instructions unless the accumulator is `value`.
sock_filter Unless(uint32_t value, uint8_t otherwise) {
  return {BPF_JMP | BPF_JEQ | BPF_K, 0, otherwise, value};
}

}  // namespace

std::vector<sock_filter> BuildStubFilter() {
  const sock_filter allow = Statement(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  std::vector<sock_filter> code = {Statement(BPF_LD | BPF_W | BPF_ABS, kArch),
                                   Unless(AUDIT_ARCH_X86_64, 1),
                                   {BPF_JMP | BPF_JA, 0, 0, 1},
                                   Statement(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
                                   Statement(BPF_LD | BPF_W | BPF_ABS, kNumber)};
  for (uint32_t number : kCalls) {
    code.push_back(Unless(number, 1));
    code.push_back(allow);
  }
  // Allowed with the right first argument: a number, or a mask of bits that must be clear.
  auto with_argument = [&](uint32_t number, uint32_t mask, uint32_t value) {
    code.push_back(Unless(number, 5));
    code.push_back(Statement(BPF_LD | BPF_W | BPF_ABS, kArgument0));
    code.push_back(Statement(BPF_ALU | BPF_AND | BPF_K, mask));
    code.push_back(Unless(value, 1));
    code.push_back(allow);
    code.push_back(Statement(BPF_RET | BPF_K, kRefuse));
  };
  with_argument(SYS_clone, kNewNamespaces, 0);
  with_argument(SYS_prctl, ~uint32_t{0}, PR_SET_PDEATHSIG);
  with_argument(SYS_recvmsg, ~uint32_t{0}, 0);  // The transfer socket.
  code.push_back(Statement(BPF_RET | BPF_K, kRefuse));
  return code;
}

}  // namespace redoubt::platform::ptrace
