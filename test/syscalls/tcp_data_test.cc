// SPDX-License-Identifier: Apache-2.0
//
// Data on TCP connections: flags, events, half-close, resets, buffers, urgent data.

#include <fcntl.h>
#include <linux/errqueue.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

#include <atomic>
#include <vector>

#include "test/syscalls/inet_sockets.h"
#include "test/util/platform.h"
#include "test/util/signals.h"
#include "test/util/temp_path.h"

namespace redoubt::test {
namespace {

using ::testing::AllOf;
using ::testing::Ge;
using ::testing::Le;

class TcpDataTest : public InetTest {
 protected:
  void SetUp() override {
    c_ = Connected();
    ASSERT_TRUE(c_.server.valid());
  }
  // Waits until the other end's last word has arrived.
  void Settle(int events) { ASSERT_EQ(PollFor(c_.server, events) & events, events); }

  // Fills the client's way to the server; gives how much went.
  size_t Fill() {
    const std::string block(65536, 'f');
    size_t total = 0;
    while (true) {
      const ssize_t sent = Send(c_.client, block, MSG_DONTWAIT);
      if (sent < 0) break;
      total += static_cast<size_t>(sent);
    }
    return total;
  }
  void Drain(size_t total) {
    std::vector<char> buffer(1 << 20);
    while (total > 0) {
      const ssize_t got = recv(c_.server.get(), buffer.data(), buffer.size(), 0);
      ASSERT_GT(got, 0);
      total -= static_cast<size_t>(got);
    }
  }

