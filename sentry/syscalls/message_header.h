// SPDX-License-Identifier: Apache-2.0
//
// struct msghdr and struct mmsghdr of sendmsg(2), recvmsg(2) and their kin.
#ifndef SENTRY_SYSCALLS_MESSAGE_HEADER_H_
#define SENTRY_SYSCALLS_MESSAGE_HEADER_H_

#include <algorithm>

#include "abi/linux/socket.h"
#include "sentry/syscalls/args.h"
#include "sentry/syscalls/user_segments.h"

namespace redoubt::syscalls {

// struct mmsghdr.
struct ManyMessageHeader {
  abi::MessageHeader header;
  uint32_t length = 0;  // What the call moved.
  uint32_t padding = 0;
};
static_assert(sizeof(ManyMessageHeader) == 64);

inline constexpr uint32_t kMostMessages = 1024;      // UIO_MAXIOV.
inline constexpr uint32_t kCompatFlag = 0x80000000;  // MSG_CMSG_COMPAT.

// One header, copied once; its name length is within [0, kMaximumAddressLength] afterwards.
inline Result<abi::MessageHeader> ReadMessageHeader(Task& task, uint64_t address) {
  abi::MessageHeader header = TRY(task.CopyIn<abi::MessageHeader>(address));
  if (header.name_length < 0) return Errno(EINVAL);
  constexpr auto kMost = static_cast<int32_t>(abi::kMaximumAddressLength);
  header.name_length = header.name == 0 ? 0 : std::min(header.name_length, kMost);
  return header;
}

// Its buffers. EMSGSIZE for too many.
inline Result<UserSegments> SegmentsOf(Task& task, const abi::MessageHeader& header) {
  if (header.iov_count > kMaximumIovecs) return Errno(EMSGSIZE);
  return UserSegments::FromIovec(task, header.iov, header.iov_count);
}

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_MESSAGE_HEADER_H_
