// SPDX-License-Identifier: Apache-2.0
#include "sentry/socket/unix/rights.h"

#include <atomic>
#include <utility>

#include "abi/linux/socket.h"

namespace redoubt::sockets {

namespace {

constexpr int kMaximumInFlight = 16384;
std::atomic<int> g_in_flight{0};

using Files = std::vector<RefPtr<vfs::FileDescription>>;

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

}  // namespace

Result<Rights> Rights::Send(Files files) {
  if (files.size() > abi::kScmMaximumFds) return Errno(EINVAL);
  const int count = static_cast<int>(files.size());
  if (g_in_flight.fetch_add(count, std::memory_order_relaxed) + count > kMaximumInFlight) {
    g_in_flight.fetch_sub(count, std::memory_order_relaxed);
    return Errno(ETOOMANYREFS);
  }
  Rights rights;
  rights.files_ = std::move(files);
  return rights;
}

Rights& Rights::operator=(Rights&& other) noexcept {
  std::swap(files_, other.files_);
  return *this;
}

Rights::~Rights() {
  if (!files_.empty()) DropFiles(Receive());
}

Files Rights::Receive() {
  g_in_flight.fetch_sub(static_cast<int>(files_.size()), std::memory_order_relaxed);
  return std::exchange(files_, {});
}

}  // namespace redoubt::sockets