  Connection c_;
};
INSTANTIATE_TEST_SUITE_P(Kinds, TcpDataTest, InetKinds(), InetKindName);

TEST_P(TcpDataTest, FreshConnectionIsWritable) {
  EXPECT_EQ(Poll(c_.client), POLLOUT);
  EXPECT_EQ(Poll(c_.server), POLLOUT);
}

TEST_P(TcpDataTest, BytesJoin) {
  ASSERT_THAT(Send(c_.client, "ab"), SyscallSucceeds());
  ASSERT_THAT(Send(c_.client, "cd"), SyscallSucceeds());
  ASSERT_TRUE(PollUntil([&] { return Receive(c_.server, 8, MSG_PEEK | MSG_DONTWAIT) == "abcd"; }));
  EXPECT_EQ(Receive(c_.server, 3), "abc");
  EXPECT_EQ(Receive(c_.server, 3), "d");
}

TEST_P(TcpDataTest, ReadAndWriteWork) {
  ASSERT_THAT(write(c_.client.get(), "hello", 5), SyscallSucceedsWithValue(5));
  char buffer[8];
  EXPECT_THAT(read(c_.server.get(), buffer, sizeof(buffer)), SyscallSucceedsWithValue(5));
  EXPECT_THAT(read(c_.server.get(), buffer, 0), SyscallSucceedsWithValue(0));
  EXPECT_THAT(write(c_.client.get(), buffer, 0), SyscallSucceedsWithValue(0));
}

TEST_P(TcpDataTest, VectorsWork) {
  iovec out[2] = {{const_cast<char*>("one"), 3}, {const_cast<char*>("two"), 3}};
  ASSERT_THAT(writev(c_.client.get(), out, 2), SyscallSucceedsWithValue(6));
  char a[4] = {}, b[4] = {};
  iovec in[2] = {{a, 2}, {b, 4}};
  ASSERT_THAT(readv(c_.server.get(), in, 2), SyscallSucceedsWithValue(6));
  EXPECT_EQ(std::string(a, 2) + std::string(b, 4), "onetwo");
}

TEST_P(TcpDataTest, NothingToReadIsEagain) {
  EXPECT_EQ(Receive(c_.server, 1, MSG_DONTWAIT), ErrorText(EAGAIN));
  ASSERT_THAT(fcntl(c_.server.get(), F_SETFL, O_NONBLOCK), SyscallSucceeds());
  char buffer;
  EXPECT_THAT(read(c_.server.get(), &buffer, 1), SyscallFailsWith(EAGAIN));
}

TEST_P(TcpDataTest, ReceiveTimesOut) {
  const timeval limit = ToTimeval(milliseconds(30));
  ASSERT_THAT(setsockopt(c_.server.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)),
              SyscallSucceeds());
  const Stopwatch watch;
  EXPECT_EQ(Receive(c_.server), ErrorText(EAGAIN));
  EXPECT_GE(watch.Elapsed(), milliseconds(25));
}

TEST_P(TcpDataTest, BlockedReaderWakes) {
  std::string got;
  TestThread reader([&] { got = Receive(c_.server); });
  AwaitSleeping(getpid(), reader.tid());
  ASSERT_THAT(Send(c_.client, "wake"), SyscallSucceeds());
  reader.Join();
  EXPECT_EQ(got, "wake");
}

TEST_P(TcpDataTest, PeekLeavesData) {
  ASSERT_THAT(Send(c_.client, "peek"), SyscallSucceeds());
  EXPECT_EQ(Receive(c_.server, 2, MSG_PEEK), "pe");
  EXPECT_EQ(Receive(c_.server, 9, MSG_PEEK), "peek");
  EXPECT_EQ(Receive(c_.server), "peek");
}

TEST_P(TcpDataTest, TruncThrowsAway) {
  ASSERT_THAT(Send(c_.client, "0123456789"), SyscallSucceeds());
  char buffer[5] = "zzzz";
  EXPECT_THAT(recv(c_.server.get(), buffer, 4, MSG_TRUNC), SyscallSucceedsWithValue(4));
  EXPECT_EQ(std::string(buffer), "zzzz");
  EXPECT_EQ(Receive(c_.server), "456789");
}

TEST_P(TcpDataTest, WaitAllWaits) {
  std::string got;
  TestThread reader([&] { got = Receive(c_.server, 8, MSG_WAITALL); });
  ASSERT_THAT(Send(c_.client, "1234"), SyscallSucceeds());
  AwaitSleeping(getpid(), reader.tid());
  ASSERT_THAT(Send(c_.client, "5678"), SyscallSucceeds());
  reader.Join();
  EXPECT_EQ(got, "12345678");
}

TEST_P(TcpDataTest, WaitAllEndsWithTheStream) {
  ASSERT_THAT(Send(c_.client, "1234"), SyscallSucceeds());
  ASSERT_THAT(shutdown(c_.client.get(), SHUT_WR), SyscallSucceeds());
  EXPECT_EQ(Receive(c_.server, 8, MSG_WAITALL), "1234");
}

TEST_P(TcpDataTest, LowWaterHoldsReadersBack) {
  ASSERT_THAT(SetInt(c_.server, SOL_SOCKET, SO_RCVLOWAT, 4), SyscallSucceeds());
  EXPECT_EQ(GetInt(c_.server, SOL_SOCKET, SO_RCVLOWAT), 4);
  ASSERT_THAT(Send(c_.client, "12"), SyscallSucceeds());
  EXPECT_EQ(Poll(c_.server, 50, POLLIN), 0);
  ASSERT_THAT(Send(c_.client, "34"), SyscallSucceeds());
  EXPECT_EQ(PollFor(c_.server, POLLIN), POLLIN);
  EXPECT_EQ(Receive(c_.server), "1234");
}

TEST_P(TcpDataTest, BytesWaitingAreCounted) {
  ASSERT_THAT(Send(c_.client, "12345"), SyscallSucceeds());
  Settle(POLLIN);
  int bytes = -1;
  ASSERT_THAT(ioctl(c_.server.get(), FIONREAD, &bytes), SyscallSucceeds());
  EXPECT_EQ(bytes, 5);
  EXPECT_TRUE(PollUntil([&] {
    int unsent = -1;
    return ioctl(c_.client.get(), SIOCOUTQ, &unsent) == 0 && unsent == 0;
  }));
}

TEST_P(TcpDataTest, FullBuffersAreEagainAndNotWritable) {
  const size_t total = Fill();
  EXPECT_GE(total, 65536u);
  EXPECT_EQ(Poll(c_.client) & POLLOUT, 0);
  int unsent = 0;
  ASSERT_THAT(ioctl(c_.client.get(), SIOCOUTQ, &unsent), SyscallSucceeds());
  EXPECT_GT(unsent, 0);
  Drain(total);
  EXPECT_EQ(PollFor(c_.client, POLLOUT), POLLOUT);
}

TEST_P(TcpDataTest, SendTimesOutWhenFull) {
  Fill();
  const timeval limit = ToTimeval(milliseconds(30));
  ASSERT_THAT(setsockopt(c_.client.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)),
              SyscallSucceeds());
  EXPECT_THAT(Send(c_.client, "x"), SyscallFailsWith(EAGAIN));
}

