// SPDX-License-Identifier: Apache-2.0
#include "sentry/socket/netlink/netlink_socket.h"

#include <bit>

#include "sentry/socket/netlink/port_table.h"

namespace redoubt::netlink {

namespace {

using sockets::ReceiveRequest;
using sockets::ReceiveResult;
using sockets::SendRequest;
using sockets::SocketAddress;

// The options that are on or off.
constexpr int kBooleans[] = {NETLINK_PKTINFO, NETLINK_BROADCAST_ERROR, NETLINK_NO_ENOBUFS,
                             NETLINK_CAP_ACK, NETLINK_EXT_ACK,         NETLINK_GET_STRICT_CHK};

bool IsBoolean(int option) {
  return std::find(std::begin(kBooleans), std::end(kBooleans), option) != std::end(kBooleans);
}

template <typename T>
std::vector<std::byte> ToBytes(const T& value) {
  const auto bytes = std::as_bytes(std::span(&value, 1));
  return {bytes.begin(), bytes.end()};
}

SocketAddress MakeAddress(uint32_t port, uint32_t groups) {
  sockaddr_nl address{.nl_family = AF_NETLINK, .nl_pad = 0, .nl_pid = port, .nl_groups = groups};
  return *SocketAddress::From(std::as_bytes(std::span(&address, 1)));
}

// netlink_group_mask().
uint32_t MaskOf(uint32_t group) {
  return group == 0 || group > 32 ? 0 : uint32_t{1} << (group - 1);
}

// EINVAL for a wrong family or length.
Result<sockaddr_nl> ParseAddress(const SocketAddress& address) {
  std::optional<sockaddr_nl> parsed = ReadStruct<sockaddr_nl>(address.bytes());
  if (!parsed || parsed->nl_family != AF_NETLINK) return Errno(EINVAL);
  return *parsed;
}

// NETLINK_PKTINFO's control message.
std::vector<std::byte> PacketInfo(uint32_t group) {
  abi::ControlMessageHeader header{
      .length = sizeof(header) + sizeof(nl_pktinfo), .level = SOL_NETLINK, .type = NETLINK_PKTINFO};
  std::vector<std::byte> bytes = ToBytes(header);
  std::vector<std::byte> data = ToBytes(nl_pktinfo{.group = group});
  bytes.insert(bytes.end(), data.begin(), data.end());
  bytes.resize((bytes.size() + 7) & ~size_t{7});
  return bytes;
}

}  // namespace

NetlinkSocket::NetlinkSocket(NetlinkProtocol& protocol, int type, int number, uint32_t flags,
                             const vfs::Caller& caller)
    : Socket(AF_NETLINK, type, number, flags, caller),
      kernel_side_(protocol),
      network_(&net::NamespaceOf(caller)),
      opener_capabilities_(caller.capabilities),
      endpoint_(MakeRef<Endpoint>(number)) {
  Result<vfs::Attributes> attributes = inode()->GetAttributes();
  if (attributes.ok()) endpoint_->inode_number() = attributes->inode_number;
  network_->Extension<PortTable>().Add(endpoint_);
}

NetlinkSocket::~NetlinkSocket() {
  network_->Extension<PortTable>().Remove(*endpoint_);
  endpoint_->Close();
}

Result<void> NetlinkSocket::CheckMayListen(const vfs::Caller& caller) const {
  if (kernel_side_.anyone_may_listen() || caller.HasCapability(CAP_NET_ADMIN)) return {};
  return Errno(EPERM);
}

Result<void> NetlinkSocket::BindIfUnbound(const vfs::Caller& caller) {
  if (endpoint_->port() != 0) return {};
  return network_->Extension<PortTable>().BindAutomatically(*endpoint_, caller.tgid);
}

// netlink_bind(): the low 32 groups are replaced by those of the address.
Result<void> NetlinkSocket::Bind(const vfs::Caller& caller, const SocketAddress& address) {
  sockaddr_nl wanted = TRY(ParseAddress(address));
  if (wanted.nl_groups != 0) TRY(CheckMayListen(caller));
  if (endpoint_->port() != 0 && wanted.nl_pid != endpoint_->port()) return Errno(EINVAL);
  if (wanted.nl_pid != 0) {
    TRY(network_->Extension<PortTable>().Bind(*endpoint_, wanted.nl_pid));
  } else {
    TRY(BindIfUnbound(caller));
  }
  // Every protocol has at least 32.
  uint64_t groups = endpoint_->groups().load();
  while (!endpoint_->groups().compare_exchange_weak(
      groups, (groups & ~uint64_t{0xffffffff}) | wanted.nl_groups)) {
  }
  return {};
}

Result<NetlinkSocket::Destination> NetlinkSocket::ParseDestination(const vfs::Caller& caller,
                                                                   const SocketAddress& address) {
  sockaddr_nl to = TRY(ParseAddress(address));
  bool privileged = to.nl_pid != 0 || to.nl_groups != 0;
  if (privileged && !kernel_side_.anyone_may_send() && !caller.HasCapability(CAP_NET_ADMIN)) {
    return Errno(EPERM);
  }
  // ffs(): the lowest group only.
  uint32_t group = to.nl_groups == 0 ? 0 : std::countr_zero(to.nl_groups) + 1;
  return Destination{.port = to.nl_pid, .group = group};
}

Result<void> NetlinkSocket::Connect(const vfs::Caller& caller, const SocketAddress& address) {
  if (address.length() < sizeof(sa_family_t)) return Errno(EINVAL);
  Destination destination;
  if (address.family() != AF_UNSPEC) {
    destination = TRY(ParseDestination(caller, address));
    TRY(BindIfUnbound(caller));
  }
  peer_port_ = destination.port;
  peer_group_ = destination.group;
  return {};
}

Result<void> NetlinkSocket::Deliver(const SendRequest& request, const Destination& destination) {
  PortTable& ports = network_->Extension<PortTable>();
  const vfs::Caller& caller = request.caller;
  Datagram datagram{.data = std::make_shared<const Bytes>(request.data.begin(), request.data.end()),
                    .sender_port = endpoint_->port(),
                    .group = destination.group,
                    .credentials = request.control.credentials.value_or(abi::SocketCredentials{
                        .pid = caller.tgid, .uid = caller.uid, .gid = caller.gid})};
  if (destination.group != 0) {
    bool heard = ports.Multicast(datagram, protocol());
    // It goes to the port as well; that nobody was in the group is no error for the kernel's.
    if (destination.port == 0 && !kernel_side_.has_kernel_side()) {
      if (!heard) return Errno(ESRCH);
      return {};
    }
    datagram.group = 0;
  }
  if (destination.port != 0) {
    RefPtr<Endpoint> to = ports.Find(protocol(), destination.port);
    if (!to) return Errno(ECONNREFUSED);
    Result<void> delivered = to->Deliver(std::move(datagram), false);
    // Linux would wait for the other's room.
    if (delivered.Is(EAGAIN)) return Errno(ENOBUFS);
    return delivered;
  }
  if (!kernel_side_.has_kernel_side()) return Errno(ECONNREFUSED);
  DatagramSender sender{
      .endpoint = *endpoint_,
      .network = *network_,
      .caller = caller,
      .opener_capabilities = opener_capabilities_,
      .strict = IsOn(NETLINK_GET_STRICT_CHK),
      .acknowledgement = {.capped = IsOn(NETLINK_CAP_ACK), .extended = IsOn(NETLINK_EXT_ACK)}};
  HandleDatagram(kernel_side_, sender, *datagram.data);
  return {};
}

// netlink_sendmsg().
Result<size_t> NetlinkSocket::SendMessage(SendRequest& request) {
  if ((request.flags & MSG_OOB) != 0) return Errno(EOPNOTSUPP);
  if (request.data.empty()) return Errno(ENODATA);
  if (request.control.credentials &&
      (request.control.credentials->uid != request.caller.uid ||
       request.control.credentials->pid != request.caller.tgid) &&
      !request.caller.HasCapability(CAP_SYS_ADMIN)) {
    return Errno(EPERM);
  }
  Destination destination{.port = peer_port_, .group = peer_group_};
  if (request.address != nullptr && !request.address->empty()) {
    destination = TRY(ParseDestination(request.caller, *request.address));
  }
  TRY(BindIfUnbound(request.caller));
  constexpr size_t kReserve = 32;
  if (request.data.size() > send_buffer() - kReserve) return Errno(EMSGSIZE);
  TRY(Deliver(request, destination));
  return request.data.size();
}

Result<ReceiveResult> NetlinkSocket::ReceiveMessage(const ReceiveRequest& request) {
  if ((request.flags & MSG_OOB) != 0) return Errno(EOPNOTSUPP);
  Datagram datagram =
      TRY(endpoint_->Receive((request.flags & MSG_PEEK) != 0, request.buffer.size()));
  ReceiveResult result;
  result.full_length = datagram.data->size();
  result.bytes = std::min(request.buffer.size(), result.full_length);
  std::memcpy(request.buffer.data(), datagram.data->data(), result.bytes);
  if (result.bytes < result.full_length) result.flags |= MSG_TRUNC;
  result.address = MakeAddress(datagram.sender_port, MaskOf(datagram.group));
  if (request.want_control) {
    if (IsOn(NETLINK_PKTINFO)) result.control.other = PacketInfo(datagram.group);
    if (pass_credentials_) result.control.credentials = datagram.credentials;
  }
  return result;
}

Result<SocketAddress> NetlinkSocket::GetName() {
  return MakeAddress(endpoint_->port(), static_cast<uint32_t>(endpoint_->groups().load()));
}

Result<SocketAddress> NetlinkSocket::GetPeerName() {
  return MakeAddress(peer_port_, MaskOf(peer_group_));
}

bool NetlinkSocket::IsOn(int option) const {
  return (options_.load(std::memory_order_relaxed) >> option & 1) != 0;
}

Result<std::vector<std::byte>> NetlinkSocket::GetOption(int level, int name, size_t length) {
  if (level == SOL_SOCKET && name == SO_PASSCRED) return ToBytes(int32_t{pass_credentials_});
  if (level == SOL_SOCKET) return Socket::GetOption(level, name, length);
  if (level != SOL_NETLINK) return Errno(ENOPROTOOPT);
  if (name == NETLINK_LIST_MEMBERSHIPS) {
    // Whole words, as many as the protocol's groups need and the caller has room for.
    return ToBytes(endpoint_->groups().load());
  }
  if (!IsBoolean(name)) return Errno(ENOPROTOOPT);
  if (length < sizeof(int32_t)) return Errno(EINVAL);
  return ToBytes(int32_t{IsOn(name)});
}

Result<void> NetlinkSocket::ChangeMembership(const vfs::Caller& caller, int32_t group, bool join) {
  TRY(CheckMayListen(caller));
  if (group <= 0 || static_cast<uint32_t>(group) > kernel_side_.group_count()) {
    return Errno(EINVAL);
  }
  uint64_t bit = uint64_t{1} << (group - 1);
  if (join) {
    endpoint_->groups().fetch_or(bit);
  } else {
    endpoint_->groups().fetch_and(~bit);
  }
  return {};
}

Result<void> NetlinkSocket::SetOption(const vfs::Caller& caller, int level, int name,
                                      std::span<const std::byte> value) {
  int32_t number = ReadStruct<int32_t>(value).value_or(0);
  bool has_number = value.size() >= sizeof(number);
  if (level == SOL_SOCKET) {
    if (name == SO_PASSCRED) {
      if (!has_number) return Errno(EINVAL);
      pass_credentials_ = number != 0;
      return {};
    }
    TRY(Socket::SetOption(caller, level, name, value));
    endpoint_->receive_limit() = receive_buffer();
    return {};
  }
  if (level != SOL_NETLINK) return Errno(ENOPROTOOPT);
  if (!has_number) number = 0;
  if (name == NETLINK_ADD_MEMBERSHIP || name == NETLINK_DROP_MEMBERSHIP) {
    return ChangeMembership(caller, number, name == NETLINK_ADD_MEMBERSHIP);
  }
  if (name == NETLINK_LISTEN_ALL_NSID) {
    // There is one namespace to hear from, whoever may.
    if (!caller.HasCapability(CAP_NET_BROADCAST)) return Errno(EPERM);
    return {};
  }
  if (!IsBoolean(name)) return Errno(ENOPROTOOPT);
  uint32_t bit = uint32_t{1} << name;
  if (number != 0) {
    options_.fetch_or(bit);
  } else {
    options_.fetch_and(~bit);
  }
  if (name == NETLINK_NO_ENOBUFS) endpoint_->no_overrun_error() = number != 0;
  return {};
}

}  // namespace redoubt::netlink
