// SPDX-License-Identifier: Apache-2.0
//
// Tables of /proc/net whose rows come from socket families that proc does not know: "unix",
// "netlink", "packet". Without a provider a table is its heading, which is right for a sandbox
// without that family. What a network namespace itself knows is in sentry/socket/net/proc_text.h.
//
//   proc::SetNetRows("netlink", &netlink::NetlinkRows);      // At boot.
#ifndef SENTRY_FS_PROC_NET_ROWS_H_
#define SENTRY_FS_PROC_NET_ROWS_H_

#include <functional>
#include <string>
#include <string_view>

namespace redoubt::net {
class NetworkNamespace;
}

namespace redoubt::proc {

// Whole lines. Runs without locks; must not keep anything that its own release needs to wait for.
using NetRows = std::function<std::string(net::NetworkNamespace& network)>;

// `table` is the file's name. Null: none.
void SetNetRows(std::string_view table, NetRows rows);
// The rows of a table as `network` has them.
std::string RowsOf(std::string_view table, net::NetworkNamespace& network);

}  // namespace redoubt::proc

#endif  // SENTRY_FS_PROC_NET_ROWS_H_
