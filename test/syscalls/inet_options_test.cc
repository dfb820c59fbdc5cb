// SPDX-License-Identifier: Apache-2.0
//
// Options of internet sockets: what can be set, to what, and what a new socket starts with.

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "test/syscalls/inet_sockets.h"
#include "test/util/platform.h"

namespace redoubt::test {
namespace {

class InetOptionsTest : public InetTest {};
INSTANTIATE_TEST_SUITE_P(Kinds, InetOptionsTest, InetKinds(), InetKindName);

TEST_P(InetOptionsTest, WhatItIs) {
  const FileDescriptor fd = Stream();
  EXPECT_EQ(GetInt(fd, SOL_SOCKET, SO_TYPE), SOCK_STREAM);
  EXPECT_EQ(GetInt(fd, SOL_SOCKET, SO_DOMAIN), family());
  EXPECT_EQ(GetInt(fd, SOL_SOCKET, SO_PROTOCOL), IPPROTO_TCP);
  EXPECT_EQ(GetInt(fd, SOL_SOCKET, SO_ACCEPTCONN), 0);
  EXPECT_EQ(GetInt(Datagram(), SOL_SOCKET, SO_PROTOCOL), IPPROTO_UDP);
}

TEST_P(InetOptionsTest, Booleans) {
  const FileDescriptor fd = Stream();
  for (int name : {SO_REUSEADDR, SO_REUSEPORT, SO_KEEPALIVE, SO_BROADCAST, SO_OOBINLINE}) {
    EXPECT_EQ(GetInt(fd, SOL_SOCKET, name), 0) << name;
    ASSERT_THAT(SetInt(fd, SOL_SOCKET, name, 7), SyscallSucceeds());
    EXPECT_EQ(GetInt(fd, SOL_SOCKET, name), 1) << name;
    ASSERT_THAT(SetInt(fd, SOL_SOCKET, name, 0), SyscallSucceeds());
    EXPECT_EQ(GetInt(fd, SOL_SOCKET, name), 0) << name;
  }
}

TEST_P(InetOptionsTest, BuffersAreDoubledAndBounded) {
  const FileDescriptor fd = Stream();
  ASSERT_THAT(SetInt(fd, SOL_SOCKET, SO_SNDBUF, 50'000), SyscallSucceeds());
  EXPECT_EQ(GetInt(fd, SOL_SOCKET, SO_SNDBUF), 100'000);
  ASSERT_THAT(SetInt(fd, SOL_SOCKET, SO_RCVBUF, 50'000), SyscallSucceeds());
  EXPECT_EQ(GetInt(fd, SOL_SOCKET, SO_RCVBUF), 100'000);
  ASSERT_THAT(SetInt(fd, SOL_SOCKET, SO_SNDBUF, 1), SyscallSucceeds());
  EXPECT_EQ(GetInt(fd, SOL_SOCKET, SO_SNDBUF), 4608);
  ASSERT_THAT(SetInt(fd, SOL_SOCKET, SO_RCVBUF, 1), SyscallSucceeds());
  EXPECT_EQ(GetInt(fd, SOL_SOCKET, SO_RCVBUF), 2304);
}

TEST_P(InetOptionsTest, DefaultBuffers) {
  EXPECT_EQ(GetInt(Stream(), SOL_SOCKET, SO_SNDBUF), 16384);
  EXPECT_EQ(GetInt(Stream(), SOL_SOCKET, SO_RCVBUF), 131072);
  EXPECT_EQ(GetInt(Datagram(), SOL_SOCKET, SO_RCVBUF), 212992);
}

TEST_P(InetOptionsTest, SmallBuffersFillSoon) {
  const FileDescriptor listener = Stream();
  ASSERT_THAT(SetInt(listener, SOL_SOCKET, SO_RCVBUF, 8192), SyscallSucceeds());
  ASSERT_THAT(Bind(listener, Loopback()), SyscallSucceeds());
  ASSERT_THAT(listen(listener.get(), 4), SyscallSucceeds());
  const FileDescriptor client = Stream(SOCK_NONBLOCK);
  ASSERT_THAT(SetInt(client, SOL_SOCKET, SO_SNDBUF, 8192), SyscallSucceeds());
  ASSERT_THAT(Connect(client, NameOf(listener)), SyscallFailsWith(EINPROGRESS));
  ASSERT_EQ(PollFor(client, POLLOUT), POLLOUT);
  size_t total = 0;
  while (Send(client, std::string(1000, 'x')) > 0 && total < (1 << 20)) total += 1000;
  EXPECT_LE(total, 200'000u);
  const FileDescriptor server(accept(listener.get(), nullptr, nullptr));
  EXPECT_EQ(GetInt(server, SOL_SOCKET, SO_RCVBUF), 16384);
}

TEST_P(InetOptionsTest, LingerIsKept) {
  const FileDescriptor fd = Stream();
  linger value = {.l_onoff = 1, .l_linger = 5};
  ASSERT_THAT(setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &value, sizeof(value)),
              SyscallSucceeds());
  value = {};
  socklen_t length = sizeof(value);
  ASSERT_THAT(getsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &value, &length), SyscallSucceeds());
  EXPECT_EQ(value.l_onoff, 1);
  EXPECT_EQ(value.l_linger, 5);
}

TEST_P(InetOptionsTest, AcceptedSocketsInherit) {
  const FileDescriptor listener = Listener();
  ASSERT_THAT(SetInt(listener, IPPROTO_TCP, TCP_NODELAY, 1), SyscallSucceeds());
  ASSERT_THAT(SetInt(listener, SOL_SOCKET, SO_KEEPALIVE, 1), SyscallSucceeds());
  ASSERT_THAT(SetInt(listener, IPPROTO_TCP, TCP_KEEPIDLE, 33), SyscallSucceeds());
  ASSERT_THAT(SetInt(listener, SOL_SOCKET, SO_REUSEADDR, 1), SyscallSucceeds());
  const Connection c = ConnectTo(listener);
  EXPECT_EQ(GetInt(c.server, IPPROTO_TCP, TCP_NODELAY), 1);
  EXPECT_EQ(GetInt(c.server, SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_EQ(GetInt(c.server, IPPROTO_TCP, TCP_KEEPIDLE), 33);
  EXPECT_EQ(GetInt(c.server, SOL_SOCKET, SO_REUSEADDR), 1);
  EXPECT_EQ(GetInt(c.client, IPPROTO_TCP, TCP_NODELAY), 0);
}

TEST_P(InetOptionsTest, TcpDefaults) {
  const FileDescriptor fd = Stream();
  EXPECT_EQ(GetInt(fd, IPPROTO_TCP, TCP_NODELAY), 0);
  EXPECT_EQ(GetInt(fd, IPPROTO_TCP, TCP_CORK), 0);
  EXPECT_EQ(GetInt(fd, IPPROTO_TCP, TCP_KEEPIDLE), 7200);
  EXPECT_EQ(GetInt(fd, IPPROTO_TCP, TCP_KEEPINTVL), 75);
  EXPECT_EQ(GetInt(fd, IPPROTO_TCP, TCP_KEEPCNT), 9);
  EXPECT_EQ(GetInt(fd, IPPROTO_TCP, TCP_SYNCNT), 6);
  EXPECT_EQ(GetInt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 0);
  EXPECT_EQ(GetInt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT), 0);
  EXPECT_EQ(GetInt(fd, IPPROTO_TCP, TCP_MAXSEG), 536);
  EXPECT_EQ(GetInt(fd, IPPROTO_TCP, TCP_QUICKACK), 1);
  EXPECT_EQ(GetInt(fd, IPPROTO_TCP, TCP_LINGER2), 60);
}

TEST_P(InetOptionsTest, TcpBounds) {
  const FileDescriptor fd = Stream();
  for (int name : {TCP_KEEPIDLE, TCP_KEEPINTVL}) {
    EXPECT_THAT(SetInt(fd, IPPROTO_TCP, name, 0), SyscallFailsWith(EINVAL));
    EXPECT_THAT(SetInt(fd, IPPROTO_TCP, name, 32768), SyscallFailsWith(EINVAL));
    EXPECT_THAT(SetInt(fd, IPPROTO_TCP, name, 32767), SyscallSucceeds());
    EXPECT_EQ(GetInt(fd, IPPROTO_TCP, name), 32767);
  }
  for (int name : {TCP_KEEPCNT, TCP_SYNCNT}) {
    EXPECT_THAT(SetInt(fd, IPPROTO_TCP, name, 0), SyscallFailsWith(EINVAL));
    EXPECT_THAT(SetInt(fd, IPPROTO_TCP, name, 128), SyscallFailsWith(EINVAL));
    EXPECT_THAT(SetInt(fd, IPPROTO_TCP, name, 127), SyscallSucceeds());
  }
  EXPECT_THAT(SetInt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, -1), SyscallFailsWith(EINVAL));
  EXPECT_THAT(SetInt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 5000), SyscallSucceeds());
  EXPECT_EQ(GetInt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 5000);
  EXPECT_THAT(SetInt(fd, IPPROTO_TCP, TCP_MAXSEG, 10), SyscallFailsWith(EINVAL));
  EXPECT_THAT(SetInt(fd, IPPROTO_TCP, TCP_MAXSEG, 40'000), SyscallFailsWith(EINVAL));
}

TEST_P(InetOptionsTest, OptionsNeedAnInt) {
  const FileDescriptor fd = Stream();
  const char byte = 1;
  EXPECT_THAT(setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &byte, 1), SyscallFailsWith(EINVAL));
  EXPECT_THAT(setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &byte, 1), SyscallFailsWith(EINVAL));
  EXPECT_THAT(SetInt(fd, IPPROTO_TCP, 4711, 1), SyscallFailsWith(ENOPROTOOPT));
  EXPECT_THAT(SetInt(fd, SOL_SOCKET, 4711, 1), SyscallFailsWith(ENOPROTOOPT));
  EXPECT_THAT(SetInt(fd, SOL_IP, 4711, 1), SyscallFailsWith(ENOPROTOOPT));
  EXPECT_THAT(SetInt(fd, 4711, 1, 1), SyscallFailsWith(ENOPROTOOPT));
}

TEST_P(InetOptionsTest, CongestionControl) {
  const FileDescriptor fd = Stream();
  ASSERT_THAT(setsockopt(fd.get(), IPPROTO_TCP, TCP_CONGESTION, "reno", 4), SyscallSucceeds());
  char name[16] = {};
  socklen_t length = sizeof(name);
  ASSERT_THAT(getsockopt(fd.get(), IPPROTO_TCP, TCP_CONGESTION, name, &length), SyscallSucceeds());
  EXPECT_EQ(std::string(name), "reno");
  EXPECT_EQ(length, 16u);
  EXPECT_THAT(setsockopt(fd.get(), IPPROTO_TCP, TCP_CONGESTION, "nosuch", 6),
              SyscallFailsWith(ENOENT));
}

TEST_P(InetOptionsTest, TcpInfo) {
  const auto state = [](const FileDescriptor& fd) {
    tcp_info info = {};
    socklen_t length = sizeof(info);
    return getsockopt(fd.get(), IPPROTO_TCP, TCP_INFO, &info, &length) == 0 ? info.tcpi_state : -1;
  };
  EXPECT_EQ(state(Stream()), TCP_CLOSE);
  const FileDescriptor listener = Listener();
  EXPECT_EQ(state(listener), TCP_LISTEN);
  const Connection c = ConnectTo(listener);
  EXPECT_EQ(state(c.client), TCP_ESTABLISHED);
  EXPECT_EQ(state(c.server), TCP_ESTABLISHED);
  ASSERT_THAT(shutdown(c.client.get(), SHUT_WR), SyscallSucceeds());
  EXPECT_TRUE(PollUntil([&] { return state(c.client) == TCP_FIN_WAIT2; }));
  EXPECT_EQ(state(c.server), TCP_CLOSE_WAIT);
  ASSERT_THAT(shutdown(c.server.get(), SHUT_WR), SyscallSucceeds());
  EXPECT_TRUE(PollUntil([&] { return state(c.client) == TCP_CLOSE; }));
}

TEST_P(InetOptionsTest, TcpInfoIsCut) {
  const Connection c = Connected();
  uint8_t state = 0;
  socklen_t length = 1;
  ASSERT_THAT(getsockopt(c.client.get(), IPPROTO_TCP, TCP_INFO, &state, &length),
              SyscallSucceeds());
  EXPECT_EQ(length, 1u);
  EXPECT_EQ(state, TCP_ESTABLISHED);
}

TEST_P(InetOptionsTest, IpDefaults) {
  const FileDescriptor fd = Datagram();
  if (family() == AF_INET) {
    EXPECT_EQ(GetInt(fd, SOL_IP, IP_TTL), 64);
    EXPECT_EQ(GetInt(fd, SOL_IP, IP_TOS), 0);
    EXPECT_EQ(GetInt(fd, SOL_IP, IP_MULTICAST_TTL), 1);
    EXPECT_EQ(GetInt(fd, SOL_IP, IP_MULTICAST_LOOP), 1);
    EXPECT_EQ(GetInt(fd, SOL_IP, IP_RECVERR), 0);
    EXPECT_EQ(GetInt(fd, SOL_IP, IP_MTU), -1000 - ENOTCONN);
    EXPECT_EQ(GetInt(fd, SOL_IPV6, IPV6_V6ONLY), -1000 - EOPNOTSUPP);
    return;
  }
  EXPECT_EQ(GetInt(fd, SOL_IPV6, IPV6_UNICAST_HOPS), 64);
  EXPECT_EQ(GetInt(fd, SOL_IPV6, IPV6_MULTICAST_HOPS), 1);
  EXPECT_EQ(GetInt(fd, SOL_IPV6, IPV6_MULTICAST_LOOP), 1);
  EXPECT_EQ(GetInt(fd, SOL_IPV6, IPV6_V6ONLY), 0);
  EXPECT_EQ(GetInt(fd, SOL_IPV6, IPV6_TCLASS), 0);
}

TEST_P(InetOptionsTest, IpBounds) {
  const FileDescriptor fd = Datagram();
  if (family() == AF_INET) {
    EXPECT_THAT(SetInt(fd, SOL_IP, IP_TTL, 0), SyscallFailsWith(EINVAL));
    EXPECT_THAT(SetInt(fd, SOL_IP, IP_TTL, 256), SyscallFailsWith(EINVAL));
    EXPECT_THAT(SetInt(fd, SOL_IP, IP_TTL, 5), SyscallSucceeds());
    EXPECT_THAT(SetInt(fd, SOL_IP, IP_TTL, -1), SyscallSucceeds());
    EXPECT_EQ(GetInt(fd, SOL_IP, IP_TTL), 64);
    const char ttl = 9;
    EXPECT_THAT(setsockopt(fd.get(), SOL_IP, IP_TTL, &ttl, 1), SyscallSucceeds());
    EXPECT_EQ(GetInt(fd, SOL_IP, IP_TTL), 9);
    EXPECT_THAT(SetInt(fd, SOL_IP, IP_MTU_DISCOVER, 77), SyscallFailsWith(EINVAL));
    return;
  }
  EXPECT_THAT(SetInt(fd, SOL_IPV6, IPV6_UNICAST_HOPS, 256), SyscallFailsWith(EINVAL));
  EXPECT_THAT(SetInt(fd, SOL_IPV6, IPV6_UNICAST_HOPS, -2), SyscallFailsWith(EINVAL));
  EXPECT_THAT(SetInt(fd, SOL_IPV6, IPV6_UNICAST_HOPS, 5), SyscallSucceeds());
  EXPECT_THAT(SetInt(fd, SOL_IPV6, IPV6_UNICAST_HOPS, -1), SyscallSucceeds());
  EXPECT_EQ(GetInt(fd, SOL_IPV6, IPV6_UNICAST_HOPS), 64);
  EXPECT_THAT(SetInt(fd, SOL_IPV6, IPV6_TCLASS, 256), SyscallFailsWith(EINVAL));
}

TEST_P(InetOptionsTest, TosOfAStreamLeavesTheCongestionBits) {
  if (family() != AF_INET) return;
  const FileDescriptor fd = Stream();
  ASSERT_THAT(SetInt(fd, SOL_IP, IP_TOS, 0x13), SyscallSucceeds());
  EXPECT_EQ(GetInt(fd, SOL_IP, IP_TOS), 0x10);
}

TEST_P(InetOptionsTest, MtuOfLoopback) {
  if (family() != AF_INET) return;
  EXPECT_EQ(GetInt(Connected().client, SOL_IP, IP_MTU), 65535);
}

TEST_P(InetOptionsTest, Cookie) {
  const FileDescriptor a = Stream(), b = Stream();
  uint64_t first = 0, second = 0;
  socklen_t length = sizeof(first);
  ASSERT_THAT(getsockopt(a.get(), SOL_SOCKET, SO_COOKIE, &first, &length), SyscallSucceeds());
  ASSERT_THAT(getsockopt(b.get(), SOL_SOCKET, SO_COOKIE, &second, &length), SyscallSucceeds());
  EXPECT_NE(first, second);
  EXPECT_NE(first, 0u);
}

TEST_P(InetOptionsTest, LevelsOfOthers) {
  const FileDescriptor fd = Datagram();
  EXPECT_THAT(SetInt(fd, IPPROTO_TCP, TCP_NODELAY, 1), SyscallFailsWith(ENOPROTOOPT));
  if (family() == AF_INET) {
    EXPECT_THAT(SetInt(fd, SOL_IPV6, IPV6_V6ONLY, 1), SyscallFailsWith(ENOPROTOOPT));
  }
}

TEST_P(InetOptionsTest, UlpIsNotThere) {
  const Connection c = Connected();
  EXPECT_THAT(setsockopt(c.client.get(), IPPROTO_TCP, TCP_ULP, "nosuch", 6),
              SyscallFailsWith(ENOENT));
}

}  // namespace
}  // namespace redoubt::test
