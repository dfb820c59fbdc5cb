// SPDX-License-Identifier: Apache-2.0
//
// socketpair(2) of AF_UNIX: streams, datagrams and packets between two ends.

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "test/util/file_descriptor.h"
#include "test/util/fork.h"
#include "test/util/signals.h"
#include "test/util/syscall_matchers.h"
#include "test/util/thread.h"
#include "test/util/timing.h"

namespace redoubt::test {
namespace {

TEST(Socketpair, StreamCarriesBothWaysWithoutBoundaries) {
  SocketPair pair;
  char buffer[16];
  ASSERT_THAT(write(pair.first.get(), "abc", 3), SyscallSucceedsWithValue(3));
  ASSERT_THAT(send(pair.first.get(), "def", 3, 0), SyscallSucceedsWithValue(3));
  EXPECT_THAT(read(pair.second.get(), buffer, 16), SyscallSucceedsWithValue(6));
  ASSERT_THAT(write(pair.second.get(), "back", 4), SyscallSucceedsWithValue(4));
  EXPECT_THAT(recv(pair.first.get(), buffer, 16, 0), SyscallSucceedsWithValue(4));
}

TEST(Socketpair, DatagramsKeepTheirBoundaries) {
  for (const int type : {SOCK_DGRAM, SOCK_SEQPACKET}) {
    SocketPair pair(type);
    char buffer[16];
    ASSERT_THAT(send(pair.first.get(), "abc", 3, 0), SyscallSucceedsWithValue(3));
    ASSERT_THAT(send(pair.first.get(), "defgh", 5, 0), SyscallSucceedsWithValue(5));
    EXPECT_THAT(recv(pair.second.get(), buffer, 16, 0), SyscallSucceedsWithValue(3));
    EXPECT_THAT(recv(pair.second.get(), buffer, 2, 0), SyscallSucceedsWithValue(2));
    // The rest of the second one is gone.
    EXPECT_THAT(recv(pair.second.get(), buffer, 16, MSG_DONTWAIT), SyscallFailsWith(EAGAIN));
  }
}

TEST(Socketpair, TruncationIsTold) {
  SocketPair pair(SOCK_SEQPACKET);
  char buffer[2];
  ASSERT_THAT(send(pair.first.get(), "abcd", 4, 0), SyscallSucceedsWithValue(4));
  EXPECT_THAT(recv(pair.second.get(), buffer, 2, MSG_PEEK | MSG_TRUNC),
              SyscallSucceedsWithValue(4));
  iovec piece = {.iov_base = buffer, .iov_len = 2};
  msghdr message = {};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  EXPECT_THAT(recvmsg(pair.second.get(), &message, 0), SyscallSucceedsWithValue(2));
  EXPECT_TRUE(message.msg_flags & MSG_TRUNC);
}

TEST(Socketpair, PeekLeavesTheBytes) {
  SocketPair pair;
  char buffer[4];
  ASSERT_THAT(write(pair.first.get(), "abcd", 4), SyscallSucceedsWithValue(4));
  EXPECT_THAT(recv(pair.second.get(), buffer, 4, MSG_PEEK), SyscallSucceedsWithValue(4));
  EXPECT_THAT(recv(pair.second.get(), buffer, 4, 0), SyscallSucceedsWithValue(4));
}

TEST(Socketpair, ClosedPeerIsTheEndAndEpipe) {
  SocketPair pair;
  ASSERT_THAT(write(pair.first.get(), "x", 1), SyscallSucceedsWithValue(1));
  pair.first.reset();
  char byte;
  EXPECT_THAT(read(pair.second.get(), &byte, 1), SyscallSucceedsWithValue(1));
  EXPECT_THAT(read(pair.second.get(), &byte, 1), SyscallSucceedsWithValue(0));
  EXPECT_THAT(send(pair.second.get(), "x", 1, MSG_NOSIGNAL), SyscallFailsWith(EPIPE));
  signals_seen = 0;
  ScopedHandler handler(SIGPIPE, CountSignal);
  EXPECT_THAT(write(pair.second.get(), "x", 1), SyscallFailsWith(EPIPE));
  EXPECT_EQ(signals_seen, 1);
}

TEST(Socketpair, CloseWithUnreadBytesIsEconnreset) {
  SocketPair pair;
  ASSERT_THAT(write(pair.first.get(), "x", 1), SyscallSucceedsWithValue(1));
  pair.second.reset();
  char byte;
  EXPECT_THAT(read(pair.first.get(), &byte, 1), SyscallFailsWith(ECONNRESET));
}

TEST(Socketpair, ShutdownClosesOneDirection) {
  SocketPair pair;
  char byte;
  ASSERT_THAT(shutdown(pair.first.get(), SHUT_WR), SyscallSucceeds());
  EXPECT_THAT(read(pair.second.get(), &byte, 1), SyscallSucceedsWithValue(0));
  EXPECT_THAT(send(pair.first.get(), "x", 1, MSG_NOSIGNAL), SyscallFailsWith(EPIPE));
  ASSERT_THAT(write(pair.second.get(), "y", 1), SyscallSucceedsWithValue(1));
  EXPECT_THAT(read(pair.first.get(), &byte, 1), SyscallSucceedsWithValue(1));
  EXPECT_THAT(shutdown(pair.first.get(), 99), SyscallFailsWith(EINVAL));
}

TEST(Socketpair, PollStates) {
  SocketPair pair;
  pollfd entry = {.fd = pair.first.get(), .events = POLLIN | POLLOUT | POLLRDHUP, .revents = 0};
  ASSERT_THAT(poll(&entry, 1, 0), SyscallSucceedsWithValue(1));
  EXPECT_EQ(entry.revents, POLLOUT);
  shutdown(pair.second.get(), SHUT_WR);
  ASSERT_THAT(poll(&entry, 1, 0), SyscallSucceedsWithValue(1));
  EXPECT_EQ(entry.revents, POLLIN | POLLOUT | POLLRDHUP);
  pair.second.reset();
  ASSERT_THAT(poll(&entry, 1, 0), SyscallSucceedsWithValue(1));
  EXPECT_EQ(entry.revents, POLLIN | POLLOUT | POLLRDHUP | POLLHUP);
}

TEST(Socketpair, FullSocketIsEagain) {
  SocketPair pair(SOCK_STREAM | SOCK_NONBLOCK);
  const std::vector<char> chunk(4096);
  ssize_t sent;
  size_t total = 0;
  while ((sent = write(pair.first.get(), chunk.data(), chunk.size())) > 0) total += sent;
  EXPECT_THAT(sent, SyscallFailsWith(EAGAIN));
  EXPECT_GT(total, 16384u);
  std::vector<char> drained(total);
  size_t got = 0;
  ssize_t once;
  while ((once = read(pair.second.get(), drained.data(), drained.size())) > 0) got += once;
  EXPECT_EQ(got, total);
  EXPECT_THAT(write(pair.first.get(), "x", 1), SyscallSucceedsWithValue(1));
}

TEST(Socketpair, LargeTransferBetweenProcesses) {
  SocketPair pair;
  constexpr size_t kSize = 1 << 20;
  ForkedChild child([&] {
    const std::vector<char> data(kSize, 'd');
    CHILD_CHECK(write(pair.second.get(), data.data(), kSize) == static_cast<ssize_t>(kSize));
  });
  pair.second.reset();
  std::vector<char> buffer(kSize);
  EXPECT_THAT(recv(pair.first.get(), buffer.data(), kSize, MSG_WAITALL),
              SyscallSucceedsWithValue(static_cast<ssize_t>(kSize)));
  EXPECT_THAT(child.Wait(), ExitedWith(0));
}

TEST(Socketpair, ReceiveTimeoutIsEagain) {
  SocketPair pair;
  const timeval timeout = ToTimeval(milliseconds(15));
  ASSERT_THAT(setsockopt(pair.first.get(), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)),
              SyscallSucceeds());
  char byte;
  const Stopwatch watch;
  EXPECT_THAT(read(pair.first.get(), &byte, 1), SyscallFailsWith(EAGAIN));
  EXPECT_GE(watch.Elapsed(), milliseconds(10));
}

TEST(Socketpair, OptionsTellWhatItIs) {
  SocketPair pair(SOCK_SEQPACKET | SOCK_CLOEXEC);
  int value = 0;
  socklen_t length = sizeof(value);
  ASSERT_THAT(getsockopt(pair.first.get(), SOL_SOCKET, SO_TYPE, &value, &length),
              SyscallSucceeds());
  EXPECT_EQ(value, SOCK_SEQPACKET);
  ASSERT_THAT(getsockopt(pair.first.get(), SOL_SOCKET, SO_DOMAIN, &value, &length),
              SyscallSucceeds());
  EXPECT_EQ(value, AF_UNIX);
  EXPECT_THAT(fcntl(pair.first.get(), F_GETFD), SyscallSucceedsWithValue(FD_CLOEXEC));
}

TEST(Socketpair, PeerCredentialsAreTheMakers) {
  SocketPair pair;
  ucred peer = {};
  socklen_t length = sizeof(peer);
  ASSERT_THAT(getsockopt(pair.first.get(), SOL_SOCKET, SO_PEERCRED, &peer, &length),
              SyscallSucceeds());
  EXPECT_EQ(peer.pid, getpid());
  EXPECT_EQ(peer.uid, geteuid());
  EXPECT_EQ(peer.gid, getegid());
}

TEST(Socketpair, BadArguments) {
  int fds[2];
  EXPECT_THAT(socketpair(AF_UNIX, 99, 0, fds), SyscallFailsWith(EINVAL));
  EXPECT_THAT(socketpair(AF_UNIX, SOCK_STREAM, 99, fds), SyscallFailsWith(EPROTONOSUPPORT));
  EXPECT_THAT(socketpair(999, SOCK_STREAM, 0, fds), SyscallFailsWith(EAFNOSUPPORT));
  EXPECT_THAT(socketpair(AF_INET, SOCK_STREAM, 0, fds), SyscallFailsWith(EOPNOTSUPP));
}

TEST(Socketpair, OtherDescriptorsAreEnotsock) {
  Pipe pipe;
  char byte = 0;
  EXPECT_THAT(send(pipe.writer.get(), &byte, 1, 0), SyscallFailsWith(ENOTSOCK));
  EXPECT_THAT(recv(-1, &byte, 1, 0), SyscallFailsWith(EBADF));
  EXPECT_THAT(shutdown(pipe.reader.get(), SHUT_RD), SyscallFailsWith(ENOTSOCK));
}

}  // namespace
}  // namespace redoubt::test
