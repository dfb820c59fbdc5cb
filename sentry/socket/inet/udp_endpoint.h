// SPDX-License-Identifier: Apache-2.0
//
// UdpEndpoint: a datagram socket's queue and names (net/ipv4/udp.c, net/ipv6/udp.c). A datagram
// goes from the sender straight into the queue of whoever is bound to its destination; when nobody
// is, the sender hears of it as by ICMP: ECONNREFUSED if it is connected, an entry in its error
// queue if it asked for that.
//
// ICMP echo sockets (net/ipv4/ping.c) are the same with another way to send: a request to an own
// address is answered at once (echo.cc). Their "port" is the request's identifier.
//
// A datagram is charged to its receiver's SO_RCVBUF; what does not fit is dropped without a word.
#ifndef SENTRY_SOCKET_INET_UDP_ENDPOINT_H_
#define SENTRY_SOCKET_INET_UDP_ENDPOINT_H_

#include <netinet/in.h>

#include <list>
#include <optional>
#include <vector>

#include "sentry/socket/inet/inet_endpoint.h"

namespace redoubt::inet {

struct Datagram {
  std::vector<std::byte> data;
  InetName source;
  InetName destination;
  int interface_index = net::kLoopbackIndex;
  uint8_t ttl = 64;
  uint8_t tos = 0;
  int64_t received_ns = 0;  // Realtime clock.
  size_t charge() const { return data.size() + 768; }
};

// What a send is told by options and control messages.
struct DatagramSettings {
  bool may_broadcast = false;
  std::optional<IpAddress> source;  // IP_PKTINFO.
  int interface_index = 0;
  std::optional<uint8_t> ttl;
  std::optional<uint8_t> tos;
  size_t segment = 0;  // UDP_SEGMENT; 0: one datagram.
};

class UdpEndpoint : public InetEndpoint {
 public:
  // `protocol`: IPPROTO_UDP, or IPPROTO_ICMP[V6] for an echo socket.
  UdpEndpoint(RefPtr<net::NetworkNamespace> network, int family, int protocol = IPPROTO_UDP);
  ~UdpEndpoint() override;

  Result<void> Connect(const SocketAddress& address, bool may_broadcast);
  Result<void> Shutdown(bool read, bool write);
  void Close();

  // `address` null: the connected peer. `more`: wait for the rest (MSG_MORE, UDP_CORK).
  Result<size_t> Send(std::span<const std::byte> data, const SocketAddress* address,
                      const DatagramSettings& settings, bool more);
  // UDP_CORK was cleared: what waits goes.
  Result<void> SendPending();
  // The next datagram; an empty optional at the end of what shutdown(2) cut off.
  Result<std::optional<Datagram>> Receive(bool peek);

  EventMask Readiness(EventMask mask);
  Result<SocketAddress> PeerName();
  bool IsConnected();
  int TakeError();
  size_t FirstSize();  // SIOCINQ.
  bool Describe(net::InetSocketInfo& info, bool with_details) override;
  void SetReceiveBuffer(size_t bytes) { receive_buffer_ = bytes; }

  // Groups (multicast.cc). EINVAL, ENODEV, EADDRINUSE, EADDRNOTAVAIL, ENOBUFS.
  Result<void> JoinGroup(const IpAddress& group, const IpAddress& interface_address,
                         int interface_index);
  Result<void> LeaveGroup(const IpAddress& group, const IpAddress& interface_address,
                          int interface_index);
  // IP_MULTICAST_IF, IPV6_MULTICAST_IF.
  struct MulticastInterface {
    int index = 0;
    IpAddress address;
  };
  Result<void> SetMulticastInterface(int family, const MulticastInterface& wanted);
  MulticastInterface GetMulticastInterface(int family);

 private:
  struct Target {
    InetName name;
    IpAddress source;
    uint8_t type = 0;  // RTN_*.
    int interface_index = 0;
  };

  bool MayBindLocked() override ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return !connected_; }
  Result<void> Disconnect();
  // Where a datagram to `address` goes: names, route, permission.
  Result<InetName> ParseDestination(const SocketAddress& address);
  Result<Target> Resolve(InetName name, const DatagramSettings& settings);
  Result<Target> FindTarget(const SocketAddress* address, const DatagramSettings& settings);
  Result<size_t> Transmit(std::span<const std::byte> data, const Target& target,
                          const DatagramSettings& settings);
  Result<void> CheckMaySend();
  bool IsEcho() const { return protocol_ != IPPROTO_UDP; }
  // echo.cc
  Result<size_t> TransmitEcho(std::span<const std::byte> data, const Target& target,
                              const DatagramSettings& settings);
  void TransmitOne(Datagram datagram, const Target& target);
  void Spread(const Datagram& datagram, const Target& target);
  void Deliver(Datagram datagram);
  // ICMP port unreachable.
  void NoteUnreachable(const Datagram& datagram);
  bool ReceivesGroupLocked(const IpAddress& group, int interface_index)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  Result<int> FindGroupInterface(const IpAddress& group, const IpAddress& interface_address,
                                 int interface_index);
  void Count(const IpAddress& address, net::Counter v4, net::Counter v6);

  const int protocol_;
  std::atomic<size_t> receive_buffer_{212992};
  std::atomic<uint32_t> drops_{0};

  bool connected_ ABSL_GUARDED_BY(mu_) = false;
  uint8_t shutdown_ ABSL_GUARDED_BY(mu_) = 0;
  int error_ ABSL_GUARDED_BY(mu_) = 0;
  std::list<Datagram> queue_ ABSL_GUARDED_BY(mu_);
  size_t charged_ ABSL_GUARDED_BY(mu_) = 0;
  // What waits for the rest of a datagram, and where it will go.
  std::vector<std::byte> pending_ ABSL_GUARDED_BY(mu_);
  std::optional<Target> pending_target_ ABSL_GUARDED_BY(mu_);
  DatagramSettings pending_settings_ ABSL_GUARDED_BY(mu_);
  std::vector<GroupName> groups_ ABSL_GUARDED_BY(mu_);
  MulticastInterface multicast4_ ABSL_GUARDED_BY(mu_);
  MulticastInterface multicast6_ ABSL_GUARDED_BY(mu_);
};

}  // namespace redoubt::inet

#endif  // SENTRY_SOCKET_INET_UDP_ENDPOINT_H_
