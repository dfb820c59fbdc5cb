// SPDX-License-Identifier: Apache-2.0
//
// UDP between sockets of one machine: datagrams, errors that come back, control messages, groups.

#include <fcntl.h>
#include <linux/errqueue.h>
#include <linux/sockios.h>
#include <netinet/ip_icmp.h>
#include <netinet/udp.h>

#include <optional>
#include <vector>

#include "test/syscalls/inet_sockets.h"
#include "test/util/platform.h"

namespace redoubt::test {
namespace {

// A received message with its control messages.
struct Message {
  std::string text;
  int flags = 0;
  InetAddress from;
  std::vector<char> control;

  template <typename T>
  std::optional<T> Find(int level, int type) const {
    msghdr header = {};
    header.msg_control = const_cast<char*>(control.data());
    header.msg_controllen = control.size();
    for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c)) {
      if (c->cmsg_level != level || c->cmsg_type != type) continue;
      T value = {};
      std::memcpy(&value, CMSG_DATA(c), std::min(sizeof(T), c->cmsg_len - CMSG_LEN(0)));
      return value;
    }
    return std::nullopt;
  }
};

Message ReceiveMessage(const FileDescriptor& fd, int flags = 0, size_t size = 256) {
  Message result;
  result.text.resize(size);
  result.control.resize(512);
  iovec vector = {result.text.data(), size};
  msghdr header = {};
  header.msg_name = result.from.get();
  header.msg_namelen = sizeof(result.from.storage);
  header.msg_iov = &vector;
  header.msg_iovlen = 1;
  header.msg_control = result.control.data();
  header.msg_controllen = result.control.size();
  const ssize_t got = recvmsg(fd.get(), &header, flags);
  if (got < 0) {
    result.text = ErrorText(errno);
    result.control.clear();
    return result;
  }
  result.text.resize(static_cast<size_t>(got));
  result.flags = header.msg_flags;
  result.from.length = header.msg_namelen;
  result.control.resize(header.msg_controllen);
  return result;
}

class UdpTest : public InetTest {
 protected:
  FileDescriptor a_ = BoundDatagram();
  FileDescriptor b_ = BoundDatagram();
  const InetAddress a_name_ = NameOf(a_);
  const InetAddress b_name_ = NameOf(b_);
};
INSTANTIATE_TEST_SUITE_P(Kinds, UdpTest, InetKinds(), InetKindName);

TEST_P(UdpTest, SendsAndReceives) {
  ASSERT_THAT(SendTo(a_, "hello", b_name_), SyscallSucceedsWithValue(5));
  const Message m = ReceiveMessage(b_);
  EXPECT_EQ(m.text, "hello");
  EXPECT_EQ(m.from, a_name_);
  EXPECT_EQ(m.flags, 0);
}

TEST_P(UdpTest, KeepsBoundaries) {
  ASSERT_THAT(SendTo(a_, "one", b_name_), SyscallSucceeds());
  ASSERT_THAT(SendTo(a_, "two", b_name_), SyscallSucceeds());
  EXPECT_EQ(Receive(b_), "one");
  EXPECT_EQ(Receive(b_), "two");
}

