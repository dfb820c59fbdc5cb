// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/strace/format.h"

#include <sys/uio.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <optional>
#include <vector>

#include "abi/linux/signal.h"
#include "abi/linux/time.h"
#include "sentry/syscalls/strace/names.h"

namespace redoubt::syscalls::strace {

namespace {

using vfs::UserMemory;

constexpr size_t kStringLimit = 64;  // Bytes of a string or buffer that are shown.
constexpr size_t kPathLimit = 256;
constexpr size_t kListLimit = 16;  // Elements of a list.
constexpr uint64_t kPage = 4096;

// Up to `limit` bytes, as far as they can be read. The reads end at page borders, so that what
// lies before a bad page is seen.
std::vector<char> ReadBytes(UserMemory& memory, uint64_t address, size_t limit) {
  std::vector<char> bytes;
  while (bytes.size() < limit) {
    uint64_t at = address + bytes.size();
    size_t piece = std::min<uint64_t>(limit - bytes.size(), kPage - at % kPage);
    size_t before = bytes.size();
    bytes.resize(before + piece);
    if (!memory.CopyIn(at, std::as_writable_bytes(std::span(bytes).subspan(before))).ok()) {
      bytes.resize(before);
      break;
    }
  }
  return bytes;
}

template <typename T>
std::optional<T> ReadStruct(UserMemory& memory, uint64_t address) {
  T value;
  if (!memory.CopyIn(address, std::as_writable_bytes(std::span(&value, 1))).ok()) return {};
  return value;
}

std::string Quote(std::span<const char> bytes, bool cut) {
  std::string text = "\"";
  for (char c : bytes) {
    char escaped[8];
    switch (c) {
      case '\n':
        text += "\\n";
        continue;
      case '\t':
        text += "\\t";
        continue;
      case '\r':
        text += "\\r";
        continue;
      case '"':
        text += "\\\"";
        continue;
      case '\\':
        text += "\\\\";
        continue;
    }
    if (c >= 0x20 && c < 0x7f) {
      text += c;
      continue;
    }
    snprintf(escaped, sizeof(escaped), "\\%o", static_cast<unsigned char>(c));
    text += escaped;
  }
  return text + (cut ? "\"..." : "\"");
}

std::string StringText(UserMemory& memory, uint64_t address, size_t limit) {
  std::vector<char> bytes = ReadBytes(memory, address, limit + 1);
  if (bytes.empty()) return Hex(address);
  auto end = std::find(bytes.begin(), bytes.end(), '\0');
  bool cut = end == bytes.end();
  size_t length = std::min<size_t>(static_cast<size_t>(end - bytes.begin()), limit);
  return Quote(std::span(bytes).first(length), cut);
}

std::string BytesText(UserMemory& memory, uint64_t address, uint64_t count) {
  if (count == 0) return "\"\"";
  std::vector<char> bytes = ReadBytes(memory, address, std::min<uint64_t>(count, kStringLimit));
  if (bytes.empty()) return Hex(address);
  return Quote(bytes, bytes.size() < count);
}

std::string StringListText(UserMemory& memory, uint64_t address) {
  std::string text = "[";
  for (size_t i = 0; i <= kListLimit; ++i) {
    auto item = ReadStruct<uint64_t>(memory, address + i * sizeof(uint64_t));
    if (!item) return Hex(address);
    if (*item == 0) return text + "]";
    if (i != 0) text += ", ";
    if (i < kListLimit) text += StringText(memory, *item, kStringLimit);
  }
  return text + "...]";
}

std::string IovecText(UserMemory& memory, uint64_t address, uint64_t count) {
  std::string text = "[";
  for (size_t i = 0; i < count; ++i) {
    if (i != 0) text += ", ";
    if (i == kListLimit) return text + "...]";
    auto item = ReadStruct<iovec>(memory, address + i * sizeof(iovec));
    if (!item) return Hex(address);
    uint64_t base = reinterpret_cast<uint64_t>(item->iov_base);
    text +=
        "{" + BytesText(memory, base, item->iov_len) + ", " + std::to_string(item->iov_len) + "}";
  }
  return text + "]";
}

std::string Text(const abi::Timespec& t) {
  return "{tv_sec=" + std::to_string(t.seconds) + ", tv_nsec=" + std::to_string(t.nanoseconds) +
         "}";
}
std::string Text(const abi::Timeval& t) {
  return "{tv_sec=" + std::to_string(t.seconds) + ", tv_usec=" + std::to_string(t.microseconds) +
         "}";
}
std::string Text(const abi::IntervalTimerValue& t) {
  return "{it_interval=" + Text(t.interval) + ", it_value=" + Text(t.value) + "}";
}
std::string Text(const abi::IntervalTimerSpec& t) {
  return "{it_interval=" + Text(t.interval) + ", it_value=" + Text(t.value) + "}";
}
std::string Text(const abi::SignalSet& set) { return SignalSetText(set.bits()); }
std::string Text(const abi::SignalAction& action) {
  std::string handler = action.handler == abi::kSignalDefault  ? "SIG_DFL"
                        : action.handler == abi::kSignalIgnore ? "SIG_IGN"
                                                               : Hex(action.handler);
  char flags[32];
  snprintf(flags, sizeof(flags), "0x%llx", static_cast<unsigned long long>(action.flags));
  return "{sa_handler=" + handler + ", sa_mask=" + Text(action.mask) + ", sa_flags=" + flags + "}";
}

struct LimitValue {
  uint64_t current, maximum;
};
std::string LimitNumber(uint64_t value) {
  return value == ~uint64_t{0} ? "RLIM64_INFINITY" : std::to_string(value);
}
std::string Text(const LimitValue& limit) {
  return "{rlim_cur=" + LimitNumber(limit.current) + ", rlim_max=" + LimitNumber(limit.maximum) +
         "}";
}
template <std::integral T>
std::string Text(T value) {
  return "[" + std::to_string(value) + "]";
}

template <typename T>
std::string TextAt(UserMemory& memory, uint64_t address) {
  auto value = ReadStruct<T>(memory, address);
  return value ? Text(*value) : Hex(address);
}

std::string StructText(UserMemory& memory, StructKind kind, uint64_t address) {
  switch (kind) {
    case StructKind::kOther:
      return Hex(address);
    case StructKind::kInt32:
      return TextAt<int32_t>(memory, address);
    case StructKind::kUint32:
      return TextAt<uint32_t>(memory, address);
    case StructKind::kUint64:
      return TextAt<uint64_t>(memory, address);
    case StructKind::kTimespec:
      return TextAt<abi::Timespec>(memory, address);
    case StructKind::kTimeval:
      return TextAt<abi::Timeval>(memory, address);
    case StructKind::kIntervalTimerValue:
      return TextAt<abi::IntervalTimerValue>(memory, address);
    case StructKind::kIntervalTimerSpec:
      return TextAt<abi::IntervalTimerSpec>(memory, address);
    case StructKind::kSignalSet:
      return TextAt<abi::SignalSet>(memory, address);
    case StructKind::kSignalAction:
      return TextAt<abi::SignalAction>(memory, address);
    case StructKind::kLimit:
      return TextAt<LimitValue>(memory, address);
  }
  return Hex(address);
}

std::string ArrayText(UserMemory& memory, const ArgumentShape& shape, uint64_t address,
                      uint64_t count) {
  if (shape.structure == StructKind::kOther) return Hex(address);
  std::string text = "[";
  for (size_t i = 0; i < count; ++i) {
    if (i != 0) text += ", ";
    if (i == kListLimit) return text + "...]";
    text += StructText(memory, shape.structure, address + i * shape.size);
  }
  return text + "]";
}

std::string SignedNumber(uint64_t value, uint32_t size) {
  if (size <= 4) return std::to_string(static_cast<int32_t>(static_cast<uint32_t>(value)));
  return std::to_string(static_cast<int64_t>(value));
}

std::string UnsignedNumber(uint64_t value, uint32_t size) {
  return std::to_string(size <= 4 ? static_cast<uint32_t>(value) : value);
}

}  // namespace

std::string Hex(uint64_t value) {
  if (value == 0) return "NULL";
  char text[32];
  snprintf(text, sizeof(text), "0x%llx", static_cast<unsigned long long>(value));
  return text;
}

std::string FormatArgument(UserMemory& memory, const ArgumentShape& shape, uint64_t value,
                           uint64_t count) {
  switch (shape.kind) {
    case ArgumentKind::kNone:
      return "";
    case ArgumentKind::kSigned:
      return SignedNumber(value, shape.size);
    case ArgumentKind::kUnsigned:
      return UnsignedNumber(value, shape.size);
    default:
      break;
  }
  if (shape.kind < ArgumentKind::kPath && shape.kind != ArgumentKind::kAddress) {
    return FormatNamed(shape.kind, value);
  }
  if (value == 0) return "NULL";
  switch (shape.kind) {
    case ArgumentKind::kPath:
      return StringText(memory, value, kPathLimit);
    case ArgumentKind::kString:
      return StringText(memory, value, kStringLimit);
    case ArgumentKind::kStringList:
      return StringListText(memory, value);
    case ArgumentKind::kBytesIn:
    case ArgumentKind::kBytesOut:
      return BytesText(memory, value, count);
    case ArgumentKind::kStructIn:
    case ArgumentKind::kStructOut:
    case ArgumentKind::kStructInOut:
      return StructText(memory, shape.structure, value);
    case ArgumentKind::kArrayIn:
    case ArgumentKind::kArrayOut:
    case ArgumentKind::kArrayInOut:
      return ArrayText(memory, shape, value, count);
    case ArgumentKind::kIovecIn:
    case ArgumentKind::kIovecOut:
      return IovecText(memory, value, count);
    default:
      return Hex(value);
  }
}

}  // namespace redoubt::syscalls::strace
