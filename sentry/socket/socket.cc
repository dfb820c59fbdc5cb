// SPDX-License-Identifier: Apache-2.0
#include "sentry/socket/socket.h"

#include <linux/capability.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "abi/linux/time.h"
#include "sentry/fs/anon/anonymous_inode.h"
#include "sentry/socket/net/interface_ioctl.h"

namespace redoubt::sockets {

namespace {

constexpr size_t kDefaultBuffer = 212992;  // net.core.{r,w}mem_default and _max.
constexpr size_t kMaximumBuffer = 212992;
// SO_{SND,RCV}BUFFORCE may go beyond, but not without end: a guest's root is a guest.
constexpr size_t kForcedMaximumBuffer = 32 * 1024 * 1024;
constexpr size_t kMinimumSendBuffer = 4608;     // SOCK_MIN_SNDBUF.
constexpr size_t kMinimumReceiveBuffer = 2304;  // SOCK_MIN_RCVBUF.

// Options that are kept and shown but change nothing here.
constexpr int kKeptBooleans[] = {SO_REUSEADDR, SO_REUSEPORT, SO_KEEPALIVE, SO_BROADCAST,
                                 SO_OOBINLINE, SO_DONTROUTE, SO_TIMESTAMP, SO_TIMESTAMPNS,
                                 SO_DEBUG,     SO_RXQ_OVFL,  SO_ZEROCOPY};

int KeptIndex(int name) {
  const auto* found = std::find(std::begin(kKeptBooleans), std::end(kKeptBooleans), name);
  return found == std::end(kKeptBooleans) ? -1 : static_cast<int>(found - kKeptBooleans);
}

template <typename T>
std::vector<std::byte> ToBytes(const T& value) {
  const auto bytes = std::as_bytes(std::span(&value, 1));
  return {bytes.begin(), bytes.end()};
}

Result<int32_t> ToInt(std::span<const std::byte> value) {
  int32_t number = 0;
  if (value.size() < sizeof(number)) return Errno(EINVAL);
  std::memcpy(&number, value.data(), sizeof(number));
  return number;
}

}  // namespace

Socket::Socket(int family, int type, int protocol, uint32_t flags, const vfs::Caller& caller)
    : FileDescription(fs::MakeAnonymousPath(fs::AnonymousKind::kSocket, "", S_IFSOCK | 0777,
                                            caller.uid, caller.gid),
                      O_RDWR | (flags & O_NONBLOCK)),
      family_(family),
      type_(type),
      protocol_(protocol),
      send_buffer_(kDefaultBuffer),
      receive_buffer_(kDefaultBuffer) {}

Result<std::vector<std::byte>> Socket::GetOption(int level, int name, size_t length) {
  if (level != SOL_SOCKET) return Errno(ENOPROTOOPT);
  const auto number = [](int64_t value) { return ToBytes(static_cast<int32_t>(value)); };
  if (const int index = KeptIndex(name); index >= 0) {
    return number(kept_options_.load(std::memory_order_relaxed) >> index & 1);
  }
  switch (name) {
    case SO_TYPE:
      return number(type_);
    case SO_DOMAIN:
      return number(family_);
    case SO_PROTOCOL:
      return number(protocol_);
    case SO_ERROR:
      return number(TakeError());
    case SO_ACCEPTCONN:
      return number(IsListening());
    case SO_SNDBUF:
      return number(static_cast<int64_t>(send_buffer()));
    case SO_RCVBUF:
      return number(static_cast<int64_t>(receive_buffer()));
    case SO_RCVLOWAT:
      return number(receive_low_water());
    case SO_SNDLOWAT:
      return number(1);
    case SO_PRIORITY:
      return number(priority_.load(std::memory_order_relaxed));
    case SO_RCVTIMEO:
      return ToBytes(abi::TimevalFromNanoseconds(receive_timeout()));
    case SO_SNDTIMEO:
      return ToBytes(abi::TimevalFromNanoseconds(send_timeout()));
    case SO_LINGER: {
      const int seconds = linger_seconds_.load(std::memory_order_relaxed);
      return ToBytes(abi::Linger{.on = seconds >= 0, .seconds = std::max(seconds, 0)});
    }
    default:
      return Errno(ENOPROTOOPT);
  }
}

Result<void> Socket::SetTimeout(std::atomic<int64_t>& timeout, std::span<const std::byte> value) {
  abi::Timeval time;
  if (value.size() < sizeof(time)) return Errno(EINVAL);
  std::memcpy(&time, value.data(), sizeof(time));
  if (time.microseconds < 0 || time.microseconds >= 1'000'000) return Errno(EDOM);
  // A negative time-out waits no longer than one that is over; Linux takes it for "at once".
  timeout.store(time.seconds < 0 ? 1 : abi::ToNanoseconds(time), std::memory_order_relaxed);
  return {};
}

Result<void> Socket::SetBuffer(std::atomic<size_t>& buffer, std::span<const std::byte> value,
                               size_t limit) {
  const int32_t wanted = TRY(ToInt(value));
  const size_t bytes = std::min(wanted < 0 ? limit : static_cast<size_t>(wanted), limit);
  const size_t least = &buffer == &send_buffer_ ? kMinimumSendBuffer : kMinimumReceiveBuffer;
  buffer.store(std::max(bytes * 2, least), std::memory_order_relaxed);
  return {};
}

bool Socket::HasOption(int name) const {
  const int index = KeptIndex(name);
  CHECK(index >= 0);
  return (kept_options_.load(std::memory_order_relaxed) >> index & 1) != 0;
}

void Socket::SetDefaultBuffers(size_t send, size_t receive) {
  send_buffer_ = send;
  receive_buffer_ = receive;
}

void Socket::InheritOptions(const Socket& listener) {
  receive_timeout_ = listener.receive_timeout();
  send_timeout_ = listener.send_timeout();
  SetDefaultBuffers(listener.send_buffer(), listener.receive_buffer());
  kept_options_ = listener.kept_options_.load(std::memory_order_relaxed);
  priority_ = listener.priority_.load(std::memory_order_relaxed);
  receive_low_water_ = listener.receive_low_water();
  linger_seconds_ = listener.linger_seconds();
}

Result<void> Socket::SetOption(const vfs::Caller& caller, int level, int name,
                               std::span<const std::byte> value) {
  if (level != SOL_SOCKET) return Errno(ENOPROTOOPT);
  if (const int index = KeptIndex(name); index >= 0) {
    const uint32_t bit = uint32_t{1} << index;
    if (TRY(ToInt(value)) != 0) {
      kept_options_.fetch_or(bit, std::memory_order_relaxed);
    } else {
      kept_options_.fetch_and(~bit, std::memory_order_relaxed);
    }
    return {};
  }
  switch (name) {
    case SO_SNDBUFFORCE:
    case SO_RCVBUFFORCE:
      if (!caller.HasCapability(CAP_NET_ADMIN)) return Errno(EPERM);
      return SetBuffer(name == SO_SNDBUFFORCE ? send_buffer_ : receive_buffer_, value,
                       kForcedMaximumBuffer);
    case SO_SNDBUF:
      return SetBuffer(send_buffer_, value, kMaximumBuffer);
    case SO_RCVBUF:
      return SetBuffer(receive_buffer_, value, kMaximumBuffer);
    case SO_RCVTIMEO:
      return SetTimeout(receive_timeout_, value);
    case SO_SNDTIMEO:
      return SetTimeout(send_timeout_, value);
    case SO_RCVLOWAT: {
      const int32_t low = TRY(ToInt(value));
      receive_low_water_.store(low < 0 ? INT32_MAX : std::max(low, 1), std::memory_order_relaxed);
      return {};
    }
    case SO_PRIORITY:
      priority_.store(TRY(ToInt(value)), std::memory_order_relaxed);
      return {};
    case SO_LINGER: {
      abi::Linger linger;
      if (value.size() < sizeof(linger)) return Errno(EINVAL);
      std::memcpy(&linger, value.data(), sizeof(linger));
      linger_seconds_.store(linger.on != 0 ? std::max(linger.seconds, 0) : -1,
                            std::memory_order_relaxed);
      return {};
    }
    default:
      return Errno(ENOPROTOOPT);
  }
}

Result<size_t> Socket::Read(std::span<std::byte> buffer) {
  const ReceiveResult result = TRY(ReceiveMessage({.buffer = buffer}));
  return result.bytes;
}

Result<size_t> Socket::Write(std::span<const std::byte> data, const vfs::Caller& caller) {
  SendRequest request{
      .data = data, .address = nullptr, .control = {}, .flags = 0, .caller = caller};
  return SendMessage(request);
}

Result<uint64_t> Socket::Ioctl(const vfs::IoctlRequest& request) {
  return net::InterfaceIoctl(net::NamespaceOf(request.caller), family_, request);
}

namespace {

std::function<void(int, int)>& OwnerSignaller() {
  static auto* signaller = new std::function<void(int, int)>;
  return *signaller;
}

}  // namespace

void SetOwnerSignaller(std::function<void(int owner, int signal)> signaller) {
  OwnerSignaller() = std::move(signaller);
}

void SignalOwner(int owner, int signal) {
  if (OwnerSignaller()) OwnerSignaller()(owner, signal);
}

Socket* SocketOf(vfs::FileDescription& file) { return dynamic_cast<Socket*>(&file); }

}  // namespace redoubt::sockets
