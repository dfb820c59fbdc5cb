// SPDX-License-Identifier: Apache-2.0
//
// FileTransfer: how a descriptor of the sentry gets into a stub for the time of one mmap.
//
// All stubs inherit the receiving end of one socket pair as descriptor 0, the only one they have.
// A transfer is a sendmsg by the sentry and a recvmsg injected into the stub, under one lock, so
// that no other stub can take the message. In the stub the file is then always kDonatedFd; the
// number is not read back from memory, which the guest's other threads could change.
#ifndef PLATFORM_PTRACE_FILE_TRANSFER_H_
#define PLATFORM_PTRACE_FILE_TRANSFER_H_

#include "absl/status/statusor.h"
#include "base/owned_fd.h"
#include "base/result.h"
#include "base/sync/mutex.h"
#include "platform/ptrace/tracee.h"

namespace redoubt::platform::ptrace {

class FileTransfer {
 public:
  // The descriptor that a donated file has in the stub.
  static constexpr int kDonatedFd = 1;

  static absl::StatusOr<FileTransfer> Create();

  // For the first stub to inherit.
  int receiving_end() const { return receiving_end_.get(); }

  // Puts a copy of `fd` into the attached tracee's process as kDonatedFd. The caller holds off
  // every other change of that process's descriptors until it has closed it there.
  Result<void> Donate(Tracee& tracee, int fd);

 private:
  FileTransfer(OwnedFd sending_end, OwnedFd receiving_end)
      : sending_end_(std::move(sending_end)), receiving_end_(std::move(receiving_end)) {}

  Result<void> Send(int fd);
  Result<void> Receive(Tracee& tracee);
  // Takes back what a stub that died did not.
  void Drain();

  // Held from a sendmsg until its message is received or drained.
  std::unique_ptr<Mutex<LockRank::kLeaf>> mu_ = std::make_unique<Mutex<LockRank::kLeaf>>();
  OwnedFd sending_end_;
  OwnedFd receiving_end_;
};

}  // namespace redoubt::platform::ptrace

#endif  // PLATFORM_PTRACE_FILE_TRANSFER_H_
