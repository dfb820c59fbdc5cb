// SPDX-License-Identifier: Apache-2.0
//
// Task: one guest thread (Linux's task_struct). It is the platform's GuestEvents: the platform's
// thread calls OnEvent with a system call or a fault, the task serves it, delivers signals, and
// says whether the guest goes on.
//
// Kept small: behaviour lives in topic files that use a Task -
//   task_run.cc      the way back to the guest: exit, stop, signals, restart
//   task_block.cc    sleeping and being woken
//   signal_send.cc   sending; signal_delivery.cc  frames and rt_sigreturn
//   clone.h exec.h exit.h wait.h job_control.h
//
// What a system-call handler uses:
//   FileRef file = TRY(task.fd_table()->GetForIo(fd));
//   auto value = TRY(task.CopyIn<abi::Timespec>(address));
//   TRY(task.CopyOut(address, value));
//   std::string path = TRY(task.CopyInPath(address));
//   vfs::Caller caller = task.MakeCaller();
//
// References are held by: its ThreadGroup until it is reaped; the platform (one) until OnExited;
// whoever found it through TaskSet.
#ifndef SENTRY_KERNEL_TASK_H_
#define SENTRY_KERNEL_TASK_H_

#include <atomic>
#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/ref_counted.h"
#include "base/result.h"
#include "base/sync/parker.h"
#include "base/sync/wait_queue.h"
#include "platform/platform.h"
#include "sentry/ipc/semaphore.h"
#include "sentry/kernel/credentials.h"
#include "sentry/kernel/fd_table.h"
#include "sentry/kernel/fs_context.h"
#include "sentry/kernel/restart.h"
#include "sentry/kernel/signals.h"
#include "sentry/mm/memory_map.h"
#include "sentry/seccomp/task_filters.h"
#include "sentry/vfs/caller.h"

namespace redoubt::kernel {

class Kernel;
class Task;
class ThreadGroup;

// A type that may be copied to and from guests as it lies in memory: nothing uninitialised leaks.
// SignalInfo has unions with padding; it is zeroed whole before it is filled.
template <typename T>
concept AbiSafe = std::is_trivially_copyable_v<T>;

struct SyscallArguments {
  std::array<uint64_t, 6> values{};
  uint64_t operator[](size_t i) const { return values[i]; }
};

// How a vfork parent waits until its child has left the shared memory.
class VforkDone : public RefCounted<VforkDone> {
 public:
  WaitQueue queue;
  std::atomic<bool> done{false};
};

// What a new task starts with.
struct TaskParts {
  Kernel* kernel = nullptr;
  RefPtr<ThreadGroup> group;
  int tid = 0;
  RefPtr<Credentials> credentials;
  RefPtr<FdTable> fd_table;
  RefPtr<FsContext> fs;
  RefPtr<mm::MemoryMap> memory;
  std::string name;
};

class Task final : public RefCounted<Task>, public platform::GuestEvents, public vfs::UserMemory {
 public:
  explicit Task(TaskParts parts);
  ~Task() override;

  // --- Who it is. ---
  Kernel& kernel() const { return *kernel_; }
  const RefPtr<ThreadGroup>& group() const { return group_; }
  int tid() const { return tid_.load(std::memory_order_relaxed); }
  int tgid() const;

  // Any thread; a snapshot.
  RefPtr<Credentials> credentials() const;
  void SetCredentials(RefPtr<Credentials> credentials);
  std::string name() const;  // comm, at most 15 bytes.
  void SetName(std::string_view name);
  // What the VFS wants to know of the caller: a snapshot of ids, umask, root and working directory.
  vfs::Caller MakeCaller() const;
  // Where a *at() call starts: the working directory for AT_FDCWD, else the directory open at
  // `dirfd` (EBADF; ENOTDIR when it is not one, found out by the walk).
  Result<vfs::Path> StartPath(int dirfd) const;

  // Null once the task is exiting (for readers on other threads; its own handlers may rely on
  // them).
  RefPtr<FdTable> fd_table() const;
  RefPtr<FsContext> fs() const;
  RefPtr<mm::MemoryMap> memory() const;
  void SetFdTable(RefPtr<FdTable> table);  // unshare(CLONE_FILES), exec.
  void SetFs(RefPtr<FsContext> fs);
  void SetMemory(RefPtr<mm::MemoryMap> memory);

  // --- Guest memory and registers: only for the handler that serves this task. ---
  platform::Context& context() const { return *context_; }
  platform::Registers& registers() const { return context_->registers(); }

