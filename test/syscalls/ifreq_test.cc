// SPDX-License-Identifier: Apache-2.0
//
// netdevice(7): the ioctls of interfaces, through sockets of several families.

#include <arpa/inet.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/route.h>
#include <netinet/in.h>

#include "test/syscalls/netlink_client.h"
#include "test/util/fork.h"

namespace redoubt::test {
namespace {

const auto* const kNetwork = ::testing::AddGlobalTestEnvironment(new OwnNetwork);

ifreq Named(const char* name) {
  ifreq request = {};
  strncpy(request.ifr_name, name, sizeof(request.ifr_name) - 1);
  return request;
}

in_addr AddressIn(const ifreq& request) {
  sockaddr_in address;
  memcpy(&address, &request.ifr_addr, sizeof(address));
  EXPECT_EQ(address.sin_family, AF_INET);
  return address.sin_addr;
}

ifreq WithAddress(const char* name, const char* text) {
  ifreq request = Named(name);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  EXPECT_EQ(inet_pton(AF_INET, text, &address.sin_addr), 1);
  memcpy(&request.ifr_addr, &address, sizeof(address));
  return request;
}

class Ifreq : public ::testing::TestWithParam<std::pair<int, int>> {
 protected:
  Ifreq() : socket_(::socket(GetParam().first, GetParam().second, 0)) {
    EXPECT_TRUE(socket_.valid());
  }
  int fd() const { return socket_.get(); }

