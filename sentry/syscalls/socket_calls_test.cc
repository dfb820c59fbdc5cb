// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>

#include "sentry/syscalls/file_calls_fixture.h"

namespace redoubt::syscalls {
namespace {

class SocketCalls : public FileCallsTest {
 protected:
  std::array<int32_t, 2> Pair(int type) {
    uint64_t fds = Room(8);
    EXPECT_EQ(Call(SYS_socketpair, AF_UNIX, type | SOCK_NONBLOCK, 0, fds), 0);
    return Get<std::array<int32_t, 2>>(fds);
  }
  // A message of `text` with the `control` bytes.
  uint64_t Message(std::string_view text, std::string_view control) {
    msghdr header{};
    iovec vector{reinterpret_cast<void*>(Text(text)), text.size()};
    header.msg_iov = reinterpret_cast<iovec*>(Put(vector));
    header.msg_iovlen = 1;
    if (!control.empty()) header.msg_control = reinterpret_cast<void*>(Text(control));
    header.msg_controllen = control.size();
    return Put(header);
  }
  static std::string Rights(std::initializer_list<int> fds, uint64_t length = 0) {
    std::string control(CMSG_SPACE(fds.size() * sizeof(int)), '\0');
    cmsghdr header{};
    header.cmsg_len = length != 0 ? length : CMSG_LEN(fds.size() * sizeof(int));
    header.cmsg_level = SOL_SOCKET;
    header.cmsg_type = SCM_RIGHTS;
    std::memcpy(control.data(), &header, sizeof(header));
    std::memcpy(control.data() + sizeof(header), fds.begin(), fds.size() * sizeof(int));
    return control;
  }
};

TEST_F(SocketCalls, StreamsCarryBytes) {
  auto [a, b] = Pair(SOCK_STREAM);
  EXPECT_EQ(Call(SYS_sendto, a, Text("hello"), 5, 0, 0, 0), 5);
  uint64_t buffer = Room(16);
  EXPECT_EQ(Call(SYS_recvfrom, b, kBadAddress, 16, 0, 0, 0), -EFAULT);
  EXPECT_EQ(Call(SYS_read, b, kBadAddress, 16), -EFAULT);
  EXPECT_EQ(Call(SYS_recvfrom, b, buffer, 16, MSG_PEEK, 0, 0), 5);
  EXPECT_EQ(Call(SYS_recvfrom, b, buffer, 16, 0, 0, 0), 5);
  EXPECT_EQ(Bytes(buffer, 5), "hello");
  EXPECT_EQ(Call(SYS_recvfrom, b, buffer, 16, 0, 0, 0), -EAGAIN);
  EXPECT_EQ(Call(SYS_shutdown, a, 3), -EINVAL);
  EXPECT_EQ(Call(SYS_shutdown, a, SHUT_WR), 0);
  EXPECT_EQ(Call(SYS_read, b, buffer, 16), 0);
}

TEST_F(SocketCalls, BrokenConnectionsSignalUnlessAskedNotTo) {
  auto [a, b] = Pair(SOCK_STREAM);
  task().SetSignalMask(kernel::SignalSet::Of(SIGPIPE));
  Call(SYS_close, b);
  EXPECT_EQ(Call(SYS_sendto, a, Text("x"), 1, MSG_NOSIGNAL, 0, 0), -EPIPE);
  EXPECT_FALSE(Pending(SIGPIPE));
  EXPECT_EQ(Call(SYS_sendto, a, Text("x"), 1, 0, 0, 0), -EPIPE);
  EXPECT_TRUE(Pending(SIGPIPE));
}

TEST_F(SocketCalls, DatagramsKeepTheirLength) {
  auto [a, b] = Pair(SOCK_DGRAM);
  EXPECT_EQ(Call(SYS_write, a, Text("12345"), 5), 5);
  EXPECT_EQ(Call(SYS_write, a, Text("67"), 2), 2);
  uint64_t buffer = Room(16);
  EXPECT_EQ(Call(SYS_recvfrom, b, buffer, 3, MSG_TRUNC, 0, 0), 5);
  EXPECT_EQ(Call(SYS_read, b, buffer, 16), 2);
}

TEST_F(SocketCalls, DescriptorsTravel) {
  auto [a, b] = Pair(SOCK_STREAM);
  EXPECT_EQ(Call(SYS_sendmsg, a, Message("x", Rights({a, b})), 0), 1);
  uint64_t message = Message("____", std::string(CMSG_SPACE(8), '\0'));
  EXPECT_EQ(Call(SYS_recvmsg, b, message, MSG_CMSG_CLOEXEC), 1);
  auto header = Get<msghdr>(message);
  EXPECT_EQ(header.msg_controllen, CMSG_SPACE(8));
  EXPECT_EQ(header.msg_flags & MSG_CTRUNC, 0);
  auto control = reinterpret_cast<uint64_t>(header.msg_control);
  EXPECT_EQ(Get<uint64_t>(control), CMSG_LEN(8));
  int32_t received = Get<int32_t>(control + sizeof(cmsghdr));
  EXPECT_EQ(Call(SYS_fcntl, received, F_GETFD, 0), FD_CLOEXEC);
}

TEST_F(SocketCalls, DescriptorsThatDoNotFitAreDropped) {
  auto [a, b] = Pair(SOCK_STREAM);
  EXPECT_EQ(Call(SYS_sendmsg, a, Message("x", Rights({a, b})), 0), 1);
  uint64_t message = Message("____", std::string(CMSG_LEN(4), '\0'));
  EXPECT_EQ(Call(SYS_recvmsg, b, message, 0), 1);
  auto header = Get<msghdr>(message);
  EXPECT_NE(header.msg_flags & MSG_CTRUNC, 0);
  EXPECT_EQ(header.msg_controllen, CMSG_LEN(4));
  EXPECT_EQ(Call(SYS_dup, a), b + 2);  // One number was given out.
}

TEST_F(SocketCalls, BrokenControlMessagesAreRefused) {
  auto [a, b] = Pair(SOCK_STREAM);
  EXPECT_EQ(Call(SYS_sendmsg, a, Message("x", Rights({a}, 15)), 0), -EINVAL);
  EXPECT_EQ(Call(SYS_sendmsg, a, Message("x", Rights({a}, 1000)), 0), -EINVAL);
  EXPECT_EQ(Call(SYS_sendmsg, a, Message("x", Rights({99})), 0), -EBADF);
  EXPECT_EQ(Call(SYS_sendmsg, a, Message("x", std::string(30000, '\0')), 0), -ENOBUFS);
  EXPECT_EQ(Call(SYS_sendmsg, a, kBadAddress, 0), -EFAULT);
  EXPECT_EQ(Call(SYS_sendmsg, b, Message("x", "short"), 0), 1);  // Not even a header.
}

TEST_F(SocketCalls, AddressesAreCopiedWithTheirLength) {
  int64_t listener = Call(SYS_socket, AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  std::strcpy(name.sun_path, "/socket");
  uint64_t address = Put(name);
  constexpr int kLength = 2 + 8;
  EXPECT_EQ(Call(SYS_bind, listener, address, -1), -EINVAL);
  EXPECT_EQ(Call(SYS_bind, listener, address, 200), -EINVAL);
  EXPECT_EQ(Call(SYS_bind, listener, address, kLength), 0);
  EXPECT_EQ(Call(SYS_listen, listener, 5), 0);
  EXPECT_EQ(Call(SYS_accept, listener, 0, 0), -EAGAIN);
  int64_t client = Call(SYS_socket, AF_UNIX, SOCK_STREAM, 0);
  EXPECT_EQ(Call(SYS_connect, client, address, kLength), 0);
  uint64_t out = Room(128), length = Put(int32_t{4});
  EXPECT_EQ(Call(SYS_getpeername, client, out, length), 0);
  EXPECT_EQ(Get<int32_t>(length), kLength);
  EXPECT_EQ(Bytes(out + 2, 2), "/s");
  EXPECT_EQ(Get<char>(out + 4), '\0');  // Beyond what was asked for.
  uint64_t negative = Put(int32_t{-1});
  EXPECT_EQ(Call(SYS_getsockname, client, out, negative), -EINVAL);
  EXPECT_GE(Call(SYS_accept4, listener, out, Put(int32_t{128}), SOCK_CLOEXEC), 0);
}

TEST_F(SocketCalls, OptionsAreCutToWhatFits) {
  auto [a, b] = Pair(SOCK_STREAM);
  uint64_t value = Put(int64_t{-1}), length = Put(int32_t{2});
  EXPECT_EQ(Call(SYS_getsockopt, a, SOL_SOCKET, SO_TYPE, value, length), 0);
  EXPECT_EQ(Get<int32_t>(length), 2);
  EXPECT_EQ(Get<uint32_t>(value), 0xffff0001);
  EXPECT_EQ(Call(SYS_setsockopt, a, SOL_SOCKET, SO_SNDBUF, value, -1), -EINVAL);
  EXPECT_EQ(Call(SYS_setsockopt, a, SOL_SOCKET, SO_SNDBUF, value, 2), -EINVAL);
  EXPECT_EQ(Call(SYS_socket, 77, SOCK_STREAM, 0), -EAFNOSUPPORT);
}

}  // namespace
}  // namespace redoubt::syscalls
