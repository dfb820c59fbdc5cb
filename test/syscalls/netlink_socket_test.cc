// SPDX-License-Identifier: Apache-2.0
//
// netlink(7): sockets, addresses, options, datagrams, acknowledgements.

#pragma GCC diagnostic ignored "-Wmissing-field-initializers"  // The rest is zero, as meant.

#include <linux/genetlink.h>
#include <netinet/in.h>
#include <poll.h>

#include "test/syscalls/netlink_client.h"
#include "test/util/fork.h"

namespace redoubt::test {
namespace {

const auto* const kNetwork = ::testing::AddGlobalTestEnvironment(new OwnNetwork);

sockaddr_nl Address(uint32_t port, uint32_t groups = 0) {
  sockaddr_nl address = {};
  address.nl_family = AF_NETLINK;
  address.nl_pid = port;
  address.nl_groups = groups;
  return address;
}

int Bind(int fd, const sockaddr_nl& address, socklen_t length = sizeof(sockaddr_nl)) {
  return bind(fd, reinterpret_cast<const sockaddr*>(&address), length);
}

sockaddr_nl NameOf(int fd) {
  sockaddr_nl name = {};
  socklen_t length = sizeof(name);
  EXPECT_THAT(getsockname(fd, reinterpret_cast<sockaddr*>(&name), &length), SyscallSucceeds());
  EXPECT_EQ(length, sizeof(name));
  return name;
}

Message LinkDump() { return {RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP, ifinfomsg{}}; }

Message LoByName() {
  Message message(RTM_GETLINK, NLM_F_REQUEST, ifinfomsg{});
  message.PutString(IFLA_IFNAME, "lo");
  return message;
}

TEST(NetlinkSocket, TypesAndProtocols) {
  for (int type : {SOCK_RAW, SOCK_DGRAM}) {
    for (int protocol : {NETLINK_ROUTE, NETLINK_SOCK_DIAG, NETLINK_GENERIC, NETLINK_KOBJECT_UEVENT,
                         NETLINK_USERSOCK}) {
      FileDescriptor socket(::socket(AF_NETLINK, type, protocol));
      EXPECT_TRUE(socket.valid()) << protocol;
    }
  }
  EXPECT_THAT(socket(AF_NETLINK, SOCK_STREAM, NETLINK_ROUTE), SyscallFailsWith(ESOCKTNOSUPPORT));
  EXPECT_THAT(socket(AF_NETLINK, SOCK_SEQPACKET, 0), SyscallFailsWith(ESOCKTNOSUPPORT));
  EXPECT_THAT(socket(AF_NETLINK, SOCK_RAW, -1), SyscallFailsWith(EPROTONOSUPPORT));
  EXPECT_THAT(socket(AF_NETLINK, SOCK_RAW, 32), SyscallFailsWith(EPROTONOSUPPORT));
  EXPECT_THAT(socket(AF_NETLINK, SOCK_RAW, 31), SyscallFailsWith(EPROTONOSUPPORT));
  int pair[2];
  EXPECT_THAT(socketpair(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE, pair), SyscallFailsWith(EOPNOTSUPP));
}

TEST(NetlinkSocket, OptionsOfTheSocketLevel) {
  NetlinkClient client(NETLINK_ROUTE);
  auto get = [&](int name) {
    int value = -1;
    socklen_t length = sizeof(value);
    EXPECT_THAT(getsockopt(client.fd(), SOL_SOCKET, name, &value, &length), SyscallSucceeds());
    return value;
  };
  EXPECT_EQ(get(SO_DOMAIN), AF_NETLINK);
  EXPECT_EQ(get(SO_TYPE), SOCK_RAW);
  EXPECT_EQ(get(SO_PROTOCOL), NETLINK_ROUTE);
  EXPECT_EQ(get(SO_ERROR), 0);
  EXPECT_EQ(get(SO_PASSCRED), 0);
  int small = 8192;
  ASSERT_THAT(setsockopt(client.fd(), SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)),
              SyscallSucceeds());
  EXPECT_EQ(get(SO_RCVBUF), 16384);
}

TEST(NetlinkSocket, NameBeforeAndAfterBind) {
  NetlinkClient client(NETLINK_ROUTE);
  EXPECT_EQ(NameOf(client.fd()).nl_pid, 0u);
  ASSERT_THAT(Bind(client.fd(), Address(0)), SyscallSucceeds());
  EXPECT_EQ(NameOf(client.fd()).nl_pid, static_cast<uint32_t>(getpid()));
  // The second one of a process gets another port.
  NetlinkClient other(NETLINK_ROUTE);
  ASSERT_THAT(Bind(other.fd(), Address(0)), SyscallSucceeds());
  EXPECT_NE(NameOf(other.fd()).nl_pid, static_cast<uint32_t>(getpid()));
  EXPECT_GE(NameOf(other.fd()).nl_pid, 0x80000000u);
}

TEST(NetlinkSocket, BindToAPort) {
  NetlinkClient client(NETLINK_ROUTE), other(NETLINK_ROUTE), diag(NETLINK_SOCK_DIAG);
  ASSERT_THAT(Bind(client.fd(), Address(123456)), SyscallSucceeds());
  EXPECT_THAT(Bind(other.fd(), Address(123456)), SyscallFailsWith(EADDRINUSE));
  // Each protocol has its own ports.
  EXPECT_THAT(Bind(diag.fd(), Address(123456)), SyscallSucceeds());
  // It may be bound again only to the same.
  EXPECT_THAT(Bind(client.fd(), Address(123457)), SyscallFailsWith(EINVAL));
  EXPECT_THAT(Bind(client.fd(), Address(123456, 1)), SyscallSucceeds());
  EXPECT_EQ(NameOf(client.fd()).nl_groups, 1u);
}

TEST(NetlinkSocket, BadAddresses) {
  NetlinkClient client(NETLINK_ROUTE);
  EXPECT_THAT(Bind(client.fd(), Address(0), sizeof(sockaddr_nl) - 1), SyscallFailsWith(EINVAL));
  sockaddr_nl wrong = Address(0);
  wrong.nl_family = AF_UNIX;
  EXPECT_THAT(Bind(client.fd(), wrong), SyscallFailsWith(EINVAL));
  EXPECT_THAT(connect(client.fd(), reinterpret_cast<sockaddr*>(&wrong), sizeof(wrong)),
              SyscallFailsWith(EINVAL));
  EXPECT_THAT(sendto(client.fd(), "x", 1, 0, reinterpret_cast<sockaddr*>(&wrong), sizeof(wrong)),
              SyscallFailsWith(EINVAL));
  EXPECT_THAT(listen(client.fd(), 1), SyscallFailsWith(EOPNOTSUPP));
  EXPECT_THAT(accept(client.fd(), nullptr, nullptr), SyscallFailsWith(EOPNOTSUPP));
  EXPECT_THAT(shutdown(client.fd(), SHUT_RDWR), SyscallFailsWith(EOPNOTSUPP));
}

TEST(NetlinkSocket, ConnectAndPeerName) {
  NetlinkClient client(NETLINK_ROUTE);
  sockaddr_nl peer = Address(0);
  ASSERT_THAT(connect(client.fd(), reinterpret_cast<sockaddr*>(&peer), sizeof(peer)),
              SyscallSucceeds());
  EXPECT_NE(NameOf(client.fd()).nl_pid, 0u);
  sockaddr_nl name = {};
  socklen_t length = sizeof(name);
  ASSERT_THAT(getpeername(client.fd(), reinterpret_cast<sockaddr*>(&name), &length),
              SyscallSucceeds());
  EXPECT_EQ(name.nl_family, AF_NETLINK);
  EXPECT_EQ(name.nl_pid, 0u);
  Message request = LoByName();
  EXPECT_THAT(send(client.fd(), request.bytes().data(), request.bytes().size(), 0),
              SyscallSucceeds());
  EXPECT_EQ(client.Receive().size(), 1u);
}

TEST(NetlinkSocket, SendingBindsAndAnswersComeFromTheKernel) {
  NetlinkClient client(NETLINK_ROUTE);
  Message request = LoByName();
  client.Send(request);
  char buffer[4096];
  sockaddr_nl from = Address(77, 77);
  iovec piece = {.iov_base = buffer, .iov_len = sizeof(buffer)};
  msghdr message = {};
  message.msg_name = &from;
  message.msg_namelen = sizeof(from);
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  ASSERT_THAT(recvmsg(client.fd(), &message, 0), SyscallSucceeds());
  EXPECT_EQ(message.msg_namelen, sizeof(from));
  EXPECT_EQ(from.nl_pid, 0u);
  EXPECT_EQ(from.nl_groups, 0u);
  auto* header = reinterpret_cast<nlmsghdr*>(buffer);
  EXPECT_EQ(header->nlmsg_type, RTM_NEWLINK);
  EXPECT_EQ(header->nlmsg_seq, client.sequence());
  EXPECT_EQ(header->nlmsg_pid, NameOf(client.fd()).nl_pid);
}

TEST(NetlinkSocket, EmptyAndHugeMessages) {
  NetlinkClient client(NETLINK_ROUTE);
  EXPECT_THAT(send(client.fd(), "", 0, 0), SyscallFailsWith(ENODATA));
  std::vector<char> huge(1 << 20);
  EXPECT_THAT(send(client.fd(), huge.data(), huge.size(), 0), SyscallFailsWith(EMSGSIZE));
  EXPECT_THAT(send(client.fd(), "x", 1, MSG_OOB), SyscallFailsWith(EOPNOTSUPP));
  // What is too short for a header is taken, and nothing comes of it.
  EXPECT_THAT(send(client.fd(), "xyz", 3, 0), SyscallSucceedsWithValue(3));
  char buffer[64];
  EXPECT_THAT(recv(client.fd(), buffer, sizeof(buffer), MSG_DONTWAIT), SyscallFailsWith(EAGAIN));
}

TEST(NetlinkSocket, PeekAndTruncationTellTheWholeLength) {
  NetlinkClient client(NETLINK_ROUTE);
  Message request = LoByName();
  client.Send(request);
  char buffer[65536];
  ssize_t whole = recv(client.fd(), nullptr, 0, MSG_PEEK | MSG_TRUNC);
  EXPECT_GT(whole, 100);
  iovec piece = {.iov_base = buffer, .iov_len = 20};
  msghdr message = {};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  ASSERT_THAT(recvmsg(client.fd(), &message, MSG_PEEK), SyscallSucceedsWithValue(20));
  EXPECT_TRUE(message.msg_flags & MSG_TRUNC);
  EXPECT_THAT(recv(client.fd(), buffer, sizeof(buffer), 0), SyscallSucceedsWithValue(whole));
  EXPECT_THAT(recv(client.fd(), buffer, sizeof(buffer), MSG_DONTWAIT), SyscallFailsWith(EAGAIN));
}

TEST(NetlinkSocket, ReadAndWriteWorkToo) {
  NetlinkClient client(NETLINK_ROUTE);
  Message request = LoByName();
  ASSERT_THAT(write(client.fd(), request.bytes().data(), request.bytes().size()),
              SyscallSucceeds());
  char buffer[4096];
  EXPECT_THAT(read(client.fd(), buffer, sizeof(buffer)), SyscallSucceeds());
  EXPECT_EQ(reinterpret_cast<nlmsghdr*>(buffer)->nlmsg_type, RTM_NEWLINK);
}

TEST(NetlinkSocket, PollTellsOfAnswers) {
  NetlinkClient client(NETLINK_ROUTE);
  pollfd item = {.fd = client.fd(), .events = POLLIN | POLLOUT, .revents = 0};
  ASSERT_THAT(poll(&item, 1, 0), SyscallSucceedsWithValue(1));
  EXPECT_EQ(item.revents, POLLOUT);
  Message request = LoByName();
  client.Send(request);
  ASSERT_THAT(poll(&item, 1, 0), SyscallSucceedsWithValue(1));
  EXPECT_EQ(item.revents, POLLIN | POLLOUT);
}

TEST(NetlinkSocket, AcknowledgementOnRequest) {
  NetlinkClient client(NETLINK_ROUTE);
  // A message that is no request is only acknowledged.
  Message noop(NLMSG_NOOP, NLM_F_ACK, ifinfomsg{});
  client.Send(noop);
  std::vector<Reply> replies = client.Receive();
  ASSERT_EQ(replies.size(), 1u);
  EXPECT_EQ(replies[0].header.nlmsg_type, NLMSG_ERROR);
  EXPECT_EQ(replies[0].As<nlmsgerr>().error, 0);
  EXPECT_EQ(replies[0].As<nlmsgerr>().msg.nlmsg_seq, client.sequence());
  EXPECT_TRUE(replies[0].header.nlmsg_flags & NLM_F_CAPPED);
}

TEST(NetlinkSocket, ErrorsQuoteTheRequest) {
  NetlinkClient client(NETLINK_ROUTE);
  Message unknown(RTM_GETLINK, NLM_F_REQUEST, ifinfomsg{});
  unknown.PutString(IFLA_IFNAME, "no-such-link");
  Reply reply = client.Get(unknown);
  EXPECT_EQ(reply.header.nlmsg_type, NLMSG_ERROR);
  EXPECT_EQ(reply.As<nlmsgerr>().error, -ENODEV);
  EXPECT_EQ(reply.payload.size(), sizeof(int) + unknown.bytes().size());
  ASSERT_THAT(client.Set(NETLINK_CAP_ACK, 1), SyscallSucceeds());
  reply = client.Get(unknown);
  EXPECT_EQ(reply.payload.size(), sizeof(nlmsgerr));
}

TEST(NetlinkSocket, ExtendedAcknowledgementHasASentence) {
  NetlinkClient client(NETLINK_ROUTE);
  ASSERT_THAT(client.Set(NETLINK_EXT_ACK, 1), SyscallSucceeds());
  ASSERT_THAT(client.Set(NETLINK_CAP_ACK, 1), SyscallSucceeds());
  Message bad(RTM_NEWLINK, NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL, ifinfomsg{});
  bad.PutString(IFLA_IFNAME, "strange0");
  size_t nest = bad.BeginNest(IFLA_LINKINFO);
  bad.PutString(1, "nosuchkind");
  bad.EndNest(nest);
  Reply reply = client.Get(bad);
  EXPECT_EQ(reply.As<nlmsgerr>().error, -EOPNOTSUPP);
  EXPECT_TRUE(reply.header.nlmsg_flags & NLM_F_ACK_TLVS);
  EXPECT_EQ(reply.Attributes<nlmsgerr>()[NLMSGERR_ATTR_MSG].c_str(),
            std::string("Unknown device type"));
}

TEST(NetlinkSocket, SeveralRequestsInOneDatagram) {
  NetlinkClient client(NETLINK_ROUTE);
  Message first = LoByName(), second = LoByName();
  std::vector<char> both = first.bytes();
  both.insert(both.end(), second.bytes().begin(), second.bytes().end());
  ASSERT_THAT(send(client.fd(), both.data(), both.size(), 0), SyscallSucceeds());
  EXPECT_EQ(client.Receive().size(), 1u);
  EXPECT_EQ(client.Receive().size(), 1u);
}

TEST(NetlinkSocket, DumpEndsWithDone) {
  NetlinkClient client(NETLINK_ROUTE);
  Message request = LinkDump();
  client.Send(request);
  std::vector<Reply> all;
  while (all.empty() || all.back().header.nlmsg_type != NLMSG_DONE) {
    std::vector<Reply> more = client.Receive();
    ASSERT_FALSE(more.empty());
    all.insert(all.end(), more.begin(), more.end());
  }
  for (const Reply& reply : all) EXPECT_TRUE(reply.header.nlmsg_flags & NLM_F_MULTI);
  EXPECT_EQ(all.back().As<int>(), 0);
  char buffer[16];
  EXPECT_THAT(recv(client.fd(), buffer, 16, MSG_DONTWAIT), SyscallFailsWith(EAGAIN));
}

TEST(NetlinkSocket, UnknownRequestTypes) {
  NetlinkClient route(NETLINK_ROUTE), diag(NETLINK_SOCK_DIAG), generic(NETLINK_GENERIC);
  EXPECT_EQ(route.Ask(Message(1000, 0, ifinfomsg{})), EOPNOTSUPP);
  EXPECT_EQ(diag.Ask(Message(1000, 0, ifinfomsg{})), EINVAL);
  EXPECT_EQ(generic.Ask(Message(1000, 0, genlmsghdr{})), ENOENT);
}

TEST(NetlinkSocket, GenericControllerKnowsItselfOnly) {
  NetlinkClient client(NETLINK_GENERIC);
  Message known(GENL_ID_CTRL, NLM_F_REQUEST, genlmsghdr{.cmd = CTRL_CMD_GETFAMILY});
  known.PutString(CTRL_ATTR_FAMILY_NAME, "nlctrl");
  Reply reply = client.Get(known);
  EXPECT_EQ(reply.header.nlmsg_type, GENL_ID_CTRL);
  EXPECT_EQ(ValueOf<uint16_t>(reply.Attributes<genlmsghdr>()[CTRL_ATTR_FAMILY_ID]), GENL_ID_CTRL);
  Message unknown(GENL_ID_CTRL, NLM_F_REQUEST, genlmsghdr{.cmd = CTRL_CMD_GETFAMILY});
  unknown.PutString(CTRL_ATTR_FAMILY_NAME, "no_such_family");
  EXPECT_EQ(client.Ask(unknown), ENOENT);
}

TEST(NetlinkSocket, MembershipOptions) {
  NetlinkClient client(NETLINK_ROUTE);
  EXPECT_THAT(client.Set(NETLINK_ADD_MEMBERSHIP, RTNLGRP_LINK), SyscallSucceeds());
  EXPECT_THAT(client.Set(NETLINK_ADD_MEMBERSHIP, RTNLGRP_IPV6_IFADDR), SyscallSucceeds());
  EXPECT_EQ(NameOf(client.fd()).nl_groups, uint32_t{RTMGRP_LINK | RTMGRP_IPV6_IFADDR});
  EXPECT_THAT(client.Set(NETLINK_DROP_MEMBERSHIP, RTNLGRP_LINK), SyscallSucceeds());
  EXPECT_EQ(NameOf(client.fd()).nl_groups, uint32_t{RTMGRP_IPV6_IFADDR});
  EXPECT_THAT(client.Set(NETLINK_ADD_MEMBERSHIP, 0), SyscallFailsWith(EINVAL));
  EXPECT_THAT(client.Set(NETLINK_ADD_MEMBERSHIP, 100000), SyscallFailsWith(EINVAL));
  uint32_t words[8] = {};
  socklen_t length = sizeof(words);
  ASSERT_THAT(getsockopt(client.fd(), SOL_NETLINK, NETLINK_LIST_MEMBERSHIPS, words, &length),
              SyscallSucceeds());
  EXPECT_EQ(words[0], uint32_t{RTMGRP_IPV6_IFADDR});
}

TEST(NetlinkSocket, BooleanOptions) {
  NetlinkClient client(NETLINK_ROUTE);
  for (int option : {NETLINK_PKTINFO, NETLINK_BROADCAST_ERROR, NETLINK_NO_ENOBUFS, NETLINK_CAP_ACK,
                     NETLINK_EXT_ACK, NETLINK_GET_STRICT_CHK}) {
    int value = -1;
    socklen_t length = sizeof(value);
    ASSERT_THAT(getsockopt(client.fd(), SOL_NETLINK, option, &value, &length), SyscallSucceeds());
    EXPECT_EQ(value, 0);
    EXPECT_THAT(client.Set(option, 5), SyscallSucceeds());
    ASSERT_THAT(getsockopt(client.fd(), SOL_NETLINK, option, &value, &length), SyscallSucceeds());
    EXPECT_EQ(value, 1) << option;
    length = 1;
    EXPECT_THAT(getsockopt(client.fd(), SOL_NETLINK, option, &value, &length),
                SyscallFailsWith(EINVAL));
  }
  int value = 0;
  socklen_t length = sizeof(value);
  EXPECT_THAT(getsockopt(client.fd(), SOL_NETLINK, 99, &value, &length),
              SyscallFailsWith(ENOPROTOOPT));
  EXPECT_THAT(client.Set(99, 1), SyscallFailsWith(ENOPROTOOPT));
  EXPECT_THAT(setsockopt(client.fd(), IPPROTO_TCP, 1, &value, length),
              SyscallFailsWith(ENOPROTOOPT));
}

TEST(NetlinkSocket, CredentialsOfTheKernelAndPacketInfo) {
  NetlinkClient client(NETLINK_ROUTE);
  int on = 1;
  ASSERT_THAT(setsockopt(client.fd(), SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)), SyscallSucceeds());
  ASSERT_THAT(client.Set(NETLINK_PKTINFO, 1), SyscallSucceeds());
  Message request = LoByName();
  client.Send(request);
  char buffer[4096], control[256];
  iovec piece = {.iov_base = buffer, .iov_len = sizeof(buffer)};
  msghdr message = {};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  ASSERT_THAT(recvmsg(client.fd(), &message, 0), SyscallSucceeds());
  bool credentials = false, info = false;
  for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
    if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_CREDENTIALS) {
      ucred value;
      memcpy(&value, CMSG_DATA(c), sizeof(value));
      EXPECT_EQ(value.pid, 0);
      EXPECT_EQ(value.uid, 0u);
      credentials = true;
    }
    if (c->cmsg_level == SOL_NETLINK && c->cmsg_type == NETLINK_PKTINFO) info = true;
  }
  EXPECT_TRUE(credentials);
  EXPECT_TRUE(info);
}

