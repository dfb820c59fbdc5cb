// SPDX-License-Identifier: Apache-2.0
#include "sentry/socket/inet/tcp_options.h"

#include <linux/tcp.h>

#include <cstring>
#include <string_view>

namespace redoubt::inet {

namespace {

constexpr int32_t kBoolean = INT32_MIN;  // As a minimum: anything that is not 0 is 1.
constexpr int kNameLength = 16;          // TCP_CA_NAME_MAX.

struct Shape {
  TcpOption option;
  int name;
  int32_t initial;
  int32_t minimum;
  int32_t maximum;
};

constexpr Shape kShapes[] = {
    {TcpOption::kNoDelay, TCP_NODELAY, 0, kBoolean, 1},
    {TcpOption::kCork, TCP_CORK, 0, kBoolean, 1},
    {TcpOption::kMaximumSegment, TCP_MAXSEG, 536, 0, 32767},
    {TcpOption::kKeepIdle, TCP_KEEPIDLE, 7200, 1, 32767},
    {TcpOption::kKeepInterval, TCP_KEEPINTVL, 75, 1, 32767},
    {TcpOption::kKeepCount, TCP_KEEPCNT, 9, 1, 127},
    {TcpOption::kSynCount, TCP_SYNCNT, 6, 1, 127},
    {TcpOption::kLinger2, TCP_LINGER2, 60, INT32_MIN + 1, INT32_MAX},
    {TcpOption::kDeferAccept, TCP_DEFER_ACCEPT, 0, INT32_MIN + 1, INT32_MAX},
    {TcpOption::kWindowClamp, TCP_WINDOW_CLAMP, 0, 0, INT32_MAX},
    {TcpOption::kQuickAck, TCP_QUICKACK, 1, kBoolean, 1},
    {TcpOption::kThinLinearTimeouts, TCP_THIN_LINEAR_TIMEOUTS, 0, 0, 1},
    {TcpOption::kThinDupAck, TCP_THIN_DUPACK, 0, 0, 1},
    {TcpOption::kUserTimeout, TCP_USER_TIMEOUT, 0, 0, INT32_MAX},
    {TcpOption::kFastOpen, TCP_FASTOPEN, 0, 0, INT32_MAX},
    {TcpOption::kFastOpenConnect, TCP_FASTOPEN_CONNECT, 0, 0, 1},
    {TcpOption::kFastOpenNoCookie, TCP_FASTOPEN_NO_COOKIE, 0, 0, 1},
    {TcpOption::kTimestamp, TCP_TIMESTAMP, 0, INT32_MIN + 1, INT32_MAX},
    {TcpOption::kNotSentLowWater, TCP_NOTSENT_LOWAT, 0, INT32_MIN + 1, INT32_MAX},
    {TcpOption::kSaveSyn, TCP_SAVE_SYN, 0, 0, 2},
    {TcpOption::kInQueue, TCP_INQ, 0, 0, 1},
    {TcpOption::kTxDelay, TCP_TX_DELAY, 0, 0, INT32_MAX},
};

const Shape* Find(int name) {
  for (const Shape& shape : kShapes) {
    if (shape.name == name) return &shape;
  }
  return nullptr;
}

const Shape& ShapeOf(TcpOption option) { return kShapes[static_cast<size_t>(option)]; }

// What TCP_DEFER_ACCEPT rounds to: the end of some retransmission, in seconds.
int32_t RoundDeferral(int32_t seconds) {
  if (seconds <= 0) return 0;
  int64_t period = 1, timeout = 1;
  while (seconds > period && period < 255) {
    timeout = timeout * 2 > 120 ? 120 : timeout * 2;
    period += timeout;
  }
  return static_cast<int32_t>(period);
}

}  // namespace

bool TcpOptions::Knows(int name) { return Find(name) != nullptr; }

TcpOptions::Values& TcpOptions::MutableValues() {
  Values* made = values_.load(std::memory_order_acquire);
  if (made != nullptr) return *made;
  auto mine = std::make_unique<Values>();
  for (const Shape& shape : kShapes) (*mine)[static_cast<size_t>(shape.option)] = shape.initial;
  if (values_.compare_exchange_strong(made, mine.get(), std::memory_order_acq_rel)) {
    return *mine.release();
  }
  return *made;
}

int32_t TcpOptions::Get(TcpOption option) const {
  const Values* made = values_.load(std::memory_order_acquire);
  if (made == nullptr) return ShapeOf(option).initial;
  return (*made)[static_cast<size_t>(option)].load(std::memory_order_relaxed);
}

void TcpOptions::CopyFrom(const TcpOptions& other) {
  reno_ = other.reno_.load();
  const Values* made = other.values_.load(std::memory_order_acquire);
  if (made == nullptr) return;
  Values& mine = MutableValues();
  for (size_t i = 0; i < mine.size(); ++i) mine[i] = (*made)[i].load(std::memory_order_relaxed);
}

Result<void> TcpOptions::Set(int name, std::span<const std::byte> value) {
  const Shape* shape = Find(name);
  if (shape == nullptr) return Errno(ENOPROTOOPT);
  int32_t number = 0;
  if (value.size() < sizeof(number)) return Errno(EINVAL);
  std::memcpy(&number, value.data(), sizeof(number));
  if (shape->minimum == kBoolean) {
    number = number != 0;
  } else if (number < shape->minimum || number > shape->maximum) {
    return Errno(EINVAL);
  }
  // 0 asks for the default, else 88 is the least (TCP_MIN_MSS).
  if (shape->option == TcpOption::kMaximumSegment && number != 0 && number < 88) {
    return Errno(EINVAL);
  }
  if (shape->option == TcpOption::kDeferAccept) number = RoundDeferral(number);
  if (shape->option == TcpOption::kLinger2) {
    number = number < 0 ? -1 : (number > 120 ? 120 : number);
  }
  if (shape->option == TcpOption::kWindowClamp && number != 0 && number < 1152) number = 1152;
  MutableValues()[static_cast<size_t>(shape->option)].store(number, std::memory_order_relaxed);
  return {};
}

Result<std::vector<std::byte>> TcpOptions::Show(int name) const {
  const Shape* shape = Find(name);
  if (shape == nullptr) return Errno(ENOPROTOOPT);
  const int32_t number = Get(shape->option);
  const auto bytes = std::as_bytes(std::span(&number, 1));
  return std::vector<std::byte>(bytes.begin(), bytes.end());
}

Result<void> TcpOptions::SetCongestionControl(std::span<const std::byte> name) {
  if (name.empty()) return Errno(EINVAL);
  const auto* text = reinterpret_cast<const char*>(name.data());
  const std::string_view wanted(text,
                                strnlen(text, std::min<size_t>(name.size(), kNameLength - 1)));
  if (wanted != "cubic" && wanted != "reno") return Errno(ENOENT);
  reno_ = wanted == "reno";
  return {};
}

std::vector<std::byte> TcpOptions::CongestionControl() const {
  std::vector<std::byte> name(kNameLength);
  const std::string_view text = reno_ ? "reno" : "cubic";
  std::memcpy(name.data(), text.data(), text.size());
  return name;
}

}  // namespace redoubt::inet
