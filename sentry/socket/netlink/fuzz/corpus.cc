// SPDX-License-Identifier: Apache-2.0
#include <linux/fib_rules.h>
#include <linux/genetlink.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/inet_diag.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <linux/veth.h>
#include <netinet/in.h>

#include "sentry/socket/netlink/fuzz/netlink_fuzz.h"

namespace redoubt::netlink {

namespace {

constexpr uint16_t kDump = NLM_F_REQUEST | NLM_F_DUMP;
constexpr uint16_t kCreate = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;
constexpr uint8_t kRoute = 0, kDiag = 2, kGeneric = 3, kStrict = 8, kExtended = 32;
const std::array<uint8_t, 4> kAddress = {10, 0, 0, 1};

Bytes Input(uint8_t options, MessageBuilder message) {
  Bytes input = {std::byte{options}};
  Bytes bytes = std::move(message).Finish();
  input.insert(input.end(), bytes.begin(), bytes.end());
  return input;
}

template <typename Header>
MessageBuilder New(uint16_t type, uint16_t flags, const Header& header) {
  MessageBuilder message(type, flags, 1, 0);
  message.PutHeader(header);
  return message;
}

void AddDumps(std::vector<Bytes>& corpus) {
  for (uint16_t type : {RTM_GETLINK, RTM_GETADDR, RTM_GETROUTE, RTM_GETNEIGH, RTM_GETRULE}) {
    corpus.push_back(Input(kRoute, New(type, kDump, rtgenmsg{})));
    corpus.push_back(Input(kRoute | kStrict, New(type, kDump, rtmsg{})));
  }
  corpus.push_back(Input(kRoute, New(RTM_GETQDISC, kDump, tcmsg{})));
  corpus.push_back(Input(kDiag, New(SOCK_DIAG_BY_FAMILY, kDump,
                                    unix_diag_req{.sdiag_family = AF_UNIX,
                                                  .sdiag_protocol = 0,
                                                  .pad = 0,
                                                  .udiag_states = ~0u,
                                                  .udiag_ino = 0,
                                                  .udiag_show = ~0u,
                                                  .udiag_cookie = {}})));
  corpus.push_back(Input(kGeneric, New(GENL_ID_CTRL, kDump, genlmsghdr{CTRL_CMD_GETFAMILY, 1, 0})));
}

void AddLinks(std::vector<Bytes>& corpus) {
  MessageBuilder get = New(RTM_GETLINK, NLM_F_REQUEST, ifinfomsg{});
  get.PutString(IFLA_IFNAME, "lo");
  corpus.push_back(Input(kRoute | kExtended, std::move(get)));
  ifinfomsg up{};
  up.ifi_index = 1;
  up.ifi_flags = up.ifi_change = 1;
  MessageBuilder set = New(RTM_SETLINK, NLM_F_REQUEST | NLM_F_ACK, up);
  set.Put(IFLA_MTU, uint32_t{1500});
  corpus.push_back(Input(kRoute, std::move(set)));
  MessageBuilder veth = New(RTM_NEWLINK, kCreate, ifinfomsg{});
  veth.PutString(IFLA_IFNAME, "va");
  {
    Nest info(veth, IFLA_LINKINFO);
    veth.PutString(IFLA_INFO_KIND, "veth");
    Nest data(veth, IFLA_INFO_DATA);
    Nest peer(veth, VETH_INFO_PEER);
    veth.PutHeader(ifinfomsg{});
    veth.PutString(IFLA_IFNAME, "vb");
  }
  corpus.push_back(Input(kRoute | kExtended, std::move(veth)));
}

void AddAddressesAndRoutes(std::vector<Bytes>& corpus) {
  ifaddrmsg address{};
  address.ifa_family = AF_INET;
  address.ifa_prefixlen = 24;
  address.ifa_index = 1;
  for (uint16_t type : {RTM_NEWADDR, RTM_DELADDR}) {
    MessageBuilder message = New(type, kCreate, address);
    message.Put(IFA_LOCAL, kAddress);
    message.Put(IFA_ADDRESS, kAddress);
    message.Put(IFA_CACHEINFO, ifa_cacheinfo{100, 200, 0, 0});
    message.PutString(IFA_LABEL, "lo:1");
    corpus.push_back(Input(kRoute, std::move(message)));
  }
  rtmsg route{};
  route.rtm_family = AF_INET;
  route.rtm_dst_len = 32;
  route.rtm_table = RT_TABLE_MAIN;
  route.rtm_type = RTN_UNICAST;
  for (uint16_t type : {RTM_NEWROUTE, RTM_DELROUTE, RTM_GETROUTE}) {
    MessageBuilder message = New(type, kCreate, route);
    message.Put(RTA_DST, kAddress);
    message.Put(RTA_OIF, 1);
    message.Put(RTA_PRIORITY, 7);
    {
      Nest metrics(message, RTA_METRICS);
      message.Put(RTAX_MTU, 1400);
    }
    corpus.push_back(Input(kRoute, std::move(message)));
  }
  ndmsg neighbour{};
  neighbour.ndm_family = AF_INET;
  neighbour.ndm_ifindex = 1;
  MessageBuilder message = New(RTM_NEWNEIGH, kCreate, neighbour);
  message.Put(NDA_DST, kAddress);
  message.Put(NDA_LLADDR, std::array<uint8_t, 6>{2});
  corpus.push_back(Input(kRoute, std::move(message)));
  fib_rule_hdr rule{};
  rule.family = AF_INET;
  rule.src_len = 8;
  rule.table = 100;
  rule.action = FR_ACT_TO_TBL;
  MessageBuilder add = New(RTM_NEWRULE, kCreate, rule);
  add.Put(FRA_SRC, kAddress);
  corpus.push_back(Input(kRoute, std::move(add)));
}

void AddFiltered(std::vector<Bytes>& corpus) {
  inet_diag_req_v2 header{};
  header.sdiag_family = AF_INET;
  header.sdiag_protocol = IPPROTO_TCP;
  header.idiag_ext = 0xff;
  header.idiag_states = ~0u;
  MessageBuilder message = New(SOCK_DIAG_BY_FAMILY, kDump, header);
  const inet_diag_bc_op program[] = {{INET_DIAG_BC_S_GE, 8, 12}, {0, 0, 80}};
  message.PutBytes(INET_DIAG_REQ_BYTECODE, std::as_bytes(std::span(program)));
  corpus.push_back(Input(kDiag, std::move(message)));
  MessageBuilder family = New(GENL_ID_CTRL, NLM_F_REQUEST, genlmsghdr{CTRL_CMD_GETFAMILY, 1, 0});
  family.PutString(CTRL_ATTR_FAMILY_NAME, "nlctrl");
  corpus.push_back(Input(kGeneric, std::move(family)));
}

}  // namespace

std::vector<Bytes> FuzzCorpus() {
  std::vector<Bytes> corpus;
  AddDumps(corpus);
  AddLinks(corpus);
  AddAddressesAndRoutes(corpus);
  AddFiltered(corpus);
  return corpus;
}

}  // namespace redoubt::netlink