TEST_P(UdpTest, EmptyDatagramsCount) {
  ASSERT_THAT(SendTo(a_, "", b_name_), SyscallSucceedsWithValue(0));
  EXPECT_EQ(Poll(b_, 20'000, POLLIN), POLLIN);
  EXPECT_EQ(Receive(b_, 16, MSG_DONTWAIT), "");
  EXPECT_EQ(Receive(b_, 16, MSG_DONTWAIT), ErrorText(EAGAIN));
}

TEST_P(UdpTest, EmptyWriteSendsADatagram) {
  ASSERT_THAT(Connect(a_, b_name_), SyscallSucceeds());
  ASSERT_THAT(write(a_.get(), "", 0), SyscallSucceedsWithValue(0));
  EXPECT_EQ(Poll(b_, 100, POLLIN), POLLIN);
}

TEST_P(UdpTest, CutsWhatDoesNotFit) {
  ASSERT_THAT(SendTo(a_, "0123456789", b_name_), SyscallSucceeds());
  const Message m = ReceiveMessage(b_, 0, 4);
  EXPECT_EQ(m.text, "0123");
  EXPECT_EQ(m.flags, MSG_TRUNC);
  EXPECT_EQ(Receive(b_, 4, MSG_DONTWAIT), ErrorText(EAGAIN));
}

TEST_P(UdpTest, TruncTellsTheLength) {
  ASSERT_THAT(SendTo(a_, "0123456789", b_name_), SyscallSucceeds());
  char buffer[4];
  EXPECT_THAT(recv(b_.get(), buffer, 4, MSG_TRUNC | MSG_PEEK), SyscallSucceedsWithValue(10));
  EXPECT_THAT(recv(b_.get(), buffer, 4, MSG_TRUNC), SyscallSucceedsWithValue(10));
}

TEST_P(UdpTest, PeekLeavesTheDatagram) {
  ASSERT_THAT(SendTo(a_, "peek", b_name_), SyscallSucceeds());
  EXPECT_EQ(Receive(b_, 9, MSG_PEEK), "peek");
  EXPECT_EQ(Receive(b_), "peek");
}

TEST_P(UdpTest, LargestDatagram) {
  const size_t largest = is_v4() ? 65507 : 65527;
  const std::string text(largest, 'L');
  ASSERT_THAT(SendTo(a_, text, b_name_), SyscallSucceedsWithValue(largest));
  EXPECT_EQ(Receive(b_, 70'000), text);
  EXPECT_THAT(SendTo(a_, text + "x", b_name_), SyscallFailsWith(EMSGSIZE));
}

TEST_P(UdpTest, NeedsADestination) {
  EXPECT_THAT(Send(a_, "x"), SyscallFailsWith(EDESTADDRREQ));
  EXPECT_THAT(write(a_.get(), "x", 1), SyscallFailsWith(EDESTADDRREQ));
  EXPECT_THAT(SendTo(a_, "x", Loopback(0)), SyscallFailsWith(EINVAL));
}

TEST_P(UdpTest, WrongAddresses) {
  EXPECT_THAT(sendto(a_.get(), "x", 1, 0, b_name_.get(), 8), SyscallFailsWith(EINVAL));
  InetAddress unix_name = b_name_;
  unix_name.storage.ss_family = AF_UNIX;
  EXPECT_THAT(SendTo(a_, "x", unix_name),
              SyscallFailsWith(family() == AF_INET ? EAFNOSUPPORT : EINVAL));
  EXPECT_THAT(connect(a_.get(), b_name_.get(), 8), SyscallFailsWith(EINVAL));
  EXPECT_THAT(connect(a_.get(), b_name_.get(), 1), SyscallFailsWith(EINVAL));
}

TEST_P(UdpTest, SendBindsAutomatically) {
  const FileDescriptor fd = Datagram();
  EXPECT_EQ(NameOf(fd).port(), 0);
  ASSERT_THAT(SendTo(fd, "auto", b_name_), SyscallSucceeds());
  EXPECT_NE(NameOf(fd).port(), 0);
  EXPECT_EQ(NameOf(fd).host(), family() == AF_INET ? "0.0.0.0" : "::");
  EXPECT_EQ(ReceiveMessage(b_).from, Loopback(NameOf(fd).port()));
}

TEST_P(UdpTest, ConnectedTalks) {
  ASSERT_THAT(Connect(a_, b_name_), SyscallSucceeds());
  EXPECT_EQ(PeerOf(a_), b_name_);
  ASSERT_THAT(Send(a_, "x"), SyscallSucceeds());
  EXPECT_EQ(Receive(b_), "x");
}

TEST_P(UdpTest, ConnectSetsTheLocalAddress) {
  const FileDescriptor fd = Datagram();
  ASSERT_THAT(Connect(fd, b_name_), SyscallSucceeds());
  EXPECT_EQ(NameOf(fd).host(), Loopback().host());
  EXPECT_NE(NameOf(fd).port(), 0);
}

TEST_P(UdpTest, ConnectedHearsOnlyItsPeer) {
  const FileDescriptor other = BoundDatagram();
  ASSERT_THAT(Connect(a_, b_name_), SyscallSucceeds());
  ASSERT_THAT(SendTo(other, "stranger", a_name_), SyscallSucceeds());
  ASSERT_THAT(SendTo(b_, "friend", a_name_), SyscallSucceeds());
  EXPECT_EQ(Receive(a_), "friend");
  EXPECT_EQ(Receive(a_, 16, MSG_DONTWAIT), ErrorText(EAGAIN));
}

TEST_P(UdpTest, ConnectedMayStillSendElsewhere) {
  const FileDescriptor other = BoundDatagram();
  ASSERT_THAT(Connect(a_, b_name_), SyscallSucceeds());
  ASSERT_THAT(SendTo(a_, "else", NameOf(other)), SyscallSucceeds());
  EXPECT_EQ(Receive(other), "else");
}

TEST_P(UdpTest, ConnectsAnew) {
  const FileDescriptor other = BoundDatagram();
  ASSERT_THAT(Connect(a_, b_name_), SyscallSucceeds());
  ASSERT_THAT(Connect(a_, NameOf(other)), SyscallSucceeds());
  ASSERT_THAT(Send(a_, "new"), SyscallSucceeds());
  EXPECT_EQ(Receive(other), "new");
}

TEST_P(UdpTest, Disconnects) {
  a_.reset();
  const FileDescriptor fd = Datagram();
  ASSERT_THAT(Bind(fd, a_name_), SyscallSucceeds());
  ASSERT_THAT(Connect(fd, b_name_), SyscallSucceeds());
  ASSERT_THAT(Disconnect(fd), SyscallSucceeds());
  EXPECT_THAT(Peername(fd), SyscallFailsWith(ENOTCONN));
  EXPECT_EQ(NameOf(fd), a_name_);
  EXPECT_THAT(Send(fd, "x"), SyscallFailsWith(EDESTADDRREQ));
}

TEST_P(UdpTest, DisconnectGivesAnAutomaticPortBack) {
  const FileDescriptor fd = Datagram();
  ASSERT_THAT(Connect(fd, b_name_), SyscallSucceeds());
  ASSERT_THAT(Disconnect(fd), SyscallSucceeds());
  EXPECT_EQ(NameOf(fd).port(), 0);
}

TEST_P(UdpTest, RefusalReachesAConnectedSocket) {
  b_.reset();
  ASSERT_THAT(Connect(a_, b_name_), SyscallSucceeds());
  ASSERT_THAT(Send(a_, "anybody?"), SyscallSucceeds());
  EXPECT_NE(PollFor(a_, POLLIN) & POLLERR, 0);
  EXPECT_EQ(Receive(a_, 16, MSG_DONTWAIT), ErrorText(ECONNREFUSED));
  EXPECT_EQ(Receive(a_, 16, MSG_DONTWAIT), ErrorText(EAGAIN));
  ASSERT_THAT(Send(a_, "anybody?"), SyscallSucceeds());
  EXPECT_EQ(SocketError(a_), ECONNREFUSED);
  ASSERT_THAT(Send(a_, "anybody?"), SyscallSucceeds());
  EXPECT_THAT(Send(a_, "anybody?"), SyscallFailsWith(ECONNREFUSED));
}

TEST_P(UdpTest, UnconnectedHearsOfNoRefusal) {
  b_.reset();
  ASSERT_THAT(SendTo(a_, "anybody?", b_name_), SyscallSucceeds());
  ASSERT_THAT(SendTo(a_, "anybody?", b_name_), SyscallSucceeds());
  EXPECT_EQ(Poll(a_), POLLOUT);
}

TEST_P(UdpTest, ErrorQueue) {
  b_.reset();
  const int level = family() == AF_INET ? SOL_IP : SOL_IPV6;
  const int name = family() == AF_INET ? IP_RECVERR : IPV6_RECVERR;
  ASSERT_THAT(SetInt(a_, level, name, 1), SyscallSucceeds());
  if (GetParam() == InetKind::kMapped) SetInt(a_, SOL_IP, IP_RECVERR, 1);
  ASSERT_THAT(SendTo(a_, "lost", b_name_), SyscallSucceeds());
  EXPECT_NE(PollFor(a_, 0) & POLLERR, 0);
  const Message m = ReceiveMessage(a_, MSG_ERRQUEUE);
  EXPECT_EQ(m.text, "lost");
  EXPECT_EQ(m.flags & MSG_ERRQUEUE, MSG_ERRQUEUE);
  EXPECT_EQ(m.from.port(), b_name_.port());
  const auto error = m.Find<sock_extended_err>(level, name);
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->ee_errno, static_cast<uint32_t>(ECONNREFUSED));
  EXPECT_EQ(error->ee_origin, is_v4() ? SO_EE_ORIGIN_ICMP : SO_EE_ORIGIN_ICMP6);
  EXPECT_EQ(error->ee_type, is_v4() ? 3 : 1);
  EXPECT_EQ(error->ee_code, is_v4() ? 3 : 4);
  EXPECT_EQ(ReceiveMessage(a_, MSG_ERRQUEUE).text, ErrorText(EAGAIN));
}

TEST_P(UdpTest, Readiness) {
  EXPECT_EQ(Poll(a_), POLLOUT);
  ASSERT_THAT(SendTo(b_, "x", a_name_), SyscallSucceeds());
  EXPECT_EQ(PollFor(a_, POLLIN), POLLIN);
}

TEST_P(UdpTest, BlockedReaderWakes) {
  std::string got;
  TestThread reader([&] { got = Receive(b_); });
  AwaitSleeping(getpid(), reader.tid());
  ASSERT_THAT(SendTo(a_, "wake", b_name_), SyscallSucceeds());
  reader.Join();
  EXPECT_EQ(got, "wake");
}

TEST_P(UdpTest, ShutdownNeedsAPeerAndWorksAnyway) {
  EXPECT_THAT(shutdown(a_.get(), SHUT_RD), SyscallFailsWith(ENOTCONN));
  ASSERT_THAT(Connect(a_, b_name_), SyscallSucceeds());
  EXPECT_THAT(shutdown(a_.get(), SHUT_RD), SyscallSucceeds());
  EXPECT_EQ(Receive(a_), "");
  EXPECT_EQ(Poll(a_), POLLIN | POLLOUT | POLLRDHUP);
}

TEST_P(UdpTest, ShutdownForWriting) {
  ASSERT_THAT(Connect(a_, b_name_), SyscallSucceeds());
  ASSERT_THAT(shutdown(a_.get(), SHUT_WR), SyscallSucceeds());
  EXPECT_THAT(Send(a_, "x"), SyscallFailsWith(EPIPE));
  ASSERT_THAT(shutdown(a_.get(), SHUT_RD), SyscallSucceeds());
  EXPECT_NE(Poll(a_) & POLLHUP, 0);
}

TEST_P(UdpTest, ShutdownWakesAReader) {
  ASSERT_THAT(Connect(a_, b_name_), SyscallSucceeds());
  std::string got = "?";
  TestThread reader([&] { got = Receive(a_); });
  AwaitSleeping(getpid(), reader.tid());
  ASSERT_THAT(shutdown(a_.get(), SHUT_RD), SyscallSucceeds());
  reader.Join();
  EXPECT_EQ(got, "");
}

TEST_P(UdpTest, FullReceiverDropsSilently) {
  ASSERT_THAT(SetInt(b_, SOL_SOCKET, SO_RCVBUF, 4096), SyscallSucceeds());
  const std::string text(1000, 'x');
  for (int i = 0; i < 100; ++i) ASSERT_THAT(SendTo(a_, text, b_name_), SyscallSucceeds());
  int received = 0;
  while (Receive(b_, 2000, MSG_DONTWAIT) == text) ++received;
  EXPECT_GE(received, 1);
  EXPECT_LT(received, 50);
}

TEST_P(UdpTest, SizeOfTheFirst) {
  int size = -1;
  ASSERT_THAT(ioctl(b_.get(), FIONREAD, &size), SyscallSucceeds());
  EXPECT_EQ(size, 0);
  ASSERT_THAT(SendTo(a_, "12345", b_name_), SyscallSucceeds());
  ASSERT_THAT(SendTo(a_, "123", b_name_), SyscallSucceeds());
  ASSERT_EQ(PollFor(b_, POLLIN), POLLIN);
  ASSERT_THAT(ioctl(b_.get(), FIONREAD, &size), SyscallSucceeds());
  EXPECT_EQ(size, 5);
}

TEST_P(UdpTest, NoUrgentData) {
  if (family() != AF_INET) return;
  EXPECT_THAT(sendto(a_.get(), "x", 1, MSG_OOB, b_name_.get(), b_name_.length),
              SyscallFailsWith(EOPNOTSUPP));
}

TEST_P(UdpTest, ManyMessages) {
  ASSERT_THAT(Connect(a_, b_name_), SyscallSucceeds());
  std::string texts[3] = {"one", "three", ""};
  iovec out[3];
  mmsghdr messages[3] = {};
  for (int i = 0; i < 3; ++i) {
    out[i] = {texts[i].data(), texts[i].size()};
    messages[i].msg_hdr.msg_iov = &out[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  ASSERT_THAT(sendmmsg(a_.get(), messages, 3, 0), SyscallSucceedsWithValue(3));
  char buffers[4][16];
  iovec in[4];
  mmsghdr received[4] = {};
  for (int i = 0; i < 4; ++i) {
    in[i] = {buffers[i], sizeof(buffers[i])};
    received[i].msg_hdr.msg_iov = &in[i];
    received[i].msg_hdr.msg_iovlen = 1;
  }
  ASSERT_THAT(recvmmsg(b_.get(), received, 4, MSG_WAITFORONE, nullptr),
              SyscallSucceedsWithValue(3));
  EXPECT_EQ(std::string(buffers[1], received[1].msg_len), "three");
  EXPECT_EQ(received[2].msg_len, 0u);
}

TEST_P(UdpTest, PacketInfo) {
  const FileDescriptor any = Datagram();
  ASSERT_THAT(Bind(any, Any()), SyscallSucceeds());
  if (family() == AF_INET) {
    ASSERT_THAT(SetInt(any, SOL_IP, IP_PKTINFO, 1), SyscallSucceeds());
    ASSERT_THAT(SendTo(a_, "x", Loopback(NameOf(any).port())), SyscallSucceeds());
    const auto info = ReceiveMessage(any).Find<in_pktinfo>(SOL_IP, IP_PKTINFO);
    ASSERT_TRUE(info.has_value());
    EXPECT_EQ(info->ipi_ifindex, 1);
    EXPECT_EQ(info->ipi_addr.s_addr, htonl(INADDR_LOOPBACK));
    EXPECT_EQ(info->ipi_spec_dst.s_addr, htonl(INADDR_LOOPBACK));
    return;
  }
  if (GetParam() == InetKind::kMapped) return;  // "::ffff:0.0.0.0" is no place for v6 options.
  ASSERT_THAT(SetInt(any, SOL_IPV6, IPV6_RECVPKTINFO, 1), SyscallSucceeds());
  ASSERT_THAT(SendTo(a_, "x", Loopback(NameOf(any).port())), SyscallSucceeds());
  const auto info = ReceiveMessage(any).Find<in6_pktinfo>(SOL_IPV6, IPV6_PKTINFO);
  ASSERT_TRUE(info.has_value());
  EXPECT_EQ(info->ipi6_ifindex, 1u);
  EXPECT_TRUE(IN6_IS_ADDR_LOOPBACK(&info->ipi6_addr));
}

TEST_P(UdpTest, HopsAndClass) {
  if (GetParam() == InetKind::kMapped) return;
  const bool v4 = is_v4();
  const int level = v4 ? SOL_IP : SOL_IPV6;
  ASSERT_THAT(SetInt(b_, level, v4 ? IP_RECVTTL : IPV6_RECVHOPLIMIT, 1), SyscallSucceeds());
  ASSERT_THAT(SetInt(b_, level, v4 ? IP_RECVTOS : IPV6_RECVTCLASS, 1), SyscallSucceeds());
  ASSERT_THAT(SetInt(a_, level, v4 ? IP_TTL : IPV6_UNICAST_HOPS, 33), SyscallSucceeds());
  ASSERT_THAT(SetInt(a_, level, v4 ? IP_TOS : IPV6_TCLASS, 0x28), SyscallSucceeds());
  ASSERT_THAT(SendTo(a_, "x", b_name_), SyscallSucceeds());
  const Message m = ReceiveMessage(b_);
  EXPECT_EQ(m.Find<int>(level, v4 ? IP_TTL : IPV6_HOPLIMIT), 33);
  if (v4) {
    EXPECT_EQ(m.Find<uint8_t>(SOL_IP, IP_TOS), 0x28);
  } else {
    EXPECT_EQ(m.Find<int>(SOL_IPV6, IPV6_TCLASS), 0x28);
  }
}

TEST_P(UdpTest, Timestamps) {
  ASSERT_THAT(SetInt(b_, SOL_SOCKET, SO_TIMESTAMP, 1), SyscallSucceeds());
  const auto before = Now(CLOCK_REALTIME);
  ASSERT_THAT(SendTo(a_, "x", b_name_), SyscallSucceeds());
  const auto stamp = ReceiveMessage(b_).Find<timeval>(SOL_SOCKET, SCM_TIMESTAMP);
  ASSERT_TRUE(stamp.has_value());
  EXPECT_LE(std::chrono::seconds(stamp->tv_sec), Now(CLOCK_REALTIME));
  EXPECT_GE(std::chrono::seconds(stamp->tv_sec + 1), before);
  ASSERT_THAT(SetInt(b_, SOL_SOCKET, SO_TIMESTAMP, 0), SyscallSucceeds());
  ASSERT_THAT(SetInt(b_, SOL_SOCKET, SO_TIMESTAMPNS, 1), SyscallSucceeds());
  ASSERT_THAT(SendTo(a_, "x", b_name_), SyscallSucceeds());
  EXPECT_TRUE(ReceiveMessage(b_).Find<timespec>(SOL_SOCKET, SCM_TIMESTAMPNS).has_value());
}

TEST_P(UdpTest, ControlThatDoesNotFitIsCut) {
  ASSERT_THAT(SetInt(b_, SOL_SOCKET, SO_TIMESTAMP, 1), SyscallSucceeds());
  ASSERT_THAT(SendTo(a_, "x", b_name_), SyscallSucceeds());
  char text[4], control[8];
  iovec vector = {text, sizeof(text)};
  msghdr header = {};
  header.msg_iov = &vector;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof(control);
  ASSERT_THAT(recvmsg(b_.get(), &header, 0), SyscallSucceedsWithValue(1));
  EXPECT_EQ(header.msg_flags, MSG_CTRUNC);
  EXPECT_EQ(header.msg_controllen, 0u);
}

TEST_P(UdpTest, OnlyTheControlThatDoesNotFitIsCut) {
  if (family() != AF_INET) return;
  ASSERT_THAT(SetInt(b_, SOL_IP, IP_RECVTTL, 1), SyscallSucceeds());
  ASSERT_THAT(SetInt(b_, SOL_IP, IP_PKTINFO, 1), SyscallSucceeds());
  ASSERT_THAT(SendTo(a_, "x", b_name_), SyscallSucceeds());
  char text[4], control[CMSG_SPACE(sizeof(in_pktinfo)) + CMSG_LEN(2)];
  iovec vector = {text, sizeof(text)};
  msghdr header = {};
  header.msg_iov = &vector;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof(control);
  ASSERT_THAT(recvmsg(b_.get(), &header, 0), SyscallSucceedsWithValue(1));
  EXPECT_EQ(header.msg_flags, MSG_CTRUNC);
  EXPECT_EQ(header.msg_controllen, sizeof(control));
  const cmsghdr* first = CMSG_FIRSTHDR(&header);
  EXPECT_EQ(first->cmsg_type, IP_PKTINFO);
  EXPECT_EQ(first->cmsg_len, CMSG_LEN(sizeof(in_pktinfo)));
  const auto* second = reinterpret_cast<const cmsghdr*>(control + CMSG_SPACE(sizeof(in_pktinfo)));
  EXPECT_EQ(second->cmsg_type, IP_TTL);
  EXPECT_EQ(second->cmsg_len, CMSG_LEN(2));
}

TEST_P(UdpTest, CorkJoins) {
  ASSERT_THAT(Connect(a_, b_name_), SyscallSucceeds());
  ASSERT_THAT(SetInt(a_, IPPROTO_UDP, UDP_CORK, 1), SyscallSucceeds());
  ASSERT_THAT(Send(a_, "one"), SyscallSucceedsWithValue(3));
  ASSERT_THAT(Send(a_, "two"), SyscallSucceedsWithValue(3));
  EXPECT_EQ(Poll(b_, 20, POLLIN), 0);
  ASSERT_THAT(SetInt(a_, IPPROTO_UDP, UDP_CORK, 0), SyscallSucceeds());
  EXPECT_EQ(Receive(b_), "onetwo");
}

TEST_P(UdpTest, MoreJoins) {
  ASSERT_THAT(Connect(a_, b_name_), SyscallSucceeds());
  ASSERT_THAT(Send(a_, "one", MSG_MORE), SyscallSucceedsWithValue(3));
  ASSERT_THAT(Send(a_, "two"), SyscallSucceedsWithValue(3));
  EXPECT_EQ(Receive(b_), "onetwo");
}

TEST_P(UdpTest, SegmentsSplit) {
  ASSERT_THAT(Connect(a_, b_name_), SyscallSucceeds());
  ASSERT_THAT(SetInt(a_, IPPROTO_UDP, UDP_SEGMENT, 4), SyscallSucceeds());
  ASSERT_THAT(Send(a_, "aaaabbbbcc"), SyscallSucceedsWithValue(10));
  EXPECT_EQ(Receive(b_), "aaaa");
  EXPECT_EQ(Receive(b_), "bbbb");
  EXPECT_EQ(Receive(b_), "cc");
}

TEST_P(UdpTest, SendsToItself) {
  ASSERT_THAT(SendTo(a_, "self", a_name_), SyscallSucceeds());
  EXPECT_EQ(Receive(a_), "self");
}

TEST_P(UdpTest, SpecificAddressWins) {
  const FileDescriptor any = Datagram(), exact = Datagram();
  ASSERT_THAT(SetInt(any, SOL_SOCKET, SO_REUSEADDR, 1), SyscallSucceeds());
  ASSERT_THAT(SetInt(exact, SOL_SOCKET, SO_REUSEADDR, 1), SyscallSucceeds());
  ASSERT_THAT(Bind(any, Any()), SyscallSucceeds());
  ASSERT_THAT(Bind(exact, Loopback(NameOf(any).port())), SyscallSucceeds());
  ASSERT_THAT(SendTo(a_, "x", NameOf(exact)), SyscallSucceeds());
  EXPECT_EQ(Receive(exact), "x");
}

// --- v4 only: broadcast and groups. ---

TEST(UdpBroadcast, NeedsPermission) {
  const FileDescriptor fd(socket(AF_INET, SOCK_DGRAM, 0));
  const InetAddress all = MakeAddress(AF_INET, "127.255.255.255", 9);
  EXPECT_THAT(SendTo(fd, "x", all), SyscallFailsWith(EACCES));
  EXPECT_THAT(Connect(fd, all), SyscallFailsWith(EACCES));
  ASSERT_THAT(SetInt(fd, SOL_SOCKET, SO_BROADCAST, 1), SyscallSucceeds());
  EXPECT_THAT(SendTo(fd, "x", all), SyscallSucceedsWithValue(1));
}

TEST(UdpBroadcast, ReachesAll) {
  const FileDescriptor sender(socket(AF_INET, SOCK_DGRAM, 0));
  ASSERT_THAT(SetInt(sender, SOL_SOCKET, SO_BROADCAST, 1), SyscallSucceeds());
  FileDescriptor receivers[2];
  uint16_t port = 0;
  for (FileDescriptor& fd : receivers) {
    fd.reset(socket(AF_INET, SOCK_DGRAM, 0));
    ASSERT_THAT(SetInt(fd, SOL_SOCKET, SO_REUSEADDR, 1), SyscallSucceeds());
    ASSERT_THAT(Bind(fd, MakeAddress(AF_INET, "0.0.0.0", port)), SyscallSucceeds());
    port = NameOf(fd).port();
  }
  ASSERT_THAT(SendTo(sender, "all", MakeAddress(AF_INET, "127.255.255.255", port)),
              SyscallSucceeds());
  EXPECT_EQ(Receive(receivers[0]), "all");
  EXPECT_EQ(Receive(receivers[1]), "all");
}

class UdpGroup : public ::testing::Test {
 protected:
  UdpGroup() {
    EXPECT_THAT(SetInt(receiver_, SOL_SOCKET, SO_REUSEADDR, 1), SyscallSucceeds());
    EXPECT_THAT(Bind(receiver_, MakeAddress(AF_INET, "0.0.0.0")), SyscallSucceeds());
    group_ = MakeAddress(AF_INET, "239.1.2.3", NameOf(receiver_).port());
    request_.imr_multiaddr.s_addr = inet_addr("239.1.2.3");
    request_.imr_address.s_addr = htonl(INADDR_LOOPBACK);
    in_addr lo = {htonl(INADDR_LOOPBACK)};
    EXPECT_THAT(setsockopt(sender_.get(), SOL_IP, IP_MULTICAST_IF, &lo, sizeof(lo)),
                SyscallSucceeds());
  }
  int Change(int name) {
    return setsockopt(receiver_.get(), SOL_IP, name, &request_, sizeof(request_));
  }

  FileDescriptor sender_{socket(AF_INET, SOCK_DGRAM, 0)};
  FileDescriptor receiver_{socket(AF_INET, SOCK_DGRAM, 0)};
  InetAddress group_;
  ip_mreqn request_ = {};
};

TEST_F(UdpGroup, MembersReceive) {
  ASSERT_THAT(Change(IP_ADD_MEMBERSHIP), SyscallSucceeds());
  ASSERT_THAT(SendTo(sender_, "group", group_), SyscallSucceeds());
  const Message m = ReceiveMessage(receiver_);
  EXPECT_EQ(m.text, "group");
  EXPECT_EQ(m.from.host(), "127.0.0.1");
}

TEST_F(UdpGroup, OthersDoNot) {
  ASSERT_THAT(SendTo(sender_, "group", group_), SyscallSucceeds());
  EXPECT_EQ(Poll(receiver_, 30, POLLIN), 0);
  ASSERT_THAT(Change(IP_ADD_MEMBERSHIP), SyscallSucceeds());
  ASSERT_THAT(Change(IP_DROP_MEMBERSHIP), SyscallSucceeds());
  ASSERT_THAT(SendTo(sender_, "group", group_), SyscallSucceeds());
  EXPECT_EQ(Poll(receiver_, 30, POLLIN), 0);
}

TEST_F(UdpGroup, MembershipErrors) {
  EXPECT_THAT(Change(IP_DROP_MEMBERSHIP), SyscallFailsWith(EADDRNOTAVAIL));
  ASSERT_THAT(Change(IP_ADD_MEMBERSHIP), SyscallSucceeds());
  EXPECT_THAT(Change(IP_ADD_MEMBERSHIP), SyscallFailsWith(EADDRINUSE));
  request_.imr_multiaddr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_THAT(Change(IP_ADD_MEMBERSHIP), SyscallFailsWith(EINVAL));
  request_.imr_multiaddr.s_addr = inet_addr("239.1.2.4");
  request_.imr_ifindex = 4711;
  EXPECT_THAT(Change(IP_ADD_MEMBERSHIP), SyscallFailsWith(ENODEV));
}

TEST_F(UdpGroup, TimeToLive) {
  ASSERT_THAT(Change(IP_ADD_MEMBERSHIP), SyscallSucceeds());
  ASSERT_THAT(SetInt(receiver_, SOL_IP, IP_RECVTTL, 1), SyscallSucceeds());
  ASSERT_THAT(SendTo(sender_, "x", group_), SyscallSucceeds());
  EXPECT_EQ(ReceiveMessage(receiver_).Find<int>(SOL_IP, IP_TTL), 1);
  ASSERT_THAT(SetInt(sender_, SOL_IP, IP_MULTICAST_TTL, 7), SyscallSucceeds());
  ASSERT_THAT(SendTo(sender_, "x", group_), SyscallSucceeds());
  EXPECT_EQ(ReceiveMessage(receiver_).Find<int>(SOL_IP, IP_TTL), 7);
}

TEST(UdpGroup6, MembersReceive) {
  const FileDescriptor receiver(socket(AF_INET6, SOCK_DGRAM, 0));
  const FileDescriptor sender(socket(AF_INET6, SOCK_DGRAM, 0));
  ASSERT_THAT(Bind(receiver, MakeAddress(AF_INET6, "::")), SyscallSucceeds());
  ipv6_mreq request = {};
  inet_pton(AF_INET6, "ff12::1234", &request.ipv6mr_multiaddr);
  request.ipv6mr_interface = 1;
  ASSERT_THAT(setsockopt(receiver.get(), SOL_IPV6, IPV6_ADD_MEMBERSHIP, &request, sizeof(request)),
              SyscallSucceeds());
  EXPECT_THAT(setsockopt(receiver.get(), SOL_IPV6, IPV6_ADD_MEMBERSHIP, &request, sizeof(request)),
              SyscallFailsWith(EADDRINUSE));
  ASSERT_THAT(SetInt(sender, SOL_IPV6, IPV6_MULTICAST_IF, 1), SyscallSucceeds());
  EXPECT_EQ(GetInt(sender, SOL_IPV6, IPV6_MULTICAST_IF), 1);
}

// --- Families. ---

TEST(UdpFamilies, V6SocketTakesV4Addresses) {
  const FileDescriptor v4(socket(AF_INET, SOCK_DGRAM, 0)), v6(socket(AF_INET6, SOCK_DGRAM, 0));
  ASSERT_THAT(Bind(v4, MakeAddress(AF_INET, "127.0.0.1")), SyscallSucceeds());
  ASSERT_THAT(SendTo(v6, "x", NameOf(v4)), SyscallSucceeds());
  EXPECT_EQ(Receive(v4), "x");
  ASSERT_THAT(Connect(v6, NameOf(v4)), SyscallSucceeds());
  EXPECT_EQ(PeerOf(v6).host(), "::ffff:127.0.0.1");
}

TEST(UdpFamilies, DualSocketReceivesV4) {
  const FileDescriptor v4(socket(AF_INET, SOCK_DGRAM, 0)), v6(socket(AF_INET6, SOCK_DGRAM, 0));
  ASSERT_THAT(Bind(v6, MakeAddress(AF_INET6, "::")), SyscallSucceeds());
  ASSERT_THAT(SendTo(v4, "x", MakeAddress(AF_INET, "127.0.0.1", NameOf(v6).port())),
              SyscallSucceeds());
  EXPECT_EQ(ReceiveMessage(v6).from.host(), "::ffff:127.0.0.1");
}

TEST(UdpFamilies, V6OnlyKnowsNoV4) {
  const FileDescriptor fd(socket(AF_INET6, SOCK_DGRAM, 0));
  ASSERT_THAT(SetInt(fd, SOL_IPV6, IPV6_V6ONLY, 1), SyscallSucceeds());
  EXPECT_THAT(SendTo(fd, "x", MakeAddress(AF_INET, "127.0.0.1", 9)), SyscallFailsWith(ENETUNREACH));
  EXPECT_THAT(Connect(fd, MakeAddress(AF_INET6, "::ffff:127.0.0.1", 9)),
              SyscallFailsWith(ENETUNREACH));
}

TEST(UdpFamilies, NoRouteWithoutANetwork) {
  if (!InSandbox()) GTEST_SKIP() << "the machine may have a network";
  const FileDescriptor fd(socket(AF_INET, SOCK_DGRAM, 0));
  EXPECT_THAT(SendTo(fd, "x", MakeAddress(AF_INET, "192.0.2.1", 9)), SyscallFailsWith(ENETUNREACH));
  EXPECT_THAT(Connect(fd, MakeAddress(AF_INET, "192.0.2.1", 9)), SyscallFailsWith(ENETUNREACH));
}

TEST(UdpEcho, AnswersPing) {
  const FileDescriptor fd(socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP));
  if (!fd.valid()) {
    EXPECT_EQ(errno, EACCES);
    GTEST_SKIP() << "net.ipv4.ping_group_range has not our group";
  }
  icmphdr request = {};
  request.type = ICMP_ECHO;
  request.un.echo.sequence = htons(5);
  const InetAddress to = MakeAddress(AF_INET, "127.0.0.1");
  ASSERT_THAT(sendto(fd.get(), &request, sizeof(request), 0, to.get(), to.length),
              SyscallSucceedsWithValue(sizeof(request)));
  const std::string reply = Receive(fd);
  ASSERT_EQ(reply.size(), sizeof(icmphdr));
  icmphdr header;
  std::memcpy(&header, reply.data(), sizeof(header));
  EXPECT_EQ(header.type, ICMP_ECHOREPLY);
  EXPECT_EQ(header.un.echo.sequence, htons(5));
  EXPECT_EQ(header.un.echo.id, htons(NameOf(fd).port()));
}

}  // namespace
}  // namespace redoubt::test