TEST_P(TcpDataTest, LargeWriteBlocksUntilRead) {
  const std::string data(16 << 20, 'd');
  ssize_t sent = 0;
  TestThread writer([&] { sent = Send(c_.client, data); });
  Drain(data.size());
  writer.Join();
  EXPECT_EQ(sent, static_cast<ssize_t>(data.size()));
}

TEST_P(TcpDataTest, ContentSurvivesManySizes) {
  std::string expected;
  for (int i = 0; i < 300; ++i)
    expected += std::string(static_cast<size_t>(i * 37 % 5000), 'a' + i % 26);
  TestThread writer([&] {
    size_t at = 0;
    for (int i = 1; at < expected.size(); ++i) {
      const size_t part =
          std::min<size_t>(static_cast<size_t>(i * 131 % 9000 + 1), expected.size() - at);
      if (Send(c_.client, std::string_view(expected).substr(at, part)) < 0) break;
      at += part;
    }
    shutdown(c_.client.get(), SHUT_WR);
  });
  std::string got;
  for (int i = 1;; ++i) {
    const std::string part = Receive(c_.server, static_cast<size_t>(i * 97 % 7000 + 1));
    if (part.empty()) break;
    got += part;
  }
  EXPECT_TRUE(got == expected);
}

// --- Ends. ---

TEST_P(TcpDataTest, CloseIsEndOfFile) {
  ASSERT_THAT(Send(c_.client, "last"), SyscallSucceeds());
  c_.client.reset();
  Settle(POLLIN | POLLRDHUP);
  EXPECT_EQ(Poll(c_.server), POLLIN | POLLOUT | POLLRDHUP);
  EXPECT_EQ(Receive(c_.server), "last");
  EXPECT_EQ(Receive(c_.server), "");
  EXPECT_EQ(Receive(c_.server), "");
}

TEST_P(TcpDataTest, HalfCloseLeavesTheOtherWay) {
  ASSERT_THAT(shutdown(c_.client.get(), SHUT_WR), SyscallSucceeds());
  Settle(POLLRDHUP);
  EXPECT_EQ(Receive(c_.server), "");
  EXPECT_THAT(Send(c_.client, "x"), SyscallFailsWith(EPIPE));
  ASSERT_THAT(Send(c_.server, "still"), SyscallSucceeds());
  EXPECT_EQ(Receive(c_.client), "still");
  EXPECT_EQ(Poll(c_.client), POLLOUT);
}

TEST_P(TcpDataTest, BothWaysClosedIsHangUp) {
  ASSERT_THAT(shutdown(c_.client.get(), SHUT_WR), SyscallSucceeds());
  Settle(POLLRDHUP);
  ASSERT_THAT(shutdown(c_.server.get(), SHUT_WR), SyscallSucceeds());
  EXPECT_EQ(PollFor(c_.client, POLLIN | POLLOUT | POLLRDHUP),
            POLLIN | POLLOUT | POLLRDHUP | POLLHUP);
  EXPECT_TRUE(
      PollUntil([&] { return Poll(c_.server) == (POLLIN | POLLOUT | POLLRDHUP | POLLHUP); }));
  EXPECT_THAT(Peername(c_.client), SyscallFailsWith(ENOTCONN));
  EXPECT_THAT(shutdown(c_.client.get(), SHUT_RDWR), SyscallFailsWith(ENOTCONN));
}

TEST_P(TcpDataTest, ShutdownTwiceIsFine) {
  ASSERT_THAT(shutdown(c_.client.get(), SHUT_WR), SyscallSucceeds());
  EXPECT_THAT(shutdown(c_.client.get(), SHUT_WR), SyscallSucceeds());
  EXPECT_THAT(shutdown(c_.client.get(), 3), SyscallFailsWith(EINVAL));
}

TEST_P(TcpDataTest, ShutdownForReadingEndsReadsButNotData) {
  ASSERT_THAT(shutdown(c_.server.get(), SHUT_RD), SyscallSucceeds());
  EXPECT_EQ(Receive(c_.server), "");
  EXPECT_EQ(Poll(c_.server), POLLIN | POLLOUT | POLLRDHUP);
  ASSERT_THAT(Send(c_.client, "late"), SyscallSucceeds());
  EXPECT_TRUE(PollUntil([&] { return Receive(c_.server) == "late"; }));
  EXPECT_EQ(Poll(c_.client), POLLOUT);
}

