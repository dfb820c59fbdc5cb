// SPDX-License-Identifier: Apache-2.0
//
// Names of unix sockets: a pathname, an abstract name (its first byte is 0) or none; and who is
// bound to which. A pathname's endpoint hangs on the S_IFSOCK inode; abstract names are in one
// table, since a sandbox has one network namespace so far.
#ifndef SENTRY_SOCKET_UNIX_ADDRESS_H_
#define SENTRY_SOCKET_UNIX_ADDRESS_H_

#include <string>

#include "sentry/socket/address.h"
#include "sentry/vfs/caller.h"
#include "sentry/vfs/inode.h"

namespace redoubt::sockets {

class Endpoint;

struct UnixName {
  enum class Kind : uint8_t { kNone, kPath, kAbstract };
  Kind kind = Kind::kNone;
  std::string text;  // Without the leading zero of an abstract name.
};

// EINVAL for a wrong family or length. An address of the family alone is kNone.
Result<UnixName> ParseUnixAddress(const SocketAddress& address);
SocketAddress ToUnixAddress(const UnixName& name);

// What ties a bound endpoint to its inode. References: the inode, and the endpoint until it closes.
class BoundEndpoint : public vfs::InodeAttachment {
 public:
  explicit BoundEndpoint(RefPtr<Endpoint> endpoint);
  ~BoundEndpoint() override;
  const RefPtr<Endpoint>& endpoint() const { return endpoint_; }

 private:
  const RefPtr<Endpoint> endpoint_;
};

// The endpoint that `name` leads `caller` to. ECONNREFUSED: nobody is bound there. Pathnames need
// write permission on the socket.
Result<RefPtr<Endpoint>> FindEndpoint(const vfs::Caller& caller, const UnixName& name);

// EADDRINUSE when the name is taken.
Result<void> BindAbstract(const std::string& name, const RefPtr<Endpoint>& endpoint);
// A free name of five hexadecimal digits; ENOSPC when all are taken.
Result<std::string> BindAutomatically(const RefPtr<Endpoint>& endpoint);
void UnbindAbstract(const std::string& name);

}  // namespace redoubt::sockets

#endif  // SENTRY_SOCKET_UNIX_ADDRESS_H_
