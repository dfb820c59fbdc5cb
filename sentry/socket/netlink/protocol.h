// SPDX-License-Identifier: Apache-2.0
//
// NetlinkProtocol: the kernel's side of one netlink protocol (NETLINK_ROUTE ...), and Request, one
// message to it.
//
//   Result<void> Handle(Request& request) override {
//     if (request.IsDump()) return request.StartDump([...] { ... });
//     request.Reply(MakeMessage(...));
//     return {};                        // An acknowledgement follows if it was asked for.
//   }
#ifndef SENTRY_SOCKET_NETLINK_PROTOCOL_H_
#define SENTRY_SOCKET_NETLINK_PROTOCOL_H_

#include <utility>

#include "sentry/socket/net/network_namespace.h"
#include "sentry/socket/netlink/endpoint.h"
#include "sentry/socket/netlink/message.h"
#include "sentry/vfs/caller.h"

namespace redoubt::netlink {

class Request {
 public:
  Request(Endpoint& endpoint, net::NetworkNamespace& network, const vfs::Caller& caller,
          const nlmsghdr& header, ByteSpan payload, uint64_t opener_capabilities, bool strict,
          bool extended)
      : network(network),
        caller(caller),
        header(header),
        payload(payload),
        strict(strict),
        endpoint_(endpoint),
        opener_capabilities_(opener_capabilities),
        extended_(extended) {}

  net::NetworkNamespace& network;
  const vfs::Caller& caller;
  const nlmsghdr header;
  const ByteSpan payload;  // Behind the header.
  const bool strict;       // NETLINK_GET_STRICT_CHK.

  bool Has(uint16_t flag) const { return (header.nlmsg_flags & flag) == flag; }
  bool IsDump() const { return Has(NLM_F_DUMP); }
  uint32_t port() const { return endpoint_.port(); }
  // netlink_net_capable(): whoever opened the socket must have had it too.
  bool HasCapability(int capability) const {
    return caller.HasCapability(capability) && (opener_capabilities_ >> capability & 1) != 0;
  }

  // A builder for an answer: the request's sequence number and port.
  MessageBuilder NewMessage(uint16_t type, uint16_t flags = 0) const {
    return {type, flags, header.nlmsg_seq, port()};
  }
  // To the sender. Lost, with ENOBUFS at its next receive, when its queue is full.
  void Reply(Bytes message) {
    (void)endpoint_.Deliver({.data = std::make_shared<const Bytes>(std::move(message))}, true);
  }
  // EBUSY. No acknowledgement follows: the dump's end is one.
  Result<void> StartDump(DumpStep step) {
    TRY(endpoint_.StartDump(std::move(step), header.nlmsg_seq));
    answered_by_dump_ = true;
    return {};
  }
  // A dump that fails before its first message: its end tells why.
  Result<void> FailDump(Errno error) {
    TRY(endpoint_.StartDump(
        [] { return std::nullopt; }, header.nlmsg_seq,
        {.error = error.value(), .sentence = extended_ ? sentence_ : std::string_view()}));
    answered_by_dump_ = true;
    return {};
  }
  bool answered_by_dump() const { return answered_by_dump_; }

  // An error with a sentence, for NETLINK_EXT_ACK.
  Errno Refuse(int error, std::string_view sentence) {
    sentence_ = sentence;
    return Errno(error);
  }
  std::string_view sentence() const { return sentence_; }

 private:
  Endpoint& endpoint_;
  const uint64_t opener_capabilities_;
  const bool extended_;  // NETLINK_EXT_ACK.
  bool answered_by_dump_ = false;
  std::string_view sentence_;  // A literal.
};

class NetlinkProtocol {
 public:
  virtual ~NetlinkProtocol() = default;
  virtual uint32_t group_count() const { return 32; }
  // Whether anyone may join groups, or send to other users' sockets and groups.
  virtual bool anyone_may_listen() const { return true; }
  virtual bool anyone_may_send() const { return false; }
  // False: there is nobody to send to (ECONNREFUSED).
  virtual bool has_kernel_side() const { return true; }
  // One message with NLM_F_REQUEST, not a control message.
  virtual Result<void> Handle(Request& request) = 0;
};

// netlink_rcv_skb(): every request of a datagram, and what acknowledges it.
struct AcknowledgementOptions {
  bool capped = false;    // NETLINK_CAP_ACK.
  bool extended = false;  // NETLINK_EXT_ACK.
};
struct DatagramSender {
  Endpoint& endpoint;
  net::NetworkNamespace& network;
  const vfs::Caller& caller;
  uint64_t opener_capabilities = 0;
  bool strict = false;
  AcknowledgementOptions acknowledgement;
};
void HandleDatagram(NetlinkProtocol& protocol, const DatagramSender& sender, ByteSpan data);

}  // namespace redoubt::netlink

#endif  // SENTRY_SOCKET_NETLINK_PROTOCOL_H_
