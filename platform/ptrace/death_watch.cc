// SPDX-License-Identifier: Apache-2.0
#include "platform/ptrace/death_watch.h"

#include "absl/time/time.h"

namespace redoubt::platform::ptrace {
namespace {
constexpr absl::Duration kPeriod = absl::Milliseconds(200);
}

DeathWatch::~DeathWatch() {
  MutexLock lock(&mu_);
  stopping_ = true;
  changed_.SignalAll();
  while (watching_) changed_.Wait(mu_.raw());
}

void DeathWatch::Add(PtraceAddressSpace& space) {
  MutexLock lock(&mu_);
  spaces_.insert(&space);
  changed_.SignalAll();
  if (watching_) return;
  // Without a thread deaths are noticed late, not never: each tracer sees its own tracee's.
  Result<std::unique_ptr<Worker>> worker = workers_.Prepare();
  if (!worker.ok()) return;
  watching_ = true;
  (*worker)->Run([this] { Watch(); });
}

void DeathWatch::Remove(PtraceAddressSpace& space) {
  MutexLock lock(&mu_);
  spaces_.erase(&space);
}

std::vector<RefPtr<PtraceAddressSpace>> DeathWatch::Spaces() {
  std::vector<RefPtr<PtraceAddressSpace>> spaces;
  for (PtraceAddressSpace* space : spaces_) {
    if (space->TryRef()) spaces.push_back(RefPtr<PtraceAddressSpace>::Adopt(space));
  }
  return spaces;
}

void DeathWatch::Watch() {
  mu_.Lock();
  while (!stopping_) {
    if (spaces_.empty()) {
      changed_.Wait(mu_.raw());
      continue;
    }
    {
      auto spaces = Spaces();
      mu_.Unlock();
      for (auto& space : spaces) space->ReapDeadThreads();
      // A last reference may go here, and with it a stub: not under the lock.
    }
    mu_.Lock();
    if (!stopping_) changed_.WaitWithTimeout(mu_.raw(), kPeriod);
  }
  watching_ = false;
  changed_.SignalAll();
  mu_.Unlock();
}

}  // namespace redoubt::platform::ptrace
