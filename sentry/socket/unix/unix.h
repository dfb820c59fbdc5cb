// SPDX-License-Identifier: Apache-2.0
//
// unix(7): the AF_UNIX family. Boot calls RegisterUnixFamily(); everything else is reached through
// Socket. A pathname address is walked by the VFS and names an S_IFSOCK inode; who is bound to an
// inode is in a table (bound_sockets.h), so that any file system may hold the node.
#ifndef SENTRY_SOCKET_UNIX_UNIX_H_
#define SENTRY_SOCKET_UNIX_UNIX_H_

#include <cstdint>
#include <string>
#include <vector>

#include "sentry/socket/family.h"

namespace redoubt::sockets {

void RegisterUnixFamily();

// What /proc/net/unix lists.
struct UnixSocketInfo {
  uint64_t inode_number = 0;
  int references = 0;
  int type = 0;
  int state = 0;  // SS_*: 1 unconnected, 3 connected; listening sockets show flag 0x10000.
  bool listening = false;
  std::string name;  // Path, or '@' and the abstract name; empty when unbound.
  bool is_abstract = false;
  uint64_t path_inode = 0, path_device = 0;  // Of a bound pathname.
  uint64_t peer_inode = 0;
  std::vector<uint64_t> waiting;  // Of a listener: who connected and was not accepted yet.
  uint32_t receive_queue = 0;     // Bytes; of a listener how many wait.
  uint32_t send_queue = 0;        // Bytes; of a listener its backlog.
  uint32_t send_limit = 0;
  uint8_t shutdown = 0;  // 1 receiving, 2 sending.
  uint32_t uid = 0;
};
std::vector<UnixSocketInfo> ListUnixSockets();
// The rows of /proc/net/unix.
std::string UnixRows();

}  // namespace redoubt::sockets

#endif  // SENTRY_SOCKET_UNIX_UNIX_H_
