// SPDX-License-Identifier: Apache-2.0
#include "sentry/socket/unix/rights.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "abi/linux/socket.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "sentry/socket/unix/unix_socket.h"

namespace redoubt::sockets {

namespace {

using Files = Rights::Files;
using Parcel = Rights::Parcel;

constexpr int kMaximumInFlight = 16384;
std::atomic<int> g_in_flight{0};

// The parcels in queues that have sockets in them.
struct Registry {
  Mutex<LockRank::kLeaf> mu;
  absl::flat_hash_set<Parcel*> parcels ABSL_GUARDED_BY(mu);
  std::atomic<size_t> count{0};  // parcels.size().
};
Registry& All() {
  static auto* registry = new Registry;
  return *registry;
}

UnixSocket* UnixSocketOf(vfs::FileDescription& file) {
  Socket* socket = SocketOf(file);
  return socket != nullptr && socket->family() == AF_UNIX ? static_cast<UnixSocket*>(socket)
                                                          : nullptr;
}

// The list that the outermost DropFiles() of this thread works off; null outside.
thread_local Files* t_dropping = nullptr;

void DropFiles(Files files) {
  if (t_dropping != nullptr) {
    for (RefPtr<vfs::FileDescription>& file : files) t_dropping->push_back(std::move(file));
    return;
  }
  t_dropping = &files;
  while (!files.empty()) {
    RefPtr<vfs::FileDescription> file = std::move(files.back());
    files.pop_back();
    file = nullptr;  // May append to `files`.
  }
  t_dropping = nullptr;
}

// One search for circles. Sockets that are referred to from elsewhere live, and so do those in
// messages that lie in the queues of living ones; what remains is garbage. Nobody can make it
// reachable again: that would take a message out of a queue that nobody can read.
class Search {
 public:
  explicit Search(const absl::flat_hash_set<Parcel*>& parcels) {
    for (const Parcel* parcel : parcels) {
      // What is in the backlog belongs to the listener.
      const Endpoint* holder = parcel->holder;
      if (const Endpoint* listener = holder->embryo_of()) holder = listener;
      for (const auto& file : parcel->files) {
        UnixSocket* socket = UnixSocketOf(*file);
        if (socket == nullptr) continue;
        held_[holder].push_back(socket);
        ++in_flight_[socket];
      }
    }
  }

  std::vector<RefPtr<UnixSocket>> Garbage() {
    absl::flat_hash_map<const Endpoint*, UnixSocket*> doomed;
    for (const auto& [socket, messages] : in_flight_) {
      if (socket->ref_count() == messages) doomed[socket->endpoint().get()] = socket;
    }
    std::vector<const Endpoint*> living;
    for (const auto& [holder, sockets] : held_) {
      if (!doomed.contains(holder)) living.push_back(holder);
    }
    while (!living.empty()) {
      const auto found = held_.find(living.back());
      living.pop_back();
      if (found == held_.end()) continue;
      for (const UnixSocket* socket : found->second) {
        if (doomed.erase(socket->endpoint().get()) != 0) living.push_back(socket->endpoint().get());
      }
    }
    std::vector<RefPtr<UnixSocket>> garbage;
    for (const auto& [endpoint, socket] : doomed) garbage.emplace_back(socket);
    return garbage;
  }

 private:
  absl::flat_hash_map<const Endpoint*, std::vector<UnixSocket*>> held_;
  absl::flat_hash_map<UnixSocket*, int> in_flight_;
};

}  // namespace

Rights::Rights() = default;
Rights::Rights(Rights&&) noexcept = default;

Rights& Rights::operator=(Rights&& other) noexcept {
  std::swap(parcel_, other.parcel_);
  return *this;
}

Rights::~Rights() {
  if (parcel_) DropFiles(Receive());
}

Result<Rights> Rights::Send(Files files) {
  Rights rights;
  if (files.empty()) return rights;
  if (files.size() > abi::kScmMaximumFds) return Errno(EINVAL);
  const int count = static_cast<int>(files.size());
  if (g_in_flight.load(std::memory_order_relaxed) + count > kMaximumInFlight) CollectGarbage();
  if (g_in_flight.fetch_add(count, std::memory_order_relaxed) + count > kMaximumInFlight) {
    g_in_flight.fetch_sub(count, std::memory_order_relaxed);
    return Errno(ETOOMANYREFS);
  }
  rights.parcel_ = std::make_unique<Parcel>();
  rights.parcel_->files = std::move(files);
  return rights;
}

void Rights::EnterQueueOf(const Endpoint& holder) {
  if (!parcel_) return;
  const Files& files = parcel_->files;
  const auto is_socket = [](const auto& file) { return UnixSocketOf(*file) != nullptr; };
  if (std::none_of(files.begin(), files.end(), is_socket)) return;
  parcel_->holder = &holder;
  MutexLock lock(&All().mu);
  All().parcels.insert(parcel_.get());
  All().count = All().parcels.size();
}

Files Rights::Receive() {
  if (!parcel_) return {};
  Files files;
  if (parcel_->holder != nullptr) {
    MutexLock lock(&All().mu);
    All().parcels.erase(parcel_.get());
    All().count = All().parcels.size();
    files = std::move(parcel_->files);
  } else {
    files = std::move(parcel_->files);
  }
  g_in_flight.fetch_sub(static_cast<int>(files.size()), std::memory_order_relaxed);
  parcel_ = nullptr;
  return files;
}

Files Rights::Copy() const { return parcel_ ? parcel_->files : Files(); }

void CollectGarbage() {
  static std::atomic<bool> collecting{false};
  if (collecting.exchange(true)) return;
  std::vector<RefPtr<UnixSocket>> garbage;
  {
    MutexLock lock(&All().mu);
    garbage = Search(All().parcels).Garbage();
  }
  for (const RefPtr<UnixSocket>& socket : garbage) socket->endpoint()->Close();
  garbage.clear();
  collecting = false;
}

void CollectGarbageAfterClose() {
  const size_t parcels = All().count.load(std::memory_order_relaxed);
  if (parcels == 0) return;
  // A search looks at all parcels: not after each close of many.
  static std::atomic<size_t> closed{0};
  if (closed.fetch_add(1, std::memory_order_relaxed) < parcels / 16) return;
  closed = 0;
  CollectGarbage();
}

}  // namespace redoubt::sockets
