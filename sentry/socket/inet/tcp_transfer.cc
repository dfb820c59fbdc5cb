// SPDX-License-Identifier: Apache-2.0
//
// Data of TCP connections, urgent data among them.
#include <signal.h>
#include <time.h>

#include <linux/errqueue.h>

#include <algorithm>
#include <utility>

#include "sentry/socket/inet/tcp_endpoint.h"
#include "sentry/socket/inet/tcp_limits.h"

namespace redoubt::inet {

using net::Counter;
using sockets::ReceiveRequest;
using sockets::ReceiveResult;

size_t TcpEndpoint::send_limit() const {
  if (tcp_memory::UnderPressure()) return tcp_memory::kUnderPressure;
  const size_t set = send_buffer_.load(std::memory_order_relaxed);
  return set != 0 ? set : kConnectedSendBuffer;
}

size_t TcpEndpoint::RoomFor(const TcpEndpoint& peer) const {
  const size_t limit = peer.window() + send_limit();
  const size_t queued = peer.queued_.load();
  return limit - std::min(limit, queued);
}

// sk_stream_is_writeable(): a third of the buffer is free.
bool TcpEndpoint::WritableLocked() { return UnsentLocked() * 3 <= send_limit() * 2; }

Result<RefPtr<TcpEndpoint>> TcpEndpoint::MaySend() {
  MutexLock lock(&mu_);
  if (error_ != 0) return Errno(std::exchange(error_, 0));
  if (state_ == TcpState::kSynSent) return Errno(EAGAIN);
  const bool open = state_ == TcpState::kEstablished || state_ == TcpState::kCloseWait;
  if (!open || (shutdown_ & kSending) != 0) return Errno(EPIPE);
  return peer_;
}

Result<size_t> TcpEndpoint::Send(std::span<const std::byte> data, int flags) {
  RefPtr<TcpEndpoint> peer = TRY(MaySend());
  if (data.empty()) return size_t{0};
  size_t room = RoomFor(*peer);
  if (room == 0) {
    no_space_ = true;
    room = RoomFor(*peer);
    if (room == 0) return Errno(EAGAIN);
  }
  data = data.first(std::min(data.size(), room));
  sockets::ByteQueue staged;
  staged.Append(data);
  tcp_memory::Charge(data.size());
  const bool urgent = (flags & MSG_OOB) != 0;
  const Appended appended = peer->Append(*this, staged, urgent);
  if (appended.gone || appended.rejected) tcp_memory::Release(data.size());
  if (appended.gone) return Send(data, flags);  // MaySend() knows why.
  if (appended.rejected) {
    // Taken, as Linux takes what it sends into the void; the RST comes back at once.
    AnswerWithReset();
    return data.size();
  }
  bytes_sent_.fetch_add(data.size(), std::memory_order_relaxed);
  network_->counters().Add(Counter::kTcpOutSegs);
  network_->counters().Add(Counter::kTcpInSegs);
  network_->loopback_counters().CountLoopback(1, data.size() + 52);
  if (appended.deferred_by) appended.deferred_by->EndDeferral(peer);
  peer->wait_queue_.Wake(EPOLLIN | EPOLLRDNORM | (urgent ? EventMask{EPOLLPRI} : 0));
  if (urgent) peer->SignalUrgent();
  if (user_timeout_.load(std::memory_order_relaxed) != 0) WatchReader(*peer);
  if ((flags & MSG_ZEROCOPY) != 0) NoteZeroCopy();
  return data.size();
}

// Runs at the receiver.
TcpEndpoint::Appended TcpEndpoint::Append(const TcpEndpoint& from, sockets::ByteQueue& data,
                                          bool urgent) {
  Appended result;
  MutexLock lock(&mu_);
  if (peer_ != &from) {
    result.gone = true;
    return result;
  }
  // Closed, or shut down in both directions: nobody will read this.
  result.rejected = orphaned_ || (state_ == TcpState::kFinWait2 && (shutdown_ & kReceiving) != 0);
  if (result.rejected) return result;
  queue_.Splice(data);
  queued_ = queue_.size();
  if (urgent) NoteUrgentLocked();
  if (waits_for_) result.deferred_by = waits_for_;
  return result;
}

// tcp_check_urg(): the last byte that came is urgent.
void TcpEndpoint::NoteUrgentLocked() {
  const bool old_is_next = urgent_ != Urgent::kNone && urgent_sequence_ == read_sequence_;
  if (old_is_next && !urgent_inline_ && queue_.size() > 1) {
    // The byte that was urgent until now is lost.
    queue_.Drop(1);
    ++read_sequence_;
    queued_ = queue_.size();
    tcp_memory::Release(1);
  }
  urgent_sequence_ = read_sequence_ + queue_.size() - 1;
  queue_.CopyTo(queue_.size() - 1, std::span(&urgent_byte_, 1));
  urgent_ = Urgent::kValid;
}

// sk_send_sigurg().
void TcpEndpoint::SignalUrgent() {
  int owner = 0;
  {
    MutexLock lock(&mu_);
    if (async_owner_ != nullptr) owner = async_owner_->load(std::memory_order_relaxed);
  }
  if (owner != 0) sockets::SignalOwner(owner, SIGURG);
}

void TcpEndpoint::NoteZeroCopy() {
  if (!zero_copy_.load(std::memory_order_relaxed)) return;
  {
    MutexLock lock(&mu_);
    const uint32_t number = zero_copy_sends_++;
    if (errors_ && !errors_->empty() && errors_->back().error.origin == SO_EE_ORIGIN_ZEROCOPY &&
        errors_->back().error.data == number - 1) {
      errors_->back().error.data = number;
      return;
    }
    QueuedError note;
    note.error.origin = SO_EE_ORIGIN_ZEROCOPY;
    note.error.code = SO_EE_CODE_ZEROCOPY_COPIED;
    note.error.info = note.error.data = number;
    note.destination = remote_;
    QueueErrorLocked(std::move(note));
  }
  wait_queue_.Wake(EPOLLERR);
}

// The urgent byte is not among the others, unless SO_OOBINLINE: reading stops at it, and the next
// read steps over it.
size_t TcpEndpoint::ReadableLocked(size_t wanted, bool peek, size_t& skip) {
  size_t available = queue_.size();
  if (urgent_ != Urgent::kNone && urgent_sequence_ >= read_sequence_) {
    const size_t ahead = urgent_sequence_ - read_sequence_;
    if (ahead > 0) {
      available = std::min(available, ahead);
    } else if (!urgent_inline_ && available > 0) {
      --available;
      if (peek) {
        skip = 1;
      } else {
        queue_.Drop(1);
        ++read_sequence_;
        tcp_memory::Release(1);
        queued_ = queue_.size();
        urgent_ = Urgent::kNone;
      }
    }
  }
  return std::min(available, wanted);
}

// tcp_recvmsg_locked()'s reasons, in its order.
Result<ReceiveResult> TcpEndpoint::NothingToReadLocked() {
  if (received_fin_) return ReceiveResult();
  if (error_ != 0) return Errno(std::exchange(error_, 0));
  if ((shutdown_ & kReceiving) != 0) return ReceiveResult();
  if (state_ == TcpState::kClose) return Errno(ENOTCONN);
  return Errno(EAGAIN);
}

Result<ReceiveResult> TcpEndpoint::Receive(const ReceiveRequest& request, const ReceiveMode& mode) {
  if ((request.flags & MSG_OOB) != 0) return ReceiveUrgent(request);
  const bool peek = (request.flags & MSG_PEEK) != 0;
  const size_t wanted = request.buffer.size();
  sockets::ByteQueue taken;
  RefPtr<TcpEndpoint> writer;
  ReceiveResult result;
  {
    MutexLock lock(&mu_);
    if (state_ == TcpState::kListen) return Errno(ENOTCONN);
    size_t skip = 0;
    const size_t length = ReadableLocked(wanted, peek, skip);
    const bool nothing = length == 0 && (wanted > 0 || queue_.empty());
    if (nothing) return NothingToReadLocked();
    const bool may_wait = !mode.nonblocking && shutdown_ == 0 && error_ == 0;
    const size_t enough = std::min(static_cast<size_t>(mode.low_water), wanted);
    if (may_wait && length < enough && queue_.size() < window()) return Errno(EAGAIN);
    result.bytes = result.full_length = length;
    result.may_continue = true;
    if (peek) {
      if ((request.flags & MSG_TRUNC) == 0) {
        queue_.CopyTo(skip, request.buffer.first(length));
      } else {
        result.bytes = 0;
      }
      return result;
    }
    taken = queue_.Take(length);
    read_sequence_ += length;
    if (urgent_ != Urgent::kNone && read_sequence_ > urgent_sequence_) urgent_ = Urgent::kNone;
    queued_ = queue_.size();
    if (peer_ && peer_->no_space_.load()) {
      const size_t unsent = queue_.size() - std::min(queue_.size(), window());
      if (unsent * 3 <= peer_->send_limit() * 2 && peer_->no_space_.exchange(false)) {
        writer = peer_;
      }
    }
  }
  tcp_memory::Release(result.bytes);
  if (writer) writer->wait_queue_.Wake(EPOLLOUT | EPOLLWRNORM);
  if ((request.flags & MSG_TRUNC) != 0) {
    result.bytes = 0;  // Thrown away.
  } else {
    taken.CopyTo(0, request.buffer);
  }
  return result;
}

// tcp_recv_urg().
Result<ReceiveResult> TcpEndpoint::ReceiveUrgent(const ReceiveRequest& request) {
  MutexLock lock(&mu_);
  if (state_ == TcpState::kListen) return Errno(ENOTCONN);
  if (urgent_inline_ || urgent_ == Urgent::kNone || urgent_ == Urgent::kRead) {
    return Errno(EINVAL);
  }
  if (state_ == TcpState::kClose && !received_fin_) return Errno(ENOTCONN);
  ReceiveResult result;
  result.flags = MSG_OOB;
  if ((request.flags & MSG_PEEK) == 0) urgent_ = Urgent::kRead;
  if (request.buffer.empty()) {
    result.flags |= MSG_TRUNC;
    return result;
  }
  result.full_length = 1;
  if ((request.flags & MSG_TRUNC) == 0) {
    request.buffer[0] = urgent_byte_;
    result.bytes = 1;
  }
  return result;
}

void TcpEndpoint::Unread(std::span<const std::byte> data) {
  if (data.empty()) return;
  {
    MutexLock lock(&mu_);
    if (orphaned_) return;
    tcp_memory::Charge(data.size());
    queue_.Prepend(data);
    read_sequence_ -= data.size();
    queued_ = queue_.size();
  }
  wait_queue_.Wake(EPOLLIN | EPOLLRDNORM);
}

}  // namespace redoubt::inet
