// SPDX-License-Identifier: Apache-2.0
#include "base/host/unix_socket.h"

#include <sys/socket.h>

#include <cstring>

#include "base/check.h"
#include "base/host/syscall.h"

namespace redoubt::host {
namespace {

// Room for more than anyone may send, so that a surplus is seen and closed here, not in the kernel.
constexpr size_t kControlSize = CMSG_SPACE((kMostDescriptors + 1) * sizeof(int));

// Takes every descriptor that came, also those beyond the limit. False: something else or too much.
bool TakeDescriptors(msghdr* header, size_t most_fds, ReceivedMessage* message) {
  bool good = (header->msg_flags & MSG_TRUNC) == 0;
  for (cmsghdr* part = CMSG_FIRSTHDR(header); part != nullptr; part = CMSG_NXTHDR(header, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) {
      good = false;
      continue;
    }
    size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int fd;
      memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof(fd));
      OwnedFd owned(fd);
      if (message->fd_count >= most_fds) {
        good = false;
      } else {
        message->fds[message->fd_count++] = std::move(owned);
      }
    }
  }
  // The buffer has room for one more than the most: a cut list means a full table.
  message->fds_lost = (header->msg_flags & MSG_CTRUNC) != 0;
  return good;
}

}  // namespace

Result<MessagePair> CreateMessagePair(size_t message_size) {
  int fds[2];
  TRY(Call([&] { return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds); }));
  MessagePair pair{OwnedFd(fds[0]), OwnedFd(fds[1])};
  if (message_size > 0) {
    // The kernel counts its own overhead too, and doubles what it is told.
    int size = static_cast<int>(message_size);
    for (int fd : fds) {
      TRY(Call([&] { return setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)); }));
    }
  }
  return pair;
}

Result<void> SendMessage(int socket, std::span<const std::byte> data, std::span<const int> fds) {
  CHECK(fds.size() <= kMostDescriptors);
  alignas(cmsghdr) char control[kControlSize];
  iovec vector = {const_cast<std::byte*>(data.data()), data.size()};
  msghdr header = {};
  header.msg_iov = &vector;
  header.msg_iovlen = 1;
  if (!fds.empty()) {
    header.msg_control = control;
    header.msg_controllen = CMSG_SPACE(fds.size_bytes());
    memset(control, 0, header.msg_controllen);
    cmsghdr* part = CMSG_FIRSTHDR(&header);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(fds.size_bytes());
    memcpy(CMSG_DATA(part), fds.data(), fds.size_bytes());
  }
  size_t sent = TRY(Call([&] { return sendmsg(socket, &header, MSG_NOSIGNAL); }));
  if (sent != data.size()) return Errno(EMSGSIZE);
  return {};
}

Result<ReceivedMessage> ReceiveMessage(int socket, std::span<std::byte> buffer, size_t most_fds) {
  CHECK(most_fds <= kMostDescriptors);
  alignas(cmsghdr) char control[kControlSize];
  iovec vector = {buffer.data(), buffer.size()};
  msghdr header = {};
  header.msg_iov = &vector;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof(control);
  ReceivedMessage message;
  message.size = TRY(Call([&] { return recvmsg(socket, &header, MSG_CMSG_CLOEXEC); }));
  if (!TakeDescriptors(&header, most_fds, &message)) return Errno(EMSGSIZE);
  return message;
}

}  // namespace redoubt::host