TEST(NetlinkSocket, ProgramsTalkOverUsersock) {
  NetlinkClient a(NETLINK_USERSOCK), b(NETLINK_USERSOCK);
  ASSERT_THAT(Bind(a.fd(), Address(4001)), SyscallSucceeds());
  ASSERT_THAT(Bind(b.fd(), Address(4002)), SyscallSucceeds());
  sockaddr_nl to = Address(4002);
  ASSERT_THAT(sendto(a.fd(), "hello", 5, 0, reinterpret_cast<sockaddr*>(&to), sizeof(to)),
              SyscallSucceedsWithValue(5));
  char buffer[16];
  sockaddr_nl from = {};
  socklen_t length = sizeof(from);
  ASSERT_THAT(
      recvfrom(b.fd(), buffer, sizeof(buffer), 0, reinterpret_cast<sockaddr*>(&from), &length),
      SyscallSucceedsWithValue(5));
  EXPECT_EQ(from.nl_pid, 4001u);
  to = Address(4999);
  EXPECT_THAT(sendto(a.fd(), "hello", 5, 0, reinterpret_cast<sockaddr*>(&to), sizeof(to)),
              SyscallFailsWith(ECONNREFUSED));
}

TEST(NetlinkSocket, GroupsOfUsersock) {
  NetlinkClient a(NETLINK_USERSOCK), b(NETLINK_USERSOCK), c(NETLINK_USERSOCK);
  ASSERT_THAT(Bind(b.fd(), Address(0, 1 << 2)), SyscallSucceeds());
  ASSERT_THAT(Bind(c.fd(), Address(0, 1 << 3)), SyscallSucceeds());
  sockaddr_nl to = Address(static_cast<uint32_t>(NameOf(c.fd()).nl_pid), 1 << 2);
  ASSERT_THAT(sendto(a.fd(), "group", 5, 0, reinterpret_cast<sockaddr*>(&to), sizeof(to)),
              SyscallSucceedsWithValue(5));
  char buffer[16];
  sockaddr_nl from = {};
  socklen_t length = sizeof(from);
  ASSERT_THAT(recvfrom(b.fd(), buffer, sizeof(buffer), MSG_DONTWAIT,
                       reinterpret_cast<sockaddr*>(&from), &length),
              SyscallSucceedsWithValue(5));
  EXPECT_EQ(from.nl_groups, 1u << 2);
  // The port gets it as well.
  EXPECT_THAT(recv(c.fd(), buffer, sizeof(buffer), MSG_DONTWAIT), SyscallSucceedsWithValue(5));
}