TEST_P(TcpDataTest, ShutdownWakesAReader) {
  std::string got = "?";
  TestThread reader([&] { got = Receive(c_.server); });
  AwaitSleeping(getpid(), reader.tid());
  ASSERT_THAT(shutdown(c_.server.get(), SHUT_RD), SyscallSucceeds());
  reader.Join();
  EXPECT_EQ(got, "");
}

TEST_P(TcpDataTest, CloseWithUnreadDataResets) {
  ASSERT_THAT(Send(c_.server, "unread"), SyscallSucceeds());
  ASSERT_EQ(PollFor(c_.client, POLLIN), POLLIN);
  c_.client.reset();
  Settle(POLLHUP);
  EXPECT_EQ(Poll(c_.server), POLLIN | POLLOUT | POLLRDHUP | POLLHUP | POLLERR);
  EXPECT_EQ(Receive(c_.server), ErrorText(ECONNRESET));
  EXPECT_EQ(Receive(c_.server), "");
  EXPECT_THAT(Send(c_.server, "x"), SyscallFailsWith(EPIPE));
}

TEST_P(TcpDataTest, SendFindsResetThenPipe) {
  ASSERT_THAT(Send(c_.server, "unread"), SyscallSucceeds());
  ASSERT_EQ(PollFor(c_.client, POLLIN), POLLIN);
  c_.client.reset();
  Settle(POLLHUP);
  EXPECT_THAT(Send(c_.server, "x"), SyscallFailsWith(ECONNRESET));
  EXPECT_THAT(Send(c_.server, "x"), SyscallFailsWith(EPIPE));
}

TEST_P(TcpDataTest, ResetKeepsArrivedData) {
  ASSERT_THAT(Send(c_.client, "arrived"), SyscallSucceeds());
  ASSERT_THAT(Send(c_.server, "unread"), SyscallSucceeds());
  ASSERT_EQ(PollFor(c_.client, POLLIN), POLLIN);
  c_.client.reset();
  Settle(POLLHUP);
  EXPECT_EQ(Receive(c_.server), "arrived");
  EXPECT_EQ(Receive(c_.server), ErrorText(ECONNRESET));
}

TEST_P(TcpDataTest, LingerOfNoTimeResets) {
  const linger now = {.l_onoff = 1, .l_linger = 0};
  ASSERT_THAT(setsockopt(c_.client.get(), SOL_SOCKET, SO_LINGER, &now, sizeof(now)),
              SyscallSucceeds());
  c_.client.reset();
  Settle(POLLHUP);
  EXPECT_EQ(SocketError(c_.server), ECONNRESET);
  EXPECT_EQ(Receive(c_.server), "");
}

TEST_P(TcpDataTest, DataToAClosedSocketResets) {
  c_.client.reset();
  Settle(POLLRDHUP);
  ASSERT_THAT(Send(c_.server, "into the void"), SyscallSucceeds());
  Settle(POLLHUP);
  EXPECT_EQ(Poll(c_.server), POLLIN | POLLOUT | POLLRDHUP | POLLHUP | POLLERR);
  EXPECT_THAT(Send(c_.server, "x"), SyscallFailsWith(EPIPE));
  EXPECT_EQ(Receive(c_.server), "");
}

TEST_P(TcpDataTest, DataToAShutDownSocketResets) {
  ASSERT_THAT(shutdown(c_.client.get(), SHUT_RDWR), SyscallSucceeds());
  Settle(POLLRDHUP);
  ASSERT_THAT(Send(c_.server, "x"), SyscallSucceeds());
  Settle(POLLHUP);
  EXPECT_THAT(Send(c_.server, "x"), SyscallFailsWith(EPIPE));
}

