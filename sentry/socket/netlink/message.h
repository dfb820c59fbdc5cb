// SPDX-License-Identifier: Apache-2.0
//
// Netlink messages (netlink(7)): taken apart and put together.
//
//   AttributeSet attributes = TRY(AttributeSet::Parse(bytes, IFLA_MAX));
//   std::optional<uint32_t> mtu = TRY(attributes.Get<uint32_t>(IFLA_MTU));
//
//   MessageBuilder message(RTM_NEWLINK, NLM_F_MULTI, sequence, port);
//   message.PutHeader(info);
//   message.Put(IFLA_IFNAME, name);
//   { Nest nest(message, IFLA_LINKINFO); message.PutString(IFLA_INFO_KIND, "veth"); }
//   queue.push_back(std::move(message).Finish());
//
// What comes in is a guest's: every length is checked against what is there, once.
#ifndef SENTRY_SOCKET_NETLINK_MESSAGE_H_
#define SENTRY_SOCKET_NETLINK_MESSAGE_H_

#include <linux/netlink.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/result.h"

namespace redoubt::netlink {

using Bytes = std::vector<std::byte>;
using ByteSpan = std::span<const std::byte>;

constexpr size_t Aligned(size_t size) { return (size + 3) & ~size_t{3}; }

// A struct at the beginning of `bytes`; nothing when they are too few.
template <typename T>
std::optional<T> ReadStruct(ByteSpan bytes) {
  static_assert(std::is_trivially_copyable_v<T>);
  T value;
  if (bytes.size() < sizeof(value)) return std::nullopt;
  std::memcpy(&value, bytes.data(), sizeof(value));
  return value;
}

// What follows a struct in a message; empty when there is nothing.
template <typename T>
ByteSpan After(ByteSpan bytes) {
  return bytes.subspan(std::min(bytes.size(), Aligned(sizeof(T))));
}

// The attributes of one level, the last of each type. They point into the message.
class AttributeSet {
 public:
  static constexpr size_t kMostTypes = 128;
  enum class Unknown : uint8_t { kIgnored, kRefused };

  // nla_parse(): EINVAL for a broken one; what is behind the last is ignored, and so are types
  // above `maximum`, unless kRefused (NLM strict checking).
  static Result<AttributeSet> Parse(ByteSpan bytes, size_t maximum,
                                    Unknown unknown = Unknown::kIgnored);

  bool Has(size_t type) const { return type < kMostTypes && found_[type].data() != nullptr; }
  ByteSpan Raw(size_t type) const { return Has(type) ? found_[type] : ByteSpan(); }
  // ERANGE when it is too short, as a policy says.
  template <typename T>
  Result<std::optional<T>> Get(size_t type) const {
    if (!Has(type)) return std::optional<T>();
    std::optional<T> value = ReadStruct<T>(found_[type]);
    if (!value) return Errno(ERANGE);
    return value;
  }
  // Up to its NUL, if it has one; ERANGE beyond `limit` characters.
  Result<std::optional<std::string>> GetString(size_t type, size_t limit) const;

 private:
  std::array<ByteSpan, kMostTypes> found_{};
};

class MessageBuilder {
 public:
  MessageBuilder(uint16_t type, uint16_t flags, uint32_t sequence, uint32_t port);

  // The family's fixed header, or any struct that follows.
  template <typename T>
  void PutHeader(const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    Append(std::as_bytes(std::span(&value, 1)));
  }
  template <typename T>
  requires(std::is_trivially_copyable_v<T> && !std::is_pointer_v<T> &&
           !std::is_convertible_v<T, std::string_view> &&
           !std::is_convertible_v<T, ByteSpan>) void Put(uint16_t type, const T& value) {
    PutBytes(type, std::as_bytes(std::span(&value, 1)));
  }
  void PutBytes(uint16_t type, ByteSpan value);
  // As they are, padded.
  void Append(ByteSpan value);
  void PutString(uint16_t type, std::string_view value);  // With its NUL.
  void PutFlag(uint16_t type) { PutBytes(type, {}); }
  size_t BeginNest(uint16_t type);
  void EndNest(size_t at);
  size_t size() const { return bytes_.size(); }

  // The whole message, its length filled in.
  Bytes Finish() &&;

 private:
  Bytes bytes_;
};

// A nested attribute, for a scope.
class Nest {
 public:
  Nest(MessageBuilder& message, uint16_t type) : message_(message), at_(message.BeginNest(type)) {}
  ~Nest() { message_.EndNest(at_); }
  Nest(const Nest&) = delete;
  Nest& operator=(const Nest&) = delete;

 private:
  MessageBuilder& message_;
  const size_t at_;
};

}  // namespace redoubt::netlink

#endif  // SENTRY_SOCKET_NETLINK_MESSAGE_H_