  Result<void> CopyIn(uint64_t address, std::span<std::byte> buffer) override;
  Result<void> CopyOut(uint64_t address, std::span<const std::byte> buffer) override;
  // Partial: the bytes that could be copied; EFAULT when none.
  Result<size_t> CopyInSome(uint64_t address, std::span<std::byte> buffer);
  Result<size_t> CopyOutSome(uint64_t address, std::span<const std::byte> buffer);
  template <AbiSafe T>
  Result<T> CopyIn(uint64_t address) {
    T value;
    TRY(CopyIn(address, std::as_writable_bytes(std::span(&value, 1))));
    return value;
  }
  template <AbiSafe T>
  requires(!std::convertible_to<T, std::span<const std::byte>>) Result<void> CopyOut(
      uint64_t address, const T& value) {
    return CopyOut(address, std::as_bytes(std::span(&value, 1)));
  }
  // A NUL-terminated string of at most `limit` bytes without the NUL; `too_long` when it is longer.
  Result<std::string> CopyInString(uint64_t address, size_t limit, int too_long);
  // A path: ENAMETOOLONG beyond PATH_MAX - 1. Empty paths are the callee's business.
  Result<std::string> CopyInPath(uint64_t address);
  // A buffer of the sentry for moving `size` bytes to or from the guest; valid until the handler
  // returns or asks again. At most kIoBufferSize.
  std::span<std::byte> IoBuffer(size_t size);
  static constexpr size_t kIoBufferSize = 256 * 1024;
  // RLIMIT_NOFILE of its process, for FdTable::Install.
  uint64_t FdLimit() const;

  // --- Sleeping: task_block.cc. ---
  // An entry to put into the wait queues of what this task waits for.
  class Waiter : public WaitEntry {
   public:
    explicit Waiter(Task& task) : task_(task) {}
    void Notify(EventMask) override { task_.Wake(); }

   private:
    Task& task_;
  };
  // Forgets earlier wake-ups. Then: check the condition; Sleep() when it does not hold; repeat.
  void PrepareToSleep() { woken_.store(false, std::memory_order_relaxed); }
  // Sleeps until Wake() since PrepareToSleep, an unblocked signal or a stop (ERESTARTSYS), or the
  // deadline on the monotonic clock in nanoseconds (ETIMEDOUT). nullopt: no deadline.
  Result<void> Sleep(std::optional<int64_t> deadline_ns = std::nullopt);
  // As Sleep, but only a signal that kills the process ends it (vfork).
  Result<void> SleepKillable();
  // Any thread.
  void Wake();
  // Whether a handler should stop waiting: a deliverable signal, a stop, an exit.
  bool interrupted() const { return interrupted_.load(std::memory_order_acquire); }

  // For ERESTART_RESTARTBLOCK: what restart_syscall(2) runs.
  void SetRestart(std::function<SyscallResult(Task&)> restart) { restart_ = std::move(restart); }
  SyscallResult RunRestart();

  // --- Signals: state guarded by TaskSet::mu_; see signal_send.h for sending. ---
  SignalSet signal_mask() const { return SignalSet(signal_mask_.load(std::memory_order_relaxed)); }
  // sigprocmask; never blocks SIGKILL and SIGSTOP.
  void SetSignalMask(SignalSet mask);
  // For sigsuspend, ppoll, pselect, epoll_pwait: `mask` holds until the call's signal was
  // delivered; the old mask comes back after the handler.
  void SetTemporaryMask(SignalSet mask);
  // The call ended without a signal: the old mask comes back now.
  void RestoreTemporaryMask();
  SignalSet pending_signals() const;                             // Its own and the group's.
  SignalSet OwnPendingLocked() const { return pending_.set(); }  // Needs TaskSet::mu_.
  // sigtimedwait: takes a pending signal of `set`, or nothing.
  std::optional<SignalInfo> TakeSignal(SignalSet set);
  // Signals that sigtimedwait waits for although they are blocked: sending one wakes the task.
  void SetAwaitedSignals(SignalSet set);
  abi::SignalStack& signal_stack() { return signal_stack_; }  // Own handlers only.
  // The end of rt_sigreturn(2): all registers come from the frame on the guest's stack.
  SyscallResult SignalReturn();

