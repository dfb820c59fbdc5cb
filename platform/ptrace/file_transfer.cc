// SPDX-License-Identifier: Apache-2.0
#include "platform/ptrace/file_transfer.h"

#include <sys/socket.h>
#include <sys/syscall.h>

#include <array>
#include <cstring>
#include <memory>

#include "base/host/syscall.h"
#include "platform/ptrace/host_call.h"
#include "platform/ptrace/remote_memory.h"
#include "platform/ptrace/stub_image.h"

namespace redoubt::platform::ptrace {
namespace {

constexpr size_t kControlSize = CMSG_SPACE(sizeof(int));

// What recvmsg needs, as it lies at `address` in the stub.
struct ReceiveArguments {
  msghdr header;
  iovec vector;
  std::array<std::byte, kControlSize> control;
  std::array<std::byte, 8> data;
};

ReceiveArguments ArgumentsAt(uint64_t address) {
  auto pointer = [&](size_t offset) { return reinterpret_cast<void*>(address + offset); };
  ReceiveArguments arguments;
  std::memset(&arguments, 0, sizeof(arguments));
  arguments.header.msg_iov = static_cast<iovec*>(pointer(offsetof(ReceiveArguments, vector)));
  arguments.header.msg_iovlen = 1;
  arguments.header.msg_control = pointer(offsetof(ReceiveArguments, control));
  arguments.header.msg_controllen = kControlSize;
  arguments.vector.iov_base = pointer(offsetof(ReceiveArguments, data));
  arguments.vector.iov_len = 1;
  return arguments;
}

}  // namespace

absl::StatusOr<FileTransfer> FileTransfer::Create() {
  int fds[2];
  if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fds) != 0) {
    return absl::InternalError("cannot make the socket pair that brings files to stubs");
  }
  return FileTransfer(OwnedFd(fds[0]), OwnedFd(fds[1]));
}

Result<void> FileTransfer::Donate(Tracee& tracee, int fd) {
  MutexLock lock(mu_.get());
  TRY(Send(fd));
  Result<void> received = Receive(tracee);
  if (!received.ok()) Drain();
  return received;
}

Result<void> FileTransfer::Send(int fd) {
  char byte = 0;
  iovec vector{.iov_base = &byte, .iov_len = 1};
  alignas(cmsghdr) std::array<std::byte, kControlSize> control{};
  msghdr header{};
  header.msg_iov = &vector;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  cmsghdr* message = CMSG_FIRSTHDR(&header);
  message->cmsg_level = SOL_SOCKET;
  message->cmsg_type = SCM_RIGHTS;
  message->cmsg_len = CMSG_LEN(sizeof(fd));
  std::memcpy(CMSG_DATA(message), &fd, sizeof(fd));
  TRY(host::Call([&] { return sendmsg(sending_end_.get(), &header, MSG_DONTWAIT); }));
  return {};
}

Result<void> FileTransfer::Receive(Tracee& tracee) {
  const uint64_t scratch = TheStubImage().scratch;
  const ReceiveArguments arguments = ArgumentsAt(scratch);
  TRY(WriteMemory(tracee.tid(), scratch, std::as_bytes(std::span(&arguments, 1))));
  TRY(InjectCall(
      tracee, TheStubImage().call,
      {.number = SYS_recvmsg, .arguments = {0, scratch, MSG_DONTWAIT | MSG_CMSG_CLOEXEC}}));
  return {};
}

void FileTransfer::Drain() {
  char byte;
  while (recv(receiving_end_.get(), &byte, 1, MSG_DONTWAIT) >= 0) {
  }
}

}  // namespace redoubt::platform::ptrace