TEST_P(TcpDataTest, BrokenPipeSignals) {
  ASSERT_THAT(shutdown(c_.client.get(), SHUT_WR), SyscallSucceeds());
  static std::atomic<int> signals;
  signals = 0;
  struct sigaction action = {}, old;
  action.sa_handler = [](int) { ++signals; };
  ASSERT_THAT(sigaction(SIGPIPE, &action, &old), SyscallSucceeds());
  EXPECT_THAT(send(c_.client.get(), "x", 1, 0), SyscallFailsWith(EPIPE));
  EXPECT_EQ(signals, 1);
  EXPECT_THAT(write(c_.client.get(), "x", 1), SyscallFailsWith(EPIPE));
  EXPECT_EQ(signals, 2);
  EXPECT_THAT(Send(c_.client, "x"), SyscallFailsWith(EPIPE));
  EXPECT_EQ(signals, 2);
  sigaction(SIGPIPE, &old, nullptr);
}

TEST_P(TcpDataTest, CloseWakesABlockedWriter) {
  const std::string data(32 << 20, 'd');
  ssize_t sent = -2;
  int error = 0;
  TestThread writer([&] {
    sent = Send(c_.client, data);
    if (sent >= 0) {
      sent = Send(c_.client, data);
      error = errno;
    }
  });
  AwaitSleeping(getpid(), writer.tid());
  c_.server.reset();
  writer.Join();
  EXPECT_EQ(sent, -1);
  EXPECT_TRUE(error == ECONNRESET || error == EPIPE) << error;
}

// --- epoll. ---

class Epoll {
 public:
  Epoll(const FileDescriptor& fd, uint32_t events) {
    epoll_event event = {.events = events, .data = {}};
    epoll_ctl(fd_.get(), EPOLL_CTL_ADD, fd.get(), &event);
  }
  uint32_t Wait(int timeout) const {
    epoll_event event = {};
    return epoll_wait(fd_.get(), &event, 1, timeout) == 1 ? event.events : 0;
  }

 private:
  FileDescriptor fd_{epoll_create1(0)};
};