  // --- Small state of prctl, set_tid_address and friends; own handlers only unless atomic. ---
  uint64_t clear_child_tid = 0;
  RefPtr<ipc::UndoList> semaphore_undo;  // SEM_UNDO: may be null; CLONE_SYSVSEM shares it.
  std::atomic<int> parent_death_signal{0};
  std::atomic<bool> no_new_privileges{false};
  seccomp::TaskFilters seccomp;  // See task_seccomp.h.
  std::atomic<int> nice_value{0};
  std::atomic<uint32_t> scheduling_policy{0};
  std::atomic<uint64_t> timer_slack_ns{50'000};
  std::atomic<uint64_t> affinity_mask{~uint64_t{0}};

  // --- GuestEvents. ---
  platform::NextStep OnEvent(platform::Context& context, const platform::Event& event) override;
  void OnExited() override;

  // The head of the robust list (set_robust_list(2)). By its own handlers.
  uint64_t robust_list() const { return robust_list_; }
  void SetRobustList(uint64_t head) {
    robust_list_ = head;
    local_answers_stale_ = true;
  }

  // What the platform may answer is kept current (task_local.cc). By its own handlers, or before it
  // starts.
  void TellLocalAnswers();
  // Has the platform report every call from now on, if this task's seccomp filters may refuse one
  // that would be no event else. By its own handlers, or before it starts. ESRCH: it has died.
  Result<void> ReportCallsToFilters();

  // For exec and clone, which give a task its (new) context and memory.
  void SetContext(platform::Context* context) { context_ = context; }
  static constexpr uint64_t kNoSyscall = ~uint64_t{0};
  // The number of the call being served, or kNoSyscall. Any thread.
  uint64_t syscall_number() const { return syscall_number_.load(std::memory_order_relaxed); }
  // 'R', 'S', 'T' or 'Z' as /proc/PID/stat has it. Any thread.
  char StateLetter() const;

 private:
  friend struct TaskAccess;  // The topic files' door to the state below.

  void ServeSyscall(const platform::Event& event);
  void ServeFault(const platform::Event& event);
  // Everything that must happen before the guest runs again: exit, stop, signals (task_run.cc).
  platform::NextStep PrepareToResume();
  // What the platform may answer for this task is kept current (task_local.cc).
  void TakeLocalChanges();

  Kernel* const kernel_;
  const RefPtr<ThreadGroup> group_;
  std::atomic<int> tid_;  // Changes once when a non-leader execs.
  platform::Context* context_ = nullptr;

  mutable Mutex<LockRank::kTask> mu_;
  RefPtr<Credentials> credentials_ ABSL_GUARDED_BY(mu_);
  std::string name_ ABSL_GUARDED_BY(mu_);
  RefPtr<FdTable> fd_table_ ABSL_GUARDED_BY(mu_);
  RefPtr<FsContext> fs_ ABSL_GUARDED_BY(mu_);
  RefPtr<mm::MemoryMap> memory_ ABSL_GUARDED_BY(mu_);

  std::unique_ptr<std::byte[]> io_buffer_;
  size_t io_buffer_size_ = 0;

  // Sleeping: a flag is set first, then the parker is told.
  Parker parker_;
  std::atomic<bool> sleeping_{false};
  std::atomic<bool> woken_{false};
  std::atomic<bool> interrupted_{false};
  std::function<SyscallResult(Task&)> restart_;

  // Signals: guarded by TaskSet::mu_ (the mask is also read by its own thread without it).
  std::atomic<uint64_t> signal_mask_{0};
  std::optional<SignalSet> saved_mask_;
  SignalSet awaited_signals_;
  PendingSignals pending_;
  abi::SignalStack signal_stack_;

  // Life: guarded by TaskSet::mu_.
  enum class State : uint8_t { kRunning, kStopped, kZombie };
  State state_ = State::kRunning;
  bool started_ = false;    // The platform runs it: Interrupt() may be called.
  bool exiting_ = false;    // On its way out; takes no more signals.
  bool must_exit_ = false;  // exit(2), exit_group or a sibling's exec: leave at the next chance.
  bool stub_dead_ = false;  // The host ended it: guest memory is gone.
  int exit_status_ = 0;     // wait4 form.
  RefPtr<VforkDone> vfork_done_;  // Told at exec or exit.

  // The call and fault being served; own handlers only.
  std::atomic<uint64_t> syscall_number_{kNoSyscall};  // Read by /proc/PID/syscall, strace.
  std::optional<platform::LocalAnswers> told_;  // What the platform answers by itself.
  bool local_answers_stale_ = true;             // Ids may have changed since.
  bool reports_every_call_ = false;
  uint64_t robust_list_ = 0;
  std::optional<int> restart_code_;  // The call being left was interrupted, with this code.
  platform::Event last_fault_;       // For the signal frame.
};

}  // namespace redoubt::kernel

#endif  // SENTRY_KERNEL_TASK_H_
