// SPDX-License-Identifier: Apache-2.0
//
// What TCP does after a while: connections that nobody accepts, ends that nobody closes, data that
// nobody reads. Shortest times are chosen, and upper bounds are generous.

#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

#include "test/syscalls/inet_sockets.h"

namespace redoubt::test {
namespace {

constexpr int kPatience = 20'000;  // Milliseconds; a loaded machine is late.

class TcpTimersTest : public InetTest {
 protected:
  // A listener whose backlog is full.
  FileDescriptor FullListener() {
    FileDescriptor listener = Listener(0);
    in_backlog_ = Stream();
    EXPECT_THAT(test::Connect(in_backlog_, NameOf(listener)), SyscallSucceeds());
    return listener;
  }

  FileDescriptor in_backlog_;
};

TEST_P(TcpTimersTest, ConnectGivesUpAfterItsRetries) {
  const FileDescriptor listener = FullListener(), client = Stream();
  ASSERT_THAT(SetInt(client, IPPROTO_TCP, TCP_SYNCNT, 1), SyscallSucceeds());
  const Stopwatch watch;
  EXPECT_THAT(test::Connect(client, NameOf(listener)), SyscallFailsWith(ETIMEDOUT));
  EXPECT_GE(watch.Elapsed(), milliseconds(1500));
  // It may try again, and so may another.
  ASSERT_THAT(accept(listener.get(), nullptr, nullptr), SyscallSucceeds());
  EXPECT_THAT(test::Connect(client, NameOf(listener)), SyscallSucceeds());
}

TEST_P(TcpTimersTest, ConnectGivesUpAfterUserTimeout) {
  const FileDescriptor listener = FullListener(), client = Stream(SOCK_NONBLOCK);
  ASSERT_THAT(SetInt(client, IPPROTO_TCP, TCP_USER_TIMEOUT, 1500), SyscallSucceeds());
  ASSERT_THAT(test::Connect(client, NameOf(listener)), SyscallFailsWith(EINPROGRESS));
  EXPECT_EQ(Poll(client, 100, POLLOUT), 0);
  EXPECT_EQ(Poll(client, kPatience, POLLOUT), POLLOUT | POLLERR | POLLHUP);
  EXPECT_EQ(SocketError(client), ETIMEDOUT);
}

TEST_P(TcpTimersTest, AcceptWithoutDescriptorsKeepsTheConnection) {
  const FileDescriptor listener = Listener(), client = Stream();
  ASSERT_THAT(test::Connect(client, NameOf(listener)), SyscallSucceeds());
  rlimit old;
  ASSERT_THAT(getrlimit(RLIMIT_NOFILE, &old), SyscallSucceeds());
  const FileDescriptor next(dup(client.get()));
  const rlimit none = {.rlim_cur = static_cast<rlim_t>(next.get()) + 1, .rlim_max = old.rlim_max};
  ASSERT_THAT(setrlimit(RLIMIT_NOFILE, &none), SyscallSucceeds());
  const int first = accept(listener.get(), nullptr, nullptr), error = errno;
  ASSERT_THAT(setrlimit(RLIMIT_NOFILE, &old), SyscallSucceeds());
  EXPECT_EQ(first, -1);
  EXPECT_EQ(error, EMFILE);
  const FileDescriptor server(accept(listener.get(), nullptr, nullptr));
  ASSERT_TRUE(server.valid());
  EXPECT_THAT(Send(client, "hello"), SyscallSucceeds());
  EXPECT_EQ(Receive(server), "hello");
}

TEST_P(TcpTimersTest, DeferredConnectionIsAcceptedWithoutDataInTheEnd) {
  const FileDescriptor listener = Listener(), client = Stream();
  ASSERT_THAT(SetInt(listener, IPPROTO_TCP, TCP_DEFER_ACCEPT, 1), SyscallSucceeds());
  ASSERT_THAT(test::Connect(client, NameOf(listener)), SyscallSucceeds());
  EXPECT_EQ(Poll(listener, 300, POLLIN), 0);
  EXPECT_EQ(Poll(listener, kPatience, POLLIN), POLLIN);
  const FileDescriptor server(accept(listener.get(), nullptr, nullptr));
  ASSERT_TRUE(server.valid());
  EXPECT_THAT(Send(server, "hello"), SyscallSucceeds());
  EXPECT_EQ(Receive(client), "hello");
}

// Lines of /proc/net/tcp* from port `local` to port `remote`: others may use one of them, too.
std::vector<std::string> Rows(int family, uint16_t local, uint16_t remote) {
  char from[8], to[8];
  snprintf(from, sizeof(from), ":%04X ", local);
  snprintf(to, sizeof(to), ":%04X ", remote);
  std::ifstream table(family == AF_INET ? "/proc/net/tcp" : "/proc/net/tcp6");
  std::vector<std::string> rows;
  for (std::string row; std::getline(table, row);) {
    const size_t at = row.find(from);
    if (at != std::string::npos && row.find(to, at) != std::string::npos) rows.push_back(row);
  }
  return rows;
}

TEST_P(TcpTimersTest, ClosedEndIsForgottenAfterLinger2) {
  if (GetParam() == InetKind::kMapped) GTEST_SKIP() << "shown in one of two tables";
  Connection c = Connected();
  const uint16_t port = NameOf(c.client).port(), to = NameOf(c.server).port();
  ASSERT_THAT(SetInt(c.client, IPPROTO_TCP, TCP_LINGER2, 1), SyscallSucceeds());
  EXPECT_EQ(Rows(family(), port, to).size(), 1u);
  c.client.reset();
  EXPECT_TRUE(PollUntil([&] { return Rows(family(), port, to).empty(); }));
  EXPECT_EQ(Receive(c.server), "");
  EXPECT_THAT(Send(c.server, "x"), SyscallSucceeds());
  EXPECT_EQ(Poll(c.server, kPatience, POLLIN) & POLLERR, POLLERR);
  EXPECT_THAT(Send(c.server, "x"), SyscallFailsWith(EPIPE));
}

TEST_P(TcpTimersTest, UnreadDataEndTheConnectionAfterUserTimeout) {
  Connection c = Connected();
  ASSERT_THAT(SetInt(c.client, IPPROTO_TCP, TCP_USER_TIMEOUT, 500), SyscallSucceeds());
  const std::string block(65536, 'x');
  while (Send(c.client, block, MSG_DONTWAIT) > 0) {
  }
  ASSERT_EQ(errno, EAGAIN);
  EXPECT_EQ(Poll(c.client, kPatience, POLLIN) & (POLLERR | POLLHUP), POLLERR | POLLHUP);
  EXPECT_EQ(SocketError(c.client), ETIMEDOUT);
  EXPECT_THAT(Send(c.client, "x"), SyscallFailsWith(EPIPE));
}

TEST_P(TcpTimersTest, UserTimeoutSparesWhatIsRead) {
  Connection c = Connected();
  ASSERT_THAT(SetInt(c.client, IPPROTO_TCP, TCP_USER_TIMEOUT, 400), SyscallSucceeds());
  EXPECT_THAT(Send(c.client, "hello"), SyscallSucceeds());
  EXPECT_EQ(Poll(c.client, 1500, POLLIN), 0);
  EXPECT_EQ(Receive(c.server), "hello");
}

INSTANTIATE_TEST_SUITE_P(Kinds, TcpTimersTest, InetKinds(), InetKindName);

}  // namespace
}  // namespace redoubt::test
