// SPDX-License-Identifier: Apache-2.0
#include "sentry/socket/netlink/message.h"

#include <algorithm>

#include "base/check.h"

namespace redoubt::netlink {

Result<AttributeSet> AttributeSet::Parse(ByteSpan bytes, size_t maximum, Unknown unknown) {
  CHECK(maximum < kMostTypes);
  AttributeSet set;
  while (bytes.size() >= sizeof(nlattr)) {
    nlattr header = *ReadStruct<nlattr>(bytes);
    if (header.nla_len < sizeof(nlattr) || header.nla_len > bytes.size()) return Errno(EINVAL);
    size_t type = header.nla_type & NLA_TYPE_MASK;
    if (type > 0 && type <= maximum) {
      set.found_[type] = bytes.subspan(sizeof(nlattr), header.nla_len - sizeof(nlattr));
    } else if (type > 0 && unknown == Unknown::kRefused) {
      return Errno(EINVAL);
    }
    bytes = bytes.subspan(std::min(bytes.size(), Aligned(header.nla_len)));
  }
  if (!bytes.empty() && unknown == Unknown::kRefused) return Errno(EINVAL);
  return set;
}

Result<std::optional<std::string>> AttributeSet::GetString(size_t type, size_t limit) const {
  if (!Has(type)) return std::optional<std::string>();
  std::string_view text(reinterpret_cast<const char*>(found_[type].data()), found_[type].size());
  text = text.substr(0, text.find('\0'));
  if (text.size() > limit) return Errno(ERANGE);
  return std::optional<std::string>(text);
}

MessageBuilder::MessageBuilder(uint16_t type, uint16_t flags, uint32_t sequence, uint32_t port) {
  PutHeader(nlmsghdr{.nlmsg_len = 0,
                     .nlmsg_type = type,
                     .nlmsg_flags = flags,
                     .nlmsg_seq = sequence,
                     .nlmsg_pid = port});
}

void MessageBuilder::Append(ByteSpan value) {
  bytes_.insert(bytes_.end(), value.begin(), value.end());
  bytes_.resize(Aligned(bytes_.size()));
}

void MessageBuilder::PutBytes(uint16_t type, ByteSpan value) {
  CHECK(value.size() <= 0xffff - sizeof(nlattr));
  PutHeader(
      nlattr{.nla_len = static_cast<uint16_t>(sizeof(nlattr) + value.size()), .nla_type = type});
  Append(value);
}

void MessageBuilder::PutString(uint16_t type, std::string_view value) {
  std::string text(value);
  PutBytes(type, std::as_bytes(std::span(text.c_str(), text.size() + 1)));
}

size_t MessageBuilder::BeginNest(uint16_t type) {
  size_t at = bytes_.size();
  PutFlag(type);
  return at;
}

void MessageBuilder::EndNest(size_t at) {
  size_t length = bytes_.size() - at;
  CHECK(length <= 0xffff);
  uint16_t value = static_cast<uint16_t>(length);
  std::memcpy(bytes_.data() + at + offsetof(nlattr, nla_len), &value, sizeof(value));
}

Bytes MessageBuilder::Finish() && {
  uint32_t length = static_cast<uint32_t>(bytes_.size());
  std::memcpy(bytes_.data() + offsetof(nlmsghdr, nlmsg_len), &length, sizeof(length));
  return std::move(bytes_);
}

}  // namespace redoubt::netlink
