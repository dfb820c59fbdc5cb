// SPDX-License-Identifier: Apache-2.0
#include "sentry/socket/netlink/fuzz/netlink_fuzz.h"

#include "base/check.h"
#include "sentry/socket/net/network_namespace.h"
#include "sentry/socket/netlink/diag/diag_protocol.h"
#include "sentry/socket/netlink/endpoint.h"
#include "sentry/socket/netlink/generic.h"
#include "sentry/socket/netlink/port_table.h"
#include "sentry/socket/netlink/route/route_protocol.h"

namespace redoubt::netlink {

namespace {

// Every message of an answer is whole, and its length is what it says.
void CheckFraming(ByteSpan data) {
  CHECK(!data.empty());
  while (!data.empty()) {
    std::optional<nlmsghdr> header = ReadStruct<nlmsghdr>(data);
    CHECK(header.has_value());
    CHECK(header->nlmsg_len >= sizeof(nlmsghdr) && header->nlmsg_len <= data.size());
    data = data.subspan(std::min(data.size(), Aligned(header->nlmsg_len)));
  }
}

void ReadAll(Endpoint& endpoint) {
  constexpr int kMost = 100'000;
  for (int i = 0; i < kMost; ++i) {
    Result<Datagram> datagram = endpoint.Receive(false, 8192);
    if (datagram.Is(EAGAIN)) return;
    if (datagram.ok()) CheckFraming(*datagram->data);
  }
  CHECK(false);  // A dump without an end.
}

}  // namespace

void FuzzDatagram(ByteSpan input) {
  if (input.empty()) return;
  const auto options = static_cast<uint8_t>(input.front());
  RouteProtocol route;
  DiagProtocol diag;
  GenericProtocol generic;
  NetlinkProtocol* const protocols[] = {&route, &route, &diag, &generic};
  auto network = MakeRef<net::NetworkNamespace>();
  auto endpoint = MakeRef<Endpoint>(NETLINK_ROUTE);
  endpoint->SetPort(1);
  vfs::Caller caller;
  caller.capabilities = (options & 4) != 0 ? 0 : ~uint64_t{0};
  DatagramSender sender{
      .endpoint = *endpoint,
      .network = *network,
      .caller = caller,
      .opener_capabilities = ~uint64_t{0},
      .strict = (options & 8) != 0,
      .acknowledgement = {.capped = (options & 16) != 0, .extended = (options & 32) != 0}};
  HandleDatagram(*protocols[options & 3], sender, input.subspan(1));
  ReadAll(*endpoint);
}

}  // namespace redoubt::netlink
