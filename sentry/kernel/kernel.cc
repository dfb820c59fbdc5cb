// SPDX-License-Identifier: Apache-2.0
#include "sentry/kernel/kernel.h"

#include <sys/random.h>

#include <utility>

#include "base/check.h"
#include "sentry/time/clock.h"

namespace redoubt::kernel {

namespace {

mm::MemoryPolicy MakePolicy(const platform::Platform& platform, const mm::HostProc* host_proc) {
  mm::MemoryPolicy policy;
  policy.guest_range = platform.guest_range();
  policy.shim_ranges = platform.shim_ranges();
  policy.vdso_address = platform.vdso_address();
  policy.host_proc = host_proc;
  return policy;
}

}  // namespace

Kernel::Kernel(KernelConfig config)
    : platform_(std::move(config.platform)),
      dispatcher_(std::move(config.dispatcher)),
      mounts_(std::move(config.mounts)),
      host_proc_(std::move(config.procfs)),
      memory_policy_(MakePolicy(*platform_, &host_proc_)),
      tasks_(config.max_tasks),
      timers_(std::move(config.timers)),
      host_cpus_(config.host_cpus),
      host_memory_bytes_(config.host_memory_bytes),
      most_tasks_(config.max_tasks),
      answers_locally_(config.answers_locally),
      boot_time_ns_(time::Now(time::Clock::kMonotonic)),
      hostname_(std::move(config.hostname)) {
  SetLimits(config.limits);
}

Kernel::~Kernel() = default;

uint64_t Kernel::Random() {
  uint64_t value = 0;
  // getrandom(2) of eight bytes neither fails nor stops short once the host has booted.
  CHECK(getrandom(&value, sizeof(value), 0) == sizeof(value));
  return value;
}

std::string Kernel::hostname() const {
  MutexLock lock(&names_mu_);
  return hostname_;
}

void Kernel::SetHostname(std::string name) {
  MutexLock lock(&names_mu_);
  hostname_ = std::move(name);
}

std::string Kernel::domainname() const {
  MutexLock lock(&names_mu_);
  return domainname_;
}

void Kernel::SetDomainname(std::string name) {
  MutexLock lock(&names_mu_);
  domainname_ = std::move(name);
}

SandboxLimits Kernel::limits() const {
  MutexLock lock(&names_mu_);
  return limits_;
}

void Kernel::SetLimits(const SandboxLimits& limits) {
  MutexLock lock(&names_mu_);
  limits_ = limits;
  cpu_count_.store(limits.VisibleCpus(host_cpus_), std::memory_order_relaxed);
  memory_bytes_.store(limits.VisibleMemory(host_memory_bytes_), std::memory_order_relaxed);
  tasks_.SetMaxTasks(limits.MostTasks(most_tasks_));
}

int Kernel::WaitForFirstProcess() {
  {
    absl::MutexLock lock(&end_mu_);
    end_mu_.Await(absl::Condition(&ended_));
  }
  MutexLock lock(&tasks_.mu_);
  return first_process_->exit_status;
}

void Kernel::OnAllTasksGone() {
  absl::MutexLock lock(&end_mu_);
  ended_ = true;
}

ThreadGroup* Kernel::first_process() {
  MutexLock lock(&tasks_.mu_);
  return first_process_.get();
}

}  // namespace redoubt::kernel
