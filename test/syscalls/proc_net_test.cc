// SPDX-License-Identifier: Apache-2.0
//
// /proc/net, /proc/sys/net and /sys/class/net of a namespace with lo alone, and sock_diag(7).

#pragma GCC diagnostic ignored "-Wmissing-field-initializers"  // The rest is zero, as meant.

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <fstream>
#include <sstream>

#include "test/syscalls/netlink_client.h"

namespace redoubt::test {
namespace {

const auto* const kNetwork = ::testing::AddGlobalTestEnvironment(new OwnNetwork);

using ::testing::HasSubstr;

// /proc/net is that of the thread that looks; /proc/self/net would be the leader's.
std::string Read(const std::string& path) {
  std::ifstream file(path);
  EXPECT_TRUE(file.good()) << path;
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

uint64_t InodeOf(int fd) {
  struct stat status = {};
  EXPECT_EQ(fstat(fd, &status), 0);
  return status.st_ino;
}

TEST(ProcNet, TablesWithoutSockets) {
  EXPECT_EQ(Read("/proc/net/if_inet6"), "00000000000000000000000000000001 01 80 10 80       lo\n");
  EXPECT_EQ(Read("/proc/net/igmp"),
            "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n"
            "1\tlo        :     1      V3\n"
            "\t\t\t\t010000E0     1 0:00000000\t\t0\n");
  EXPECT_EQ(Read("/proc/net/dev_mcast"), "");
  EXPECT_EQ(Read("/proc/net/arp"),
            "IP address       HW type     Flags       HW address            Mask     Device\n");
  EXPECT_THAT(Read("/proc/net/dev"), HasSubstr("\n    lo: "));
  EXPECT_THAT(Read("/proc/net/route"),
              ::testing::StartsWith("Iface\tDestination\tGateway \tFlags"));
  EXPECT_EQ(Read("/proc/net/route").size(), 128u);
  EXPECT_THAT(
      Read("/proc/net/ipv6_route"),
      HasSubstr("00000000000000000000000000000001 80 00000000000000000000000000000000 00 "));
  EXPECT_THAT(Read("/proc/net/fib_trie"),
              ::testing::ContainsRegex("[|]-- 127.0.0.1\n +/32 host LOCAL\n"));
}

TEST(ProcNet, HeadingsAreLinuxs) {
  EXPECT_EQ(Read("/proc/net/tcp").substr(0, 150),
            "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  "
            "timeout inode                                                     \n");
  EXPECT_EQ(Read("/proc/net/udp").substr(0, 128),
            "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  "
            "timeout inode ref pointer drops            \n");
  for (const char* file : {"tcp6", "udp6", "raw6"}) {
    EXPECT_THAT(Read(std::string("/proc/net/") + file),
                ::testing::StartsWith(
                    "  sl  local_address                         remote_address                  "
                    "      st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"));
  }
  EXPECT_THAT(Read("/proc/net/unix"), ::testing::StartsWith("Num       RefCount Protocol Flags"));
  EXPECT_THAT(Read("/proc/net/snmp"), HasSubstr("\nUdp: InDatagrams NoPorts InErrors"));
  EXPECT_THAT(Read("/proc/net/snmp"), ::testing::StartsWith("Ip: Forwarding DefaultTTL"));
  EXPECT_THAT(Read("/proc/net/snmp6"), ::testing::StartsWith("Ip6InReceives                   \t"));
  EXPECT_THAT(Read("/proc/net/netstat"), HasSubstr("\nIpExt: InNoRoutes"));
  EXPECT_THAT(Read("/proc/net/sockstat"), HasSubstr("\nTCP: inuse "));
  EXPECT_THAT(Read("/proc/net/sockstat6"), ::testing::StartsWith("TCP6: inuse "));
  EXPECT_THAT(Read("/proc/net/protocols"), HasSubstr("\nTCP       "));
}

TEST(ProcNet, NetlinkSocketsAreListed) {
  NetlinkClient client(NETLINK_ROUTE);
  sockaddr_nl name = {.nl_family = AF_NETLINK, .nl_pid = 31337, .nl_groups = 5};
  ASSERT_THAT(bind(client.fd(), reinterpret_cast<sockaddr*>(&name), sizeof(name)),
              SyscallSucceeds());
  std::string text = Read("/proc/net/netlink");
  EXPECT_THAT(text, HasSubstr(" 0   31337      00000005 0        0        0 "));
  EXPECT_THAT(text, HasSubstr(std::to_string(InodeOf(client.fd()))));
}

TEST(ProcNet, UnixSocketsAreListed) {
  FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM, 0));
  sockaddr_un name = {.sun_family = AF_UNIX};
  memcpy(name.sun_path, "\0proc-net-test", 14);
  ASSERT_THAT(
      bind(socket.get(), reinterpret_cast<sockaddr*>(&name), offsetof(sockaddr_un, sun_path) + 14),
      SyscallSucceeds());
  ASSERT_THAT(listen(socket.get(), 5), SyscallSucceeds());
  std::stringstream lines(Read("/proc/net/unix"));
  std::string line, found;
  while (std::getline(lines, line)) {
    if (line.find("@proc-net-test") != std::string::npos) found = line;
  }
  EXPECT_THAT(found, HasSubstr(" 00000000 00010000 0001 01 "));
  EXPECT_THAT(found, HasSubstr(" " + std::to_string(InodeOf(socket.get())) + " @proc-net-test"));
}

TEST(ProcNet, ListenersAreListed) {
  FileDescriptor socket(::socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(31338)};
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_THAT(bind(socket.get(), reinterpret_cast<sockaddr*>(&name), sizeof(name)),
              SyscallSucceeds());
  ASSERT_THAT(listen(socket.get(), 5), SyscallSucceeds());
  std::string text = Read("/proc/net/tcp");
  EXPECT_THAT(text, HasSubstr(": 0100007F:7A6A 00000000:0000 0A 00000000:00000000 00:00000000 "));
  EXPECT_EQ(text.size() % 150, 0u);
}

TEST(ProcNet, SettingsCanBeRead) {
  EXPECT_EQ(Read("/proc/sys/net/ipv4/ip_local_port_range"), "32768\t60999\n");
  EXPECT_EQ(Read("/proc/sys/net/ipv4/ip_unprivileged_port_start"), "1024\n");
  EXPECT_EQ(Read("/proc/sys/net/core/somaxconn"), "4096\n");
  EXPECT_EQ(Read("/proc/sys/net/ipv4/ip_default_ttl"), "64\n");
  EXPECT_EQ(Read("/proc/sys/net/ipv6/bindv6only"), "0\n");
  EXPECT_EQ(Read("/proc/sys/net/ipv4/conf/lo/accept_local"), "0\n");
}

TEST(ProcNet, SettingsCanBeWritten) {
  const char* path = "/proc/sys/net/ipv4/ip_local_port_range";
  auto write_text = [&](const std::string& text) {
    FileDescriptor file(open(path, O_WRONLY));
    EXPECT_TRUE(file.valid());
    return write(file.get(), text.data(), text.size());
  };
  EXPECT_THAT(write_text("40000 41000\n"), SyscallSucceedsWithValue(12));
  EXPECT_EQ(Read(path), "40000\t41000\n");
  EXPECT_THAT(write_text("41000 40000\n"), SyscallFailsWith(EINVAL));
  EXPECT_THAT(write_text("x\n"), SyscallFailsWith(EINVAL));
  EXPECT_THAT(write_text("32768 60999\n"), SyscallSucceeds());
}

TEST(SysClassNet, AttributesOfLo) {
  // Natively /sys shows the namespace in which it was mounted, which has a lo of its own.
  const std::string lo = "/sys/class/net/lo/";
  EXPECT_EQ(Read(lo + "ifindex"), "1\n");
  EXPECT_EQ(Read(lo + "mtu"), "65536\n");
  EXPECT_EQ(Read(lo + "type"), "772\n");
  EXPECT_EQ(Read(lo + "operstate"), "unknown\n");
  EXPECT_EQ(Read(lo + "address"), "00:00:00:00:00:00\n");
  EXPECT_EQ(Read(lo + "carrier"), "1\n");
  EXPECT_EQ(Read(lo + "flags"), "0x9\n");
  EXPECT_EQ(Read(lo + "uevent"), "INTERFACE=lo\nIFINDEX=1\n");
  EXPECT_THAT(Read(lo + "statistics/rx_bytes"), ::testing::MatchesRegex("[0-9]+\n"));
}

TEST(SockDiag, UnixSockets) {
  SocketPair pair(SOCK_STREAM);
  ASSERT_THAT(write(pair.first.get(), "abc", 3), SyscallSucceedsWithValue(3));
  NetlinkClient client(NETLINK_SOCK_DIAG);
  unix_diag_req header = {};
  header.sdiag_family = AF_UNIX;
  header.udiag_states = 0xffffffff;
  header.udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_PEER | UDIAG_SHOW_RQLEN | UDIAG_SHOW_UID;
  Message request(SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP, header);
  bool found = false;
  for (const Reply& reply : client.Dump(request)) {
    auto message = reply.As<unix_diag_msg>();
    if (message.udiag_ino != InodeOf(pair.second.get())) continue;
    found = true;
    EXPECT_EQ(message.udiag_type, SOCK_STREAM);
    EXPECT_EQ(message.udiag_state, 1);
    auto attributes = reply.Attributes<unix_diag_msg>();
    EXPECT_EQ(ValueOf<uint32_t>(attributes[UNIX_DIAG_PEER]), InodeOf(pair.first.get()));
    EXPECT_EQ(ValueOf<unix_diag_rqlen>(attributes[UNIX_DIAG_RQLEN]).udiag_rqueue, 3u);
    EXPECT_EQ(ValueOf<uint32_t>(attributes[UNIX_DIAG_UID]), getuid());
  }
  EXPECT_TRUE(found);
}

TEST(SockDiag, OneUnixSocket) {
  SocketPair pair(SOCK_DGRAM);
  NetlinkClient client(NETLINK_SOCK_DIAG);
  unix_diag_req header = {};
  header.sdiag_family = AF_UNIX;
  header.udiag_states = 0xffffffff;
  header.udiag_ino = static_cast<uint32_t>(InodeOf(pair.first.get()));
  header.udiag_cookie[0] = header.udiag_cookie[1] = INET_DIAG_NOCOOKIE;
  Message request(SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST, header);
  EXPECT_EQ(client.Get(request).As<unix_diag_msg>().udiag_ino, header.udiag_ino);
  header.udiag_ino = 0;
  Message nobody(SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST, header);
  EXPECT_EQ(client.Get(nobody).As<nlmsgerr>().error, -EINVAL);
}

class InetDiag : public ::testing::TestWithParam<int> {};

TEST_P(InetDiag, Listener) {
  const int family = GetParam();
  FileDescriptor socket(::socket(family, SOCK_STREAM, 0));
  sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
  v6.sin6_port = htons(31339);
  sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(31339)};
  v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const sockaddr* name =
      family == AF_INET ? reinterpret_cast<sockaddr*>(&v4) : reinterpret_cast<sockaddr*>(&v6);
  ASSERT_THAT(bind(socket.get(), name, family == AF_INET ? sizeof(v4) : sizeof(v6)),
              SyscallSucceeds());
  ASSERT_THAT(listen(socket.get(), 7), SyscallSucceeds());
  NetlinkClient client(NETLINK_SOCK_DIAG);
  inet_diag_req_v2 header = {};
  header.sdiag_family = static_cast<uint8_t>(family);
  header.sdiag_protocol = IPPROTO_TCP;
  header.idiag_states = 1 << 10;
  Message request(SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP, header);
  std::vector<Reply> replies = client.Dump(request);
  ASSERT_EQ(replies.size(), 1u);
  auto message = replies[0].As<inet_diag_msg>();
  EXPECT_EQ(message.idiag_family, family);
  EXPECT_EQ(message.idiag_state, 10);
  EXPECT_EQ(message.id.idiag_sport, htons(31339));
  EXPECT_EQ(message.idiag_wqueue, 7u);
  EXPECT_EQ(message.idiag_inode, InodeOf(socket.get()));
  // States and ports filter.
  header.idiag_states = 1 << 1;
  Message established(SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP, header);
  EXPECT_EQ(client.Dump(established).size(), 0u);
  header.idiag_states = 1 << 10;
  header.id.idiag_sport = htons(1);
  Message other_port(SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP, header);
  EXPECT_EQ(client.Dump(other_port).size(), 0u);
}

