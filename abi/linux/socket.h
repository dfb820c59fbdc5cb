// SPDX-License-Identifier: Apache-2.0
//
// Sockets (socket(2), sendmsg(2), cmsg(3), unix(7)).
#ifndef ABI_LINUX_SOCKET_H_
#define ABI_LINUX_SOCKET_H_

#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <cstdint>

namespace redoubt::abi {

// struct ucred: SCM_CREDENTIALS, SO_PEERCRED.
struct SocketCredentials {
  int32_t pid = 0;
  uint32_t uid = 0;
  uint32_t gid = 0;
  friend bool operator==(const SocketCredentials&, const SocketCredentials&) = default;
};
static_assert(sizeof(SocketCredentials) == sizeof(ucred));

// struct cmsghdr; its data follow, padded to 8 bytes.
struct ControlMessageHeader {
  uint64_t length = 0;  // With this header.
  int32_t level = 0;
  int32_t type = 0;
};
static_assert(sizeof(ControlMessageHeader) == sizeof(cmsghdr));

// struct user_msghdr.
struct MessageHeader {
  uint64_t name = 0;
  int32_t name_length = 0;
  int32_t padding = 0;
  uint64_t iov = 0;
  uint64_t iov_count = 0;
  uint64_t control = 0;
  uint64_t control_length = 0;
  uint32_t flags = 0;
  uint32_t padding2 = 0;
};
static_assert(sizeof(MessageHeader) == sizeof(msghdr));
static_assert(offsetof(MessageHeader, control) == offsetof(msghdr, msg_control));
static_assert(offsetof(MessageHeader, flags) == offsetof(msghdr, msg_flags));

// struct linger.
struct Linger {
  int32_t on = 0;
  int32_t seconds = 0;
};
static_assert(sizeof(Linger) == sizeof(linger));

inline constexpr size_t kMaximumAddressLength = 128;  // sizeof(struct sockaddr_storage).
inline constexpr size_t kUnixPathMaximum = 108;
static_assert(kUnixPathMaximum == sizeof(sockaddr_un::sun_path));
inline constexpr size_t kScmMaximumFds = 253;       // SCM_MAX_FD.
inline constexpr int kSocketBacklogMaximum = 4096;  // net.core.somaxconn.

}  // namespace redoubt::abi

#endif  // ABI_LINUX_SOCKET_H_
