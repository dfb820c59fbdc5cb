// SPDX-License-Identifier: Apache-2.0
//
// What tests of internet sockets share: one source over IPv4, IPv6 and IPv4 through an IPv6 socket.
//
//   class MyTest : public InetTest {};
//   TEST_P(MyTest, Talks) { Connection c = Connect(); ... }
//   INSTANTIATE_TEST_SUITE_P(Kinds, MyTest, InetKinds(), InetKindName);
#ifndef REDOUBT_TEST_SYSCALLS_INET_SOCKETS_H_
#define REDOUBT_TEST_SYSCALLS_INET_SOCKETS_H_

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cstring>
#include <string>
#include <string_view>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "test/util/file_descriptor.h"
#include "test/util/syscall_matchers.h"
#include "test/util/thread.h"
#include "test/util/timing.h"

namespace redoubt::test {

enum class InetKind { kV4, kV6, kMapped };

inline auto InetKinds() {
  return ::testing::Values(InetKind::kV4, InetKind::kV6, InetKind::kMapped);
}
inline std::string InetKindName(const ::testing::TestParamInfo<InetKind>& info) {
  return info.param == InetKind::kV4 ? "V4" : info.param == InetKind::kV6 ? "V6" : "Mapped";
}

struct InetAddress {
  sockaddr_storage storage = {};
  socklen_t length = 0;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  uint16_t& raw_port() {
    return storage.ss_family == AF_INET ? reinterpret_cast<sockaddr_in&>(storage).sin_port
                                        : reinterpret_cast<sockaddr_in6&>(storage).sin6_port;
  }
  uint16_t port() const { return ntohs(const_cast<InetAddress*>(this)->raw_port()); }
  InetAddress WithPort(uint16_t port) const {
    InetAddress result = *this;
    result.raw_port() = htons(port);
    return result;
  }
  std::string host() const {
    char text[INET6_ADDRSTRLEN] = {};
    if (storage.ss_family == AF_INET) {
      inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(storage).sin_addr, text,
                sizeof(text));
    } else {
      inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6&>(storage).sin6_addr, text,
                sizeof(text));
    }
    return text;
  }
  friend bool operator==(const InetAddress& a, const InetAddress& b) {
    return a.length == b.length && std::memcmp(&a.storage, &b.storage, a.length) == 0;
  }
};

inline InetAddress MakeAddress(int family, const std::string& host, uint16_t port = 0) {
  InetAddress address;
  address.storage.ss_family = static_cast<sa_family_t>(family);
  if (family == AF_INET) {
    auto& in = reinterpret_cast<sockaddr_in&>(address.storage);
    inet_pton(AF_INET, host.c_str(), &in.sin_addr);
    address.length = sizeof(in);
  } else {
    auto& in = reinterpret_cast<sockaddr_in6&>(address.storage);
    inet_pton(AF_INET6, host.c_str(), &in.sin6_addr);
    address.length = sizeof(in);
  }
  return address.WithPort(port);
}

