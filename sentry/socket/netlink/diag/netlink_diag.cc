// SPDX-License-Identifier: Apache-2.0
//
// Linux: net/netlink/diag.c.
#include <linux/netlink_diag.h>
#include <linux/sock_diag.h>
#include <sys/socket.h>

#include <algorithm>

#include "sentry/socket/netlink/diag/diag_protocol.h"
#include "sentry/socket/netlink/port_table.h"

namespace redoubt::netlink {

namespace {

void Fill(MessageBuilder& message, uint32_t show, Endpoint& endpoint) {
  netlink_diag_msg header{};
  header.ndiag_family = AF_NETLINK;
  header.ndiag_type = SOCK_RAW;
  header.ndiag_protocol = static_cast<uint8_t>(endpoint.protocol());
  header.ndiag_portid = endpoint.port();
  header.ndiag_ino = static_cast<uint32_t>(endpoint.inode_number());
  header.ndiag_cookie[0] = static_cast<uint32_t>(endpoint.inode_number());
  message.PutHeader(header);
  if ((show & NDIAG_SHOW_GROUPS) != 0) {
    message.Put(NETLINK_DIAG_GROUPS, uint64_t{endpoint.groups().load()});
  }
  if ((show & NDIAG_SHOW_MEMINFO) != 0) {
    Endpoint::Status status = endpoint.GetStatus();
    std::array<uint32_t, SK_MEMINFO_VARS> memory{};
    memory[SK_MEMINFO_RMEM_ALLOC] = static_cast<uint32_t>(status.queued_bytes);
    memory[SK_MEMINFO_RCVBUF] = static_cast<uint32_t>(endpoint.receive_limit().load());
    memory[SK_MEMINFO_DROPS] = static_cast<uint32_t>(status.drops);
    message.Put(NETLINK_DIAG_MEMINFO, memory);
  }
}

}  // namespace

Result<void> DiagNetlink(Request& request) {
  std::optional<netlink_diag_req> wanted = ReadStruct<netlink_diag_req>(request.payload);
  if (!wanted) return Errno(EINVAL);
  if (!request.IsDump()) return Errno(EOPNOTSUPP);
  // Made at once: the endpoints' locks must not be taken while this one's is held for the dump.
  auto messages = std::make_shared<std::vector<Bytes>>();
  for (const RefPtr<Endpoint>& endpoint : request.network.Extension<PortTable>().All()) {
    bool other =
        wanted->sdiag_protocol != NDIAG_PROTO_ALL && wanted->sdiag_protocol != endpoint->protocol();
    if (other) continue;
    MessageBuilder message = request.NewMessage(SOCK_DIAG_BY_FAMILY, NLM_F_MULTI);
    Fill(message, wanted->ndiag_show, *endpoint);
    messages->push_back(std::move(message).Finish());
  }
  return request.StartDump([messages, at = size_t{0}]() mutable -> std::optional<Bytes> {
    if (at == messages->size()) return std::nullopt;
    return (*messages)[at++];
  });
}

}  // namespace redoubt::netlink
