// SPDX-License-Identifier: Apache-2.0
//
// The zygote: the first stub, which never runs guest code and whose clones are pristine address
// spaces.
//
// Started with the platform, by the thread that has to be there for the sentry's whole life (the
// host kills the zygote with it). A thread of its own, started with the first NewStub, traces it
// from then on and keeps a small pool of clones ready.
#ifndef PLATFORM_PTRACE_ZYGOTE_H_
#define PLATFORM_PTRACE_ZYGOTE_H_

#include <deque>
#include <memory>

#include "absl/status/statusor.h"
#include "base/result.h"
#include "base/sync/mutex.h"
#include "platform/ptrace/stub_process.h"
#include "platform/ptrace/tracee.h"
#include "platform/ptrace/workers.h"

namespace redoubt::platform::ptrace {

class Zygote {
 public:
  // `transfer_fd` becomes descriptor 0 of every stub. `workers` outlives the zygote.
  static absl::StatusOr<std::unique_ptr<Zygote>> Start(Workers& workers, int transfer_fd);
  ~Zygote();

  // A pristine stub whose one thread sleeps, for anyone to attach. EAGAIN when there is none to
  // be had.
  Result<std::unique_ptr<StubProcess>> NewStub();

  // In this and every other stub; 0: none.
  uint64_t vdso_address() const { return vdso_address_; }

 private:
  Zygote(Workers& workers, int pid) : workers_(workers), process_(pid), tracee_(process_, pid) {}

  // Unmaps everything but the stub's own pages and the vDSO.
  Result<void> MakePristine();
  // In this stub, and so in its clones (stub_filter.h).
  Result<void> InstallFilter();
  // What the thread does.
  void Serve();
  Result<std::unique_ptr<StubProcess>> CloneStub();

  Workers& workers_;
  StubProcess process_;
  Tracee tracee_;  // Of the starting thread in Start, of Serve's thread afterwards.
  uint64_t vdso_address_ = 0;

  Mutex<LockRank::kPlatform> mu_;
  absl::CondVar changed_;
  std::deque<std::unique_ptr<StubProcess>> pool_ ABSL_GUARDED_BY(mu_);
  size_t waiting_ ABSL_GUARDED_BY(mu_) = 0;  // Calls of NewStub without a stub yet.
  bool serving_ ABSL_GUARDED_BY(mu_) = false;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  uint64_t last_request_ ABSL_GUARDED_BY(mu_) = 0;  // Calls of NewStub so far.
  uint64_t last_failed_ ABSL_GUARDED_BY(mu_) = 0;   // Requests up to this one have failed.
};

}  // namespace redoubt::platform::ptrace

#endif  // PLATFORM_PTRACE_ZYGOTE_H_
