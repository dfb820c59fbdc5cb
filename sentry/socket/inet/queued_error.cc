// SPDX-License-Identifier: Apache-2.0
#include "sentry/socket/inet/queued_error.h"

#include <time.h>

#include <linux/errqueue.h>
#include <netinet/in.h>

#include <utility>

#include "sentry/socket/inet/control.h"
#include "sentry/socket/inet/inet_endpoint.h"

namespace redoubt::inet {

namespace {

constexpr size_t kMostErrors = 64;

// sock_extended_err and the offender. A v6 socket gets v6 ones of v4 packets too.
void PutError(const QueuedError& queued, int family, std::vector<std::byte>& out) {
  std::vector<std::byte> data;
  const auto put = [&](std::span<const std::byte> bytes) {
    data.insert(data.end(), bytes.begin(), bytes.end());
  };
  put(std::as_bytes(std::span(&queued.error, 1)));
  const bool v6 = family == AF_INET6;
  const bool has_offender = !queued.offender.IsUnspecified();
  if (has_offender) {
    const SocketAddress name = ToSocketAddress(v6 ? AF_INET6 : AF_INET, {queued.offender, 0, 0});
    put(name.bytes());
  } else {
    data.resize(data.size() + (v6 ? sizeof(abi::SockaddrIn6) : sizeof(abi::SockaddrIn)));
  }
  PutControl(out, v6 ? SOL_IPV6 : SOL_IP, v6 ? IPV6_RECVERR : IP_RECVERR, data);
}

}  // namespace

void InetEndpoint::QueueErrorLocked(QueuedError error) {
  if (!errors_) errors_ = std::make_unique<std::deque<QueuedError>>();
  if (errors_->size() < kMostErrors) errors_->push_back(std::move(error));
}

bool InetEndpoint::HasErrors() {
  MutexLock lock(&mu_);
  return errors_ && !errors_->empty();
}

Result<sockets::ReceiveResult> InetEndpoint::ReceiveError(const sockets::ReceiveRequest& request) {
  QueuedError queued;
  {
    MutexLock lock(&mu_);
    if (!errors_ || errors_->empty()) return Errno(EAGAIN);
    if ((request.flags & MSG_PEEK) != 0) {
      queued = errors_->front();
    } else {
      queued = std::move(errors_->front());
      errors_->pop_front();
    }
  }
  sockets::ReceiveResult result;
  result.full_length = queued.payload.size();
  result.bytes = std::min(queued.payload.size(), request.buffer.size());
  std::copy_n(queued.payload.begin(), result.bytes, request.buffer.begin());
  result.flags = MSG_ERRQUEUE | (result.bytes < result.full_length ? MSG_TRUNC : 0);
  if (queued.error.origin != SO_EE_ORIGIN_ZEROCOPY) {
    result.address = ToSocketAddress(family_, queued.destination);
  }
  if (request.want_control) PutError(queued, family_, result.control.other);
  return result;
}

}  // namespace redoubt::inet
