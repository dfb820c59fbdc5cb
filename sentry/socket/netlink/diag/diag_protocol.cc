// SPDX-License-Identifier: Apache-2.0
#include "sentry/socket/netlink/diag/diag_protocol.h"

#include <linux/sock_diag.h>
#include <sys/socket.h>

namespace redoubt::netlink {

// sock_diag_rcv_msg().
Result<void> DiagProtocol::Handle(Request& request) {
  const uint16_t type = request.header.nlmsg_type;
  // TCPDIAG_GETSOCK and DCCPDIAG_GETSOCK are older than sock_diag; ss(8) does not need them.
  if (type != SOCK_DIAG_BY_FAMILY && type != SOCK_DESTROY) return Errno(EINVAL);
  std::optional<sock_diag_req> wanted = ReadStruct<sock_diag_req>(request.payload);
  if (!wanted) return Errno(EINVAL);
  const bool destroy = type == SOCK_DESTROY;
  if (destroy && !request.HasCapability(CAP_NET_ADMIN)) return Errno(EPERM);
  switch (wanted->sdiag_family) {
    case AF_INET:
    case AF_INET6:
      return destroy ? DestroyInet(request) : DiagInet(request);
    case AF_UNIX:
      if (destroy) return Errno(EOPNOTSUPP);
      return DiagUnix(request);
    case AF_NETLINK:
      if (destroy) return Errno(EOPNOTSUPP);
      return DiagNetlink(request);
    default:
      return Errno(wanted->sdiag_family >= AF_MAX ? EINVAL : ENOENT);
  }
}

}  // namespace redoubt::netlink
