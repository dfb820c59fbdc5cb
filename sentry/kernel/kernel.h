// SPDX-License-Identifier: Apache-2.0
//
// Kernel: one sandbox's whole. Made by boot, it holds what has no better owner: the platform, the
// task set, the first mount namespace, the host name, and the end of the first process.
#ifndef SENTRY_KERNEL_KERNEL_H_
#define SENTRY_KERNEL_KERNEL_H_

#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "base/sync/mutex.h"
#include "platform/platform.h"
#include "sentry/ipc/namespace.h"
#include "sentry/kernel/async_signals.h"
#include "sentry/kernel/sandbox_limits.h"
#include "sentry/kernel/thread_group.h"
#include "sentry/mm/memory_map.h"
#include "sentry/time/timer_queue.h"
#include "sentry/vfs/mount.h"

namespace redoubt::kernel {

// Serves one system call. sentry/syscalls implements it; the kernel knows no table.
class SyscallDispatcher {
 public:
  virtual ~SyscallDispatcher() = default;
  virtual SyscallResult Dispatch(Task& task, uint64_t number,
                                 const SyscallArguments& arguments) = 0;
};

struct KernelConfig {
  std::unique_ptr<platform::Platform> platform;
  std::unique_ptr<SyscallDispatcher> dispatcher;
  RefPtr<vfs::MountNamespace> mounts;
  std::unique_ptr<time::TimerQueue> timers;
  OwnedFd procfs;  // See mm::HostProc; may be empty.
  std::string hostname = "redoubt";
  int max_tasks = 4096;
  bool answers_locally = true;  // The platform may answer calls that need nobody.
  unsigned host_cpus = 1;
  uint64_t host_memory_bytes = 0;
  SandboxLimits limits;
};

class Kernel {
 public:
  explicit Kernel(KernelConfig config);
  ~Kernel();

  platform::Platform& platform() { return *platform_; }
  SyscallDispatcher& dispatcher() { return *dispatcher_; }
  TaskSet& tasks() { return tasks_; }
  time::TimerQueue& timers() { return *timers_; }
  const RefPtr<vfs::MountNamespace>& mounts() const { return mounts_; }
  ipc::IpcNamespace& ipc() { return ipc_; }
  AsyncSignals& async_signals() { return async_signals_; }
  const mm::MemoryPolicy& memory_policy() const { return memory_policy_; }
  const mm::HostProc& host_proc() const { return host_proc_; }
  bool answers_locally() const { return answers_locally_; }
  // What the guest sees of the machine: the host's, cut to the sandbox's limits.
  unsigned cpu_count() const { return cpu_count_.load(std::memory_order_relaxed); }
  uint64_t memory_bytes() const { return memory_bytes_.load(std::memory_order_relaxed); }
  SandboxLimits limits() const;
  // `runsc update`: for what looks from now on.
  void SetLimits(const SandboxLimits& limits);
  // Guest processes that the host has killed, as far as can be told for lack of memory.
  uint64_t oom_kills() const { return oom_kills_.load(std::memory_order_relaxed); }
  void CountOomKill() { oom_kills_.fetch_add(1, std::memory_order_relaxed); }
  int64_t boot_time_ns() const { return boot_time_ns_; }  // Monotonic clock at start.
  // For AT_RANDOM, ASLR.
  uint64_t Random();

  std::string hostname() const;
  void SetHostname(std::string name);
  std::string domainname() const;
  void SetDomainname(std::string name);

  // The container's init, which StartProcess (initial_process.h) starts first; null before that.
  ThreadGroup* first_process();
  ThreadGroup* first_process_locked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(tasks_.mu_) {
    return first_process_.get();
  }
  void SetFirstProcessLocked(RefPtr<ThreadGroup> group) ABSL_EXCLUSIVE_LOCKS_REQUIRED(tasks_.mu_) {
    first_process_ = std::move(group);
  }
  // Waits for its end; gives the status in wait4 form. All other tasks are gone by then.
  int WaitForFirstProcess();

  // exit.cc calls it when the last task of the sandbox has left.
  void OnAllTasksGone();

 private:
  const std::unique_ptr<platform::Platform> platform_;
  const std::unique_ptr<SyscallDispatcher> dispatcher_;
  const RefPtr<vfs::MountNamespace> mounts_;
  const mm::HostProc host_proc_;
  mm::MemoryPolicy memory_policy_;
  ipc::IpcNamespace ipc_;  // Before the tasks, whose ends change it.
  TaskSet tasks_;
  const std::unique_ptr<time::TimerQueue> timers_;
  AsyncSignals async_signals_{*this};
  const unsigned host_cpus_;
  const uint64_t host_memory_bytes_;
  const int most_tasks_;
  const bool answers_locally_;
  std::atomic<unsigned> cpu_count_{1};
  std::atomic<uint64_t> memory_bytes_{0};
  std::atomic<uint64_t> oom_kills_{0};
  const int64_t boot_time_ns_;

  mutable Mutex<LockRank::kLeaf> names_mu_;
  std::string hostname_ ABSL_GUARDED_BY(names_mu_);
  std::string domainname_ ABSL_GUARDED_BY(names_mu_) = "(none)";
  SandboxLimits limits_ ABSL_GUARDED_BY(names_mu_);

  RefPtr<ThreadGroup> first_process_;  // Set once; lives as long as the kernel.
  absl::Mutex end_mu_;
  bool ended_ ABSL_GUARDED_BY(end_mu_) = false;
};

}  // namespace redoubt::kernel

#endif  // SENTRY_KERNEL_KERNEL_H_
