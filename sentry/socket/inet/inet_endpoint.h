// SPDX-License-Identifier: Apache-2.0
//
// InetEndpoint: one end of internet communication (Linux's struct inet_sock): its names, its share
// of a port, its IP options. TcpEndpoint, UdpEndpoint and EchoEndpoint are its kinds. As with unix
// sockets, the open file (InetSocket) is separate: it closes its endpoint when it goes, and the
// endpoint lives on for as long as a peer or a listener knows it.
//
// References are held by its socket, its peer, a listener's queues, and whoever found it in a
// PortTable (which holds none: the endpoint leaves the table first).
//
// Locks: mu_ (kSocket). Two endpoints are locked at once only by PairLock, in address order, or
// when one of them is not known to anybody else yet.
#ifndef SENTRY_SOCKET_INET_INET_ENDPOINT_H_
#define SENTRY_SOCKET_INET_INET_ENDPOINT_H_

#include <atomic>
#include <memory>

#include "base/ref_counted.h"
#include "base/sync/wait_queue.h"
#include "sentry/socket/inet/inet_stack.h"
#include "sentry/socket/inet/ip_options.h"
#include "sentry/socket/inet/port_table.h"
#include "sentry/socket/inet/queued_error.h"
#include "sentry/socket/socket.h"
#include "sentry/vfs/caller.h"

namespace redoubt::inet {

class InetEndpoint : public RefCounted<InetEndpoint> {
 public:
  // `family`: AF_INET, AF_INET6.
  InetEndpoint(RefPtr<net::NetworkNamespace> network, int family, PortTable& ports);
  virtual ~InetEndpoint();

  int family() const { return family_; }
  net::NetworkNamespace& network() { return *network_; }
  InetStack& stack() { return network_->Extension<InetStack>(); }
  WaitQueue& wait_queue() { return wait_queue_; }

  // bind(2).
  Result<void> Bind(const vfs::Caller& caller, const SocketAddress& address);
  SocketAddress Name();

  // What listings tell; false when there is nothing to show.
  virtual bool Describe(net::InetSocketInfo& info, bool with_details) = 0;

  // Options that the port table must know of.
  void SetReuse(bool address, bool port);
  Result<void> SetV6Only(bool on);  // EINVAL once bound.
  bool v6_only();
  void SetDevice(int index);
  int device();

  const IpOptions& options() const;
  IpOptions& mutable_options();  // Makes them.

  uint64_t cookie() const { return cookie_; }  // SO_COOKIE.

  // MSG_ERRQUEUE: the oldest queued error with what it is about. EAGAIN.
  Result<sockets::ReceiveResult> ReceiveError(const sockets::ReceiveRequest& request);
  bool HasErrors();

  // Who the socket belongs to, for listings.
  std::atomic<uint32_t>& uid() { return uid_; }
  std::atomic<uint64_t>& inode_number() { return inode_number_; }

 protected:
  // Locks both ends in the one order.
  class PairLock {
   public:
    PairLock(InetEndpoint& a, InetEndpoint& b);
    ~PairLock();

   private:
    InetEndpoint* first_;
    InetEndpoint* second_;  // Null when both are the same.
  };

  bool IsStream() const { return is_stream_; }
  // Whether bind(2) is still possible: EINVAL otherwise.
  virtual bool MayBindLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) = 0;
  // An ephemeral port for an endpoint without one. EADDRINUSE becomes EAGAIN, as in
  // inet_autobind().
  Result<void> BindAutomaticallyLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Where to and from: the route, with what connect(2) does to 0.0.0.0. `name` is completed.
  // ENETUNREACH, EHOSTUNREACH (no interface leads out yet).
  Result<net::RouteAnswer> RouteTo(InetName& name, const IpAddress& source, int device);
  // Full queues forget: errors are a service.
  void QueueErrorLocked(QueuedError error) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void FillInfoLocked(net::InetSocketInfo& info) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const RefPtr<net::NetworkNamespace> network_;
  const int family_;
  bool is_stream_ = false;
  PortTable& ports_;
  WaitQueue wait_queue_;

  Mutex<LockRank::kSocket> mu_;
  std::unique_ptr<std::deque<QueuedError>> errors_ ABSL_GUARDED_BY(mu_);  // Null: none yet.
  // Its port is Linux's inet_num; local_.port is what getsockname(2) shows even after the port was
  // given back. Changed under mu_, and by ports_ under its own lock too.
  Binding binding_;
  InetName local_ ABSL_GUARDED_BY(mu_);
  InetName remote_ ABSL_GUARDED_BY(mu_);                // Port 0 and unspecified: none.
  bool address_is_users_ ABSL_GUARDED_BY(mu_) = false;  // SOCK_BINDADDR_LOCK.
  bool port_is_users_ ABSL_GUARDED_BY(mu_) = false;     // SOCK_BINDPORT_LOCK.

 private:
  Result<InetName> ParseBindName(const SocketAddress& address) const;
  // Whether the address may be bound to at all.
  Result<void> CheckBindAddress(const InetName& name);

  std::atomic<IpOptions*> options_{nullptr};
  const uint64_t cookie_;
  std::atomic<uint32_t> uid_{0};
  std::atomic<uint64_t> inode_number_{0};
};

}  // namespace redoubt::inet

#endif  // SENTRY_SOCKET_INET_INET_ENDPOINT_H_
