// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/signalfd/signalfd.h"

#include <signal.h>

#include <cstring>
#include <utility>

#include "sentry/fs/anon/anonymous_inode.h"

namespace redoubt::fs {

namespace {

abi::SignalSet Catchable(abi::SignalSet set) { return set & ~abi::kUnblockableSignals; }

}  // namespace

Result<RefPtr<SignalFd>> SignalFd::Create(RefPtr<SignalSource> source, abi::SignalSet set,
                                          uint32_t flags) {
  if ((flags & ~(SFD_CLOEXEC | SFD_NONBLOCK)) != 0) return Errno(EINVAL);
  vfs::Path path = MakeAnonymousPath(AnonymousKind::kAnonymous, "signalfd", 0600, 0, 0);
  return MakeRef<SignalFd>(std::move(path), O_RDWR | (flags & SFD_NONBLOCK), std::move(source),
                           set);
}

SignalFd::SignalFd(vfs::Path path, uint32_t flags, RefPtr<SignalSource> source, abi::SignalSet set)
    : FileDescription(std::move(path), flags),
      source_(std::move(source)),
      set_(Catchable(set).bits()) {}

void SignalFd::SetMask(abi::SignalSet set) {
  set_.store(Catchable(set).bits(), std::memory_order_relaxed);
  // What is pending already may match now.
  source_->wait_queue().Wake(EPOLLIN);
}

Result<size_t> SignalFd::Read(std::span<std::byte> buffer) {
  constexpr size_t kSize = sizeof(abi::SignalfdInfo);
  if (buffer.size() < kSize) return Errno(EINVAL);
  size_t done = 0;
  while (buffer.size() - done >= kSize) {
    const std::optional<abi::SignalInfo> info = source_->Dequeue(set());
    if (!info) break;
    const abi::SignalfdInfo record = ToSignalfdInfo(*info);
    std::memcpy(buffer.data() + done, &record, kSize);
    done += kSize;
  }
  if (done == 0) return Errno(EAGAIN);
  return done;
}

EventMask SignalFd::Readiness(EventMask mask) {
  if (!source_->HasPending(set())) return 0;
  return mask & (EPOLLIN | EPOLLRDNORM);
}

abi::SignalfdInfo ToSignalfdInfo(const abi::SignalInfo& info) {
  abi::SignalfdInfo record;
  record.signal = static_cast<uint32_t>(info.signal);
  record.error = info.error;
  record.code = info.code;
  const bool from_kernel = info.code > 0 && info.code < SI_KERNEL;
  if (info.code == SI_TIMER) {
    record.timer_id = static_cast<uint32_t>(info.fields.timer.timer_id);
    record.overrun = static_cast<uint32_t>(info.fields.timer.overrun);
    record.pointer_value = info.fields.timer.value;
    record.int_value = static_cast<int32_t>(info.fields.timer.value);
  } else if (from_kernel && info.signal == SIGCHLD) {
    record.pid = static_cast<uint32_t>(info.fields.child.pid);
    record.uid = info.fields.child.uid;
    record.status = info.fields.child.status;
    record.user_time = static_cast<uint64_t>(info.fields.child.user_time);
    record.system_time = static_cast<uint64_t>(info.fields.child.system_time);
  } else if (from_kernel && (info.signal == SIGPOLL)) {
    record.band = static_cast<uint32_t>(info.fields.poll.band);
    record.fd = info.fields.poll.fd;
  } else if (from_kernel && (info.signal == SIGSEGV || info.signal == SIGBUS ||
                             info.signal == SIGILL || info.signal == SIGFPE)) {
    record.address = info.fields.fault.address;
    record.address_lsb = static_cast<uint16_t>(info.fields.fault.address_lsb);
  } else {
    record.pid = static_cast<uint32_t>(info.fields.sender.pid);
    record.uid = info.fields.sender.uid;
    if (info.code < 0) {
      record.pointer_value = info.fields.sender.value;
      record.int_value = static_cast<int32_t>(info.fields.sender.value);
    }
  }
  return record;
}

}  // namespace redoubt::fs
