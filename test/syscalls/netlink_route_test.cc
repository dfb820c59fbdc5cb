// SPDX-License-Identifier: Apache-2.0
//
// rtnetlink(7): links, addresses, routes, neighbours and rules of a namespace with lo alone, and
// changes to them.

#pragma GCC diagnostic ignored "-Wmissing-field-initializers"  // The rest is zero, as meant.

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/veth.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <set>

#include "test/syscalls/netlink_client.h"
#include "test/util/fork.h"

namespace redoubt::test {
namespace {

const auto* const kNetwork = ::testing::AddGlobalTestEnvironment(new OwnNetwork);

constexpr uint16_t kDump = NLM_F_REQUEST | NLM_F_DUMP;
constexpr uint16_t kCreate = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL;

ifinfomsg Link(int index = 0, unsigned flags = 0, unsigned change = 0) {
  ifinfomsg header = {};
  header.ifi_index = index;
  header.ifi_flags = flags;
  header.ifi_change = change;
  return header;
}

rtgenmsg Family(unsigned char family) { return {.rtgen_family = family}; }

std::vector<Reply> Links(NetlinkClient& client) {
  Message request(RTM_GETLINK, kDump, Link());
  return client.Dump(request);
}

Reply GetLink(NetlinkClient& client, const std::string& name) {
  Message request(RTM_GETLINK, NLM_F_REQUEST, Link());
  request.PutString(IFLA_IFNAME, name);
  return client.Get(request);
}

// A veth pair, whose other end has a 'p' behind its name. (Not every host has dummy devices.)
int AddPair(NetlinkClient& client, const std::string& name) {
  Message request(RTM_NEWLINK, kCreate, Link());
  request.PutString(IFLA_IFNAME, name);
  size_t info = request.BeginNest(IFLA_LINKINFO);
  request.PutString(IFLA_INFO_KIND, "veth");
  size_t data = request.BeginNest(IFLA_INFO_DATA);
  size_t peer = request.BeginNest(VETH_INFO_PEER);
  std::vector<char> header(sizeof(ifinfomsg));
  request.bytes().insert(request.bytes().end(), header.begin(), header.end());
  request.PutString(IFLA_IFNAME, name + "p");
  request.EndNest(peer);
  request.EndNest(data);
  request.EndNest(info);
  return client.Ask(request);
}

int DeleteLink(NetlinkClient& client, const std::string& name) {
  Message request(RTM_DELLINK, NLM_F_REQUEST, Link());
  request.PutString(IFLA_IFNAME, name);
  return client.Ask(request);
}

int BringUp(NetlinkClient& client, int index, bool up) {
  return client.Ask(Message(RTM_SETLINK, NLM_F_REQUEST, Link(index, up ? IFF_UP : 0, IFF_UP)));
}

in_addr V4(const char* text) {
  in_addr address = {};
  EXPECT_EQ(inet_pton(AF_INET, text, &address), 1);
  return address;
}

Message AddressMessage(uint16_t type, uint16_t flags, int index, const char* local,
                       unsigned char length) {
  ifaddrmsg header = {};
  header.ifa_family = AF_INET;
  header.ifa_prefixlen = length;
  header.ifa_index = static_cast<unsigned>(index);
  Message message(type, flags, header);
  message.Put(IFA_LOCAL, V4(local));
  return message;
}

Message RouteMessage(uint16_t type, uint16_t flags, const char* destination, unsigned char length,
                     int index) {
  rtmsg header = {};
  header.rtm_family = AF_INET;
  header.rtm_dst_len = length;
  header.rtm_table = RT_TABLE_MAIN;
  header.rtm_protocol = RTPROT_BOOT;
  header.rtm_scope = RT_SCOPE_LINK;
  header.rtm_type = RTN_UNICAST;
  Message message(type, flags, header);
  if (length > 0) message.Put(RTA_DST, V4(destination));
  if (index != 0) message.Put(RTA_OIF, index);
  return message;
}

// An interface for one test; with its peer it is up.
class Device {
 public:
  Device(NetlinkClient& client, std::string name, bool up = true)
      : client_(client), name_(std::move(name)) {
    EXPECT_EQ(AddPair(client_, name_), 0);
    index_ = static_cast<int>(if_nametoindex(name_.c_str()));
    EXPECT_GT(index_, 1);
    if (!up) return;
    EXPECT_EQ(BringUp(client_, index_, true), 0);
    EXPECT_EQ(BringUp(client_, static_cast<int>(if_nametoindex((name_ + "p").c_str())), true), 0);
  }
  ~Device() { EXPECT_EQ(DeleteLink(client_, name_), 0); }
  int index() const { return index_; }