inline int Bind(const FileDescriptor& fd, const InetAddress& a) {
  return bind(fd.get(), a.get(), a.length);
}
inline int Connect(const FileDescriptor& fd, const InetAddress& a) {
  return connect(fd.get(), a.get(), a.length);
}
inline int Disconnect(const FileDescriptor& fd) {
  const sockaddr unspecified = {.sa_family = AF_UNSPEC, .sa_data = {}};
  return connect(fd.get(), &unspecified, sizeof(unspecified));
}
inline InetAddress NameOf(const FileDescriptor& fd) {
  InetAddress address;
  address.length = sizeof(address.storage);
  if (getsockname(fd.get(), address.get(), &address.length) != 0) address.length = 0;
  return address;
}
inline InetAddress PeerOf(const FileDescriptor& fd) {
  InetAddress address;
  address.length = sizeof(address.storage);
  if (getpeername(fd.get(), address.get(), &address.length) != 0) address.length = 0;
  return address;
}
inline int Peername(const FileDescriptor& fd) {
  InetAddress address;
  address.length = sizeof(address.storage);
  return getpeername(fd.get(), address.get(), &address.length);
}
inline int SetInt(const FileDescriptor& fd, int level, int name, int value) {
  return setsockopt(fd.get(), level, name, &value, sizeof(value));
}
// -1000 - errno when there is none.
inline int GetInt(const FileDescriptor& fd, int level, int name) {
  int value = 0;
  socklen_t length = sizeof(value);
  if (getsockopt(fd.get(), level, name, &value, &length) != 0) return -1000 - errno;
  return value;
}
inline int SocketError(const FileDescriptor& fd) { return GetInt(fd, SOL_SOCKET, SO_ERROR); }
inline ssize_t Send(const FileDescriptor& fd, std::string_view text, int flags = 0) {
  return send(fd.get(), text.data(), text.size(), flags | MSG_NOSIGNAL);
}
inline ssize_t SendTo(const FileDescriptor& fd, std::string_view text, const InetAddress& to) {
  return sendto(fd.get(), text.data(), text.size(), MSG_NOSIGNAL, to.get(), to.length);
}
// "!" and the error's number when recv(2) fails.
inline std::string Receive(const FileDescriptor& fd, size_t size = 256, int flags = 0) {
  std::string text(size, '\0');
  const ssize_t got = recv(fd.get(), text.data(), size, flags);
  if (got < 0) return "!" + std::to_string(errno);
  text.resize(std::min(static_cast<size_t>(got), size));
  return text;
}
inline std::string ErrorText(int error) { return "!" + std::to_string(error); }
// What poll(2) says now, or within `timeout` ms.
inline int Poll(const FileDescriptor& fd, int timeout = 0,
                int events = POLLIN | POLLOUT | POLLRDHUP | POLLPRI) {
  pollfd entry = {.fd = fd.get(), .events = static_cast<short>(events), .revents = 0};
  if (poll(&entry, 1, timeout) < 0) return -1;
  return entry.revents;
}
inline int PollFor(const FileDescriptor& fd, int events) { return Poll(fd, 20'000, events); }

struct Connection {
  FileDescriptor client;
  FileDescriptor server;
};

class InetTest : public ::testing::TestWithParam<InetKind> {
 protected:
  int family() const { return GetParam() == InetKind::kV4 ? AF_INET : AF_INET6; }
  bool is_v4() const { return GetParam() != InetKind::kV6; }
  InetAddress Loopback(uint16_t port = 0) const { return Address("127.0.0.1", "::1", port); }
  InetAddress Any(uint16_t port = 0) const { return Address("0.0.0.0", "::", port); }
  InetAddress Address(const std::string& v4, const std::string& v6, uint16_t port = 0) const {
    switch (GetParam()) {
      case InetKind::kV4:
        return MakeAddress(AF_INET, v4, port);
      case InetKind::kV6:
        return MakeAddress(AF_INET6, v6, port);
      default:
        return MakeAddress(AF_INET6, "::ffff:" + v4, port);
    }
  }
  FileDescriptor Stream(int flags = 0) const {
    return FileDescriptor(socket(family(), SOCK_STREAM | flags, 0));
  }
  FileDescriptor Datagram(int flags = 0) const {
    return FileDescriptor(socket(family(), SOCK_DGRAM | flags, 0));
  }
  FileDescriptor Listener(int backlog = 16, int flags = 0) const {
    FileDescriptor fd = Stream(flags);
    EXPECT_THAT(Bind(fd, Loopback()), SyscallSucceeds());
    EXPECT_THAT(listen(fd.get(), backlog), SyscallSucceeds());
    return fd;
  }
  FileDescriptor BoundDatagram() const {
    FileDescriptor fd = Datagram();
    EXPECT_THAT(Bind(fd, Loopback()), SyscallSucceeds());
    return fd;
  }
  Connection ConnectTo(const FileDescriptor& listener) const {
    Connection c;
    c.client = Stream();
    EXPECT_THAT(test::Connect(c.client, NameOf(listener)), SyscallSucceeds());
    c.server.reset(accept(listener.get(), nullptr, nullptr));
    EXPECT_TRUE(c.server.valid());
    return c;
  }
  Connection Connected() const { return ConnectTo(Listener()); }
  // A port where nobody listens.
  uint16_t FreePort() const {
    const FileDescriptor fd = Stream();
    EXPECT_THAT(Bind(fd, Loopback()), SyscallSucceeds());
    return NameOf(fd).port();
  }
};

}  // namespace redoubt::test

#endif  // REDOUBT_TEST_SYSCALLS_INET_SOCKETS_H_