TEST_P(TcpDataTest, EdgeTriggeredReportsEachArrival) {
  const Epoll epoll(c_.server, EPOLLIN | EPOLLET);
  EXPECT_EQ(epoll.Wait(0), 0u);
  ASSERT_THAT(Send(c_.client, "a"), SyscallSucceeds());
  EXPECT_EQ(epoll.Wait(20'000), EPOLLIN);
  EXPECT_EQ(epoll.Wait(20), 0u);
  // More data are a new edge, although the first are still there.
  ASSERT_THAT(Send(c_.client, "b"), SyscallSucceeds());
  EXPECT_EQ(epoll.Wait(20'000), EPOLLIN);
}

TEST_P(TcpDataTest, EdgeTriggeredHearsOfTheEnd) {
  const Epoll epoll(c_.server, EPOLLIN | EPOLLRDHUP | EPOLLET);
  ASSERT_THAT(shutdown(c_.client.get(), SHUT_WR), SyscallSucceeds());
  EXPECT_EQ(epoll.Wait(20'000), EPOLLIN | EPOLLRDHUP);
  EXPECT_EQ(epoll.Wait(20), 0u);
}

TEST_P(TcpDataTest, EdgeTriggeredWritableOnlyAfterFull) {
  const Epoll epoll(c_.client, EPOLLOUT | EPOLLET);
  EXPECT_EQ(epoll.Wait(20'000), EPOLLOUT);
  EXPECT_EQ(epoll.Wait(20), 0u);
  const size_t total = Fill();
  EXPECT_EQ(epoll.Wait(20), 0u);
  Drain(total);
  EXPECT_EQ(epoll.Wait(20'000), EPOLLOUT);
}

// --- Urgent data. ---

TEST_P(TcpDataTest, UrgentByteIsApart) {
  ASSERT_THAT(Send(c_.client, "abX", MSG_OOB), SyscallSucceedsWithValue(3));
  ASSERT_THAT(Send(c_.client, "cd"), SyscallSucceedsWithValue(2));
  Settle(POLLPRI | POLLIN);
  EXPECT_EQ(Receive(c_.server, 1, MSG_OOB | MSG_PEEK), "X");
  EXPECT_EQ(Receive(c_.server, 1, MSG_OOB), "X");
  EXPECT_EQ(Receive(c_.server, 1, MSG_OOB), ErrorText(EINVAL));
  // Reading stops at the mark.
  EXPECT_EQ(Receive(c_.server), "ab");
  int at_mark = -1;
  ASSERT_THAT(ioctl(c_.server.get(), SIOCATMARK, &at_mark), SyscallSucceeds());
  EXPECT_EQ(at_mark, 1);
  EXPECT_EQ(Receive(c_.server), "cd");
  ASSERT_THAT(ioctl(c_.server.get(), SIOCATMARK, &at_mark), SyscallSucceeds());
  EXPECT_EQ(at_mark, 0);
}

TEST_P(TcpDataTest, UrgentByteInline) {
  ASSERT_THAT(SetInt(c_.server, SOL_SOCKET, SO_OOBINLINE, 1), SyscallSucceeds());
  ASSERT_THAT(Send(c_.client, "abX", MSG_OOB), SyscallSucceeds());
  ASSERT_THAT(Send(c_.client, "cd"), SyscallSucceeds());
  Settle(POLLPRI | POLLIN);
  EXPECT_EQ(Receive(c_.server, 1, MSG_OOB), ErrorText(EINVAL));
  EXPECT_EQ(Receive(c_.server), "ab");
  EXPECT_TRUE(PollUntil([&] { return Receive(c_.server, 8, MSG_PEEK) == "Xcd"; }));
  EXPECT_EQ(Receive(c_.server), "Xcd");
}

TEST_P(TcpDataTest, NoUrgentData) {
  EXPECT_EQ(Receive(c_.server, 1, MSG_OOB), ErrorText(EINVAL));
  int at_mark = -1;
  ASSERT_THAT(ioctl(c_.server.get(), SIOCATMARK, &at_mark), SyscallSucceeds());
  EXPECT_EQ(at_mark, 0);
}

TEST_P(TcpDataTest, UnreadUrgentByteIsSkipped) {
  ASSERT_THAT(Send(c_.client, "aX", MSG_OOB), SyscallSucceeds());
  ASSERT_THAT(Send(c_.client, "b"), SyscallSucceeds());
  Settle(POLLPRI | POLLIN);
  EXPECT_EQ(Receive(c_.server), "a");
  EXPECT_EQ(Receive(c_.server), "b");
}

TEST_P(TcpDataTest, UrgentSignal) {
  static std::atomic<int> signals;
  signals = 0;
  struct sigaction action = {}, old;
  action.sa_handler = [](int) { ++signals; };
  ASSERT_THAT(sigaction(SIGURG, &action, &old), SyscallSucceeds());
  ASSERT_THAT(fcntl(c_.server.get(), F_SETOWN, getpid()), SyscallSucceeds());
  ASSERT_THAT(Send(c_.client, "X", MSG_OOB), SyscallSucceeds());
  EXPECT_TRUE(PollUntil([&] { return signals == 1; }));
  sigaction(SIGURG, &old, nullptr);
}

// --- Files and pipes. ---

TEST_P(TcpDataTest, SendfileToASocket) {
  const TempDir dir;
  const FileDescriptor file(open(dir.Path("f").c_str(), O_RDWR | O_CREAT, 0600));
  const std::string content(100'000, 's');
  ASSERT_THAT(pwrite(file.get(), content.data(), content.size(), 0), SyscallSucceeds());
  off_t offset = 0;
  size_t sent = 0;
  while (sent < content.size()) {
    const ssize_t part = sendfile(c_.client.get(), file.get(), &offset, content.size() - sent);
    ASSERT_GT(part, 0);
    sent += static_cast<size_t>(part);
  }
  EXPECT_EQ(offset, static_cast<off_t>(content.size()));
  EXPECT_EQ(Receive(c_.server, content.size(), MSG_WAITALL), content);
}

TEST_P(TcpDataTest, SpliceBothWays) {
  const Pipe pipe;
  ASSERT_THAT(Send(c_.client, "through a pipe"), SyscallSucceeds());
  Settle(POLLIN);
  ASSERT_THAT(splice(c_.server.get(), nullptr, pipe.writer.get(), nullptr, 4096, 0),
              SyscallSucceedsWithValue(14));
  ASSERT_THAT(splice(pipe.reader.get(), nullptr, c_.server.get(), nullptr, 4096, 0),
              SyscallSucceedsWithValue(14));
  EXPECT_EQ(Receive(c_.client), "through a pipe");
}

// --- Other flags and calls. ---

TEST_P(TcpDataTest, ManyMessages) {
  char a[] = "first", b[] = "second";
  iovec vectors[2] = {{a, 5}, {b, 6}};
  mmsghdr messages[2] = {};
  for (int i = 0; i < 2; ++i) {
    messages[i].msg_hdr.msg_iov = &vectors[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  ASSERT_THAT(sendmmsg(c_.client.get(), messages, 2, 0), SyscallSucceedsWithValue(2));
  EXPECT_EQ(messages[0].msg_len, 5u);
  EXPECT_EQ(messages[1].msg_len, 6u);
  EXPECT_EQ(Receive(c_.server, 11, MSG_WAITALL), "firstsecond");
}

TEST_P(TcpDataTest, RecvfromGivesNoAddress) {
  ASSERT_THAT(Send(c_.client, "x"), SyscallSucceeds());
  InetAddress from;
  from.length = sizeof(from.storage);
  char buffer;
  ASSERT_THAT(recvfrom(c_.server.get(), &buffer, 1, 0, from.get(), &from.length),
              SyscallSucceedsWithValue(1));
  EXPECT_EQ(from.length, 0u);
}

TEST_P(TcpDataTest, SendtoIgnoresTheAddress) {
  EXPECT_THAT(SendTo(c_.client, "x", Loopback(1)), SyscallSucceedsWithValue(1));
  EXPECT_EQ(Receive(c_.server), "x");
}

TEST_P(TcpDataTest, ZeroCopyTellsOfItsEnd) {
  ASSERT_THAT(SetInt(c_.client, SOL_SOCKET, SO_ZEROCOPY, 1), SyscallSucceeds());
  ASSERT_THAT(Send(c_.client, "zero copies", MSG_ZEROCOPY), SyscallSucceedsWithValue(11));
  EXPECT_EQ(Receive(c_.server), "zero copies");
  ASSERT_EQ(PollFor(c_.client, 0) & POLLERR, POLLERR);
  char control[128];
  msghdr message = {};
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  ASSERT_THAT(recvmsg(c_.client.get(), &message, MSG_ERRQUEUE), SyscallSucceedsWithValue(0));
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  ASSERT_NE(header, nullptr);
  sock_extended_err error;
  std::memcpy(&error, CMSG_DATA(header), sizeof(error));
  EXPECT_EQ(error.ee_origin, SO_EE_ORIGIN_ZEROCOPY);
  EXPECT_EQ(error.ee_errno, 0u);
  EXPECT_EQ(error.ee_info, 0u);
  EXPECT_EQ(error.ee_data, 0u);
}

TEST_P(TcpDataTest, EmptyErrorQueueIsEagain) {
  char buffer;
  EXPECT_THAT(recv(c_.client.get(), &buffer, 1, MSG_ERRQUEUE), SyscallFailsWith(EAGAIN));
}

TEST_P(TcpDataTest, BadPointersAreFaults) {
  EXPECT_THAT(send(c_.client.get(), reinterpret_cast<void*>(8), 5, MSG_NOSIGNAL),
              SyscallFailsWith(EFAULT));
  ASSERT_THAT(Send(c_.client, "kept"), SyscallSucceeds());
  EXPECT_THAT(recv(c_.server.get(), reinterpret_cast<void*>(8), 4, 0), SyscallFailsWith(EFAULT));
  EXPECT_EQ(Receive(c_.server), "kept");
}

TEST_P(TcpDataTest, DuplicatesShareTheConnection) {
  FileDescriptor copy(dup(c_.client.get()));
  c_.client.reset();
  ASSERT_THAT(Send(copy, "dup"), SyscallSucceeds());
  EXPECT_EQ(Receive(c_.server), "dup");
  copy.reset();
  EXPECT_EQ(Receive(c_.server), "");
}

TEST_P(TcpDataTest, ManyThreadsTalk) {
  constexpr int kRounds = 200;
  TestThread echo([&] {
    char buffer[64];
    for (int i = 0; i < kRounds; ++i) {
      const ssize_t got = recv(c_.server.get(), buffer, sizeof(buffer), 0);
      if (got <= 0 || send(c_.server.get(), buffer, static_cast<size_t>(got), 0) != got) return;
    }
  });
  for (int i = 0; i < kRounds; ++i) {
    const std::string text = "round " + std::to_string(i);
    ASSERT_THAT(Send(c_.client, text), SyscallSucceeds());
    ASSERT_EQ(Receive(c_.client), text);
  }
}

}  // namespace
}  // namespace redoubt::test
