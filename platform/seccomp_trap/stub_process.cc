// SPDX-License-Identifier: Apache-2.0
#include "platform/seccomp_trap/stub_process.h"

#include <signal.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>

#include "absl/time/clock.h"
#include "base/check.h"

namespace redoubt::platform::seccomp_trap {
namespace {

template <typename F>
Result<size_t> CopyWith(F copy, int pid, uint64_t address, std::byte* buffer, size_t size) {
  if (size == 0) return size_t{0};
  size_t part = GuestPart(address, size);
  if (part == 0) return Errno(EFAULT);
  iovec local{buffer, part};
  iovec remote{reinterpret_cast<void*>(address), part};
  ssize_t copied = copy(pid, &local, 1, &remote, 1, 0);
  // A stub that has died has no memory.
  if (copied <= 0) return Errno(EFAULT);
  return static_cast<size_t>(copied);
}

}  // namespace

StubProcess::StubProcess(Machine& machine, Slots slots, uint32_t first_slot)
    : machine_(machine), slots_(std::move(slots)), first_slot_(first_slot) {
  used_.set(first_slot);
  slots_.at(first_slot).turn = kStub;
}

StubProcess::~StubProcess() {
  if (pid_ <= 0) return;
  // Nobody made a Context, which would have done it.
  if (!first_claimed_) machine_.notifier->RemoveThread(pid_);
  machine_.warden.Abandon(pid_);
}

Result<void> StubProcess::Adopt(int pid) {
  TRY(machine_.warden.Watch(pid, *this));
  pid_ = pid;
  slots_.CloseFile();
  return {};
}

Result<size_t> StubProcess::CopyIn(uint64_t address, std::span<std::byte> buffer) {
  return CopyWith(process_vm_readv, pid_, address, buffer.data(), buffer.size());
}

Result<size_t> StubProcess::CopyOut(uint64_t address, std::span<const std::byte> buffer) {
  return CopyWith(process_vm_writev, pid_, address, const_cast<std::byte*>(buffer.data()),
                  buffer.size());
}

uint64_t StubProcess::CpuTimeNs() const {
  clockid_t clock;
  timespec time;
  if (clock_getcpuclockid(pid_, &clock) != 0 || clock_gettime(clock, &time) != 0) return 0;
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(time.tv_nsec);
}

Result<uint32_t> StubProcess::AddThread() {
  MutexLock lock(&mu_);
  if (!LookAtLeaversLocked()) {
    Kill();
    return Errno(ESRCH);
  }
  if (leavers_.size() >= kMaxThreads) return Errno(EAGAIN);
  for (uint32_t i = 0; i < kMaxThreads; ++i) {
    if (used_[i]) continue;
    used_.set(i);
    ++threads_;
    return i;
  }
  return Errno(EAGAIN);
}

bool StubProcess::DropThread() {
  MutexLock lock(&mu_);
  CHECK(threads_ > 0);
  return --threads_ == 0;
}

bool StubProcess::HasOneThread() {
  MutexLock lock(&mu_);
  return threads_ == 1;
}

void StubProcess::FreeSlot(uint32_t slot) {
  MutexLock lock(&mu_);
  used_.reset(slot);
}

void StubProcess::FreeSlotOf(uint32_t slot, int tid) {
  MutexLock lock(&mu_);
  leavers_.push_back({tid, slot, absl::Now()});
}

void StubProcess::NoteThread(int tid) {
  MutexLock lock(&mu_);
  std::erase_if(leavers_, [&](const Leaver& leaver) {
    if (leaver.tid == tid) used_.reset(leaver.slot);
    return leaver.tid == tid;
  });
}

bool StubProcess::LookAtLeaversLocked() {
  if (leavers_.empty()) return true;
  absl::Time now = absl::Now();
  bool late = false;
  std::erase_if(leavers_, [&](const Leaver& leaver) {
    if (syscall(SYS_tgkill, pid_, leaver.tid, 0) != 0) {
      used_.reset(leaver.slot);
      return true;
    }
    late = late || now - leaver.since > kLeavePatience;
    return false;
  });
  return !late;
}

void StubProcess::Kill() {
  if (pid_ > 0 && !dead()) kill(pid_, SIGKILL);
}

void StubProcess::KillAndWait() {
  Kill();
  if (pid_ > 0) machine_.warden.AwaitDeath(pid_);
}

void StubProcess::OnHostDeath(int signal) {
  death_signal_.store(signal, std::memory_order_release);
  MutexLock lock(&mu_);
  for (size_t i = used_._Find_first(); i < kMaxThreads; i = used_._Find_next(i)) {
    MarkGone(slots_.at(static_cast<uint32_t>(i)));
  }
}

}  // namespace redoubt::platform::seccomp_trap