TEST(NetlinkSocket, OverrunIsTold) {
  NetlinkClient client(NETLINK_ROUTE);
  int small = 1;
  ASSERT_THAT(setsockopt(client.fd(), SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)),
              SyscallSucceeds());
  for (int i = 0; i < 50; ++i) {
    Message request = LoByName();
    client.Send(request);
  }
  int error = 0;
  socklen_t length = sizeof(error);
  ASSERT_THAT(getsockopt(client.fd(), SOL_SOCKET, SO_ERROR, &error, &length), SyscallSucceeds());
  EXPECT_EQ(error, ENOBUFS);
  char buffer[8192];
  EXPECT_THAT(recv(client.fd(), buffer, sizeof(buffer), MSG_DONTWAIT), SyscallSucceeds());
}

TEST(NetlinkSocket, UeventsCanBeListenedTo) {
  NetlinkClient client(NETLINK_KOBJECT_UEVENT);
  EXPECT_THAT(Bind(client.fd(), Address(0, 1)), SyscallSucceeds());
  char buffer[16];
  EXPECT_THAT(recv(client.fd(), buffer, sizeof(buffer), MSG_DONTWAIT), SyscallFailsWith(EAGAIN));
}

TEST(NetlinkSocket, OtherFamiliesAreNotThere) {
  if (!InSandbox()) GTEST_SKIP() << "the host may have them";
  for (int family : {AF_VSOCK, AF_ALG, AF_CAN, AF_BLUETOOTH, AF_TIPC, AF_X25, AF_AX25, AF_RDS}) {
    EXPECT_THAT(socket(family, SOCK_RAW, 0), SyscallFailsWith(EAFNOSUPPORT)) << family;
  }
}

}  // namespace
}  // namespace redoubt::test