 private:
  NetlinkClient& client_;
  const std::string name_;
  int index_ = 0;
};

TEST(NetlinkLink, DumpShowsLo) {
  NetlinkClient client(NETLINK_ROUTE);
  for (const Reply& reply : Links(client)) {
    ASSERT_EQ(reply.header.nlmsg_type, RTM_NEWLINK);
    auto info = reply.As<ifinfomsg>();
    if (info.ifi_index != 1) continue;
    EXPECT_EQ(info.ifi_type, ARPHRD_LOOPBACK);
    EXPECT_EQ(info.ifi_flags, unsigned{IFF_UP | IFF_LOOPBACK | IFF_RUNNING} | 1u << 16);
    auto attributes = reply.Attributes<ifinfomsg>();
    EXPECT_STREQ(attributes[IFLA_IFNAME].c_str(), "lo");
    EXPECT_EQ(ValueOf<uint32_t>(attributes[IFLA_MTU]), 65536u);
    EXPECT_EQ(ValueOf<uint32_t>(attributes[IFLA_TXQLEN]), 1000u);
    EXPECT_EQ(ValueOf<uint8_t>(attributes[IFLA_OPERSTATE]), 0);
    EXPECT_STREQ(attributes[IFLA_QDISC].c_str(), "noqueue");
    EXPECT_EQ(attributes[IFLA_ADDRESS], std::string(6, '\0'));
    EXPECT_EQ(attributes[IFLA_BROADCAST], std::string(6, '\0'));
    EXPECT_GE(attributes[IFLA_STATS64].size(), 23 * 8u);
    EXPECT_EQ(attributes.count(IFLA_LINK), 0u);
    EXPECT_EQ(attributes.count(IFLA_AF_SPEC), 1u);
    return;
  }
  FAIL() << "no lo";
}

TEST(NetlinkLink, ByIndexAndByName) {
  NetlinkClient client(NETLINK_ROUTE);
  Message by_index(RTM_GETLINK, NLM_F_REQUEST, Link(1));
  EXPECT_STREQ(client.Get(by_index).Attributes<ifinfomsg>()[IFLA_IFNAME].c_str(), "lo");
  EXPECT_EQ(GetLink(client, "lo").As<ifinfomsg>().ifi_index, 1);
  EXPECT_EQ(GetLink(client, "lo").header.nlmsg_flags, 0);
  EXPECT_EQ(GetLink(client, "nolink").As<nlmsgerr>().error, -ENODEV);
  Message bad_index(RTM_GETLINK, NLM_F_REQUEST, Link(4711));
  EXPECT_EQ(client.Get(bad_index).As<nlmsgerr>().error, -ENODEV);
  Message nothing(RTM_GETLINK, NLM_F_REQUEST, Link());
  EXPECT_EQ(client.Get(nothing).As<nlmsgerr>().error, -EINVAL);
  Message short_header(RTM_GETLINK, NLM_F_REQUEST, Family(AF_UNSPEC));
  EXPECT_EQ(client.Get(short_header).As<nlmsgerr>().error, -EINVAL);
}

TEST(NetlinkLink, DumpByFamilyHeaderAlone) {
  NetlinkClient client(NETLINK_ROUTE);
  Message request(RTM_GETLINK, kDump, Family(AF_UNSPEC));
  EXPECT_GE(client.Dump(request).size(), 1u);
}

TEST(NetlinkLink, AttributeOfBadLength) {
  NetlinkClient client(NETLINK_ROUTE);
  Message request(RTM_GETLINK, NLM_F_REQUEST, Link(1));
  request.PutBytes(IFLA_EXT_MASK, "x", 1);
  EXPECT_EQ(client.Get(request).As<nlmsgerr>().error, -ERANGE);
  Message name(RTM_GETLINK, NLM_F_REQUEST, Link());
  name.PutString(IFLA_IFNAME, "a-name-that-is-too-long-for-it");
  EXPECT_EQ(client.Get(name).As<nlmsgerr>().error, -ERANGE);
}

TEST(NetlinkLink, MtuAndQueueLengthOfLo) {
  NetlinkClient client(NETLINK_ROUTE);
  Message request(RTM_SETLINK, NLM_F_REQUEST, Link(1));
  request.Put(IFLA_MTU, uint32_t{16384}).Put(IFLA_TXQLEN, uint32_t{500});
  EXPECT_EQ(client.Ask(request), 0);
  auto attributes = GetLink(client, "lo").Attributes<ifinfomsg>();
  EXPECT_EQ(ValueOf<uint32_t>(attributes[IFLA_MTU]), 16384u);
  EXPECT_EQ(ValueOf<uint32_t>(attributes[IFLA_TXQLEN]), 500u);
  Message back(RTM_SETLINK, NLM_F_REQUEST, Link(1));
  back.Put(IFLA_MTU, uint32_t{65536}).Put(IFLA_TXQLEN, uint32_t{1000});
  EXPECT_EQ(client.Ask(back), 0);
}

TEST(NetlinkLink, LoCannotBeDeleted) {
  NetlinkClient client(NETLINK_ROUTE);
  EXPECT_EQ(DeleteLink(client, "lo"), EOPNOTSUPP);
  EXPECT_EQ(DeleteLink(client, "nolink"), ENODEV);
}

TEST(NetlinkLink, DownAndUpAgain) {
  NetlinkClient client(NETLINK_ROUTE);
  ASSERT_EQ(BringUp(client, 1, false), 0);
  EXPECT_EQ(GetLink(client, "lo").As<ifinfomsg>().ifi_flags & (IFF_UP | IFF_RUNNING), 0u);
  // Its routes go, but those to its addresses.
  Message routes(RTM_GETROUTE, kDump, rtmsg{.rtm_family = AF_INET});
  EXPECT_EQ(client.Dump(routes).size(), 2u);
  ASSERT_EQ(BringUp(client, 1, true), 0);
  EXPECT_EQ(client.Dump(routes).size(), 3u);
}

TEST(NetlinkLink, PairComesAndGoes) {
  NetlinkClient client(NETLINK_ROUTE);
  ASSERT_EQ(AddPair(client, "va"), 0);
  EXPECT_EQ(AddPair(client, "va"), EEXIST);
  Reply reply = GetLink(client, "va");
  auto info = reply.As<ifinfomsg>();
  EXPECT_EQ(info.ifi_type, ARPHRD_ETHER);
  EXPECT_EQ(info.ifi_flags, unsigned{IFF_BROADCAST | IFF_MULTICAST});
  auto attributes = reply.Attributes<ifinfomsg>();
  EXPECT_EQ(ValueOf<uint32_t>(attributes[IFLA_MTU]), 1500u);
  EXPECT_EQ(ValueOf<uint8_t>(attributes[IFLA_OPERSTATE]), 2);  // IF_OPER_DOWN
  auto kind =
      Reply::ParseAttributes(attributes[IFLA_LINKINFO].data(), attributes[IFLA_LINKINFO].size());
  EXPECT_STREQ(kind[IFLA_INFO_KIND].c_str(), "veth");
  int a = static_cast<int>(if_nametoindex("va")), b = static_cast<int>(if_nametoindex("vap"));
  EXPECT_EQ(ValueOf<int>(attributes[IFLA_LINK]), b);
  EXPECT_EQ(ValueOf<int>(GetLink(client, "vap").Attributes<ifinfomsg>()[IFLA_LINK]), a);
  // There is a carrier when both are up.
  ASSERT_EQ(BringUp(client, a, true), 0);
  EXPECT_FALSE(GetLink(client, "va").As<ifinfomsg>().ifi_flags & IFF_RUNNING);
  ASSERT_EQ(BringUp(client, b, true), 0);
  EXPECT_TRUE(GetLink(client, "va").As<ifinfomsg>().ifi_flags & IFF_RUNNING);
  EXPECT_EQ(DeleteLink(client, "vap"), 0);
  EXPECT_EQ(if_nametoindex("va"), 0u);
}

TEST(NetlinkLink, DummyHasNoPeer) {
  if (!InSandbox()) GTEST_SKIP() << "not every host has dummy devices";
  NetlinkClient client(NETLINK_ROUTE);
  Message request(RTM_NEWLINK, kCreate, Link());
  size_t nest = request.BeginNest(IFLA_LINKINFO);
  request.PutString(IFLA_INFO_KIND, "dummy");
  request.EndNest(nest);
  ASSERT_EQ(client.Ask(request), 0);
  EXPECT_EQ(GetLink(client, "dummy0").As<ifinfomsg>().ifi_flags,
            unsigned{IFF_BROADCAST | IFF_NOARP});
  EXPECT_EQ(DeleteLink(client, "dummy0"), 0);
}

TEST(NetlinkLink, Rename) {
  NetlinkClient client(NETLINK_ROUTE);
  Device device(client, "old", false);
  Message request(RTM_SETLINK, NLM_F_REQUEST, Link(device.index()));
  request.PutString(IFLA_IFNAME, "new");
  EXPECT_EQ(client.Ask(request), 0);
  EXPECT_EQ(if_nametoindex("new"), static_cast<unsigned>(device.index()));
  Message taken(RTM_SETLINK, NLM_F_REQUEST, Link(device.index()));
  taken.PutString(IFLA_IFNAME, "lo");
  EXPECT_EQ(client.Ask(taken), EEXIST);
  Message back(RTM_SETLINK, NLM_F_REQUEST, Link(device.index()));
  back.PutString(IFLA_IFNAME, "old");
  EXPECT_EQ(client.Ask(back), 0);
}

TEST(NetlinkLink, ErrorsOfCreation) {
  NetlinkClient client(NETLINK_ROUTE);
  // No device, and none to be made.
  Message change(RTM_NEWLINK, NLM_F_REQUEST, Link());
  change.PutString(IFLA_IFNAME, "nolink");
  EXPECT_EQ(client.Ask(change), ENODEV);
  Message kindless(RTM_NEWLINK, kCreate, Link());
  kindless.PutString(IFLA_IFNAME, "nolink");
  EXPECT_EQ(client.Ask(kindless), EOPNOTSUPP);
  Message exists(RTM_NEWLINK, kCreate, Link());
  exists.PutString(IFLA_IFNAME, "lo");
  EXPECT_EQ(client.Ask(exists), EEXIST);
  EXPECT_EQ(AddPair(client, "a/b"), EINVAL);
}

TEST(NetlinkLink, DumpOfManyInterfacesComesInPieces) {
  NetlinkClient client(NETLINK_ROUTE);
  constexpr int kCount = 20;
  for (int i = 0; i < kCount; ++i) ASSERT_EQ(AddPair(client, "many" + std::to_string(i)), 0);
  std::set<int> seen;
  for (const Reply& reply : Links(client)) seen.insert(reply.As<ifinfomsg>().ifi_index);
  EXPECT_EQ(seen.size(), 2 * kCount + 1u);
  // A second dump while one is under way is refused.
  Message request(RTM_GETLINK, kDump, Link());
  client.Send(request);
  Message again(RTM_GETLINK, kDump, Link());
  client.Send(again);
  bool busy = false, done = false;
  while (!busy || !done) {
    std::vector<Reply> replies = client.Receive(MSG_DONTWAIT);
    if (replies.empty()) break;
    for (const Reply& reply : replies) {
      if (reply.header.nlmsg_type == NLMSG_DONE) done = true;
      if (reply.header.nlmsg_type == NLMSG_ERROR) busy = reply.As<nlmsgerr>().error == -EBUSY;
    }
  }
  EXPECT_TRUE(busy);
  EXPECT_TRUE(done);
  for (int i = 0; i < kCount; ++i) EXPECT_EQ(DeleteLink(client, "many" + std::to_string(i)), 0);
}

TEST(NetlinkAddress, LoHasBothFamilies) {
  NetlinkClient client(NETLINK_ROUTE);
  Message request(RTM_GETADDR, kDump, Family(AF_UNSPEC));
  std::vector<Reply> replies = client.Dump(request);
  ASSERT_EQ(replies.size(), 2u);
  auto v4 = replies[0].As<ifaddrmsg>();
  EXPECT_EQ(v4.ifa_family, AF_INET);
  EXPECT_EQ(v4.ifa_prefixlen, 8);
  EXPECT_EQ(v4.ifa_scope, RT_SCOPE_HOST);
  EXPECT_EQ(v4.ifa_flags, IFA_F_PERMANENT);
  EXPECT_EQ(v4.ifa_index, 1u);
  auto attributes = replies[0].Attributes<ifaddrmsg>();
  EXPECT_EQ(ValueOf<in_addr>(attributes[IFA_LOCAL]).s_addr, htonl(INADDR_LOOPBACK));
  EXPECT_EQ(ValueOf<in_addr>(attributes[IFA_ADDRESS]).s_addr, htonl(INADDR_LOOPBACK));
  EXPECT_STREQ(attributes[IFA_LABEL].c_str(), "lo");
  EXPECT_EQ(ValueOf<ifa_cacheinfo>(attributes[IFA_CACHEINFO]).ifa_valid, 0xffffffff);
  auto v6 = replies[1].As<ifaddrmsg>();
  EXPECT_EQ(v6.ifa_family, AF_INET6);
  EXPECT_EQ(v6.ifa_prefixlen, 128);
  EXPECT_EQ(v6.ifa_scope, RT_SCOPE_HOST);
  EXPECT_EQ(replies[1].Attributes<ifaddrmsg>()[IFA_ADDRESS],
            std::string(reinterpret_cast<const char*>(&in6addr_loopback), 16));
}

TEST(NetlinkAddress, DumpByFamily) {
  NetlinkClient client(NETLINK_ROUTE);
  for (unsigned char family : {AF_INET, AF_INET6}) {
    Message request(RTM_GETADDR, kDump, Family(family));
    for (const Reply& reply : client.Dump(request)) {
      EXPECT_EQ(reply.As<ifaddrmsg>().ifa_family, family);
    }
  }
}

TEST(NetlinkAddress, StrictDumpFiltersByInterface) {
  NetlinkClient client(NETLINK_ROUTE);
  Device device(client, "dum3");
  ASSERT_THAT(client.Set(NETLINK_GET_STRICT_CHK, 1), SyscallSucceeds());
  ifaddrmsg header = {};
  header.ifa_family = AF_INET;
  header.ifa_index = 1;
  Message request(RTM_GETADDR, kDump, header);
  EXPECT_EQ(client.Dump(request).size(), 1u);
  header.ifa_index = static_cast<unsigned>(device.index());
  Message other(RTM_GETADDR, kDump, header);
  EXPECT_EQ(client.Dump(other).size(), 0u);
  header.ifa_prefixlen = 8;
  Message bad(RTM_GETADDR, kDump, header);
  int error = 0;
  client.Dump(bad, &error);
  EXPECT_EQ(error, EINVAL);
  ASSERT_THAT(client.Set(NETLINK_GET_STRICT_CHK, 0), SyscallSucceeds());
}

TEST(NetlinkAddress, AddAndDelete) {
  NetlinkClient client(NETLINK_ROUTE);
  Message add = AddressMessage(RTM_NEWADDR, kCreate, 1, "10.1.2.3", 24);
  EXPECT_EQ(client.Ask(add), 0);
  EXPECT_EQ(client.Ask(add), EEXIST);
  Message request(RTM_GETADDR, kDump, Family(AF_INET));
  EXPECT_EQ(client.Dump(request).size(), 2u);
  EXPECT_EQ(client.Ask(AddressMessage(RTM_DELADDR, 0, 1, "10.1.2.4", 24)), EADDRNOTAVAIL);
  EXPECT_EQ(client.Ask(AddressMessage(RTM_DELADDR, 0, 1, "10.1.2.3", 24)), 0);
  EXPECT_EQ(client.Dump(request).size(), 1u);
}

TEST(NetlinkAddress, BadOnes) {
  NetlinkClient client(NETLINK_ROUTE);
  EXPECT_EQ(client.Ask(AddressMessage(RTM_NEWADDR, kCreate, 4711, "10.1.2.3", 24)), ENODEV);
  EXPECT_EQ(client.Ask(AddressMessage(RTM_NEWADDR, kCreate, 1, "10.1.2.3", 33)), EINVAL);
  ifaddrmsg header = {};
  header.ifa_family = AF_INET;
  header.ifa_index = 1;
  EXPECT_EQ(client.Ask(Message(RTM_NEWADDR, kCreate, header)), EINVAL);
  EXPECT_EQ(client.Ask(Message(RTM_DELADDR, 0, Family(AF_INET))), EINVAL);
}

TEST(NetlinkAddress, RoutesFollowAddresses) {
  NetlinkClient client(NETLINK_ROUTE);
  Device device(client, "dum4");
  ASSERT_EQ(client.Ask(AddressMessage(RTM_NEWADDR, kCreate, device.index(), "10.9.0.1", 16)), 0);
  auto count = [&] {
    Message request(RTM_GETROUTE, kDump, rtmsg{.rtm_family = AF_INET});
    std::vector<Reply> routes = client.Dump(request);
    return std::count_if(routes.begin(), routes.end(), [&](const Reply& reply) {
      return ValueOf<int>(reply.Attributes<rtmsg>()[RTA_OIF]) == device.index();
    });
  };
  // The address, its network, its broadcast.
  EXPECT_EQ(count(), 3);
  ASSERT_EQ(client.Ask(AddressMessage(RTM_DELADDR, 0, device.index(), "10.9.0.1", 16)), 0);
  EXPECT_EQ(count(), 0);
}

TEST(NetlinkAddress, GetifaddrsFindsThem) {
  ifaddrs* list = nullptr;
  ASSERT_EQ(getifaddrs(&list), 0);
  int v4 = 0, v6 = 0, packet = 0;
  for (ifaddrs* i = list; i != nullptr; i = i->ifa_next) {
    EXPECT_STREQ(i->ifa_name, "lo");
    if (i->ifa_addr->sa_family == AF_PACKET) ++packet;
    if (i->ifa_addr->sa_family == AF_INET6) ++v6;
    if (i->ifa_addr->sa_family != AF_INET) continue;
    ++v4;
    auto* netmask = reinterpret_cast<sockaddr_in*>(i->ifa_netmask);
    EXPECT_EQ(netmask->sin_addr.s_addr, htonl(0xff000000));
  }
  freeifaddrs(list);
  EXPECT_EQ(v4, 1);
  EXPECT_EQ(v6, 1);
  EXPECT_EQ(packet, 1);
  struct if_nameindex* names = if_nameindex();
  ASSERT_NE(names, nullptr);
  EXPECT_EQ(names[0].if_index, 1u);
  EXPECT_STREQ(names[0].if_name, "lo");
  if_freenameindex(names);
}

TEST(NetlinkRoute, DumpShowsTheLocalTable) {
  NetlinkClient client(NETLINK_ROUTE);
  Message request(RTM_GETROUTE, kDump, rtmsg{.rtm_family = AF_INET});
  std::vector<Reply> routes = client.Dump(request);
  ASSERT_EQ(routes.size(), 3u);
  const std::array<int, 3> lengths = {8, 32, 32};
  const std::array<int, 3> types = {RTN_LOCAL, RTN_LOCAL, RTN_BROADCAST};
  for (size_t i = 0; i < 3; ++i) {
    auto header = routes[i].As<rtmsg>();
    EXPECT_EQ(header.rtm_dst_len, lengths[i]);
    EXPECT_EQ(header.rtm_type, types[i]);
    EXPECT_EQ(header.rtm_table, RT_TABLE_LOCAL);
    EXPECT_EQ(header.rtm_protocol, RTPROT_KERNEL);
    auto attributes = routes[i].Attributes<rtmsg>();
    EXPECT_EQ(ValueOf<uint32_t>(attributes[RTA_TABLE]), uint32_t{RT_TABLE_LOCAL});
    EXPECT_EQ(ValueOf<int>(attributes[RTA_OIF]), 1);
    EXPECT_EQ(ValueOf<in_addr>(attributes[RTA_PREFSRC]).s_addr, htonl(INADDR_LOOPBACK));
  }
}

TEST(NetlinkRoute, LookupOfLoopback) {
  NetlinkClient client(NETLINK_ROUTE);
  rtmsg header = {.rtm_family = AF_INET, .rtm_dst_len = 32, .rtm_flags = RTM_F_LOOKUP_TABLE};
  Message request(RTM_GETROUTE, NLM_F_REQUEST, header);
  request.Put(RTA_DST, V4("127.9.9.9"));
  Reply reply = client.Get(request);
  ASSERT_EQ(reply.header.nlmsg_type, RTM_NEWROUTE);
  auto found = reply.As<rtmsg>();
  EXPECT_EQ(found.rtm_type, RTN_LOCAL);
  // Both tables are one as long as nobody has made rules.
  EXPECT_EQ(found.rtm_table, RT_TABLE_MAIN);
  EXPECT_TRUE(found.rtm_flags & RTM_F_CLONED);
  auto attributes = reply.Attributes<rtmsg>();
  EXPECT_EQ(ValueOf<int>(attributes[RTA_OIF]), 1);
  EXPECT_EQ(ValueOf<in_addr>(attributes[RTA_PREFSRC]).s_addr, htonl(INADDR_LOOPBACK));
}

TEST(NetlinkRoute, NoRouteIsUnreachable) {
  NetlinkClient client(NETLINK_ROUTE);
  Message request(RTM_GETROUTE, NLM_F_REQUEST, rtmsg{.rtm_family = AF_INET, .rtm_dst_len = 32});
  request.Put(RTA_DST, V4("192.0.2.1"));
  EXPECT_EQ(client.Get(request).As<nlmsgerr>().error, -ENETUNREACH);
}

TEST(NetlinkRoute, AddReplaceDelete) {
  NetlinkClient client(NETLINK_ROUTE);
  Device device(client, "dum5");
  Message add = RouteMessage(RTM_NEWROUTE, kCreate, "198.51.100.0", 24, device.index());
  EXPECT_EQ(client.Ask(add), 0);
  EXPECT_EQ(client.Ask(add), EEXIST);
  Message lookup(RTM_GETROUTE, NLM_F_REQUEST, rtmsg{.rtm_family = AF_INET, .rtm_dst_len = 32});
  lookup.Put(RTA_DST, V4("198.51.100.7"));
  EXPECT_EQ(ValueOf<int>(client.Get(lookup).Attributes<rtmsg>()[RTA_OIF]), device.index());
  Message replace = RouteMessage(RTM_NEWROUTE, NLM_F_REQUEST | NLM_F_REPLACE | NLM_F_CREATE,
                                 "198.51.100.0", 24, 1);
  EXPECT_EQ(client.Ask(replace), 0);
  EXPECT_EQ(ValueOf<int>(client.Get(lookup).Attributes<rtmsg>()[RTA_OIF]), 1);
  EXPECT_EQ(client.Ask(RouteMessage(RTM_DELROUTE, 0, "198.51.100.0", 24, 0)), 0);
  EXPECT_EQ(client.Ask(RouteMessage(RTM_DELROUTE, 0, "198.51.100.0", 24, 0)), ESRCH);
  EXPECT_EQ(client.Get(lookup).As<nlmsgerr>().error, -ENETUNREACH);
}

TEST(NetlinkRoute, BadOnes) {
  NetlinkClient client(NETLINK_ROUTE);
  EXPECT_EQ(client.Ask(RouteMessage(RTM_NEWROUTE, kCreate, "10.0.0.0", 8, 4711)), ENODEV);
  EXPECT_EQ(client.Ask(RouteMessage(RTM_NEWROUTE, kCreate, "10.0.0.1", 8, 1)), EINVAL);
  Device down(client, "dum6", false);
  EXPECT_EQ(client.Ask(RouteMessage(RTM_NEWROUTE, kCreate, "10.0.0.0", 8, down.index())), ENETDOWN);
  Message gateway = RouteMessage(RTM_NEWROUTE, kCreate, "10.0.0.0", 8, 0);
  gateway.Put(RTA_GATEWAY, V4("192.0.2.1"));
  EXPECT_EQ(client.Ask(gateway), ENETUNREACH);
}

TEST(NetlinkRoute, DefaultRouteByGateway) {
  NetlinkClient client(NETLINK_ROUTE);
  Device device(client, "dum7");
  ASSERT_EQ(client.Ask(AddressMessage(RTM_NEWADDR, kCreate, device.index(), "10.8.0.2", 24)), 0);
  rtmsg header = {.rtm_family = AF_INET};
  header.rtm_table = RT_TABLE_MAIN;
  header.rtm_protocol = RTPROT_BOOT;
  header.rtm_type = RTN_UNICAST;
  Message add(RTM_NEWROUTE, kCreate, header);
  add.Put(RTA_GATEWAY, V4("10.8.0.1"));
  ASSERT_EQ(client.Ask(add), 0);
  Message lookup(RTM_GETROUTE, NLM_F_REQUEST, rtmsg{.rtm_family = AF_INET, .rtm_dst_len = 32});
  lookup.Put(RTA_DST, V4("192.0.2.1"));
  auto attributes = client.Get(lookup).Attributes<rtmsg>();
  EXPECT_EQ(ValueOf<in_addr>(attributes[RTA_GATEWAY]).s_addr, V4("10.8.0.1").s_addr);
  EXPECT_EQ(ValueOf<in_addr>(attributes[RTA_PREFSRC]).s_addr, V4("10.8.0.2").s_addr);
  EXPECT_EQ(ValueOf<int>(attributes[RTA_OIF]), device.index());
}

TEST(NetlinkRoute, UnreachableRoute) {
  NetlinkClient client(NETLINK_ROUTE);
  rtmsg header = {.rtm_family = AF_INET, .rtm_dst_len = 24};
  header.rtm_table = RT_TABLE_MAIN;
  header.rtm_type = RTN_UNREACHABLE;
  Message add(RTM_NEWROUTE, kCreate, header);
  add.Put(RTA_DST, V4("203.0.113.0"));
  ASSERT_EQ(client.Ask(add), 0);
  Message lookup(RTM_GETROUTE, NLM_F_REQUEST, rtmsg{.rtm_family = AF_INET, .rtm_dst_len = 32});
  lookup.Put(RTA_DST, V4("203.0.113.1"));
  EXPECT_EQ(client.Get(lookup).As<nlmsgerr>().error, -EHOSTUNREACH);
  Message remove(RTM_DELROUTE, NLM_F_REQUEST, header);
  remove.Put(RTA_DST, V4("203.0.113.0"));
  EXPECT_EQ(client.Ask(remove), 0);
}

TEST(NetlinkRoute, StrictDumpFiltersByTable) {
  NetlinkClient client(NETLINK_ROUTE);
  ASSERT_THAT(client.Set(NETLINK_GET_STRICT_CHK, 1), SyscallSucceeds());
  Message main(RTM_GETROUTE, kDump, rtmsg{.rtm_family = AF_INET, .rtm_table = RT_TABLE_MAIN});
  EXPECT_EQ(client.Dump(main).size(), 0u);
  Message local(RTM_GETROUTE, kDump, rtmsg{.rtm_family = AF_INET, .rtm_table = RT_TABLE_LOCAL});
  EXPECT_EQ(client.Dump(local).size(), 3u);
  Message bad(RTM_GETROUTE, kDump, rtmsg{.rtm_family = AF_INET, .rtm_dst_len = 8});
  int error = 0;
  client.Dump(bad, &error);
  EXPECT_EQ(error, EINVAL);
}

TEST(NetlinkNeighbour, AddShowDelete) {
  NetlinkClient client(NETLINK_ROUTE);
  Device device(client, "dum8");
  ndmsg header = {};
  header.ndm_family = AF_INET;
  header.ndm_ifindex = device.index();
  header.ndm_state = NUD_PERMANENT;
  Message add(RTM_NEWNEIGH, kCreate, header);
  add.Put(NDA_DST, V4("10.7.0.9")).Put(NDA_LLADDR, std::array<uint8_t, 6>{2, 0, 0, 0, 0, 9});
  ASSERT_EQ(client.Ask(add), 0);
  EXPECT_EQ(client.Ask(add), EEXIST);
  Message dump(RTM_GETNEIGH, kDump, Family(AF_INET));
  bool found = false;
  for (const Reply& reply : client.Dump(dump)) {
    if (reply.As<ndmsg>().ndm_ifindex != device.index()) continue;
    found = true;
    EXPECT_EQ(reply.As<ndmsg>().ndm_state, NUD_PERMANENT);
    EXPECT_EQ(reply.Attributes<ndmsg>()[NDA_LLADDR], std::string("\2\0\0\0\0\11", 6));
  }
  EXPECT_TRUE(found);
  Message remove(RTM_DELNEIGH, 0, header);
  remove.Put(NDA_DST, V4("10.7.0.9"));
  EXPECT_EQ(client.Ask(remove), 0);
  EXPECT_EQ(client.Ask(remove), ENOENT);
}

TEST(NetlinkRule, DefaultsAndOneMore) {
  NetlinkClient client(NETLINK_ROUTE);
  Message dump(RTM_GETRULE, kDump, Family(AF_INET));
  std::vector<Reply> rules = client.Dump(dump);
  ASSERT_EQ(rules.size(), 3u);
  EXPECT_EQ(rules[0].As<fib_rule_hdr>().table, RT_TABLE_LOCAL);
  EXPECT_EQ(ValueOf<uint32_t>(rules[1].Attributes<fib_rule_hdr>()[FRA_PRIORITY]), 32766u);
  EXPECT_EQ(ValueOf<uint32_t>(rules[2].Attributes<fib_rule_hdr>()[FRA_PRIORITY]), 32767u);
  fib_rule_hdr header = {};
  header.family = AF_INET;
  header.src_len = 8;
  header.table = 100;
  header.action = FR_ACT_TO_TBL;
  Message add(RTM_NEWRULE, kCreate, header);
  add.Put(FRA_SRC, V4("10.0.0.0"));
  ASSERT_EQ(client.Ask(add), 0);
  rules = client.Dump(dump);
  ASSERT_EQ(rules.size(), 4u);
  EXPECT_EQ(ValueOf<uint32_t>(rules[1].Attributes<fib_rule_hdr>()[FRA_PRIORITY]), 32765u);
  Message remove(RTM_DELRULE, 0, header);
  remove.Put(FRA_SRC, V4("10.0.0.0"));
  EXPECT_EQ(client.Ask(remove), 0);
  EXPECT_EQ(client.Ask(remove), ENOENT);
}

TEST(NetlinkGroups, LinkAndAddressChangesAreTold) {
  NetlinkClient client(NETLINK_ROUTE), listener(NETLINK_ROUTE);
  sockaddr_nl name = {.nl_family = AF_NETLINK};
  // Who is not bound hears nothing.
  ASSERT_THAT(bind(listener.fd(), reinterpret_cast<sockaddr*>(&name), sizeof(name)),
              SyscallSucceeds());
  for (int group : {RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV4_ROUTE}) {
    ASSERT_THAT(listener.Set(NETLINK_ADD_MEMBERSHIP, group), SyscallSucceeds());
  }
  {
    Device device(client, "dum9");
    ASSERT_EQ(client.Ask(AddressMessage(RTM_NEWADDR, kCreate, device.index(), "10.6.0.1", 24)), 0);
  }
  std::set<int> types;
  while (true) {
    std::vector<Reply> replies = listener.Receive(MSG_DONTWAIT);
    if (replies.empty()) break;
    for (const Reply& reply : replies) types.insert(reply.header.nlmsg_type);
  }
  EXPECT_EQ(types, (std::set<int>{RTM_NEWLINK, RTM_DELLINK, RTM_NEWADDR, RTM_DELADDR, RTM_NEWROUTE,
                                  RTM_DELROUTE}));
}

TEST(NetlinkPermissions, ChangesNeedNetAdmin) {
  EXPECT_THAT(
      InForkedProcess([] {
        CHILD_CHECK(setresuid(65534, 65534, 65534) == 0);
        NetlinkClient client(NETLINK_ROUTE);
        CHILD_CHECK(AddPair(client, "no") == EPERM);
        CHILD_CHECK(BringUp(client, 1, false) == EPERM);
        CHILD_CHECK(client.Ask(AddressMessage(RTM_NEWADDR, kCreate, 1, "10.1.1.1", 8)) == EPERM);
        CHILD_CHECK(!Links(client).empty());
        CHILD_CHECK(client.Set(NETLINK_ADD_MEMBERSHIP, RTNLGRP_LINK) == 0);
      }),
      ExitedWith(0));
}

}  // namespace
}  // namespace redoubt::test
