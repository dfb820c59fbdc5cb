// SPDX-License-Identifier: Apache-2.0
#include "sentry/socket/netlink/protocol.h"

#include <algorithm>

namespace redoubt::netlink {

namespace {

// netlink_ack(). `whole` is the request with its header.
void Acknowledge(Request& request, ByteSpan whole, int error,
                 const AcknowledgementOptions& options) {
  bool quoted = error != 0 && !options.capped;
  std::string_view sentence = options.extended ? request.sentence() : std::string_view();
  uint16_t flags = 0;
  if (!quoted) flags |= NLM_F_CAPPED;
  if (!sentence.empty()) flags |= NLM_F_ACK_TLVS;
  MessageBuilder message = request.NewMessage(NLMSG_ERROR, flags);
  message.PutHeader(int32_t{-error});
  message.PutHeader(request.header);
  if (quoted) message.Append(whole.subspan(sizeof(nlmsghdr)));
  if (!sentence.empty()) message.PutString(NLMSGERR_ATTR_MSG, sentence);
  request.Reply(std::move(message).Finish());
}

// One message of the datagram.
void HandleMessage(NetlinkProtocol& protocol, const DatagramSender& sender, const nlmsghdr& header,
                   ByteSpan whole) {
  Request request(sender.endpoint, sender.network, sender.caller, header,
                  whole.subspan(sizeof(nlmsghdr)), sender.opener_capabilities, sender.strict,
                  sender.acknowledgement.extended);
  int error = 0;
  // Control messages and what is no request are only acknowledged.
  if ((header.nlmsg_flags & NLM_F_REQUEST) != 0 && header.nlmsg_type >= NLMSG_MIN_TYPE) {
    Result<void> result = protocol.Handle(request);
    if (!result.ok()) error = result.error().value();
    if (error == 0 && request.answered_by_dump()) return;
  }
  if (error == 0 && (header.nlmsg_flags & NLM_F_ACK) == 0) return;
  Acknowledge(request, whole, error, sender.acknowledgement);
}

}  // namespace

void HandleDatagram(NetlinkProtocol& protocol, const DatagramSender& sender, ByteSpan data) {
  while (data.size() >= sizeof(nlmsghdr)) {
    nlmsghdr header = *ReadStruct<nlmsghdr>(data);
    if (header.nlmsg_len < sizeof(nlmsghdr) || header.nlmsg_len > data.size()) return;
    HandleMessage(protocol, sender, header, data.first(header.nlmsg_len));
    data = data.subspan(std::min(data.size(), Aligned(header.nlmsg_len)));
  }
}

}  // namespace redoubt::netlink
