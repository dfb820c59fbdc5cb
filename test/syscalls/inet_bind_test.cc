// SPDX-License-Identifier: Apache-2.0
//
// bind(2) of internet sockets: which ports may be shared, and by whom.

#include <netinet/tcp.h>
#include <sys/wait.h>

#include <set>
#include <vector>

#include "test/syscalls/inet_sockets.h"

namespace redoubt::test {
namespace {

class InetBindTest : public InetTest {
 protected:
  FileDescriptor Reusing(int option, int type = SOCK_STREAM) {
    FileDescriptor fd(socket(family(), type, 0));
    EXPECT_THAT(SetInt(fd, SOL_SOCKET, option, 1), SyscallSucceeds());
    return fd;
  }
};
INSTANTIATE_TEST_SUITE_P(Kinds, InetBindTest, InetKinds(), InetKindName);

TEST_P(InetBindTest, PortZeroIsAnyFreePort) {
  std::set<uint16_t> ports;
  std::vector<FileDescriptor> fds;
  for (int i = 0; i < 50; ++i) {
    fds.push_back(Stream());
    ASSERT_THAT(Bind(fds.back(), Loopback()), SyscallSucceeds());
    const uint16_t port = NameOf(fds.back()).port();
    EXPECT_GE(port, 1024);
    EXPECT_TRUE(ports.insert(port).second);
  }
}

TEST_P(InetBindTest, BoundOnce) {
  const FileDescriptor fd = Stream();
  ASSERT_THAT(Bind(fd, Loopback()), SyscallSucceeds());
  EXPECT_THAT(Bind(fd, Loopback()), SyscallFailsWith(EINVAL));
}

TEST_P(InetBindTest, PortInUse) {
  const FileDescriptor a = Stream(), b = Stream();
  ASSERT_THAT(Bind(a, Loopback()), SyscallSucceeds());
  EXPECT_THAT(Bind(b, NameOf(a)), SyscallFailsWith(EADDRINUSE));
  EXPECT_THAT(Bind(b, Any(NameOf(a).port())), SyscallFailsWith(EADDRINUSE));
  // Still unbound.
  EXPECT_THAT(Bind(b, Loopback()), SyscallSucceeds());
}

TEST_P(InetBindTest, DatagramPortInUse) {
  const FileDescriptor a = BoundDatagram(), b = Datagram();
  EXPECT_THAT(Bind(b, NameOf(a)), SyscallFailsWith(EADDRINUSE));
}

TEST_P(InetBindTest, ProtocolsHaveTheirOwnPorts) {
  const FileDescriptor a = Stream(), b = Datagram();
  ASSERT_THAT(Bind(a, Loopback()), SyscallSucceeds());
  EXPECT_THAT(Bind(b, NameOf(a)), SyscallSucceeds());
}

TEST_P(InetBindTest, DifferentAddressesShareAPort) {
  if (!is_v4()) return;
  const FileDescriptor a = Stream(), b = Stream();
  ASSERT_THAT(Bind(a, Loopback()), SyscallSucceeds());
  EXPECT_THAT(Bind(b, Address("127.0.0.2", "", NameOf(a).port())), SyscallSucceeds());
}

TEST_P(InetBindTest, ForeignAddress) {
  EXPECT_THAT(Bind(Stream(), Address("203.0.113.1", "2001:db8::1")),
              SyscallFailsWith(EADDRNOTAVAIL));
  EXPECT_THAT(Bind(Datagram(), Address("203.0.113.1", "2001:db8::1")),
              SyscallFailsWith(EADDRNOTAVAIL));
}

TEST_P(InetBindTest, WrongLengthAndFamily) {
  const FileDescriptor fd = Stream();
  const InetAddress name = Loopback();
  EXPECT_THAT(bind(fd.get(), name.get(), 8), SyscallFailsWith(EINVAL));
  EXPECT_THAT(bind(fd.get(), name.get(), 0), SyscallFailsWith(EINVAL));
  InetAddress other = name;
  other.storage.ss_family = AF_UNIX;
  EXPECT_THAT(Bind(fd, other), SyscallFailsWith(EAFNOSUPPORT));
}

TEST_P(InetBindTest, ReuseAddressSharesUntilOneListens) {
  const FileDescriptor a = Reusing(SO_REUSEADDR), b = Reusing(SO_REUSEADDR);
  ASSERT_THAT(Bind(a, Loopback()), SyscallSucceeds());
  ASSERT_THAT(Bind(b, NameOf(a)), SyscallSucceeds());
  ASSERT_THAT(listen(a.get(), 1), SyscallSucceeds());
  EXPECT_THAT(listen(b.get(), 1), SyscallFailsWith(EADDRINUSE));
  EXPECT_THAT(Bind(Reusing(SO_REUSEADDR), NameOf(a)), SyscallFailsWith(EADDRINUSE));
}

TEST_P(InetBindTest, ReuseAddressIsMutual) {
  const FileDescriptor a = Stream();
  ASSERT_THAT(Bind(a, Loopback()), SyscallSucceeds());
  EXPECT_THAT(Bind(Reusing(SO_REUSEADDR), NameOf(a)), SyscallFailsWith(EADDRINUSE));
}

TEST_P(InetBindTest, DatagramsShareWithReuseAddress) {
  const FileDescriptor a = Reusing(SO_REUSEADDR, SOCK_DGRAM);
  ASSERT_THAT(Bind(a, Loopback()), SyscallSucceeds());
  EXPECT_THAT(Bind(Reusing(SO_REUSEADDR, SOCK_DGRAM), NameOf(a)), SyscallSucceeds());
}

TEST_P(InetBindTest, ReusePortSharesListeners) {
  const FileDescriptor a = Reusing(SO_REUSEPORT), b = Reusing(SO_REUSEPORT);
  ASSERT_THAT(Bind(a, Loopback()), SyscallSucceeds());
  ASSERT_THAT(Bind(b, NameOf(a)), SyscallSucceeds());
  ASSERT_THAT(listen(a.get(), 100), SyscallSucceeds());
  ASSERT_THAT(listen(b.get(), 100), SyscallSucceeds());
  EXPECT_THAT(Bind(Stream(), NameOf(a)), SyscallFailsWith(EADDRINUSE));
  // Both get some.
  std::vector<FileDescriptor> clients;
  for (int i = 0; i < 60; ++i) {
    clients.push_back(Stream());
    ASSERT_THAT(Connect(clients.back(), NameOf(a)), SyscallSucceeds());
  }
  EXPECT_EQ(Poll(a, 0, POLLIN), POLLIN);
  EXPECT_EQ(Poll(b, 0, POLLIN), POLLIN);
}

TEST_P(InetBindTest, ReusePortSpreadsDatagrams) {
  const FileDescriptor a = Reusing(SO_REUSEPORT, SOCK_DGRAM);
  const FileDescriptor b = Reusing(SO_REUSEPORT, SOCK_DGRAM);
  ASSERT_THAT(Bind(a, Loopback()), SyscallSucceeds());
  ASSERT_THAT(Bind(b, NameOf(a)), SyscallSucceeds());
  for (int i = 0; i < 60; ++i) {
    ASSERT_THAT(SendTo(BoundDatagram(), "x", NameOf(a)), SyscallSucceeds());
  }
  EXPECT_EQ(Poll(a, 0, POLLIN), POLLIN);
  EXPECT_EQ(Poll(b, 0, POLLIN), POLLIN);
}

TEST_P(InetBindTest, ReusePortIsMutual) {
  const FileDescriptor a = Reusing(SO_REUSEPORT);
  ASSERT_THAT(Bind(a, Loopback()), SyscallSucceeds());
  EXPECT_THAT(Bind(Stream(), NameOf(a)), SyscallFailsWith(EADDRINUSE));
  EXPECT_THAT(Bind(Reusing(SO_REUSEADDR), NameOf(a)), SyscallFailsWith(EADDRINUSE));
}

TEST_P(InetBindTest, ReusePortIsForOneUser) {
  if (geteuid() != 0) GTEST_SKIP() << "needs another user";
  const FileDescriptor a = Reusing(SO_REUSEPORT);
  ASSERT_THAT(Bind(a, Loopback()), SyscallSucceeds());
  const InetAddress name = NameOf(a);
  const pid_t child = fork();
  if (child == 0) {
    if (setresuid(65534, 65534, 65534) != 0) _exit(2);
    const FileDescriptor b = Reusing(SO_REUSEPORT);
    _exit(Bind(b, name) == -1 && errno == EADDRINUSE ? 0 : 1);
  }
  int status = 0;
  ASSERT_THAT(waitpid(child, &status, 0), SyscallSucceedsWithValue(child));
  EXPECT_EQ(status, 0);
}

TEST_P(InetBindTest, PrivilegedPorts) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  const pid_t child = fork();
  if (child == 0) {
    if (setresuid(65534, 65534, 65534) != 0) _exit(2);
    const FileDescriptor fd = Stream();
    _exit(Bind(fd, Loopback(81)) == -1 && errno == EACCES ? 0 : 1);
  }
  int status = 0;
  ASSERT_THAT(waitpid(child, &status, 0), SyscallSucceedsWithValue(child));
  EXPECT_EQ(status, 0);
}

TEST_P(InetBindTest, TimeWaitHoldsThePort) {
  FileDescriptor listener = Listener();
  const InetAddress name = NameOf(listener);
  {
    Connection c = ConnectTo(listener);
    c.server.reset();  // Closes first, and waits.
    EXPECT_EQ(Receive(c.client), "");
  }
  listener.reset();
  EXPECT_THAT(Bind(Stream(), name), SyscallFailsWith(EADDRINUSE));
  // The old listener did not say that it shares.
  EXPECT_THAT(Bind(Reusing(SO_REUSEADDR), name), SyscallFailsWith(EADDRINUSE));
}

TEST_P(InetBindTest, TimeWaitLetsReusersIn) {
  FileDescriptor listener = Reusing(SO_REUSEADDR);
  ASSERT_THAT(Bind(listener, Loopback()), SyscallSucceeds());
  ASSERT_THAT(listen(listener.get(), 4), SyscallSucceeds());
  const InetAddress name = NameOf(listener);
  {
    Connection c = ConnectTo(listener);
    c.server.reset();
    EXPECT_EQ(Receive(c.client), "");
  }
  listener.reset();
  EXPECT_THAT(Bind(Stream(), name), SyscallFailsWith(EADDRINUSE));
  const FileDescriptor again = Reusing(SO_REUSEADDR);
  EXPECT_THAT(Bind(again, name), SyscallSucceeds());
  EXPECT_THAT(listen(again.get(), 4), SyscallSucceeds());
}

TEST_P(InetBindTest, ResetLeavesNoTimeWait) {
  FileDescriptor listener = Listener();
  const InetAddress name = NameOf(listener);
  {
    Connection c = ConnectTo(listener);
    const linger now = {.l_onoff = 1, .l_linger = 0};
    setsockopt(c.server.get(), SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    c.server.reset();
    EXPECT_EQ(Receive(c.client), ErrorText(ECONNRESET));
  }
  listener.reset();
  EXPECT_THAT(Bind(Stream(), name), SyscallSucceeds());
}

TEST_P(InetBindTest, AcceptedConnectionHoldsThePort) {
  FileDescriptor listener = Listener();
  const InetAddress name = NameOf(listener);
  const Connection c = ConnectTo(listener);
  listener.reset();
  EXPECT_THAT(Bind(Stream(), name), SyscallFailsWith(EADDRINUSE));
}

TEST_P(InetBindTest, ConnectedPortIsInUse) {
  const Connection c = Connected();
  EXPECT_THAT(Bind(Stream(), NameOf(c.client)), SyscallFailsWith(EADDRINUSE));
}

TEST_P(InetBindTest, ClosedSocketFreesItsPort) {
  FileDescriptor a = Stream();
  ASSERT_THAT(Bind(a, Loopback()), SyscallSucceeds());
  const InetAddress name = NameOf(a);
  a.reset();
  EXPECT_THAT(Bind(Stream(), name), SyscallSucceeds());
}

TEST_P(InetBindTest, BindToDevice) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  const FileDescriptor fd = Stream();
  EXPECT_THAT(setsockopt(fd.get(), SOL_SOCKET, SO_BINDTODEVICE, "lo", 3), SyscallSucceeds());
  char name[16] = {};
  socklen_t length = sizeof(name);
  ASSERT_THAT(getsockopt(fd.get(), SOL_SOCKET, SO_BINDTODEVICE, name, &length), SyscallSucceeds());
  EXPECT_EQ(std::string(name), "lo");
  EXPECT_EQ(length, 3u);
  EXPECT_THAT(setsockopt(fd.get(), SOL_SOCKET, SO_BINDTODEVICE, "nosuch0", 8),
              SyscallFailsWith(ENODEV));
  const FileDescriptor listener = Listener();
  EXPECT_THAT(Connect(fd, NameOf(listener)), SyscallSucceeds());
}

TEST(InetDualBind, V6AnyTakesV4Too) {
  const FileDescriptor v6(socket(AF_INET6, SOCK_STREAM, 0)), v4(socket(AF_INET, SOCK_STREAM, 0));
  ASSERT_THAT(Bind(v6, MakeAddress(AF_INET6, "::")), SyscallSucceeds());
  EXPECT_THAT(Bind(v4, MakeAddress(AF_INET, "0.0.0.0", NameOf(v6).port())),
              SyscallFailsWith(EADDRINUSE));
  EXPECT_THAT(Bind(v4, MakeAddress(AF_INET, "127.0.0.1", NameOf(v6).port())),
              SyscallFailsWith(EADDRINUSE));
}

TEST(InetDualBind, V6OnlyLeavesV4Alone) {
  const FileDescriptor v6(socket(AF_INET6, SOCK_STREAM, 0)), v4(socket(AF_INET, SOCK_STREAM, 0));
  ASSERT_THAT(SetInt(v6, SOL_IPV6, IPV6_V6ONLY, 1), SyscallSucceeds());
  ASSERT_THAT(Bind(v6, MakeAddress(AF_INET6, "::")), SyscallSucceeds());
  EXPECT_THAT(Bind(v4, MakeAddress(AF_INET, "0.0.0.0", NameOf(v6).port())), SyscallSucceeds());
  EXPECT_THAT(SetInt(v6, SOL_IPV6, IPV6_V6ONLY, 0), SyscallFailsWith(EINVAL));
}

TEST(InetDualBind, MappedNeedsADualSocket) {
  const FileDescriptor v6(socket(AF_INET6, SOCK_STREAM, 0));
  ASSERT_THAT(SetInt(v6, SOL_IPV6, IPV6_V6ONLY, 1), SyscallSucceeds());
  EXPECT_THAT(Bind(v6, MakeAddress(AF_INET6, "::ffff:127.0.0.1")), SyscallFailsWith(EINVAL));
}

TEST(InetDualBind, LoopbacksOfBothFamiliesShareAPort) {
  const FileDescriptor v6(socket(AF_INET6, SOCK_STREAM, 0)), v4(socket(AF_INET, SOCK_STREAM, 0));
  ASSERT_THAT(Bind(v6, MakeAddress(AF_INET6, "::1")), SyscallSucceeds());
  EXPECT_THAT(Bind(v4, MakeAddress(AF_INET, "127.0.0.1", NameOf(v6).port())), SyscallSucceeds());
}

TEST(InetDualBind, UnspecifiedFamilyOfOldPrograms) {
  const FileDescriptor fd(socket(AF_INET, SOCK_STREAM, 0));
  InetAddress name = MakeAddress(AF_INET, "0.0.0.0");
  name.storage.ss_family = AF_UNSPEC;
  EXPECT_THAT(Bind(fd, name), SyscallSucceeds());
  const FileDescriptor other(socket(AF_INET, SOCK_STREAM, 0));
  name = MakeAddress(AF_INET, "127.0.0.1");
  name.storage.ss_family = AF_UNSPEC;
  EXPECT_THAT(Bind(other, name), SyscallFailsWith(EAFNOSUPPORT));
}

TEST(InetDualBind, GroupsAreForDatagrams) {
  const FileDescriptor fd(socket(AF_INET, SOCK_DGRAM, 0));
  EXPECT_THAT(Bind(fd, MakeAddress(AF_INET, "239.1.2.3")), SyscallSucceeds());
  const FileDescriptor stream(socket(AF_INET6, SOCK_STREAM, 0));
  EXPECT_THAT(Bind(stream, MakeAddress(AF_INET6, "ff02::1")), SyscallFailsWith(EINVAL));
}

}  // namespace
}  // namespace redoubt::test
