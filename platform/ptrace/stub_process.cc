// SPDX-License-Identifier: Apache-2.0
#include "platform/ptrace/stub_process.h"

#include <sys/wait.h>
#include <time.h>

#include <csignal>

#include "platform/ptrace/host_ptrace.h"

namespace redoubt::platform::ptrace {
namespace {

constexpr uint64_t kNsPerSecond = 1'000'000'000;

uint64_t Nanoseconds(const timeval& time) {
  return static_cast<uint64_t>(time.tv_sec) * kNsPerSecond +
         static_cast<uint64_t>(time.tv_usec) * 1000;
}

// The process CPU clock of another process (MAKE_PROCESS_CPUCLOCK in linux/posix-timers_types.h).
clockid_t ProcessCpuClock(int pid) {
  constexpr int kCpuClockSched = 2;
  return static_cast<clockid_t>(~static_cast<unsigned>(pid) << 3 | kCpuClockSched);
}

bool IsExit(int status) { return WIFEXITED(status) || WIFSIGNALED(status); }

}  // namespace

StubProcess::~StubProcess() { KillAndReap(); }

void StubProcess::Kill() {
  MutexLock lock(&mu_);
  if (!reaped_) kill(pid_, SIGKILL);
}

void StubProcess::KillAndReap() {
  Kill();
  while (!reaped()) {
    rusage usage{};
    Result<int> status = Wait(pid_, &usage);
    if (!status.ok() || IsExit(*status)) return NoteReaped(usage);
  }
}

bool StubProcess::reaped() const {
  MutexLock lock(&mu_);
  return reaped_;
}

void StubProcess::NoteReaped(const rusage& usage) {
  MutexLock lock(&mu_);
  if (reaped_) return;
  reaped_ = true;
  final_cpu_ns_ = Nanoseconds(usage.ru_utime) + Nanoseconds(usage.ru_stime);
}

uint64_t StubProcess::CpuTimeNs() const {
  MutexLock lock(&mu_);
  if (reaped_) return final_cpu_ns_;
  timespec time{};
  if (clock_gettime(ProcessCpuClock(pid_), &time) != 0) return final_cpu_ns_;
  return static_cast<uint64_t>(time.tv_sec) * kNsPerSecond + static_cast<uint64_t>(time.tv_nsec);
}

}  // namespace redoubt::platform::ptrace
