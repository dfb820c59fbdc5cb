// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/sys_signal_wait.h"

#include "sentry/fs/signalfd/signalfd.h"
#include "sentry/kernel/restart.h"
#include "sentry/syscalls/install_file.h"
#include "sentry/syscalls/signal_source.h"
#include "sentry/time/timer_queue.h"

namespace redoubt::syscalls {

namespace {

// Nothing but a signal ends it.
SyscallResult SleepForSignal(Task& task) {
  while (true) {
    task.PrepareToSleep();
    Result<void> slept = task.Sleep();
    if (!slept.ok()) return Errno(kernel::ERESTARTNOHAND);
  }
}

// While it lives, signals of the set wake the task although they are blocked.
class AwaitedSignals {
 public:
  AwaitedSignals(Task& task, abi::SignalSet set) : task_(task) { task_.SetAwaitedSignals(set); }
  ~AwaitedSignals() { task_.SetAwaitedSignals({}); }
  AwaitedSignals(const AwaitedSignals&) = delete;
  AwaitedSignals& operator=(const AwaitedSignals&) = delete;

 private:
  Task& task_;
};

Result<abi::SignalInfo> WaitForSignal(Task& task, abi::SignalSet set,
                                      std::optional<int64_t> timeout_ns) {
  AwaitedSignals awaited(task, set);
  std::optional<int64_t> deadline;
  if (timeout_ns) deadline = time::DeadlineAfter(time::Clock::kMonotonic, *timeout_ns);
  while (true) {
    task.PrepareToSleep();
    if (std::optional<abi::SignalInfo> info = task.TakeSignal(set)) return *info;
    if (timeout_ns == 0) return Errno(EAGAIN);
    Result<void> slept = task.Sleep(deadline);
    if (slept.ok()) continue;
    // What ended the sleep may be the signal itself.
    if (std::optional<abi::SignalInfo> info = task.TakeSignal(set)) return *info;
    return Errno(slept.Is(ETIMEDOUT) ? EAGAIN : EINTR);
  }
}

}  // namespace

SyscallResult SysPause(Task& task) { return SleepForSignal(task); }

SyscallResult SysRtSigsuspend(Task& task, UserIn<abi::SignalSet> mask, uint64_t set_size) {
  if (set_size != sizeof(abi::SignalSet)) return Errno(EINVAL);
  task.SetTemporaryMask(TRY(mask.Read(task)));
  return SleepForSignal(task);
}

SyscallResult SysRtSigtimedwait(Task& task, UserIn<abi::SignalSet> user_set,
                                UserOut<abi::SignalInfo> info, UserIn<abi::Timespec> timeout,
                                uint64_t set_size) {
  if (set_size != sizeof(abi::SignalSet)) return Errno(EINVAL);
  abi::SignalSet set = TRY(user_set.Read(task)) & ~abi::kUnblockableSignals;
  std::optional<int64_t> timeout_ns;
  if (timeout) {
    abi::Timespec limit = TRY(timeout.Read(task));
    if (!limit.IsValid()) return Errno(EINVAL);
    timeout_ns = abi::ToNanoseconds(limit);
  }
  abi::SignalInfo taken = TRY(WaitForSignal(task, set, timeout_ns));
  TRY(info.WriteIfSet(task, taken));
  return static_cast<uint64_t>(taken.signal);
}

SyscallResult SysSignalfd(Task& task, FdNumber fd, UserIn<abi::SignalSet> set, uint64_t set_size) {
  return SysSignalfd4(task, fd, set, set_size, 0);
}

SyscallResult SysSignalfd4(Task& task, FdNumber fd, UserIn<abi::SignalSet> user_set,
                           uint64_t set_size, uint32_t flags) {
  if (set_size != sizeof(abi::SignalSet)) return Errno(EINVAL);
  abi::SignalSet set = TRY(user_set.Read(task));
  if ((flags & ~uint32_t{SFD_CLOEXEC | SFD_NONBLOCK}) != 0) return Errno(EINVAL);
  if (fd != -1) {
    FileRef file = TRY(task.fd_table()->Get(fd));
    auto* existing = dynamic_cast<fs::SignalFd*>(file.get());
    if (existing == nullptr) return Errno(EINVAL);
    existing->SetMask(set);
    return static_cast<uint64_t>(fd.value);
  }
  FileRef file = TRY(fs::SignalFd::Create(MakeSignalSource(task), set, flags));
  return InstallResult(task, std::move(file), (flags & SFD_CLOEXEC) != 0);
}

}  // namespace redoubt::syscalls
