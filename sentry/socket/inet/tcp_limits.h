// SPDX-License-Identifier: Apache-2.0
//
// Figures of TCP in memory.
#ifndef SENTRY_SOCKET_INET_TCP_LIMITS_H_
#define SENTRY_SOCKET_INET_TCP_LIMITS_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace redoubt::inet {

// shutdown_ bits: RCV_SHUTDOWN, SEND_SHUTDOWN.
inline constexpr uint8_t kReceiving = 1;
inline constexpr uint8_t kSending = 2;

// SO_SNDBUF and SO_RCVBUF of a new socket, tcp_{w,r}mem[1]; the first grows when it is connected.
inline constexpr size_t kInitialSendBuffer = 16384;
inline constexpr size_t kConnectedSendBuffer = 2626560;
inline constexpr size_t kInitialReceiveBuffer = 131072;
inline constexpr size_t kDefaultWindow = 65536;
inline constexpr size_t kSmallestWindow = 1152;
inline constexpr uint32_t kLoopbackMss = 65483;  // lo's mtu less the headers with timestamps.

// What all streams of the sandbox hold together (net.ipv4.tcp_mem): beyond the limit a connection
// may queue only a little more.
namespace tcp_memory {
inline constexpr size_t kLimit = size_t{256} << 20;
inline constexpr size_t kUnderPressure = 65536;
inline std::atomic<size_t> used{0};
inline void Charge(size_t bytes) { used.fetch_add(bytes, std::memory_order_relaxed); }
inline void Release(size_t bytes) { used.fetch_sub(bytes, std::memory_order_relaxed); }
inline bool UnderPressure() { return used.load(std::memory_order_relaxed) > kLimit; }
}  // namespace tcp_memory

}  // namespace redoubt::inet

#endif  // SENTRY_SOCKET_INET_TCP_LIMITS_H_
