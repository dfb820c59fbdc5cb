// SPDX-License-Identifier: Apache-2.0
//
// Queue disciplines: every interface has "noqueue", and no other can be had (Linux: sch_api.c).
#include <linux/pkt_sched.h>

#include <algorithm>

#include "sentry/socket/netlink/route/route_protocol.h"

namespace redoubt::netlink {

Result<void> GetQueueDiscipline(Request& request) {
  std::optional<tcmsg> header = ReadStruct<tcmsg>(request.payload);
  if (!header) return Errno(EINVAL);
  if (!request.IsDump()) return Errno(EOPNOTSUPP);
  std::vector<net::Interface> interfaces = request.network.Interfaces();
  std::erase_if(interfaces, [&](const net::Interface& interface) {
    bool other = header->tcm_ifindex != 0 && header->tcm_ifindex != interface.index;
    return other || !interface.IsUp();
  });
  return DumpAll(request, RTM_NEWQDISC, std::move(interfaces),
                 [](MessageBuilder& message, const net::Interface& interface) {
                   tcmsg header{};
                   header.tcm_ifindex = interface.index;
                   header.tcm_parent = TC_H_ROOT;
                   header.tcm_info = 2;  // References.
                   message.PutHeader(header);
                   message.PutString(TCA_KIND, "noqueue");
                   message.Put(TCA_HW_OFFLOAD, uint8_t{0});
                 });
}

}  // namespace redoubt::netlink
