// SPDX-License-Identifier: Apache-2.0
//
// TCP connections between processes of one machine: connect(2), listen(2), accept(2), names, ends.

#include <fcntl.h>
#include <netinet/tcp.h>

#include <vector>

#include "test/syscalls/inet_sockets.h"
#include "test/util/fork.h"
#include "test/util/platform.h"

namespace redoubt::test {
namespace {

using ::testing::AnyOf;
using ::testing::Eq;

constexpr int kClosedEvents = POLLOUT | POLLHUP;

class TcpConnectTest : public InetTest {};
INSTANTIATE_TEST_SUITE_P(Kinds, TcpConnectTest, InetKinds(), InetKindName);

TEST_P(TcpConnectTest, ConnectsAndTalks) {
  const Connection c = Connected();
  ASSERT_THAT(Send(c.client, "ping"), SyscallSucceedsWithValue(4));
  EXPECT_EQ(Receive(c.server), "ping");
  ASSERT_THAT(Send(c.server, "pong"), SyscallSucceedsWithValue(4));
  EXPECT_EQ(Receive(c.client), "pong");
}

TEST_P(TcpConnectTest, NamesMirrorEachOther) {
  const FileDescriptor listener = Listener();
  const Connection c = ConnectTo(listener);
  EXPECT_EQ(NameOf(c.client), PeerOf(c.server));
  EXPECT_EQ(PeerOf(c.client), NameOf(c.server));
  EXPECT_EQ(PeerOf(c.client), NameOf(listener));
  EXPECT_EQ(NameOf(c.client).host(), Loopback().host());
  EXPECT_GE(NameOf(c.client).port(), 1024);
}

TEST_P(TcpConnectTest, AcceptTellsTheClientsName) {
  const FileDescriptor listener = Listener();
  const FileDescriptor client = Stream();
  ASSERT_THAT(Connect(client, NameOf(listener)), SyscallSucceeds());
  InetAddress peer;
  peer.length = sizeof(peer.storage);
  const FileDescriptor server(accept(listener.get(), peer.get(), &peer.length));
  ASSERT_TRUE(server.valid());
  EXPECT_EQ(peer, NameOf(client));
}

TEST_P(TcpConnectTest, AcceptedSocketDoesNotInheritNonblocking) {
  const FileDescriptor listener = Listener(4, SOCK_NONBLOCK);
  const Connection c = ConnectTo(listener);
  EXPECT_EQ(fcntl(c.server.get(), F_GETFL) & O_NONBLOCK, 0);
}

TEST_P(TcpConnectTest, Accept4SetsFlags) {
  const FileDescriptor listener = Listener();
  const FileDescriptor client = Stream();
  ASSERT_THAT(Connect(client, NameOf(listener)), SyscallSucceeds());
  const FileDescriptor server(
      accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  ASSERT_TRUE(server.valid());
  EXPECT_NE(fcntl(server.get(), F_GETFL) & O_NONBLOCK, 0);
  EXPECT_EQ(fcntl(server.get(), F_GETFD), FD_CLOEXEC);
  EXPECT_EQ(Receive(server), ErrorText(EAGAIN));
}

TEST_P(TcpConnectTest, NobodyListens) {
  const FileDescriptor client = Stream();
  EXPECT_THAT(Connect(client, Loopback(FreePort())), SyscallFailsWith(ECONNREFUSED));
  EXPECT_EQ(SocketError(client), 0);
  EXPECT_THAT(Peername(client), SyscallFailsWith(ENOTCONN));
}

TEST_P(TcpConnectTest, CanTryAgainAfterRefusal) {
  const FileDescriptor client = Stream();
  ASSERT_THAT(Connect(client, Loopback(FreePort())), SyscallFailsWith(ECONNREFUSED));
  const FileDescriptor listener = Listener();
  EXPECT_THAT(Connect(client, NameOf(listener)), SyscallSucceeds());
}

TEST_P(TcpConnectTest, BoundButNotListeningRefuses) {
  const FileDescriptor bound = Stream();
  ASSERT_THAT(Bind(bound, Loopback()), SyscallSucceeds());
  EXPECT_THAT(Connect(Stream(), NameOf(bound)), SyscallFailsWith(ECONNREFUSED));
}

TEST_P(TcpConnectTest, NonblockingConnectIsInProgress) {
  const FileDescriptor listener = Listener();
  const FileDescriptor client = Stream(SOCK_NONBLOCK);
  ASSERT_THAT(Connect(client, NameOf(listener)), SyscallFailsWith(EINPROGRESS));
  EXPECT_EQ(PollFor(client, POLLOUT), POLLOUT);
  EXPECT_EQ(SocketError(client), 0);
  // The outcome once more, then it is simply connected.
  EXPECT_THAT(Connect(client, NameOf(listener)), SyscallSucceeds());
  EXPECT_THAT(Connect(client, NameOf(listener)), SyscallFailsWith(EISCONN));
}

TEST_P(TcpConnectTest, NonblockingConnectRefused) {
  const InetAddress nobody = Loopback(FreePort());
  const FileDescriptor client = Stream(SOCK_NONBLOCK);
  ASSERT_THAT(Connect(client, nobody), SyscallFailsWith(EINPROGRESS));
  EXPECT_EQ(PollFor(client, POLLIN | POLLOUT | POLLRDHUP),
            POLLIN | POLLOUT | POLLRDHUP | POLLHUP | POLLERR);
  EXPECT_EQ(SocketError(client), ECONNREFUSED);
  EXPECT_EQ(SocketError(client), 0);
  EXPECT_EQ(Poll(client), POLLIN | POLLOUT | POLLRDHUP | POLLHUP);
  EXPECT_THAT(Connect(client, nobody), SyscallFailsWith(ECONNABORTED));
  EXPECT_THAT(Connect(client, nobody), SyscallFailsWith(EINPROGRESS));
}

TEST_P(TcpConnectTest, NonblockingConnectTellsRefusalBySecondConnect) {
  const InetAddress nobody = Loopback(FreePort());
  const FileDescriptor client = Stream(SOCK_NONBLOCK);
  ASSERT_THAT(Connect(client, nobody), SyscallFailsWith(EINPROGRESS));
  ASSERT_NE(PollFor(client, POLLOUT), 0);
  EXPECT_THAT(Connect(client, nobody), SyscallFailsWith(ECONNREFUSED));
}

TEST_P(TcpConnectTest, SendFindsRefusal) {
  const FileDescriptor client = Stream(SOCK_NONBLOCK);
  ASSERT_THAT(Connect(client, Loopback(FreePort())), SyscallFailsWith(EINPROGRESS));
  ASSERT_NE(PollFor(client, POLLOUT), 0);
  EXPECT_THAT(Send(client, "x"), SyscallFailsWith(ECONNREFUSED));
  EXPECT_THAT(Send(client, "x"), SyscallFailsWith(EPIPE));
}

TEST_P(TcpConnectTest, ConnectedAlready) {
  const Connection c = Connected();
  EXPECT_THAT(Connect(c.client, PeerOf(c.client)), SyscallFailsWith(EISCONN));
  EXPECT_THAT(Connect(c.server, PeerOf(c.client)), SyscallFailsWith(EISCONN));
}

TEST_P(TcpConnectTest, ListenerCannotConnect) {
  const FileDescriptor a = Listener(), b = Listener();
  EXPECT_THAT(Connect(a, NameOf(b)), SyscallFailsWith(EISCONN));
}

TEST_P(TcpConnectTest, WrongLengths) {
  const FileDescriptor client = Stream();
  const InetAddress to = Loopback(FreePort());
  EXPECT_THAT(connect(client.get(), to.get(), 1), SyscallFailsWith(EINVAL));
  EXPECT_THAT(connect(client.get(), to.get(), family() == AF_INET ? 15 : 23),
              SyscallFailsWith(EINVAL));
  EXPECT_THAT(connect(client.get(), to.get(), 0), SyscallFailsWith(EINVAL));
}

TEST_P(TcpConnectTest, WrongFamily) {
  const FileDescriptor client = Stream();
  InetAddress to = Loopback(FreePort());
  to.storage.ss_family = AF_UNIX;
  EXPECT_THAT(Connect(client, to), SyscallFailsWith(EAFNOSUPPORT));
}

TEST_P(TcpConnectTest, UnspecifiedAddressIsLoopback) {
  const FileDescriptor listener = Listener();
  const FileDescriptor client = Stream();
  ASSERT_THAT(Connect(client, Any(NameOf(listener).port())), SyscallSucceeds());
  EXPECT_EQ(PeerOf(client).host(), Loopback().host());
}

TEST_P(TcpConnectTest, PortZeroRefuses) {
  EXPECT_THAT(Connect(Stream(), Loopback(0)), SyscallFailsWith(ECONNREFUSED));
}

TEST_P(TcpConnectTest, FreshSocketHasNoNameNorPeer) {
  const FileDescriptor fd = Stream();
  EXPECT_EQ(NameOf(fd).port(), 0);
  EXPECT_THAT(Peername(fd), SyscallFailsWith(ENOTCONN));
  EXPECT_EQ(Poll(fd), kClosedEvents);
  EXPECT_EQ(Receive(fd, 1, MSG_DONTWAIT), ErrorText(ENOTCONN));
  EXPECT_THAT(Send(fd, "x"), SyscallFailsWith(EPIPE));
  EXPECT_THAT(shutdown(fd.get(), SHUT_RDWR), SyscallFailsWith(ENOTCONN));
}

TEST_P(TcpConnectTest, ListenWithoutBindTakesAPort) {
  const FileDescriptor listener = Stream();
  ASSERT_THAT(listen(listener.get(), 1), SyscallSucceeds());
  const uint16_t port = NameOf(listener).port();
  ASSERT_NE(port, 0);
  const FileDescriptor client = Stream();
  EXPECT_THAT(Connect(client, Loopback(port)), SyscallSucceeds());
}

TEST_P(TcpConnectTest, ListenAgainChangesTheBacklog) {
  const FileDescriptor listener = Listener();
  EXPECT_THAT(listen(listener.get(), 3), SyscallSucceeds());
  EXPECT_EQ(GetInt(listener, SOL_SOCKET, SO_ACCEPTCONN), 1);
}

TEST_P(TcpConnectTest, ListenOnConnectedIsInvalid) {
  const Connection c = Connected();
  EXPECT_THAT(listen(c.client.get(), 1), SyscallFailsWith(EINVAL));
  EXPECT_THAT(listen(c.server.get(), 1), SyscallFailsWith(EINVAL));
  EXPECT_THAT(listen(Datagram().get(), 1), SyscallFailsWith(EOPNOTSUPP));
}

TEST_P(TcpConnectTest, AcceptNeedsAListener) {
  const Connection c = Connected();
  EXPECT_THAT(accept(Stream().get(), nullptr, nullptr), SyscallFailsWith(EINVAL));
  EXPECT_THAT(accept(c.server.get(), nullptr, nullptr), SyscallFailsWith(EINVAL));
  EXPECT_THAT(accept(Datagram().get(), nullptr, nullptr), SyscallFailsWith(EOPNOTSUPP));
}

TEST_P(TcpConnectTest, AcceptWithoutConnectionIsEagain) {
  const FileDescriptor listener = Listener(4, SOCK_NONBLOCK);
  EXPECT_THAT(accept(listener.get(), nullptr, nullptr), SyscallFailsWith(EAGAIN));
  EXPECT_EQ(Poll(listener), 0);
}

TEST_P(TcpConnectTest, AcceptTimesOut) {
  const FileDescriptor listener = Listener();
  const timeval limit = ToTimeval(milliseconds(30));
  ASSERT_THAT(setsockopt(listener.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)),
              SyscallSucceeds());
  EXPECT_THAT(accept(listener.get(), nullptr, nullptr), SyscallFailsWith(EAGAIN));
}

TEST_P(TcpConnectTest, AcceptWaitsForAConnection) {
  const FileDescriptor listener = Listener();
  int accepted = -1;
  {
    TestThread server([&] { accepted = accept(listener.get(), nullptr, nullptr); });
    AwaitSleeping(getpid(), server.tid());
    const FileDescriptor client = Stream();
    EXPECT_THAT(Connect(client, NameOf(listener)), SyscallSucceeds());
    server.Join();
  }
  EXPECT_GE(accepted, 0);
  close(accepted);
}

TEST_P(TcpConnectTest, ListenerBecomesReadable) {
  const FileDescriptor listener = Listener();
  const FileDescriptor client = Stream();
  ASSERT_THAT(Connect(client, NameOf(listener)), SyscallSucceeds());
  EXPECT_EQ(Poll(listener, 20'000), POLLIN);
}

TEST_P(TcpConnectTest, ListenerDoesNotTalk) {
  const FileDescriptor listener = Listener();
  EXPECT_EQ(Receive(listener, 1, MSG_DONTWAIT), ErrorText(ENOTCONN));
  EXPECT_THAT(Send(listener, "x"), SyscallFailsWith(EPIPE));
  EXPECT_THAT(Peername(listener), SyscallFailsWith(ENOTCONN));
}

TEST_P(TcpConnectTest, DataBeforeAcceptIsKept) {
  const FileDescriptor listener = Listener();
  {
    const FileDescriptor client = Stream();
    ASSERT_THAT(Connect(client, NameOf(listener)), SyscallSucceeds());
    ASSERT_THAT(Send(client, "early"), SyscallSucceedsWithValue(5));
  }
  const FileDescriptor server(accept(listener.get(), nullptr, nullptr));
  ASSERT_TRUE(server.valid());
  EXPECT_EQ(Receive(server), "early");
  EXPECT_EQ(Receive(server), "");
}

TEST_P(TcpConnectTest, ConnectionsComeInOrder) {
  const FileDescriptor listener = Listener();
  std::vector<FileDescriptor> clients;
  for (int i = 0; i < 5; ++i) {
    clients.push_back(Stream());
    ASSERT_THAT(Connect(clients.back(), NameOf(listener)), SyscallSucceeds());
  }
  for (const FileDescriptor& client : clients) {
    const FileDescriptor server(accept(listener.get(), nullptr, nullptr));
    EXPECT_EQ(PeerOf(server), NameOf(client));
  }
}

TEST_P(TcpConnectTest, FullBacklogHoldsConnectorsBack) {
  const FileDescriptor listener = Listener(1);
  std::vector<FileDescriptor> clients;
  for (int i = 0; i < 2; ++i) {
    clients.push_back(Stream());
    ASSERT_THAT(Connect(clients.back(), NameOf(listener)), SyscallSucceeds());
  }
  const FileDescriptor late = Stream(SOCK_NONBLOCK);
  ASSERT_THAT(Connect(late, NameOf(listener)), SyscallFailsWith(EINPROGRESS));
  EXPECT_EQ(Poll(late, 50), 0);
  EXPECT_THAT(Connect(late, NameOf(listener)), SyscallFailsWith(EALREADY));
  EXPECT_THAT(Send(late, "x"), SyscallFailsWith(EAGAIN));
  EXPECT_EQ(Receive(late), ErrorText(EAGAIN));
  EXPECT_THAT(Peername(late), SyscallFailsWith(ENOTCONN));
  const FileDescriptor server(accept(listener.get(), nullptr, nullptr));
  EXPECT_TRUE(server.valid());
  // A SYN is sent again after a second.
  EXPECT_EQ(PollFor(late, POLLOUT), POLLOUT);
  EXPECT_THAT(Connect(late, NameOf(listener)), SyscallSucceeds());
}

TEST_P(TcpConnectTest, ConnectTimesOut) {
  const FileDescriptor listener = Listener(0);
  const FileDescriptor first = Stream();
  ASSERT_THAT(Connect(first, NameOf(listener)), SyscallSucceeds());
  const FileDescriptor late = Stream();
  const timeval limit = ToTimeval(milliseconds(30));
  ASSERT_THAT(setsockopt(late.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)),
              SyscallSucceeds());
  EXPECT_THAT(Connect(late, NameOf(listener)), SyscallFailsWith(EINPROGRESS));
  EXPECT_THAT(Connect(late, NameOf(listener)), SyscallFailsWith(EALREADY));
}

TEST_P(TcpConnectTest, ClosedListenerResetsWhatWaits) {
  FileDescriptor listener = Listener();
  const FileDescriptor client = Stream();
  ASSERT_THAT(Connect(client, NameOf(listener)), SyscallSucceeds());
  listener.reset();
  EXPECT_EQ(PollFor(client, POLLIN) & POLLHUP, POLLHUP);
  EXPECT_EQ(Receive(client), ErrorText(ECONNRESET));
}

TEST_P(TcpConnectTest, ClosedListenerLeavesAcceptedOnes) {
  FileDescriptor listener = Listener();
  const Connection c = ConnectTo(listener);
  listener.reset();
  ASSERT_THAT(Send(c.client, "x"), SyscallSucceeds());
  EXPECT_EQ(Receive(c.server), "x");
}

TEST_P(TcpConnectTest, ShutdownOfAListenerEndsIt) {
  const FileDescriptor listener = Listener();
  const InetAddress name = NameOf(listener);
  ASSERT_THAT(shutdown(listener.get(), SHUT_WR), SyscallSucceeds());
  {
    const FileDescriptor client = Stream();
    EXPECT_THAT(Connect(client, name), SyscallSucceeds());
  }
  ASSERT_THAT(shutdown(listener.get(), SHUT_RD), SyscallSucceeds());
  EXPECT_THAT(Connect(Stream(), name), SyscallFailsWith(ECONNREFUSED));
  EXPECT_THAT(accept(listener.get(), nullptr, nullptr), SyscallFailsWith(EINVAL));
  EXPECT_EQ(GetInt(listener, SOL_SOCKET, SO_ACCEPTCONN), 0);
  EXPECT_THAT(listen(listener.get(), 1), SyscallSucceeds());
}

TEST_P(TcpConnectTest, ShutdownWakesAccept) {
  const FileDescriptor listener = Listener();
  int error = 0;
  TestThread server([&] {
    if (accept(listener.get(), nullptr, nullptr) < 0) error = errno;
  });
  AwaitSleeping(getpid(), server.tid());
  ASSERT_THAT(shutdown(listener.get(), SHUT_RDWR), SyscallSucceeds());
  server.Join();
  EXPECT_EQ(error, EINVAL);
}

TEST_P(TcpConnectTest, DisconnectByUnspecified) {
  const Connection c = Connected();
  ASSERT_THAT(Disconnect(c.client), SyscallSucceeds());
  EXPECT_THAT(Peername(c.client), SyscallFailsWith(ENOTCONN));
  EXPECT_NE(PollFor(c.server, POLLIN) & POLLERR, 0);
  EXPECT_EQ(Receive(c.server), ErrorText(ECONNRESET));
}

TEST_P(TcpConnectTest, ReconnectAfterDisconnect) {
  const FileDescriptor listener = Listener();
  const Connection c = ConnectTo(listener);
  ASSERT_THAT(Disconnect(c.client), SyscallSucceeds());
  ASSERT_THAT(Connect(c.client, NameOf(listener)), SyscallSucceeds());
  const FileDescriptor again(accept(listener.get(), nullptr, nullptr));
  ASSERT_THAT(Send(c.client, "again"), SyscallSucceeds());
  EXPECT_EQ(Receive(again), "again");
}

TEST_P(TcpConnectTest, DisconnectKeepsABoundPort) {
  const FileDescriptor listener = Listener();
  const FileDescriptor client = Stream();
  ASSERT_THAT(Bind(client, Loopback()), SyscallSucceeds());
  const uint16_t port = NameOf(client).port();
  ASSERT_THAT(Connect(client, NameOf(listener)), SyscallSucceeds());
  EXPECT_EQ(NameOf(client).port(), port);
}

TEST_P(TcpConnectTest, DisconnectOfAListener) {
  const FileDescriptor listener = Listener();
  const InetAddress name = NameOf(listener);
  ASSERT_THAT(Disconnect(listener), SyscallSucceeds());
  EXPECT_THAT(Connect(Stream(), name), SyscallFailsWith(ECONNREFUSED));
}

TEST_P(TcpConnectTest, ConnectsToItself) {
  const FileDescriptor self = Stream();
  ASSERT_THAT(Bind(self, Loopback()), SyscallSucceeds());
  ASSERT_THAT(Connect(self, NameOf(self)), SyscallSucceeds());
  EXPECT_EQ(NameOf(self), PeerOf(self));
  ASSERT_THAT(Send(self, "echo"), SyscallSucceedsWithValue(4));
  EXPECT_EQ(Receive(self), "echo");
  ASSERT_THAT(shutdown(self.get(), SHUT_WR), SyscallSucceeds());
  EXPECT_EQ(Receive(self), "");
}

TEST_P(TcpConnectTest, ManyConnectionsFromOnePort) {
  const FileDescriptor a = Listener(), b = Listener();
  const FileDescriptor one = Stream(), two = Stream(), three = Stream();
  for (const FileDescriptor* fd : {&one, &two, &three}) {
    ASSERT_THAT(SetInt(*fd, SOL_SOCKET, SO_REUSEADDR, 1), SyscallSucceeds());
  }
  ASSERT_THAT(Bind(one, Loopback()), SyscallSucceeds());
  const InetAddress name = NameOf(one);
  ASSERT_THAT(Bind(two, name), SyscallSucceeds());
  ASSERT_THAT(Bind(three, name), SyscallSucceeds());
  EXPECT_THAT(Connect(one, NameOf(a)), SyscallSucceeds());
  EXPECT_THAT(Connect(two, NameOf(b)), SyscallSucceeds());
  EXPECT_THAT(Connect(three, NameOf(a)), SyscallFailsWith(EADDRNOTAVAIL));
}

TEST_P(TcpConnectTest, BroadcastAndGroupsAreUnreachable) {
  if (!is_v4()) return;
  EXPECT_THAT(Connect(Stream(), Address("127.255.255.255", "", 80)), SyscallFailsWith(ENETUNREACH));
  EXPECT_THAT(Connect(Stream(), Address("224.0.0.1", "", 80)), SyscallFailsWith(ENETUNREACH));
}

TEST_P(TcpConnectTest, AnyAddressOfTheLoopbackNet) {
  if (!is_v4()) return;
  const FileDescriptor listener = Stream();
  ASSERT_THAT(Bind(listener, Address("127.1.2.3", "")), SyscallSucceeds());
  ASSERT_THAT(listen(listener.get(), 1), SyscallSucceeds());
  const FileDescriptor client = Stream();
  ASSERT_THAT(Connect(client, NameOf(listener)), SyscallSucceeds());
  EXPECT_EQ(NameOf(client).host(), Loopback().host());
  EXPECT_THAT(Connect(Stream(), Loopback(NameOf(listener).port())), SyscallFailsWith(ECONNREFUSED));
}

TEST_P(TcpConnectTest, DeferAcceptWaitsForData) {
  const FileDescriptor listener = Listener(4, SOCK_NONBLOCK);
  ASSERT_THAT(SetInt(listener, IPPROTO_TCP, TCP_DEFER_ACCEPT, 10), SyscallSucceeds());
  const FileDescriptor client = Stream();
  ASSERT_THAT(Connect(client, NameOf(listener)), SyscallSucceeds());
  EXPECT_EQ(Poll(listener, 50), 0);
  ASSERT_THAT(Send(client, "now"), SyscallSucceeds());
  EXPECT_EQ(Poll(listener, 20'000), POLLIN);
  const FileDescriptor server(accept(listener.get(), nullptr, nullptr));
  EXPECT_EQ(Receive(server), "now");
}

TEST_P(TcpConnectTest, ForkedChildServes) {
  const FileDescriptor listener = Listener();
  const FileDescriptor client = Stream();
  const pid_t child = fork();
  if (child == 0) {
    const int server = accept(listener.get(), nullptr, nullptr);
    char buffer[8];
    const ssize_t got = read(server, buffer, sizeof(buffer));
    if (got > 0) (void)!write(server, buffer, static_cast<size_t>(got));
    _exit(0);
  }
  ASSERT_THAT(Connect(client, NameOf(listener)), SyscallSucceeds());
  ASSERT_THAT(Send(client, "abc"), SyscallSucceeds());
  EXPECT_EQ(Receive(client), "abc");
  EXPECT_EQ(Receive(client), "");
  int status = 0;
  EXPECT_THAT(waitpid(child, &status, 0), SyscallSucceedsWithValue(child));
}

// --- Without kinds. ---

TEST(TcpFamilies, V6SocketDoesNotTakeV4Addresses) {
  const FileDescriptor fd(socket(AF_INET6, SOCK_STREAM, 0));
  InetAddress v4 = MakeAddress(AF_INET, "127.0.0.1", 80);
  v4.length = sizeof(sockaddr_in6);
  EXPECT_THAT(Connect(fd, v4), SyscallFailsWith(EAFNOSUPPORT));
}

TEST(TcpFamilies, V6OnlySocketReachesNoV4) {
  const FileDescriptor fd(socket(AF_INET6, SOCK_STREAM, 0));
  ASSERT_THAT(SetInt(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1), SyscallSucceeds());
  EXPECT_THAT(Connect(fd, MakeAddress(AF_INET6, "::ffff:127.0.0.1", 80)),
              SyscallFailsWith(ENETUNREACH));
}

TEST(TcpFamilies, DualListenerTakesV4) {
  const FileDescriptor listener(socket(AF_INET6, SOCK_STREAM, 0));
  ASSERT_THAT(Bind(listener, MakeAddress(AF_INET6, "::")), SyscallSucceeds());
  ASSERT_THAT(listen(listener.get(), 4), SyscallSucceeds());
  const FileDescriptor client(socket(AF_INET, SOCK_STREAM, 0));
  ASSERT_THAT(Connect(client, MakeAddress(AF_INET, "127.0.0.1", NameOf(listener).port())),
              SyscallSucceeds());
  const FileDescriptor server(accept(listener.get(), nullptr, nullptr));
  EXPECT_EQ(PeerOf(server).host(), "::ffff:127.0.0.1");
  EXPECT_EQ(NameOf(server).host(), "::ffff:127.0.0.1");
  EXPECT_EQ(PeerOf(server).port(), NameOf(client).port());
}

TEST(TcpFamilies, V6OnlyListenerTakesNoV4) {
  const FileDescriptor listener(socket(AF_INET6, SOCK_STREAM, 0));
  ASSERT_THAT(SetInt(listener, IPPROTO_IPV6, IPV6_V6ONLY, 1), SyscallSucceeds());
  ASSERT_THAT(Bind(listener, MakeAddress(AF_INET6, "::")), SyscallSucceeds());
  ASSERT_THAT(listen(listener.get(), 4), SyscallSucceeds());
  const FileDescriptor client(socket(AF_INET, SOCK_STREAM, 0));
  EXPECT_THAT(Connect(client, MakeAddress(AF_INET, "127.0.0.1", NameOf(listener).port())),
              SyscallFailsWith(ECONNREFUSED));
}

TEST(TcpFamilies, UnknownTypesAndProtocols) {
  EXPECT_THAT(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP), SyscallFailsWith(EPROTONOSUPPORT));
  EXPECT_THAT(socket(AF_INET, SOCK_DGRAM, IPPROTO_TCP), SyscallFailsWith(EPROTONOSUPPORT));
  EXPECT_THAT(socket(AF_INET, SOCK_RDM, 0), SyscallFailsWith(ESOCKTNOSUPPORT));
  EXPECT_THAT(socket(AF_INET6, SOCK_RDM, 0), SyscallFailsWith(ESOCKTNOSUPPORT));
  EXPECT_THAT(socket(AF_INET, SOCK_RAW, 0), SyscallFailsWith(EPROTONOSUPPORT));
  EXPECT_THAT(socket(AF_INET, SOCK_STREAM, -1), SyscallFailsWith(EINVAL));
  EXPECT_THAT(socket(AF_INET, SOCK_STREAM, 500), SyscallFailsWith(EINVAL));
}

TEST(TcpFamilies, NoPairs) {
  int fds[2];
  EXPECT_THAT(socketpair(AF_INET, SOCK_STREAM, 0, fds), SyscallFailsWith(EOPNOTSUPP));
  EXPECT_THAT(socketpair(AF_INET6, SOCK_DGRAM, 0, fds), SyscallFailsWith(EOPNOTSUPP));
}

TEST(TcpFamilies, NoRouteWithoutANetwork) {
  if (!InSandbox()) GTEST_SKIP() << "the machine may have a network";
  const FileDescriptor fd(socket(AF_INET, SOCK_STREAM, 0));
  EXPECT_THAT(Connect(fd, MakeAddress(AF_INET, "192.0.2.1", 80)), SyscallFailsWith(ENETUNREACH));
  const FileDescriptor fd6(socket(AF_INET6, SOCK_STREAM, 0));
  EXPECT_THAT(Connect(fd6, MakeAddress(AF_INET6, "2001:db8::1", 80)),
              SyscallFailsWith(ENETUNREACH));
}

}  // namespace
}  // namespace redoubt::test
