// SPDX-License-Identifier: Apache-2.0
//
// Options of IPPROTO_TCP that are a number, and the congestion control's name (tcp(7)). Most say
// how segments travel, and between two sockets in memory none do: they are kept, checked and shown.
#ifndef SENTRY_SOCKET_INET_TCP_OPTIONS_H_
#define SENTRY_SOCKET_INET_TCP_OPTIONS_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "sentry/socket/net/settings.h"

namespace redoubt::inet {

enum class TcpOption : uint8_t {
  kNoDelay,
  kCork,
  kMaximumSegment,
  kKeepIdle,
  kKeepInterval,
  kKeepCount,
  kSynCount,
  kLinger2,
  kDeferAccept,
  kWindowClamp,
  kQuickAck,
  kThinLinearTimeouts,
  kThinDupAck,
  kUserTimeout,
  kFastOpen,
  kFastOpenConnect,
  kFastOpenNoCookie,
  kTimestamp,
  kNotSentLowWater,
  kSaveSyn,
  kInQueue,
  kTxDelay,
  kCount,
};

class TcpOptions {
 public:
  static bool Knows(int name);
  // ENOPROTOOPT, EINVAL. `listening`: TCP_FASTOPEN wants a listener or a closed socket.
  Result<void> Set(int name, std::span<const std::byte> value);
  Result<std::vector<std::byte>> Show(int name) const;
  int32_t Get(TcpOption option) const;
  void CopyFrom(const TcpOptions& other);

  // "cubic", "reno". ENOENT for one that is not there.
  Result<void> SetCongestionControl(std::span<const std::byte> name);
  std::vector<std::byte> CongestionControl() const;  // TCP_CA_NAME_MAX bytes.

  ~TcpOptions() { delete values_.load(std::memory_order_relaxed); }

 private:
  using Values = std::array<std::atomic<int32_t>, static_cast<size_t>(TcpOption::kCount)>;
  Values& MutableValues();

  std::atomic<Values*> values_{nullptr};  // Null: nothing was set.
  std::atomic<bool> reno_{false};
};

}  // namespace redoubt::inet

#endif  // SENTRY_SOCKET_INET_TCP_OPTIONS_H_
