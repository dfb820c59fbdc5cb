// SPDX-License-Identifier: Apache-2.0
//
// Linux: net/ipv4/inet_diag.c, udp_diag.c, raw_diag.c.
#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>

#include <algorithm>

#include "sentry/socket/netlink/diag/diag_protocol.h"
#include "sentry/socket/netlink/diag/inet_filter.h"

namespace redoubt::netlink {

namespace {

using net::InetSocketInfo;
using net::IpAddress;

constexpr uint8_t kListen = 10;  // TCP_LISTEN
constexpr uint8_t kClose = 7;    // TCP_CLOSE

struct Wanted {
  inet_diag_req_v2 header{};
  InetFilter filter;
  int protocol = 0;
  bool raw = false;
};

Result<Wanted> Parse(const Request& request) {
  Wanted wanted;
  std::optional<inet_diag_req_v2> header = ReadStruct<inet_diag_req_v2>(request.payload);
  if (!header) return Errno(EINVAL);
  wanted.header = *header;
  wanted.raw = header->sdiag_protocol == IPPROTO_RAW;
  wanted.protocol = wanted.raw ? header->pad : header->sdiag_protocol;
  AttributeSet attributes =
      TRY(AttributeSet::Parse(After<inet_diag_req_v2>(request.payload), INET_DIAG_REQ_MAX));
  if (attributes.Has(INET_DIAG_REQ_BYTECODE)) {
    wanted.filter = TRY(InetFilter::Create(attributes.Raw(INET_DIAG_REQ_BYTECODE)));
  }
  return wanted;
}

bool Asks(const Wanted& wanted, int extension) {
  return (wanted.header.idiag_ext >> (extension - 1) & 1) != 0;
}

void CopyAddress(const IpAddress& address, __be32 (&to)[4]) {
  std::memset(to, 0, sizeof(to));
  std::memcpy(to, address.bytes().data(), address.size());
}

std::array<uint32_t, 2> CookieOf(const InetSocketInfo& socket) {
  return {static_cast<uint32_t>(socket.cookie), static_cast<uint32_t>(socket.cookie >> 32)};
}

inet_diag_msg HeaderOf(const InetSocketInfo& socket) {
  inet_diag_msg header{};
  header.idiag_family = static_cast<uint8_t>(socket.family);
  header.idiag_state = socket.state;
  header.idiag_timer = socket.timer;
  header.idiag_retrans = socket.retransmits;
  header.id.idiag_sport = htons(socket.local_port);
  header.id.idiag_dport = htons(socket.remote_port);
  CopyAddress(socket.local, header.id.idiag_src);
  CopyAddress(socket.remote, header.id.idiag_dst);
  header.id.idiag_if = static_cast<uint32_t>(socket.bound_interface);
  std::array<uint32_t, 2> cookie = CookieOf(socket);
  std::copy(cookie.begin(), cookie.end(), header.id.idiag_cookie);
  header.idiag_expires = socket.timer_expires_ms;
  header.idiag_rqueue = socket.receive_queue;
  header.idiag_wqueue = socket.send_queue;
  header.idiag_uid = socket.uid;
  header.idiag_inode = static_cast<uint32_t>(socket.inode_number);
  return header;
}

// inet_diag_msg_attrs_fill() and inet_sk_diag_fill(), in their order.
void Fill(MessageBuilder& message, const Wanted& wanted, const InetSocketInfo& socket,
          bool privileged) {
  message.PutHeader(HeaderOf(socket));
  message.Put(INET_DIAG_SHUTDOWN, socket.shutdown);
  if (Asks(wanted, INET_DIAG_TOS)) message.Put(INET_DIAG_TOS, socket.tos);
  if (socket.family == AF_INET6) {
    if (Asks(wanted, INET_DIAG_TCLASS)) message.Put(INET_DIAG_TCLASS, socket.traffic_class);
    bool unconnected = socket.state == kListen || socket.state == kClose;
    // What is bound to a v6 address hears of nothing else.
    bool v6_only = socket.v6_only || !socket.local.IsUnspecified();
    if (unconnected) message.Put(INET_DIAG_SKV6ONLY, uint8_t{v6_only});
  }
  if (privileged) message.Put(INET_DIAG_MARK, socket.mark);
  if (wanted.raw) message.Put(INET_DIAG_PROTOCOL, static_cast<uint8_t>(socket.protocol));
  if (Asks(wanted, INET_DIAG_MEMINFO)) {
    message.Put(INET_DIAG_MEMINFO, inet_diag_meminfo{.idiag_rmem = socket.memory[0],
                                                     .idiag_wmem = socket.memory[5],
                                                     .idiag_fmem = socket.memory[4],
                                                     .idiag_tmem = socket.memory[2]});
  }
  if (Asks(wanted, INET_DIAG_SKMEMINFO)) message.Put(INET_DIAG_SKMEMINFO, socket.memory);
  if (Asks(wanted, INET_DIAG_INFO) && !socket.tcp_info.empty()) {
    message.PutBytes(INET_DIAG_INFO, socket.tcp_info);
  }
  if (Asks(wanted, INET_DIAG_CONG) && !socket.congestion_control.empty()) {
    message.PutString(INET_DIAG_CONG, socket.congestion_control);
  }
}

// inet_diag_dump_icsk() and its like.
bool Matches(const Wanted& wanted, const InetSocketInfo& socket) {
  const inet_diag_req_v2& header = wanted.header;
  if (socket.family != header.sdiag_family) return false;
  if ((header.idiag_states >> socket.state & 1) == 0) return false;
  if (header.id.idiag_sport != 0 && header.id.idiag_sport != htons(socket.local_port)) return false;
  if (header.id.idiag_dport != 0 && header.id.idiag_dport != htons(socket.remote_port)) {
    return false;
  }
  bool other_device = header.id.idiag_if != 0 &&
                      header.id.idiag_if != static_cast<uint32_t>(socket.bound_interface);
  return !other_device && wanted.filter.Passes(socket);
}

// A single socket, by its whole identity. ENOENT; ESTALE for another cookie.
Result<InetSocketInfo> FindOne(const Wanted& wanted, const std::vector<InetSocketInfo>& sockets) {
  const inet_diag_sockid& id = wanted.header.id;
  for (const InetSocketInfo& socket : sockets) {
    inet_diag_sockid own = HeaderOf(socket).id;
    size_t size = wanted.header.sdiag_family == AF_INET6 ? 16 : 4;
    bool same = socket.family == wanted.header.sdiag_family && own.idiag_sport == id.idiag_sport &&
                own.idiag_dport == id.idiag_dport &&
                std::memcmp(own.idiag_src, id.idiag_src, size) == 0 &&
                std::memcmp(own.idiag_dst, id.idiag_dst, size) == 0;
    if (!same) continue;
    bool any_cookie =
        id.idiag_cookie[0] == INET_DIAG_NOCOOKIE && id.idiag_cookie[1] == INET_DIAG_NOCOOKIE;
    bool same_cookie = std::memcmp(own.idiag_cookie, id.idiag_cookie, sizeof(id.idiag_cookie)) == 0;
    if (!any_cookie && !same_cookie) return Errno(ESTALE);
    return socket;
  }
  return Errno(ENOENT);
}

std::vector<InetSocketInfo> ListFor(const Request& request, const Wanted& wanted) {
  net::InetSocketSource* source = request.network.inet_sockets();
  if (source == nullptr) return {};
  bool details = Asks(wanted, INET_DIAG_INFO) || Asks(wanted, INET_DIAG_CONG);
  return source->List(wanted.protocol, wanted.raw, details);
}

}  // namespace

Result<void> DiagInet(Request& request) {
  Wanted wanted = TRY(Parse(request));
  std::vector<InetSocketInfo> sockets = ListFor(request, wanted);
  const bool privileged = request.HasCapability(CAP_NET_ADMIN);
  if (!request.IsDump()) {
    InetSocketInfo socket = TRY(FindOne(wanted, sockets));
    MessageBuilder message = request.NewMessage(SOCK_DIAG_BY_FAMILY);
    Fill(message, wanted, socket, privileged);
    request.Reply(std::move(message).Finish());
    return {};
  }
  std::erase_if(sockets, [&](const InetSocketInfo& socket) { return !Matches(wanted, socket); });
  uint32_t sequence = request.header.nlmsg_seq, port = request.port();
  return request.StartDump([sockets = std::move(sockets), at = size_t{0}, wanted, privileged,
                            sequence, port]() mutable -> std::optional<Bytes> {
    if (at == sockets.size()) return std::nullopt;
    MessageBuilder message(SOCK_DIAG_BY_FAMILY, NLM_F_MULTI, sequence, port);
    Fill(message, wanted, sockets[at++], privileged);
    return std::move(message).Finish();
  });
}

Result<void> DestroyInet(Request& request) {
  Wanted wanted = TRY(Parse(request));
  InetSocketInfo socket = TRY(FindOne(wanted, ListFor(request, wanted)));
  return request.network.inet_sockets()->Destroy(socket);
}

}  // namespace redoubt::netlink
