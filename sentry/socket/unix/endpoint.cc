// SPDX-License-Identifier: Apache-2.0
//
// Names, connections and ends. Data are in endpoint_transfer.cc.
#include "sentry/socket/unix/endpoint.h"

#include <linux/capability.h>

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "sentry/vfs/operations.h"

namespace redoubt::sockets {

namespace {

constexpr size_t kDatagramQueue = 10;  // net.unix.max_dgram_qlen.
constexpr EventMask kEverything =
    EPOLLIN | EPOLLRDNORM | EPOLLOUT | EPOLLWRNORM | EPOLLHUP | EPOLLRDHUP | EPOLLERR;

// All endpoints, for /proc/net/unix.
struct EndpointTable {
  Mutex<LockRank::kLeaf> mu;
  absl::flat_hash_set<Endpoint*> endpoints ABSL_GUARDED_BY(mu);
};
EndpointTable& All() {
  static auto* table = new EndpointTable;
  return *table;
}

abi::SocketCredentials CredentialsOf(const vfs::Caller& caller) {
  return {.pid = caller.tgid, .uid = caller.uid, .gid = caller.gid};
}

}  // namespace

Endpoint::Endpoint(int type) : type_(type) {
  MutexLock lock(&All().mu);
  All().endpoints.insert(this);
}

Endpoint::~Endpoint() {
  MutexLock lock(&All().mu);
  All().endpoints.erase(this);
}

void Endpoint::Join(const RefPtr<Endpoint>& a, const RefPtr<Endpoint>& b) {
  for (const auto& [self, peer] : {std::pair(a, b), std::pair(b, a)}) {
    abi::SocketCredentials credentials;
    {
      MutexLock lock(&peer->mu_);
      credentials = peer->own_credentials_;
    }
    MutexLock lock(&self->mu_);
    self->state_ = State::kConnected;
    self->peer_ = peer;
    self->peer_credentials_ = credentials;
  }
}

void Endpoint::SetOwnCredentials(const vfs::Caller& caller) {
  MutexLock lock(&mu_);
  own_credentials_ = CredentialsOf(caller);
}

Result<void> Endpoint::Bind(const vfs::Caller& caller, const SocketAddress& address) {
  UnixName name = TRY(ParseUnixAddress(address));
  {
    MutexLock lock(&mu_);
    if (name_.kind != UnixName::Kind::kNone) return Errno(EINVAL);
  }
  RefPtr<Endpoint> self(this);
  switch (name.kind) {
    case UnixName::Kind::kPath:
      return BindPath(caller, name.text);
    case UnixName::Kind::kAbstract:
      TRY(BindAbstract(name.text, self));
      break;
    case UnixName::Kind::kNone:
      name.kind = UnixName::Kind::kAbstract;
      name.text = TRY(BindAutomatically(self));
      break;
  }
  {
    MutexLock lock(&mu_);
    if (name_.kind == UnixName::Kind::kNone && state_ != State::kClosed) {
      name_ = name;
      owns_name_ = true;
      return {};
    }
  }
  UnbindAbstract(name.text);  // Another thread bound us meanwhile.
  return Errno(EINVAL);
}

Result<void> Endpoint::BindPath(const vfs::Caller& caller, const std::string& path) {
  Result<vfs::Path> made =
      vfs::MakeNodeAt(caller, caller.working_directory, path, S_IFSOCK | 0777, 0);
  if (made.Is(EEXIST)) return Errno(EADDRINUSE);
  vfs::Path node = TRY(std::move(made));
  auto attachment = MakeRef<BoundEndpoint>(RefPtr<Endpoint>(this));
  {
    MutexLock lock(&mu_);
    if (name_.kind != UnixName::Kind::kNone || state_ == State::kClosed) return Errno(EINVAL);
    name_ = {.kind = UnixName::Kind::kPath, .text = path};
    owns_name_ = true;
    bound_path_ = node;
    attachment_ = attachment;
  }
  node.dentry->inode()->Attach(attachment);
  return {};
}

Result<void> Endpoint::BindAutomaticallyIfAsked() {
  if (!pass_credentials_.load(std::memory_order_relaxed)) return {};
  {
    MutexLock lock(&mu_);
    if (name_.kind != UnixName::Kind::kNone) return {};
  }
  vfs::Caller nobody;
  const uint16_t family = AF_UNIX;
  const SocketAddress address = SocketAddress::From(std::as_bytes(std::span(&family, 1))).value();
  Result<void> done = Bind(nobody, address);
  return done.Is(EINVAL) ? Result<void>() : done;
}

Result<void> Endpoint::Listen(const vfs::Caller& caller, int backlog) {
  if (!IsConnectionOriented()) return Errno(EOPNOTSUPP);
  const unsigned wanted = static_cast<unsigned>(backlog);
  {
    MutexLock lock(&mu_);
    if (name_.kind == UnixName::Kind::kNone) return Errno(EINVAL);
    if (state_ != State::kUnconnected && state_ != State::kListening) return Errno(EINVAL);
    state_ = State::kListening;
    backlog_limit_ = std::min<unsigned>(wanted, abi::kSocketBacklogMaximum);
    own_credentials_ = CredentialsOf(caller);
  }
  WakeBlocked();  // The backlog may be longer now.
  return {};
}

Result<RefPtr<Endpoint>> Endpoint::Accept() {
  if (!IsConnectionOriented()) return Errno(EOPNOTSUPP);
  RefPtr<Endpoint> accepted;
  {
    MutexLock lock(&mu_);
    if (state_ != State::kListening || (backlog_.empty() && read_shutdown_)) return Errno(EINVAL);
    if (backlog_.empty()) return Errno(EAGAIN);
    accepted = std::move(backlog_.front());
    backlog_.pop_front();
    accepted->embryo_of_ = nullptr;
  }
  WakeBlocked();
  return accepted;
}

Result<void> Endpoint::Connect(const vfs::Caller& caller, const SocketAddress& address) {
  return IsConnectionOriented() ? ConnectStream(caller, address) : ConnectDatagram(caller, address);
}

Result<void> Endpoint::ConnectDatagram(const vfs::Caller& caller, const SocketAddress& address) {
  RefPtr<Endpoint> target;
  if (address.family() != AF_UNSPEC) {
    const UnixName name = TRY(ParseUnixAddress(address));
    TRY(BindAutomaticallyIfAsked());
    target = TRY(FindEndpoint(caller, name));
    if (target->type_ != type_) return Errno(EPROTOTYPE);
    MutexLock lock(&target->mu_);
    if (target->state_ == State::kClosed) return Errno(ECONNREFUSED);
    if (target->peer_ && target->peer_ != this) return Errno(EPERM);
  } else if (address.length() < sizeof(uint16_t)) {
    return Errno(EINVAL);
  }
  std::deque<Message> dropped;  // What came from elsewhere is not for the new peer's reader.
  RefPtr<Endpoint> old;
  {
    MutexLock lock(&mu_);
    old = std::move(peer_);
    if (old && old != target.get()) dropped.swap(queue_);
    state_ = target ? State::kConnected : State::kUnconnected;
    peer_ = std::move(target);
    waits_for_ = nullptr;
  }
  for (Message& message : dropped) message.sender->Uncharge(message.charge);
  wait_queue_.Wake(EPOLLOUT | EPOLLWRNORM);
  return {};
}

Result<void> Endpoint::ConnectStream(const vfs::Caller& caller, const SocketAddress& address) {
  const UnixName name = TRY(ParseUnixAddress(address));
  TRY(BindAutomaticallyIfAsked());
  const RefPtr<Endpoint> listener = TRY(FindEndpoint(caller, name));
  if (listener->type_ != type_) return Errno(EPROTOTYPE);
  {
    // Claims the state, so that of two threads one connects.
    MutexLock lock(&mu_);
    if (state_ == State::kConnected) return Errno(EISCONN);
    if (state_ != State::kUnconnected) return Errno(EINVAL);
    state_ = State::kConnected;
    own_credentials_ = CredentialsOf(caller);
  }
  Result<void> joined = JoinBacklog(listener, caller);
  if (joined.ok()) return {};
  MutexLock lock(&mu_);
  if (state_ == State::kConnected) state_ = State::kUnconnected;
  if (joined.Is(EAGAIN)) waits_for_ = listener;
  return joined;
}

// Makes the server's end and puts it into the backlog; data may flow before accept(2).
Result<void> Endpoint::JoinBacklog(const RefPtr<Endpoint>& listener, const vfs::Caller& caller) {
  auto server = MakeRef<Endpoint>(type_);
  RefPtr<Endpoint> self(this);
  {
    MutexLock lock(&listener->mu_);
    if (listener->state_ != State::kListening || listener->read_shutdown_) {
      return Errno(ECONNREFUSED);
    }
    if (listener->FullLocked()) return Errno(EAGAIN);
    // Nobody else knows `server` yet, so its lock may be taken here: no thread can hold it and
    // wait for the listener's.
    MutexLock server_lock(&server->mu_);
    server->state_ = State::kConnected;
    server->name_ = listener->name_;
    server->own_credentials_ = listener->own_credentials_;
    server->peer_credentials_ = CredentialsOf(caller);
    server->peer_ = self;
    server->embryo_of_ = listener.get();
    server->pass_credentials_ = listener->pass_credentials_.load(std::memory_order_relaxed);
  }
  bool closed = false;
  {
    MutexLock lock(&mu_);
    closed = state_ == State::kClosed;
    if (!closed) {
      peer_ = server;
      waits_for_ = nullptr;
    }
  }
  abi::SocketCredentials credentials;
  bool accepted = false;
  {
    MutexLock lock(&listener->mu_);
    credentials = listener->own_credentials_;
    accepted = !closed && listener->state_ == State::kListening && !listener->read_shutdown_;
    if (accepted) listener->backlog_.push_back(server);
  }
  {
    MutexLock lock(&mu_);
    if (accepted) {
      peer_credentials_ = credentials;
    } else {
      peer_ = nullptr;
    }
  }
  if (!accepted) {
    server->Abandon();
    return Errno(ECONNREFUSED);
  }
  listener->wait_queue_.Wake(EPOLLIN | EPOLLRDNORM);
  return {};
}

void Endpoint::Abandon() {
  RefPtr<Endpoint> peer;
  MutexLock lock(&mu_);
  state_ = State::kClosed;
  peer = std::move(peer_);
}

void Endpoint::PeerShutdown(bool read, bool write, bool reset) {
  {
    MutexLock lock(&mu_);
    read_shutdown_ = read_shutdown_ || read;
    write_shutdown_ = write_shutdown_ || write;
    if (reset) error_ = ECONNRESET;
  }
  wait_queue_.Wake(kEverything);
}

void Endpoint::Shutdown(bool read, bool write) {
  RefPtr<Endpoint> peer;
  {
    MutexLock lock(&mu_);
    read_shutdown_ = read_shutdown_ || read;
    write_shutdown_ = write_shutdown_ || write;
    if (IsConnectionOriented()) peer = peer_;
  }
  wait_queue_.Wake(kEverything);
  WakeBlocked();
  if (peer) peer->PeerShutdown(write, read, false);
}

void Endpoint::Close(bool reset) {
  UnixName name;
  vfs::Path path;
  RefPtr<BoundEndpoint> attachment;
  RefPtr<Endpoint> peer, waits_for;
  std::deque<Message> queue;
  std::deque<RefPtr<Endpoint>> backlog;
  {
    MutexLock lock(&mu_);
    if (state_ == State::kClosed) return;
    state_ = State::kClosed;
    if (owns_name_ && name_.kind == UnixName::Kind::kAbstract) name = name_;
    path = std::move(bound_path_);
    attachment = std::move(attachment_);
    peer = std::move(peer_);
    waits_for = std::move(waits_for_);
    queue.swap(queue_);
    backlog.swap(backlog_);
  }
  if (name.kind == UnixName::Kind::kAbstract) UnbindAbstract(name.text);
  if (attachment) path.dentry->inode()->Detach(attachment.get());
  // Unread data are lost, and the peer is told.
  if (peer && IsConnectionOriented()) peer->PeerShutdown(true, true, reset || !queue.empty());
  for (const RefPtr<Endpoint>& pending : backlog) pending->Close(/*reset=*/true);
  for (Message& message : queue) message.sender->Uncharge(message.charge);
  WakeBlocked();
  wait_queue_.Wake(kEverything);
}

bool Endpoint::FullLocked() const {
  switch (state_) {
    case State::kListening:
      return backlog_.size() > backlog_limit_;
    case State::kClosed:
      return false;
    default:
      return !IsConnectionOriented() && queue_.size() > kDatagramQueue;
  }
}

bool Endpoint::IsFullFor(const Endpoint& sender) {
  MutexLock lock(&mu_);
  return FullLocked() && peer_ != &sender;
}

void Endpoint::NoteBlocked(const RefPtr<Endpoint>& sender) {
  MutexLock lock(&mu_);
  blocked_.try_emplace(sender.get(), sender);
}

void Endpoint::WakeBlocked() {
  absl::flat_hash_map<Endpoint*, RefPtr<Endpoint>> blocked;
  {
    MutexLock lock(&mu_);
    if (blocked_.empty()) return;
    blocked.swap(blocked_);
  }
  for (const auto& [pointer, sender] : blocked) {
    sender->wait_queue_.Wake(EPOLLOUT | EPOLLWRNORM);
  }
}

// Linux's unix_poll() and unix_dgram_poll().
EventMask Endpoint::Readiness(EventMask mask, size_t send_buffer) {
  EventMask events = 0;
  bool writable = false;
  RefPtr<Endpoint> target;
  {
    MutexLock lock(&mu_);
    if (error_ != 0) events |= EPOLLERR;
    if (read_shutdown_ && write_shutdown_) events |= EPOLLHUP;
    if (read_shutdown_) events |= EPOLLRDHUP | EPOLLIN | EPOLLRDNORM;
    if (!queue_.empty() || !backlog_.empty()) events |= EPOLLIN | EPOLLRDNORM;
    // Linux: always so; but one that waits for a full listener must be able to wait.
    if (IsConnectionOriented() && state_ == State::kUnconnected && !waits_for_) {
      events |= EPOLLHUP;
    }
    writable = state_ != State::kListening && Writable(send_buffer);
    target = waits_for_ ? waits_for_ : (IsConnectionOriented() ? nullptr : peer_);
  }
  if (writable && target && (mask & (EPOLLOUT | EPOLLWRNORM)) != 0 && target->IsFullFor(*this)) {
    // First the wish to be told, then the question again.
    target->NoteBlocked(RefPtr<Endpoint>(this));
    writable = !target->IsFullFor(*this);
  }
  if (writable) events |= EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND;
  return events & (mask | EPOLLERR | EPOLLHUP);
}

SocketAddress Endpoint::Name() {
  MutexLock lock(&mu_);
  return ToUnixAddress(name_);
}

Result<SocketAddress> Endpoint::PeerName() {
  RefPtr<Endpoint> peer;
  {
    MutexLock lock(&mu_);
    peer = peer_;
  }
  if (!peer) return Errno(ENOTCONN);
  return peer->Name();
}

abi::SocketCredentials Endpoint::PeerCredentials() {
  MutexLock lock(&mu_);
  return peer_credentials_;
}

int Endpoint::TakeError() {
  MutexLock lock(&mu_);
  return std::exchange(error_, 0);
}

bool Endpoint::IsListening() {
  MutexLock lock(&mu_);
  return state_ == State::kListening;
}

UnixSocketInfo Endpoint::Info() {
  UnixSocketInfo info;
  info.inode_number = inode_number_.load(std::memory_order_relaxed);
  info.references = ref_count();
  info.type = type_;
  info.uid = owner_.load(std::memory_order_relaxed);
  info.send_limit = static_cast<uint32_t>(last_send_buffer_.load(std::memory_order_relaxed));
  info.send_queue = static_cast<uint32_t>(in_flight());
  RefPtr<Endpoint> peer;
  std::vector<RefPtr<Endpoint>> accepted;  // By nobody yet.
  vfs::Path path;
  {
    MutexLock lock(&mu_);
    info.state = state_ == State::kConnected ? 3 : 1;
    info.listening = state_ == State::kListening;
    info.is_abstract = name_.kind == UnixName::Kind::kAbstract;
    info.name = (info.is_abstract ? "@" : "") + name_.text;
    info.shutdown = (read_shutdown_ ? 1 : 0) | (write_shutdown_ ? 2 : 0);
    path = bound_path_;
    for (const Message& message : queue_) {
      info.receive_queue += static_cast<uint32_t>(message.size());
      if (!IsStream()) break;
    }
    peer = peer_;
    accepted.assign(backlog_.begin(), backlog_.end());
    if (info.listening) info.send_queue = static_cast<uint32_t>(backlog_limit_);
  }
  if (peer) info.peer_inode = peer->inode_number();
  if (path.dentry) {
    Result<vfs::Attributes> attributes = path.dentry->inode()->GetAttributes();
    if (attributes.ok()) info.path_inode = attributes->inode_number;
    if (attributes.ok()) info.path_device = attributes->device;
  }
  if (info.listening) info.receive_queue = static_cast<uint32_t>(accepted.size());
  for (const RefPtr<Endpoint>& end : accepted) {
    MutexLock lock(&end->mu_);
    if (end->peer_) info.waiting.push_back(end->peer_->inode_number());
  }
  return info;
}

std::vector<UnixSocketInfo> ListUnixSockets() {
  std::vector<RefPtr<Endpoint>> endpoints;
  {
    MutexLock lock(&All().mu);
    for (Endpoint* endpoint : All().endpoints) {
      if (endpoint->TryRef()) endpoints.push_back(RefPtr<Endpoint>::Adopt(endpoint));
    }
  }
  std::vector<UnixSocketInfo> infos;
  for (const RefPtr<Endpoint>& endpoint : endpoints) {
    if (endpoint->inode_number() != 0) infos.push_back(endpoint->Info());
  }
  return infos;
}

}  // namespace redoubt::sockets
