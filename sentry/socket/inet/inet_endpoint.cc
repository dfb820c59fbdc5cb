// SPDX-License-Identifier: Apache-2.0
#include "sentry/socket/inet/inet_endpoint.h"

#include <linux/capability.h>
#include <linux/rtnetlink.h>

#include <functional>
#include <utility>

#include "abi/linux/in.h"

namespace redoubt::inet {

namespace {

uint64_t NextCookie() {
  static std::atomic<uint64_t> next{1};
  return next.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

InetEndpoint::InetEndpoint(RefPtr<net::NetworkNamespace> network, int family, PortTable& ports)
    : network_(std::move(network)),
      family_(family),
      ports_(ports),
      binding_(this),
      cookie_(NextCookie()) {
  binding_.address = IpAddress::Any(family);
  binding_.v6_only = family == AF_INET6 && network_->settings().Get(net::Setting::kBindV6Only) != 0;
  local_.address = remote_.address = binding_.address;
}

InetEndpoint::~InetEndpoint() {
  ports_.Unbind(binding_);
  delete options_.load(std::memory_order_relaxed);
}

InetEndpoint::PairLock::PairLock(InetEndpoint& a, InetEndpoint& b) ABSL_NO_THREAD_SAFETY_ANALYSIS
    : first_(std::less<>()(&a, &b) ? &a : &b),
      second_(&a == &b ? nullptr : (first_ == &a ? &b : &a)) {
  first_->mu_.Lock();
  if (second_ != nullptr) second_->mu_.Lock();
}

InetEndpoint::PairLock::~PairLock() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  if (second_ != nullptr) second_->mu_.Unlock();
  first_->mu_.Unlock();
}

const IpOptions& InetEndpoint::options() const {
  const IpOptions* made = options_.load(std::memory_order_acquire);
  return made != nullptr ? *made : IpOptions::Defaults();
}

IpOptions& InetEndpoint::mutable_options() {
  IpOptions* made = options_.load(std::memory_order_acquire);
  if (made != nullptr) return *made;
  auto mine = std::make_unique<IpOptions>();
  if (options_.compare_exchange_strong(made, mine.get(), std::memory_order_acq_rel)) {
    return *mine.release();
  }
  return *made;
}

void InetEndpoint::SetReuse(bool address, bool port) {
  MutexLock lock(&mu_);
  ports_.Update(binding_, [&](Binding& binding) {
    binding.reuse_address = address;
    binding.reuse_port = port;
  });
}

Result<void> InetEndpoint::SetV6Only(bool on) {
  MutexLock lock(&mu_);
  if (binding_.port != 0 || port_is_users_) return Errno(EINVAL);
  ports_.Update(binding_, [&](Binding& binding) { binding.v6_only = on; });
  return {};
}

bool InetEndpoint::v6_only() {
  MutexLock lock(&mu_);
  return binding_.v6_only;
}

void InetEndpoint::SetDevice(int index) {
  MutexLock lock(&mu_);
  ports_.Update(binding_, [&](Binding& binding) { binding.device = index; });
}

int InetEndpoint::device() {
  MutexLock lock(&mu_);
  return binding_.device;
}

SocketAddress InetEndpoint::Name() {
  MutexLock lock(&mu_);
  return ToSocketAddress(family_, local_);
}

Result<InetName> InetEndpoint::ParseBindName(const SocketAddress& address) const {
  if (family_ == AF_INET && address.length() >= sizeof(abi::SockaddrIn) &&
      address.family() == AF_UNSPEC) {
    // An old habit that ip(7) bears with: family 0 and no address.
    abi::SockaddrIn in;
    std::memcpy(&in, address.bytes().data(), sizeof(in));
    if (in.address != 0) return Errno(EAFNOSUPPORT);
    in.family = AF_INET;
    return ParseInetName(AF_INET, SocketAddress::From(std::as_bytes(std::span(&in, 1))).value());
  }
  return ParseInetName(family_, address);
}

Result<void> InetEndpoint::CheckBindAddress(const InetName& name) {
  const IpAddress& address = name.address;
  const bool foreign = options().Get(IpOption::kFreeBind) || options().Get(IpOption::k6FreeBind) ||
                       options().Get(IpOption::kTransparent);
  if (address.IsUnspecified() || foreign) return {};
  if (address.is_v6()) {
    if (address.IsMulticast()) return IsStream() ? Result<void>(Errno(EINVAL)) : Result<void>();
    if (address.IsLinkLocal() && name.scope == 0 && device() == 0) return Errno(EINVAL);
    return network_->IsLocal(address) ? Result<void>() : Errno(EADDRNOTAVAIL);
  }
  switch (network_->TypeOf(address)) {
    case RTN_LOCAL:
    case RTN_MULTICAST:
    case RTN_BROADCAST:
      return {};
    default:
      return Errno(EADDRNOTAVAIL);
  }
}

// __inet_bind(), __inet6_bind(): the order of the checks is theirs.
Result<void> InetEndpoint::Bind(const vfs::Caller& caller, const SocketAddress& address) {
  InetName name = TRY(ParseBindName(address));
  if (family_ == AF_INET) TRY(CheckBindAddress(name));
  if (family_ == AF_INET6 && IsStream() && name.address.IsMulticast()) return Errno(EINVAL);
  const int64_t first_free = network_->settings().Get(net::Setting::kUnprivilegedPortStart);
  if (name.port != 0 && name.port < first_free && !caller.HasCapability(CAP_NET_BIND_SERVICE)) {
    return Errno(EACCES);
  }
  if (family_ == AF_INET6) {
    if (name.address.is_v4() && v6_only()) return Errno(EINVAL);
    TRY(CheckBindAddress(name));
  }
  const uint8_t type = network_->TypeOf(name.address);
  MutexLock lock(&mu_);
  if (binding_.port != 0 || port_is_users_ || !MayBindLocked()) return Errno(EINVAL);
  const IpAddress before = binding_.address;
  binding_.address = name.address;
  binding_.uid = caller.uid;
  if (name.port != 0 || options().Get(IpOption::kBindAddressNoPort) == 0) {
    Result<uint16_t> port = ports_.Bind(binding_, name.port);
    if (!port.ok()) {
      binding_.address = before;
      return port.error();
    }
    local_.port = *port;
  }
  // To send from, a group or broadcast address is of no use.
  const bool usable = type != RTN_MULTICAST && type != RTN_BROADCAST;
  local_.address = name.address;
  local_.scope = name.scope;
  address_is_users_ = !name.address.IsUnspecified() && usable;
  port_is_users_ = name.port != 0;
  return {};
}

Result<void> InetEndpoint::BindAutomaticallyLocked() {
  if (binding_.port != 0) return {};
  Result<uint16_t> port = ports_.Bind(binding_, 0);
  if (!port.ok()) return Errno(EAGAIN);
  local_.port = *port;
  return {};
}

Result<net::RouteAnswer> InetEndpoint::RouteTo(InetName& name, const IpAddress& source,
                                               int device) {
  if (name.address.IsUnspecified()) {
    // To nobody is to ourselves.
    const bool to_own = !source.IsUnspecified() && source.family() == name.address.family();
    name.address = to_own ? source : IpAddress::Loopback(name.address.family());
  }
  net::RouteQuestion question{.destination = name.address};
  if (!source.IsUnspecified()) question.source = source;
  question.interface_index = device;
  if (device == 0 && name.address.is_v6()) question.interface_index = static_cast<int>(name.scope);
  return network_->FindRoute(question);
}

void InetEndpoint::FillInfoLocked(net::InetSocketInfo& info) {
  info.family = family_;
  info.local = local_.address;
  info.remote = remote_.address;
  info.local_port = local_.port;
  info.remote_port = remote_.port;
  info.bound_interface = binding_.device;
  info.uid = uid_.load(std::memory_order_relaxed);
  info.inode_number = inode_number_.load(std::memory_order_relaxed);
  info.cookie = cookie_;
  info.v6_only = family_ == AF_INET6 && binding_.v6_only;
  info.tos = static_cast<uint8_t>(options().Get(IpOption::kTos));
  info.traffic_class = static_cast<uint8_t>(options().Get(IpOption::k6TrafficClass));
  info.references = static_cast<uint32_t>(ref_count());
  // A dual socket's v4 peers are shown in mapped form.
  if (family_ == AF_INET6) {
    info.local = info.local.Mapped();
    info.remote = info.remote.Mapped();
  }
}

}  // namespace redoubt::inet
