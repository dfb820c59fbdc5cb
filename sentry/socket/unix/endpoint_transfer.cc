// SPDX-License-Identifier: Apache-2.0
//
// Data: sending, receiving and their limits.
#include <linux/capability.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "sentry/socket/unix/endpoint.h"

namespace redoubt::sockets {

namespace {

// What a message costs besides its bytes (Linux: struct sk_buff), so that empty ones are bounded.
constexpr size_t kMessageOverhead = 576;
// Small writes to a stream share one message up to this size.
constexpr size_t kMergedSize = 65536;
constexpr size_t kDatagramHeadroom = 32;

}  // namespace

// SCM_CREDENTIALS must be true, unless the sender may lie; without it they are filled in.
Result<abi::SocketCredentials> Endpoint::CredentialsFor(const SendRequest& request) {
  const vfs::Caller& caller = request.caller;
  const abi::SocketCredentials own{.pid = caller.tgid, .uid = caller.uid, .gid = caller.gid};
  if (!request.control.credentials) return own;
  const abi::SocketCredentials& given = *request.control.credentials;
  if ((given.pid != own.pid && !caller.HasCapability(CAP_SYS_ADMIN)) ||
      (given.uid != own.uid && !caller.HasCapability(CAP_SETUID)) ||
      (given.gid != own.gid && !caller.HasCapability(CAP_SETGID))) {
    return Errno(EPERM);
  }
  return given;
}

Result<RefPtr<Endpoint>> Endpoint::ConnectedPeer(const SendRequest& request) {
  MutexLock lock(&mu_);
  const bool connected = state_ == State::kConnected && peer_;
  if (IsStream() && request.address != nullptr) return Errno(connected ? EISCONN : EOPNOTSUPP);
  if (!connected) return Errno(ENOTCONN);
  if (write_shutdown_) return Errno(EPIPE);
  return peer_;
}

Result<RefPtr<Endpoint>> Endpoint::Destination(const SendRequest& request) {
  if (IsConnectionOriented()) return ConnectedPeer(request);
  TRY(BindAutomaticallyIfAsked());
  if (request.address == nullptr) return ConnectedPeer(request);
  const UnixName name = TRY(ParseUnixAddress(*request.address));
  RefPtr<Endpoint> to = TRY(FindEndpoint(request.caller, name));
  if (to->type_ != type_) return Errno(EPROTOTYPE);
  MutexLock lock(&mu_);
  if (write_shutdown_) return Errno(EPIPE);
  return to;
}

Result<size_t> Endpoint::Send(SendRequest& request, size_t send_buffer) {
  if ((request.flags & MSG_OOB) != 0) return Errno(EOPNOTSUPP);
  last_send_buffer_.store(send_buffer, std::memory_order_relaxed);
  const RefPtr<Endpoint> to = TRY(Destination(request));
  if (IsStream()) return SendStream(request, send_buffer, *to);
  Result<size_t> sent = SendMessageTo(request, send_buffer, to);
  if (sent.Is(ECONNREFUSED) && request.address == nullptr && !IsConnectionOriented()) {
    // The peer has gone for good: the next send finds no connection.
    RefPtr<Endpoint> gone;
    MutexLock lock(&mu_);
    if (peer_ == to) {
      gone = std::move(peer_);
      state_ = State::kUnconnected;
    }
  }
  return sent;
}

Result<size_t> Endpoint::SendStream(SendRequest& request, size_t send_buffer, Endpoint& to) {
  if (request.data.empty()) return size_t{0};
  Message message;
  message.credentials = TRY(CredentialsFor(request));
  const size_t used = in_flight();
  if (used >= send_buffer) return Errno(EAGAIN);
  const auto data = request.data.first(std::min(request.data.size(), send_buffer - used));
  message.rights = TRY(Rights::Send(request.control.rights));
  message.sender = RefPtr<Endpoint>(this);
  in_flight_.fetch_add(data.size(), std::memory_order_relaxed);
  const Result<void> appended = to.Append(data, message);
  if (!appended.ok()) {
    Uncharge(data.size());
    return appended.error();
  }
  request.control.rights.clear();
  to.wait_queue_.Wake(EPOLLIN | EPOLLRDNORM);
  return data.size();
}

Result<void> Endpoint::Append(std::span<const std::byte> data, Message& message) {
  MutexLock lock(&mu_);
  if (state_ == State::kClosed || read_shutdown_) return Errno(EPIPE);
  if (!queue_.empty() && message.rights.empty()) {
    Message& last = queue_.back();
    if (last.rights.empty() && last.credentials == message.credentials &&
        last.data.size() + data.size() <= kMergedSize) {
      last.data.insert(last.data.end(), data.begin(), data.end());
      last.charge += data.size();
      return {};
    }
  }
  message.data.assign(data.begin(), data.end());
  message.charge = data.size();
  message.rights.EnterQueueOf(*this);
  queue_.push_back(std::move(message));
  return {};
}

Result<void> Endpoint::MayReceiveLocked(const Endpoint& sender) {
  if (IsConnectionOriented()) {
    if (state_ == State::kClosed || read_shutdown_) return Errno(EPIPE);
    return {};
  }
  if (state_ == State::kClosed) return Errno(ECONNREFUSED);
  if (peer_ && peer_ != &sender) return Errno(EPERM);
  if (read_shutdown_) return Errno(EPIPE);
  if (FullLocked() && peer_ != &sender) return Errno(EAGAIN);
  return {};
}

Result<size_t> Endpoint::SendMessageTo(SendRequest& request, size_t send_buffer,
                                       const RefPtr<Endpoint>& to) {
  if (request.data.size() + kDatagramHeadroom > send_buffer) return Errno(EMSGSIZE);
  Message message;
  message.credentials = TRY(CredentialsFor(request));
  if (in_flight() >= send_buffer) return Errno(EAGAIN);
  message.data.assign(request.data.begin(), request.data.end());
  message.charge = request.data.size() + kMessageOverhead;
  message.rights = TRY(Rights::Send(request.control.rights));
  message.sender = RefPtr<Endpoint>(this);
  const size_t charge = message.charge;
  in_flight_.fetch_add(charge, std::memory_order_relaxed);
  Result<void> allowed;
  {
    MutexLock lock(&to->mu_);
    allowed = to->MayReceiveLocked(*this);
    if (allowed.ok()) {
      message.rights.EnterQueueOf(*to);
      to->queue_.push_back(std::move(message));
    }
  }
  if (!allowed.ok()) {
    Uncharge(charge);
    if (allowed.Is(EAGAIN)) {
      MutexLock lock(&mu_);
      if (state_ != State::kClosed) waits_for_ = to;
    }
    return allowed.error();
  }
  request.control.rights.clear();
  to->wait_queue_.Wake(EPOLLIN | EPOLLRDNORM);
  return request.data.size();
}

void Endpoint::Uncharge(size_t bytes) {
  const size_t before = in_flight_.fetch_sub(bytes, std::memory_order_relaxed);
  const size_t limit = last_send_buffer_.load(std::memory_order_relaxed);
  if (before * 4 > limit && (before - bytes) * 4 <= limit) {
    wait_queue_.Wake(EPOLLOUT | EPOLLWRNORM);
  }
}

// Nothing is queued: an error, the end of file (ok), or a wait.
Result<void> Endpoint::CheckEmptyLocked() {
  if (error_ != 0) return Errno(std::exchange(error_, 0));
  if (read_shutdown_) return {};
  return Errno(EAGAIN);
}

Result<ReceiveResult> Endpoint::Receive(const ReceiveRequest& request) {
  if ((request.flags & MSG_OOB) != 0) return Errno(EOPNOTSUPP);
  return IsStream() ? ReceiveBytes(request) : ReceiveMessage(request);
}

Result<ReceiveResult> Endpoint::ReceiveBytes(const ReceiveRequest& request) {
  const bool peek = (request.flags & MSG_PEEK) != 0;
  const bool want_credentials = pass_credentials_.load(std::memory_order_relaxed);
  ReceiveResult result;
  RefPtr<Endpoint> sender;
  size_t freed = 0;
  std::vector<Message> read;  // Go after the lock.
  {
    MutexLock lock(&mu_);
    if (state_ != State::kConnected) return Errno(EINVAL);
    if (request.buffer.empty()) return result;
    if (queue_.empty()) {
      TRY(CheckEmptyLocked());
      return result;
    }
    result.may_continue = true;
    size_t index = 0;  // Moves only when peeking; else what was read is taken off.
    while (index < queue_.size() && result.bytes < request.buffer.size()) {
      Message& front = queue_[index];
      if (want_credentials) {
        if (!result.control.credentials) {
          result.control.credentials = front.credentials;
        } else if (*result.control.credentials != front.credentials) {
          result.may_continue = false;
          break;
        }
      }
      const size_t take = std::min(front.size(), request.buffer.size() - result.bytes);
      std::memcpy(request.buffer.data() + result.bytes, front.data.data() + front.offset, take);
      result.bytes += take;
      const bool had_rights = !front.rights.empty();
      if (had_rights) {
        result.control.rights = peek ? front.rights.Copy() : front.rights.Receive();
      }
      if (!peek) {
        sender = front.sender;
        freed += take;
        front.charge -= take;
        front.offset += take;
      }
      if (peek) {
        ++index;
      } else if (front.size() == 0) {
        read.push_back(std::move(front));
        queue_.pop_front();
      }
      if (had_rights) {
        result.may_continue = false;
        break;
      }
    }
  }
  result.full_length = result.bytes;
  if (sender) sender->Uncharge(freed);
  return result;
}

void Endpoint::Unread(std::span<const std::byte> data) {
  if (!IsStream() || data.empty()) return;
  {
    MutexLock lock(&mu_);
    if (state_ != State::kConnected) return;
    Message message;
    message.data.assign(data.begin(), data.end());
    message.credentials = peer_credentials_;
    message.sender = peer_;
    message.charge = data.size();
    if (peer_) peer_->in_flight_.fetch_add(data.size(), std::memory_order_relaxed);
    queue_.push_front(std::move(message));
  }
  wait_queue_.Wake(EPOLLIN | EPOLLRDNORM);
}

Result<ReceiveResult> Endpoint::ReceiveMessage(const ReceiveRequest& request) {
  const bool peek = (request.flags & MSG_PEEK) != 0;
  ReceiveResult result;
  Message message;  // Goes after the lock.
  RefPtr<Endpoint> sender;
  {
    MutexLock lock(&mu_);
    if (IsConnectionOriented() && state_ != State::kConnected) return Errno(ENOTCONN);
    if (queue_.empty()) {
      TRY(CheckEmptyLocked());
      return result;
    }
    Message& front = queue_.front();
    result.full_length = front.data.size();
    result.bytes = std::min(front.data.size(), request.buffer.size());
    std::copy_n(front.data.begin(), result.bytes, request.buffer.begin());
    if (result.bytes < result.full_length) result.flags |= MSG_TRUNC;
    if (pass_credentials_.load(std::memory_order_relaxed)) {
      result.control.credentials = front.credentials;
    }
    sender = front.sender;
    if (peek) {
      result.control.rights = front.rights.Copy();
    } else {
      result.control.rights = front.rights.Receive();
      message = std::move(front);
      queue_.pop_front();
    }
  }
  if (!peek) {
    sender->Uncharge(message.charge);
    WakeBlocked();
  }
  if (!IsConnectionOriented()) {
    SocketAddress name = sender->Name();
    if (name.length() > sizeof(uint16_t)) result.address = name;
  }
  return result;
}

size_t Endpoint::BytesReadable() {
  MutexLock lock(&mu_);
  if (queue_.empty()) return 0;
  if (!IsStream()) return queue_.front().data.size();
  size_t bytes = 0;
  for (const Message& message : queue_) bytes += message.size();
  return bytes;
}

}  // namespace redoubt::sockets
