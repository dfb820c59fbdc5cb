// SPDX-License-Identifier: Apache-2.0
//
// Socket: what the system-call layer asks of a socket of any family.
//
// Nothing here waits. Where Linux would, the answer is EAGAIN (connect: EINPROGRESS or EAGAIN as
// the family does for O_NONBLOCK), the caller waits on wait_queue() for the Readiness it needs and
// asks again, up to SO_RCVTIMEO or SO_SNDTIMEO. EPIPE comes without SIGPIPE: the caller sends that,
// unless MSG_NOSIGNAL.
//
// One call moves one flat buffer: the caller gathers and scatters iovecs, and turns control
// messages into ControlData and back (SCM_RIGHTS numbers are the descriptor table's business).
#ifndef SENTRY_SOCKET_SOCKET_H_
#define SENTRY_SOCKET_SOCKET_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "abi/linux/socket.h"
#include "sentry/socket/address.h"
#include "sentry/vfs/caller.h"
#include "sentry/vfs/file_description.h"

namespace redoubt::sockets {

struct ControlData {
  std::vector<RefPtr<vfs::FileDescription>> rights;   // SCM_RIGHTS, at most kScmMaximumFds.
  std::optional<abi::SocketCredentials> credentials;  // SCM_CREDENTIALS.
  // Other control messages, ready to be given to the guest (header, data, padding).
  std::vector<std::byte> other;
};

struct SendRequest {
  std::span<const std::byte> data;
  const SocketAddress* address = nullptr;  // Null: the connected peer.
  ControlData control;                     // Taken only when the send succeeds.
  int flags = 0;                           // MSG_*.
  const vfs::Caller& caller;
};

struct ReceiveRequest {
  std::span<std::byte> buffer;
  int flags = 0;
  // The caller has no room for control messages at all (recvfrom, read): rights are dropped and
  // MSG_CTRUNC is set, when there were any.
  bool want_control = false;
};

struct ReceiveResult {
  size_t bytes = 0;        // In the buffer.
  size_t full_length = 0;  // Of the datagram, for MSG_TRUNC; else as `bytes`.
  int flags = 0;           // MSG_TRUNC, MSG_CTRUNC, MSG_EOR, MSG_OOB.
  SocketAddress address;   // The sender's; empty when it has none, or on a connected stream.
  ControlData control;
  // A stream whose next bytes may join these (MSG_WAITALL goes on; false at the end of file and
  // where other control data begins).
  bool may_continue = false;
};

// How shutdown(2) counts.
enum class ShutdownHow : uint8_t { kRead = SHUT_RD, kWrite = SHUT_WR, kBoth = SHUT_RDWR };

class Socket : public vfs::FileDescription {
 public:
  // `flags`: O_NONBLOCK or 0. Both directions are open.
  Socket(int family, int type, int protocol, uint32_t flags, const vfs::Caller& caller);

  int family() const { return family_; }
  int type() const { return type_; }  // SOCK_STREAM ...
  int protocol() const { return protocol_; }

  virtual Result<void> Bind(const vfs::Caller& caller, const SocketAddress& address) = 0;
  virtual Result<void> Connect(const vfs::Caller& caller, const SocketAddress& address) = 0;
  virtual Result<void> Listen(const vfs::Caller& caller, int backlog) = 0;
  // `flags`: O_NONBLOCK or 0 for the new one. Its peer's address by GetPeerName.
  virtual Result<RefPtr<Socket>> Accept(const vfs::Caller& caller, uint32_t flags) = 0;
  // `request.control` is moved from on success.
  virtual Result<size_t> SendMessage(SendRequest& request) = 0;
  virtual Result<ReceiveResult> ReceiveMessage(const ReceiveRequest& request) = 0;
  // Bytes of a stream that were just received go back to the front: the guest's memory did not take
  // them. Where that cannot be, they are lost.
  virtual void Unread(std::span<const std::byte> data) {}
  virtual Result<void> Shutdown(ShutdownHow how) = 0;
  virtual Result<SocketAddress> GetName() = 0;
  virtual Result<SocketAddress> GetPeerName() = 0;

  // getsockopt(2): the bytes of the value, at most `length` (the caller cuts). The default serves
  // what SOL_SOCKET options are alike for all families; ENOPROTOOPT for others.
  virtual Result<std::vector<std::byte>> GetOption(int level, int name, size_t length);
  virtual Result<void> SetOption(const vfs::Caller& caller, int level, int name,
                                 std::span<const std::byte> value);

  // SO_RCVTIMEO, SO_SNDTIMEO in nanoseconds; 0 is none.
  int64_t receive_timeout() const { return receive_timeout_.load(std::memory_order_relaxed); }
  int64_t send_timeout() const { return send_timeout_.load(std::memory_order_relaxed); }

  // The name accept(2) tells, which it does even of a connection that was reset meanwhile.
  virtual Result<SocketAddress> AcceptedPeerName() { return GetPeerName(); }

  // By SendMessage and ReceiveMessage.
  Result<size_t> Read(std::span<std::byte> buffer) override;
  Result<size_t> Write(std::span<const std::byte> data, const vfs::Caller& caller) override;
  // What every socket knows of: interfaces (SIOCGIF...). Families ask it for what is not theirs.
  Result<uint64_t> Ioctl(const vfs::IoctlRequest& request) override;

 protected:
  // SO_ERROR: gives the pending error and clears it.
  virtual int TakeError() { return 0; }
  // SO_SNDBUF and SO_RCVBUF as the guest sees them (Linux doubles what is set).
  size_t send_buffer() const { return send_buffer_.load(std::memory_order_relaxed); }
  size_t receive_buffer() const { return receive_buffer_.load(std::memory_order_relaxed); }
  virtual bool IsListening() { return false; }
  // A boolean of SOL_SOCKET that the base keeps: SO_REUSEADDR, SO_BROADCAST ...
  bool HasOption(int name) const;
  int receive_low_water() const { return receive_low_water_.load(std::memory_order_relaxed); }
  int linger_seconds() const { return linger_seconds_.load(std::memory_order_relaxed); }
  // Before the socket is used: a family's own defaults, and an accepted socket's inheritance.
  void SetDefaultBuffers(size_t send, size_t receive);
  void InheritOptions(const Socket& listener);

 private:
  Result<void> SetTimeout(std::atomic<int64_t>& timeout, std::span<const std::byte> value);
  // `limit`: the most a guest may ask for, before it is doubled.
  Result<void> SetBuffer(std::atomic<size_t>& buffer, std::span<const std::byte> value,
                         size_t limit);

  const int family_;
  const int type_;
  const int protocol_;
  std::atomic<int64_t> receive_timeout_{0};
  std::atomic<int64_t> send_timeout_{0};
  std::atomic<size_t> send_buffer_;
  std::atomic<size_t> receive_buffer_;
  std::atomic<uint32_t> kept_options_{0};  // Booleans that are kept but not acted on, by bit.
  std::atomic<int> priority_{0};
  std::atomic<int> receive_low_water_{1};
  std::atomic<int> linger_seconds_{-1};  // -1: off.
};

// Sends `signal` to the owner of a file (F_SETOWN: a process, or a process group if negative), by
// whatever boot set; tasks are not known here.
void SetOwnerSignaller(std::function<void(int owner, int signal)> signaller);
void SignalOwner(int owner, int signal);

// The socket of an open file; null when it is something else (ENOTSOCK).
Socket* SocketOf(vfs::FileDescription& file);

}  // namespace redoubt::sockets

#endif  // SENTRY_SOCKET_SOCKET_H_
