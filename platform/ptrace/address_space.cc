// SPDX-License-Identifier: Apache-2.0
#include "platform/ptrace/address_space.h"

#include <algorithm>
#include <utility>

#include "platform/ptrace/death_watch.h"
#include "platform/ptrace/initial_image.h"
#include "platform/ptrace/remote_memory.h"
#include "platform/ptrace/stub_image.h"

namespace redoubt::platform::ptrace {
namespace {

// How many of `size` bytes at `address` come before the first address that is not the guest's.
size_t GuestBytes(uint64_t address, size_t size) {
  const AddressRange& stub = TheStubImage().range;
  if (address >= kUserEnd || (address >= stub.start && address < stub.end)) return 0;
  uint64_t limit = address < stub.start ? stub.start : kUserEnd;
  return std::min<uint64_t>(size, limit - address);
}

// `copy(tid, size)` copies that much by way of a live thread. One that ends first (the space goes
// on with others) has no memory to copy: then by the next.
template <typename Copy>
Result<size_t> CopyByLiveThread(const std::atomic<int>& live_tid, uint64_t address, size_t size,
                                Copy copy) {
  if (size == 0) return 0;
  size_t reachable = GuestBytes(address, size);
  if (reachable == 0) return Errno(EFAULT);
  while (true) {
    int tid = live_tid.load();
    Result<size_t> copied = copy(tid, reachable);
    if (!copied.Is(ESRCH)) return copied;
    if (live_tid.load() == tid) return Errno(EFAULT);
  }
}

}  // namespace

PtraceAddressSpace::PtraceAddressSpace(DeathWatch& death_watch,
                                       std::unique_ptr<StubProcess> process)
    : death_watch_(death_watch), process_(std::move(process)), live_tid_(process_->pid()) {}

PtraceAddressSpace::~PtraceAddressSpace() { death_watch_.Remove(*this); }

Result<size_t> PtraceAddressSpace::CopyIn(uint64_t address, std::span<std::byte> buffer) {
  return CopyByLiveThread(live_tid_, address, buffer.size(), [&](int tid, size_t size) {
    return ReadMemory(tid, address, buffer.first(size));
  });
}

Result<size_t> PtraceAddressSpace::CopyOut(uint64_t address, std::span<const std::byte> buffer) {
  return CopyByLiveThread(live_tid_, address, buffer.size(), [&](int tid, size_t size) {
    return WriteMemory(tid, address, buffer.first(size));
  });
}

void PtraceAddressSpace::Enter(Tracee& tracee) {
  size_t threads;
  {
    MutexLock lock(&mu_);
    tracees_.push_back(&tracee);
    threads = tracees_.size();
  }
  if (threads == 2) death_watch_.Add(*this);
}

void PtraceAddressSpace::Leave(Tracee& tracee) {
  bool last;
  {
    MutexLock lock(&mu_);
    std::erase(tracees_, &tracee);
    last = tracees_.empty();
    if (!last && live_tid_ == tracee.tid()) live_tid_ = tracees_.front()->tid();
  }
  if (!last) return tracee.ExitThread();
  process_->Kill();
  tracee.AwaitDeath();
  process_->KillAndReap();
}

void PtraceAddressSpace::ReapDeadThreads() {
  MutexLock lock(&mu_);
  for (Tracee* tracee : tracees_) tracee->ReapIfDead();
}

}  // namespace redoubt::platform::ptrace
