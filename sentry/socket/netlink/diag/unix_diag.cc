// SPDX-License-Identifier: Apache-2.0
//
// Linux: net/unix/diag.c.
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <sys/socket.h>

#include <algorithm>

#include "sentry/socket/netlink/diag/diag_protocol.h"
#include "sentry/socket/unix/unix.h"

namespace redoubt::netlink {

namespace {

using sockets::UnixSocketInfo;

// TCP_ESTABLISHED, TCP_LISTEN, TCP_CLOSE.
uint8_t StateOf(const UnixSocketInfo& socket) {
  if (socket.listening) return 10;
  return socket.state == 3 ? 1 : 7;
}

void Fill(MessageBuilder& message, uint32_t show, const UnixSocketInfo& socket) {
  unix_diag_msg header{};
  header.udiag_family = AF_UNIX;
  header.udiag_type = static_cast<uint8_t>(socket.type);
  header.udiag_state = StateOf(socket);
  header.udiag_ino = static_cast<uint32_t>(socket.inode_number);
  header.udiag_cookie[0] = static_cast<uint32_t>(socket.inode_number);
  header.udiag_cookie[1] = static_cast<uint32_t>(socket.inode_number >> 32);
  message.PutHeader(header);
  if ((show & UDIAG_SHOW_NAME) != 0 && !socket.name.empty()) {
    // As in sun_path: an abstract name begins with a zero.
    std::string name = socket.name;
    if (socket.is_abstract) name[0] = '\0';
    message.PutBytes(UNIX_DIAG_NAME, std::as_bytes(std::span(name)));
  }
  if ((show & UDIAG_SHOW_VFS) != 0 && socket.path_inode != 0) {
    message.Put(UNIX_DIAG_VFS, unix_diag_vfs{static_cast<uint32_t>(socket.path_inode),
                                             static_cast<uint32_t>(socket.path_device)});
  }
  if ((show & UDIAG_SHOW_PEER) != 0 && socket.peer_inode != 0) {
    message.Put(UNIX_DIAG_PEER, static_cast<uint32_t>(socket.peer_inode));
  }
  if ((show & UDIAG_SHOW_ICONS) != 0 && socket.listening) {
    std::vector<uint32_t> waiting(socket.waiting.begin(), socket.waiting.end());
    message.PutBytes(UNIX_DIAG_ICONS, std::as_bytes(std::span(waiting)));
  }
  if ((show & UDIAG_SHOW_RQLEN) != 0) {
    message.Put(UNIX_DIAG_RQLEN, unix_diag_rqlen{.udiag_rqueue = socket.receive_queue,
                                                 .udiag_wqueue = socket.send_queue});
  }
  if ((show & UDIAG_SHOW_MEMINFO) != 0) {
    std::array<uint32_t, SK_MEMINFO_VARS> memory{};
    memory[SK_MEMINFO_RCVBUF] = 212992;
    memory[SK_MEMINFO_WMEM_ALLOC] = socket.listening ? 0 : socket.send_queue;
    memory[SK_MEMINFO_SNDBUF] = socket.send_limit;
    message.Put(UNIX_DIAG_MEMINFO, memory);
  }
  message.Put(UNIX_DIAG_SHUTDOWN, socket.shutdown);
  if ((show & UDIAG_SHOW_UID) != 0) message.Put(UNIX_DIAG_UID, socket.uid);
}

}  // namespace

Result<void> DiagUnix(Request& request) {
  std::optional<unix_diag_req> wanted = ReadStruct<unix_diag_req>(request.payload);
  if (!wanted) return Errno(EINVAL);
  std::vector<UnixSocketInfo> sockets = sockets::ListUnixSockets();
  const uint32_t show = wanted->udiag_show;
  if (!request.IsDump()) {
    if (wanted->udiag_ino == 0) return Errno(EINVAL);
    for (const UnixSocketInfo& socket : sockets) {
      if (static_cast<uint32_t>(socket.inode_number) != wanted->udiag_ino) continue;
      MessageBuilder message = request.NewMessage(SOCK_DIAG_BY_FAMILY);
      Fill(message, show, socket);
      request.Reply(std::move(message).Finish());
      return {};
    }
    return Errno(ENOENT);
  }
  std::erase_if(sockets, [&](const UnixSocketInfo& socket) {
    return (wanted->udiag_states >> StateOf(socket) & 1) == 0;
  });
  uint32_t sequence = request.header.nlmsg_seq, port = request.port();
  return request.StartDump([sockets = std::move(sockets), at = size_t{0}, show, sequence,
                            port]() mutable -> std::optional<Bytes> {
    if (at == sockets.size()) return std::nullopt;
    MessageBuilder message(SOCK_DIAG_BY_FAMILY, NLM_F_MULTI, sequence, port);
    Fill(message, show, sockets[at++]);
    return std::move(message).Finish();
  });
}

}  // namespace redoubt::netlink
