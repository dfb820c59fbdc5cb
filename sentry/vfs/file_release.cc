// SPDX-License-Identifier: Apache-2.0
//
// The end of an open file: who listens for it is told while the object is still whole.
#include <algorithm>
#include <utility>

#include "sentry/vfs/file_description.h"
#include "sentry/vfs/notify.h"

namespace redoubt::vfs {

void FileDescription::OnRelease() {
  NotifyFile(*this, writable() ? IN_CLOSE_WRITE : IN_CLOSE_NOWRITE);
  std::vector<RefPtr<ReleaseListener>> listeners;
  {
    MutexLock lock(&listeners_mu_);
    listeners.swap(listeners_);
  }
  for (const RefPtr<ReleaseListener>& listener : listeners) listener->OnFileReleased(*this);
}

FileDescription::SignalOwner FileDescription::signal_owner() const {
  MutexLock lock(&listeners_mu_);
  return signal_owner_;
}

void FileDescription::SetSignalOwner(const SignalOwner& owner) {
  MutexLock lock(&listeners_mu_);
  signal_owner_ = owner;
  constexpr int32_t kGroup = 2;
  async_owner_.store(owner.type == kGroup ? -owner.id : owner.id, std::memory_order_relaxed);
}

void FileDescription::AddReleaseListener(RefPtr<ReleaseListener> listener) {
  MutexLock lock(&listeners_mu_);
  listeners_.push_back(std::move(listener));
}

void FileDescription::RemoveReleaseListener(ReleaseListener* listener) {
  RefPtr<ReleaseListener> removed;  // Dropped after the lock.
  MutexLock lock(&listeners_mu_);
  auto found = std::find(listeners_.begin(), listeners_.end(), listener);
  if (found == listeners_.end()) return;
  std::swap(*found, listeners_.back());
  removed = std::move(listeners_.back());
  listeners_.pop_back();
}

}  // namespace redoubt::vfs
