// SPDX-License-Identifier: Apache-2.0
//
// Messages with descriptors over Unix SEQPACKET sockets. One call, one message; a message that is
// too long or brings too many descriptors is an error, never a surprise: whatever it brought is
// closed before the error is given.
//
//   auto [ours, theirs] = TRY(host::CreateMessagePair());
//   TRY(host::SendMessage(ours.get(), bytes, {&fd, 1}));
//   host::ReceivedMessage message = TRY(host::ReceiveMessage(theirs.get(), buffer, 1));
//   if (message.size == 0) return;                          // The other side is gone.
#ifndef BASE_HOST_UNIX_SOCKET_H_
#define BASE_HOST_UNIX_SOCKET_H_

#include <array>
#include <cstddef>
#include <span>

#include "base/owned_fd.h"
#include "base/result.h"

namespace redoubt::host {

inline constexpr size_t kMostDescriptors = 32;  // In one message.

struct MessagePair {
  OwnedFd first, second;
};
// Both close-on-exec, with room for `message_size` bytes in flight.
Result<MessagePair> CreateMessagePair(size_t message_size = 0);

// Sends one message. EPIPE when the other side is gone (no SIGPIPE).
Result<void> SendMessage(int socket, std::span<const std::byte> data,
                         std::span<const int> fds = {});

struct ReceivedMessage {
  size_t size = 0;  // 0: end of file.
  size_t fd_count = 0;
  bool fds_lost = false;  // Some could not be received: this process' table is full.
  std::array<OwnedFd, kMostDescriptors> fds;
};
// Waits for one message. EMSGSIZE: longer than `buffer`, or more than `most_fds` (<=
// kMostDescriptors) descriptors.
Result<ReceivedMessage> ReceiveMessage(int socket, std::span<std::byte> buffer, size_t most_fds);

}  // namespace redoubt::host

#endif  // BASE_HOST_UNIX_SOCKET_H_
