// SPDX-License-Identifier: Apache-2.0
#include "platform/ptrace/host_ptrace.h"

#include <elf.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/host/syscall.h"

namespace redoubt::platform::ptrace {
namespace {

// The system call itself: glibc's <sys/ptrace.h> does not go together with <linux/ptrace.h>.
Result<void> Ptrace(long request, int tid, uint64_t address, const void* data) {
  TRY(host::Call([&] { return syscall(SYS_ptrace, request, tid, address, data); }));
  return {};
}

const void* Word(uint64_t value) { return reinterpret_cast<const void*>(value); }

}  // namespace

Result<void> Seize(int tid) {
  return Ptrace(PTRACE_SEIZE, tid, 0, Word(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL));
}

Result<void> InterruptTracee(int tid) { return Ptrace(PTRACE_INTERRUPT, tid, 0, nullptr); }

Result<void> Detach(int tid) { return Ptrace(PTRACE_DETACH, tid, 0, nullptr); }

Result<void> Resume(int tid, ResumeMode mode) {
  return Ptrace(mode == ResumeMode::kGuest ? PTRACE_SYSEMU : PTRACE_CONT, tid, 0, nullptr);
}

Result<void> GetRegisters(int tid, Registers& registers) {
  return Ptrace(PTRACE_GETREGS, tid, 0, &registers);
}

Result<void> SetRegisters(int tid, const Registers& registers) {
  return Ptrace(PTRACE_SETREGS, tid, 0, &registers);
}

Result<void> GetSiginfo(int tid, siginfo_t& info) {
  return Ptrace(PTRACE_GETSIGINFO, tid, 0, &info);
}

Result<void> GetSyscallInfo(int tid, ptrace_syscall_info& info) {
  return Ptrace(PTRACE_GET_SYSCALL_INFO, tid, sizeof(info), &info);
}

Result<void> GetHostXstate(int tid, std::span<std::byte> image) {
  iovec vector{.iov_base = image.data(), .iov_len = image.size()};
  return Ptrace(PTRACE_GETREGSET, tid, NT_X86_XSTATE, &vector);
}

Result<void> SetHostXstate(int tid, std::span<const std::byte> image) {
  iovec vector{.iov_base = const_cast<std::byte*>(image.data()), .iov_len = image.size()};
  return Ptrace(PTRACE_SETREGSET, tid, NT_X86_XSTATE, &vector);
}

Result<int> Wait(int tid, rusage* usage) {
  int status = 0;
  TRY(host::Call([&] { return wait4(tid, &status, __WALL, usage); }));
  return status;
}

AnyStatus PollAnyTracee(rusage* usage) {
  AnyStatus any;
  constexpr int kOwn = __WALL | __WNOTHREAD | WNOHANG;
  auto tid = host::Call([&] { return wait4(-1, &any.status, kOwn, usage); });
  if (tid.ok()) any.tid = static_cast<int>(*tid);
  return any;
}

bool ReapIfExited(int tid) {
  // Look first: of a tracee the host shows stops, too, whatever one asks for.
  siginfo_t info{};
  constexpr int kLook = WEXITED | WNOHANG | WNOWAIT | __WALL;
  auto seen = host::Call([&] { return waitid(P_PID, tid, &info, kLook); });
  bool exited =
      info.si_code == CLD_EXITED || info.si_code == CLD_KILLED || info.si_code == CLD_DUMPED;
  if (!seen.ok() || info.si_pid != tid || !exited) return false;
  return host::Call([&] { return waitid(P_PID, tid, &info, WEXITED | __WALL); }).ok();
}

}  // namespace redoubt::platform::ptrace