 private:
  FileDescriptor socket_;
};

TEST_P(Ifreq, WhatLoIs) {
  ifreq request = Named("lo");
  ASSERT_THAT(ioctl(fd(), SIOCGIFINDEX, &request), SyscallSucceeds());
  EXPECT_EQ(request.ifr_ifindex, 1);
  ASSERT_THAT(ioctl(fd(), SIOCGIFFLAGS, &request), SyscallSucceeds());
  EXPECT_EQ(request.ifr_flags, IFF_UP | IFF_LOOPBACK | IFF_RUNNING);
  ASSERT_THAT(ioctl(fd(), SIOCGIFMTU, &request), SyscallSucceeds());
  EXPECT_EQ(request.ifr_mtu, 65536);
  ASSERT_THAT(ioctl(fd(), SIOCGIFMETRIC, &request), SyscallSucceeds());
  EXPECT_EQ(request.ifr_metric, 0);
  ASSERT_THAT(ioctl(fd(), SIOCGIFTXQLEN, &request), SyscallSucceeds());
  EXPECT_EQ(request.ifr_qlen, 1000);
  ASSERT_THAT(ioctl(fd(), SIOCGIFHWADDR, &request), SyscallSucceeds());
  EXPECT_EQ(request.ifr_hwaddr.sa_family, ARPHRD_LOOPBACK);
  EXPECT_EQ(std::string(request.ifr_hwaddr.sa_data, 6), std::string(6, '\0'));
  request.ifr_map.mem_start = 77;
  ASSERT_THAT(ioctl(fd(), SIOCGIFMAP, &request), SyscallSucceeds());
  EXPECT_EQ(request.ifr_map.mem_start, 0u);
}

TEST_P(Ifreq, NameByIndex) {
  ifreq request = {};
  request.ifr_ifindex = 1;
  ASSERT_THAT(ioctl(fd(), SIOCGIFNAME, &request), SyscallSucceeds());
  EXPECT_STREQ(request.ifr_name, "lo");
  request.ifr_ifindex = 4711;
  EXPECT_THAT(ioctl(fd(), SIOCGIFNAME, &request), SyscallFailsWith(ENODEV));
}

TEST_P(Ifreq, UnknownInterface) {
  ifreq request = Named("nolink");
  for (int command : {SIOCGIFINDEX, SIOCGIFFLAGS, SIOCGIFMTU, SIOCGIFHWADDR, SIOCGIFTXQLEN,
                      SIOCGIFMAP, SIOCGIFMETRIC}) {
    EXPECT_THAT(ioctl(fd(), command, &request), SyscallFailsWith(ENODEV)) << command;
  }
  EXPECT_THAT(ioctl(fd(), SIOCSIFMTU, &request), SyscallFailsWith(ENODEV));
}

TEST_P(Ifreq, BadAddress) {
  EXPECT_THAT(ioctl(fd(), SIOCGIFINDEX, 8), SyscallFailsWith(EFAULT));
  EXPECT_THAT(ioctl(fd(), SIOCGIFCONF, 8), SyscallFailsWith(EFAULT));
}

TEST_P(Ifreq, ListOfAddresses) {
  ifconf list = {};
  ASSERT_THAT(ioctl(fd(), SIOCGIFCONF, &list), SyscallSucceeds());
  EXPECT_EQ(list.ifc_len, static_cast<int>(sizeof(ifreq)));
  ifreq entries[4] = {};
  list.ifc_len = sizeof(entries);
  list.ifc_req = entries;
  ASSERT_THAT(ioctl(fd(), SIOCGIFCONF, &list), SyscallSucceeds());
  ASSERT_EQ(list.ifc_len, static_cast<int>(sizeof(ifreq)));
  EXPECT_STREQ(entries[0].ifr_name, "lo");
  EXPECT_EQ(AddressIn(entries[0]).s_addr, htonl(INADDR_LOOPBACK));
  // Only whole entries.
  list.ifc_len = sizeof(ifreq) - 1;
  ASSERT_THAT(ioctl(fd(), SIOCGIFCONF, &list), SyscallSucceeds());
  EXPECT_EQ(list.ifc_len, 0);
}

TEST_P(Ifreq, MtuCanBeSet) {
  ifreq request = Named("lo");
  request.ifr_mtu = 9000;
  ASSERT_THAT(ioctl(fd(), SIOCSIFMTU, &request), SyscallSucceeds());
  request.ifr_mtu = 0;
  ASSERT_THAT(ioctl(fd(), SIOCGIFMTU, &request), SyscallSucceeds());
  EXPECT_EQ(request.ifr_mtu, 9000);
  request.ifr_mtu = -1;
  EXPECT_THAT(ioctl(fd(), SIOCSIFMTU, &request), SyscallFailsWith(EINVAL));
  request.ifr_mtu = 65536;
  ASSERT_THAT(ioctl(fd(), SIOCSIFMTU, &request), SyscallSucceeds());
}

TEST_P(Ifreq, DownAndUp) {
  ifreq request = Named("lo");
  request.ifr_flags = IFF_LOOPBACK;
  ASSERT_THAT(ioctl(fd(), SIOCSIFFLAGS, &request), SyscallSucceeds());
  ASSERT_THAT(ioctl(fd(), SIOCGIFFLAGS, &request), SyscallSucceeds());
  EXPECT_EQ(request.ifr_flags, IFF_LOOPBACK);
  request.ifr_flags = IFF_LOOPBACK | IFF_UP;
  ASSERT_THAT(ioctl(fd(), SIOCSIFFLAGS, &request), SyscallSucceeds());
}

TEST_P(Ifreq, EthtoolOfLo) {
  ethtool_value value = {.cmd = ETHTOOL_GLINK, .data = 7};
  ifreq request = Named("lo");
  request.ifr_data = reinterpret_cast<char*>(&value);
  ASSERT_THAT(ioctl(fd(), SIOCETHTOOL, &request), SyscallSucceeds());
  EXPECT_EQ(value.data, 1u);
  ethtool_cmd settings = {};
  settings.cmd = ETHTOOL_GSET;
  request.ifr_data = reinterpret_cast<char*>(&settings);
  EXPECT_THAT(ioctl(fd(), SIOCETHTOOL, &request), SyscallFailsWith(EOPNOTSUPP));
  request.ifr_data = nullptr;
  EXPECT_THAT(ioctl(fd(), SIOCETHTOOL, &request), SyscallFailsWith(EFAULT));
}

TEST_P(Ifreq, ChangesNeedNetAdmin) {
  EXPECT_THAT(InForkedProcess([&] {
                CHILD_CHECK(setresuid(65534, 65534, 65534) == 0);
                ifreq request = Named("lo");
                request.ifr_mtu = 1500;
                CHILD_CHECK_FAILS(ioctl(fd(), SIOCSIFMTU, &request), EPERM);
                request.ifr_flags = 0;
                CHILD_CHECK_FAILS(ioctl(fd(), SIOCSIFFLAGS, &request), EPERM);
                CHILD_CHECK(ioctl(fd(), SIOCGIFMTU, &request) == 0);
                CHILD_CHECK(request.ifr_mtu == 65536);
              }),
              ExitedWith(0));
}

TEST_P(Ifreq, UnknownCommandIsEnotty) {
  ifreq request = Named("lo");
  EXPECT_THAT(ioctl(fd(), 0x12345678, &request), SyscallFailsWith(ENOTTY));
  EXPECT_THAT(ioctl(fd(), TCGETS, &request), SyscallFailsWith(ENOTTY));
}

TEST_P(Ifreq, AddressesOnlyByInternetSockets) {
  ifreq request = Named("lo");
  if (GetParam().first == AF_INET) {
    ASSERT_THAT(ioctl(fd(), SIOCGIFADDR, &request), SyscallSucceeds());
    EXPECT_EQ(AddressIn(request).s_addr, htonl(INADDR_LOOPBACK));
  } else {
    EXPECT_THAT(ioctl(fd(), SIOCGIFADDR, &request), SyscallFailsWith(ENOTTY));
  }
}

INSTANTIATE_TEST_SUITE_P(Families, Ifreq,
                         ::testing::Values(std::pair(AF_UNIX, SOCK_STREAM),
                                           std::pair(AF_NETLINK, SOCK_RAW),
                                           std::pair(AF_INET, SOCK_DGRAM),
                                           std::pair(AF_INET, SOCK_STREAM),
                                           std::pair(AF_INET6, SOCK_DGRAM)));

TEST(IfreqInet, NetmaskBroadcastDestination) {
  FileDescriptor socket(::socket(AF_INET, SOCK_DGRAM, 0));
  ifreq request = Named("lo");
  ASSERT_THAT(ioctl(socket.get(), SIOCGIFNETMASK, &request), SyscallSucceeds());
  EXPECT_EQ(AddressIn(request).s_addr, htonl(0xff000000));
  ASSERT_THAT(ioctl(socket.get(), SIOCGIFBRDADDR, &request), SyscallSucceeds());
  EXPECT_EQ(AddressIn(request).s_addr, 0u);
  ASSERT_THAT(ioctl(socket.get(), SIOCGIFDSTADDR, &request), SyscallSucceeds());
  EXPECT_EQ(AddressIn(request).s_addr, htonl(INADDR_LOOPBACK));
  ifreq unknown = Named("nolink");
  EXPECT_THAT(ioctl(socket.get(), SIOCGIFADDR, &unknown), SyscallFailsWith(ENODEV));
  ifreq alias = Named("lo:9");
  EXPECT_THAT(ioctl(socket.get(), SIOCGIFADDR, &alias), SyscallFailsWith(EADDRNOTAVAIL));
}

TEST(IfreqInet, AliasAddressComesAndGoes) {
  FileDescriptor socket(::socket(AF_INET, SOCK_DGRAM, 0));
  ifreq request = WithAddress("lo:1", "10.77.0.1");
  ASSERT_THAT(ioctl(socket.get(), SIOCSIFADDR, &request), SyscallSucceeds());
  ifreq shown = Named("lo:1");
  ASSERT_THAT(ioctl(socket.get(), SIOCGIFADDR, &shown), SyscallSucceeds());
  EXPECT_EQ(ntohl(AddressIn(shown).s_addr), 0x0a4d0001u);
  ifreq mask = WithAddress("lo:1", "255.255.0.0");
  ASSERT_THAT(ioctl(socket.get(), SIOCSIFNETMASK, &mask), SyscallSucceeds());
  ASSERT_THAT(ioctl(socket.get(), SIOCGIFNETMASK, &shown), SyscallSucceeds());
  EXPECT_EQ(AddressIn(shown).s_addr, htonl(0xffff0000));
  ifreq bad = WithAddress("lo:1", "255.0.255.0");
  EXPECT_THAT(ioctl(socket.get(), SIOCSIFNETMASK, &bad), SyscallFailsWith(EINVAL));
  ifreq none = WithAddress("lo:1", "0.0.0.0");
  ASSERT_THAT(ioctl(socket.get(), SIOCSIFADDR, &none), SyscallSucceeds());
  EXPECT_THAT(ioctl(socket.get(), SIOCGIFADDR, &shown), SyscallFailsWith(EADDRNOTAVAIL));
}

TEST(IfreqInet, RouteRequests) {
  FileDescriptor socket(::socket(AF_INET, SOCK_DGRAM, 0));
  rtentry route = {};
  // No address family in it.
  EXPECT_THAT(ioctl(socket.get(), SIOCADDRT, &route), SyscallFailsWith(EAFNOSUPPORT));
  sockaddr_in destination = {};
  destination.sin_family = AF_INET;
  destination.sin_addr.s_addr = htonl(0xc6336400);
  memcpy(&route.rt_dst, &destination, sizeof(destination));
  sockaddr_in mask = destination;
  mask.sin_addr.s_addr = htonl(0xffffff00);
  memcpy(&route.rt_genmask, &mask, sizeof(mask));
  char lo[] = "lo";
  route.rt_dev = lo;
  route.rt_flags = RTF_UP;
  EXPECT_THAT(ioctl(socket.get(), SIOCADDRT, &route), SyscallSucceeds());
  EXPECT_THAT(ioctl(socket.get(), SIOCADDRT, &route), SyscallFailsWith(EEXIST));
  EXPECT_THAT(ioctl(socket.get(), SIOCDELRT, &route), SyscallSucceeds());
  EXPECT_THAT(ioctl(socket.get(), SIOCDELRT, &route), SyscallFailsWith(ESRCH));
  EXPECT_THAT(InForkedProcess([&] {
                CHILD_CHECK(setresuid(65534, 65534, 65534) == 0);
                CHILD_CHECK_FAILS(ioctl(socket.get(), SIOCADDRT, &route), EPERM);
              }),
              ExitedWith(0));
}

}  // namespace
}  // namespace redoubt::test
