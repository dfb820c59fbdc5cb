// SPDX-License-Identifier: Apache-2.0
#include "sentry/socket/netlink/netlink.h"

#include <array>
#include <memory>

#include "absl/strings/str_format.h"
#include "sentry/socket/family.h"
#include "sentry/socket/netlink/diag/diag_protocol.h"
#include "sentry/socket/netlink/generic.h"
#include "sentry/socket/netlink/netlink_socket.h"
#include "sentry/socket/netlink/port_table.h"
#include "sentry/socket/netlink/route/route_protocol.h"

namespace redoubt::netlink {

namespace {

// Bindable, and silent: the sandbox's devices never change.
class UeventProtocol : public NetlinkProtocol {
 public:
  Result<void> Handle(Request& request) override {
    return Errno(request.HasCapability(CAP_SYS_ADMIN) ? EOPNOTSUPP : EPERM);
  }
};

class UserProtocol : public NetlinkProtocol {
 public:
  bool anyone_may_listen() const override { return false; }
  bool anyone_may_send() const override { return true; }
  bool has_kernel_side() const override { return false; }
  Result<void> Handle(Request&) override { return Errno(ECONNREFUSED); }
};

class NetlinkFamily : public sockets::SocketProvider {
 public:
  NetlinkFamily() {
    protocols_[NETLINK_ROUTE] = std::make_unique<RouteProtocol>();
    protocols_[NETLINK_SOCK_DIAG] = std::make_unique<DiagProtocol>();
    protocols_[NETLINK_GENERIC] = std::make_unique<GenericProtocol>();
    protocols_[NETLINK_KOBJECT_UEVENT] = std::make_unique<UeventProtocol>();
    protocols_[NETLINK_USERSOCK] = std::make_unique<UserProtocol>();
  }

  Result<RefPtr<sockets::Socket>> Create(const vfs::Caller& caller, int type, int protocol,
                                         uint32_t flags) override {
    if (type != SOCK_RAW && type != SOCK_DGRAM) return Errno(ESOCKTNOSUPPORT);
    if (protocol < 0 || protocol >= MAX_LINKS) return Errno(EPROTONOSUPPORT);
    NetlinkProtocol* kernel_side = protocols_[static_cast<size_t>(protocol)].get();
    if (kernel_side == nullptr) return Errno(EPROTONOSUPPORT);
    return RefPtr<sockets::Socket>(
        MakeRef<NetlinkSocket>(*kernel_side, type, protocol, flags, caller));
  }

 private:
  std::array<std::unique_ptr<NetlinkProtocol>, MAX_LINKS> protocols_;
};

}  // namespace

void RegisterNetlinkFamily() {
  StartNotifying(net::NetworkNamespace::Initial());
  sockets::RegisterFamily(AF_NETLINK, std::make_unique<NetlinkFamily>());
}

std::string NetlinkRows(net::NetworkNamespace& network) {
  std::string rows;
  for (const RefPtr<Endpoint>& endpoint : network.Extension<PortTable>().All()) {
    Endpoint::Status status = endpoint->GetStatus();
    absl::StrAppendFormat(&rows, "%016x %-3d %-10u %08x %-8d %-8d %-5d %-8d %-8d %-8d\n", 0,
                          endpoint->protocol(), endpoint->port(),
                          static_cast<uint32_t>(endpoint->groups().load()), status.queued_bytes, 0,
                          status.dumping ? 1 : 0, 2, status.drops, endpoint->inode_number().load());
  }
  return rows;
}

}  // namespace redoubt::netlink
