// SPDX-License-Identifier: Apache-2.0
#include "platform/seccomp_trap/serving_threads.h"

#include <thread>
#include <utility>

namespace redoubt::platform::seccomp_trap {

ServingThreads::~ServingThreads() {
  MutexLock lock(&mu_);
  stopping_ = true;
  for (Idle* idle : idle_) idle->wake.Signal();
  while (threads_ > 0) ended_.Wait(mu_.raw());
}

void ServingThreads::Run(std::function<void()> work, int cpu) {
  MutexLock lock(&mu_);
  if (!idle_.empty()) {
    Idle* idle = idle_.back();
    idle_.pop_back();
    idle->work = std::move(work);
    if (cpu >= 0) placement_.MoveSleeping(idle->server, cpu);
    idle->wake.Signal();
    return;
  }
  ++threads_;
  std::thread([this, work = std::move(work)]() mutable { Serve(std::move(work)); }).detach();
}

void ServingThreads::Serve(std::function<void()> work) {
  while (work) {
    work();
    work = NextWork();
  }
}

std::function<void()> ServingThreads::NextWork() {
  MutexLock lock(&mu_);
  Idle self;
  if (!stopping_ && idle_.size() < kMaxIdle) {
    idle_.push_back(&self);
    while (!self.work && !stopping_) self.wake.Wait(mu_.raw());
  }
  if (!self.work) {
    --threads_;
    ended_.Signal();
  }
  return std::move(self.work);
}

}  // namespace redoubt::platform::seccomp_trap
