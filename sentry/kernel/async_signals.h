// SPDX-License-Identifier: Apache-2.0
//
// AsyncSignals: SIGIO for files with O_ASYNC (fcntl(2), Linux's fasync), and the signal of an
// owner set by F_SETOWN in general.
//
//   kernel.async_signals().Enable(*file, fd);    // F_SETFL with O_ASYNC.
//   SendToOwner(kernel, file->signal_owner(), fd, POLL_MSG, band);   // dnotify, leases
//
// A wait queue may only wake: so a listener in the file's queue notes what happened. The task whose
// call did it sends the signals when the call ends; for others (timers, host descriptors) a thread
// of its own does, started at the first use.
#ifndef SENTRY_KERNEL_ASYNC_SIGNALS_H_
#define SENTRY_KERNEL_ASYNC_SIGNALS_H_

#include <atomic>
#include <thread>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/sync/mutex.h"
#include "base/sync/parker.h"
#include "sentry/vfs/file_description.h"

namespace redoubt::kernel {

class Kernel;
class AsyncListener;

// Sends the owner's signal, or SIGIO, unless who set the owner may not signal it.
void SendToOwner(Kernel& kernel, const vfs::FileDescription::SignalOwner& owner, int fd, int code,
                 int64_t band);

class AsyncSignals {
 public:
  explicit AsyncSignals(Kernel& kernel) : kernel_(kernel) {}
  ~AsyncSignals();

  // False when the file never becomes ready: it has no such mode then.
  bool Enable(vfs::FileDescription& file, int fd);
  void Disable(vfs::FileDescription& file);
  // At the end of a task's call and of its life: one load when there is nothing.
  void DeliverPending() {
    if (has_pending_.load(std::memory_order_acquire)) Deliver();
  }

 private:
  friend class AsyncListener;
  struct Event {
    vfs::FileDescription::SignalOwner owner;
    int fd = -1;
    EventMask events = 0;
  };
  void Post(Event event);  // Under wait queues' locks.
  void Run();
  void Deliver();
  void Forget(const vfs::FileDescription& file);

  Kernel& kernel_;
  Parker parker_;
  std::atomic<bool> has_pending_{false};
  Mutex<LockRank::kLeaf> mu_;
  // AsyncListeners.
  absl::flat_hash_map<const vfs::FileDescription*, RefPtr<vfs::ReleaseListener>> listeners_
      ABSL_GUARDED_BY(mu_);
  std::vector<Event> pending_ ABSL_GUARDED_BY(mu_);
  bool stop_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_ ABSL_GUARDED_BY(mu_);
};

}  // namespace redoubt::kernel

#endif  // SENTRY_KERNEL_ASYNC_SIGNALS_H_
