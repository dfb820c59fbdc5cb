// SPDX-License-Identifier: Apache-2.0
//
// /proc/net/unix: unix_seq_show().
#include <algorithm>

#include "absl/strings/str_format.h"
#include "sentry/socket/unix/unix.h"

namespace redoubt::sockets {

std::string UnixRows() {
  constexpr int kAcceptsConnections = 0x10000;  // __SO_ACCEPTCON
  std::string rows;
  for (const UnixSocketInfo& socket : ListUnixSockets()) {
    absl::StrAppendFormat(&rows, "%016x: %08X %08X %08X %04X %02X %5d", 0, socket.references, 0,
                          socket.listening ? kAcceptsConnections : 0, socket.type, socket.state,
                          socket.inode_number);
    if (!socket.name.empty()) {
      std::string name = socket.name;
      std::replace(name.begin(), name.end(), '\0', '@');
      rows += " " + name;
    }
    rows += "\n";
  }
  return rows;
}

}  // namespace redoubt::sockets
