// SPDX-License-Identifier: Apache-2.0
#include "platform/seccomp_trap/stub_pool.h"

#include <sched.h>
#include <sys/syscall.h>

#include <utility>

namespace redoubt::platform::seccomp_trap {

StubPool::StubPool(Machine& machine, std::unique_ptr<StubContext> zygote)
    : machine_(machine), zygote_(std::move(zygote)), thread_([this] { Refill(); }) {}

StubPool::~StubPool() {
  {
    MutexLock lock(&mu_);
    stopping_ = true;
    changed_.SignalAll();
  }
  thread_.join();
  // One more call wakes the notifier, which then ends.
  machine_.notifier->StopAfterNextCall();
  (void)zygote_->HostCall({.number = SYS_munlockall});
  zygote_.reset();
}

Result<RefPtr<StubProcess>> StubPool::Take() {
  MutexLock lock(&mu_);
  ++wanted_;
  while (stubs_.empty() && error_ == 0 && !stopping_) {
    changed_.SignalAll();
    changed_.Wait(mu_.raw());
  }
  --wanted_;
  if (stubs_.empty()) {
    int error = std::exchange(error_, 0);
    return Errno(error != 0 ? error : ESRCH);
  }
  taker_cpu_ = sched_getcpu();
  RefPtr<StubProcess> stub = std::move(stubs_.back());
  stubs_.pop_back();
  changed_.SignalAll();
  return stub;
}

void StubPool::KeepOutOfTheWay(int cpu) {
  if (cpu == avoided_cpu_) return;
  machine_.placement->StayOff(cpu, zygote_->address_space()->host_pid());
  avoided_cpu_ = cpu;
}

void StubPool::Refill() {
  while (true) {
    int taker_cpu;
    {
      MutexLock lock(&mu_);
      // After a failed fork only somebody's need is a reason to try again.
      while (!stopping_ && (stubs_.size() >= kSize || error_ != 0) &&
             !(wanted_ > 0 && stubs_.empty() && error_ == 0)) {
        changed_.Wait(mu_.raw());
      }
      if (stopping_) return;
      taker_cpu = taker_cpu_;
    }
    KeepOutOfTheWay(taker_cpu);
    Result<RefPtr<StubProcess>> made = zygote_->ForkProcess();
    if (made.ok()) machine_.placement->SetFree((*made)->host_pid());
    MutexLock lock(&mu_);
    if (made.ok()) {
      stubs_.push_back(*std::move(made));
    } else {
      error_ = made.error().value();
    }
    changed_.SignalAll();
  }
}

}  // namespace redoubt::platform::seccomp_trap
