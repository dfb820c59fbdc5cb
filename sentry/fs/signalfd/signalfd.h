// SPDX-License-Identifier: Apache-2.0
//
// signalfd(2) (Linux's fs/signalfd.c).
#ifndef SENTRY_FS_SIGNALFD_SIGNALFD_H_
#define SENTRY_FS_SIGNALFD_SIGNALFD_H_

#include "abi/linux/signalfd.h"
#include "sentry/fs/signalfd/signal_source.h"
#include "sentry/vfs/file_description.h"

namespace redoubt::fs {

class SignalFd : public vfs::FileDescription {
 public:
  // `flags`: SFD_NONBLOCK, SFD_CLOEXEC or EINVAL. SIGKILL and SIGSTOP in `set` are dropped.
  static Result<RefPtr<SignalFd>> Create(RefPtr<SignalSource> source, abi::SignalSet set,
                                         uint32_t flags);
  SignalFd(vfs::Path path, uint32_t flags, RefPtr<SignalSource> source, abi::SignalSet set);

  // signalfd4(2) with an existing descriptor.
  void SetMask(abi::SignalSet set);

  // As many whole SignalfdInfo as fit; EINVAL for a buffer smaller than one.
  Result<size_t> Read(std::span<std::byte> buffer) override;
  Result<size_t> Write(std::span<const std::byte> data, const vfs::Caller& caller) override {
    return Errno(EINVAL);
  }
  EventMask Readiness(EventMask mask) override;
  WaitQueue* wait_queue() override { return &source_->wait_queue(); }

 private:
  abi::SignalSet set() const { return abi::SignalSet(set_.load(std::memory_order_relaxed)); }

  const RefPtr<SignalSource> source_;
  std::atomic<uint64_t> set_;
};

// The record that read(2) gives for `info`.
abi::SignalfdInfo ToSignalfdInfo(const abi::SignalInfo& info);

}  // namespace redoubt::fs

#endif  // SENTRY_FS_SIGNALFD_SIGNALFD_H_