INSTANTIATE_TEST_SUITE_P(Families, InetDiag, ::testing::Values(AF_INET, AF_INET6));

TEST(SockDiag, BytecodeFiltersAndIsChecked) {
  FileDescriptor socket(::socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(31340)};
  ASSERT_THAT(bind(socket.get(), reinterpret_cast<sockaddr*>(&name), sizeof(name)),
              SyscallSucceeds());
  ASSERT_THAT(listen(socket.get(), 1), SyscallSucceeds());
  NetlinkClient client(NETLINK_SOCK_DIAG);
  inet_diag_req_v2 header = {};
  header.sdiag_family = AF_INET;
  header.sdiag_protocol = IPPROTO_TCP;
  header.idiag_states = 1 << 10;
  auto run = [&](std::vector<inet_diag_bc_op> program, int* error) {
    Message request(SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP, header);
    request.PutBytes(INET_DIAG_REQ_BYTECODE, program.data(), program.size() * 4);
    return client.Dump(request, error).size();
  };
  int error = 0;
  EXPECT_EQ(run({{INET_DIAG_BC_S_GE, 8, 12}, {0, 0, 31340}}, &error), 1u);
  EXPECT_EQ(run({{INET_DIAG_BC_S_GE, 8, 12}, {0, 0, 31341}}, &error), 0u);
  EXPECT_EQ(error, 0);
  EXPECT_EQ(run({{INET_DIAG_BC_S_GE, 8, 12}}, &error), 0u);  // Cut.
  EXPECT_EQ(error, EINVAL);
  EXPECT_EQ(run({{200, 4, 8}}, &error), 0u);
  EXPECT_EQ(error, EINVAL);
  EXPECT_EQ(run({{INET_DIAG_BC_NOP, 0, 0}}, &error), 0u);
  EXPECT_EQ(error, EINVAL);
}

TEST(SockDiag, UnknownFamilies) {
  NetlinkClient client(NETLINK_SOCK_DIAG);
  EXPECT_EQ(client.Ask(Message(SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST, sock_diag_req{200, 0})), EINVAL);
  EXPECT_EQ(client.Ask(Message(SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST, sock_diag_req{AF_X25, 0})),
            ENOENT);
}

}  // namespace
}  // namespace redoubt::test
