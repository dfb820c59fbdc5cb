// SPDX-License-Identifier: Apache-2.0
#include "platform/ptrace/zygote.h"

#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <utility>

#include "platform/ptrace/host_call.h"
#include "platform/ptrace/initial_image.h"
#include "platform/ptrace/remote_memory.h"
#include "platform/ptrace/stub_filter.h"
#include "platform/ptrace/stub_image.h"

namespace redoubt::platform::ptrace {
namespace {

// One is taken while the next is made; more would only hold memory.
constexpr size_t kPoolSize = 2;

}  // namespace

absl::StatusOr<std::unique_ptr<Zygote>> Zygote::Start(Workers& workers, int transfer_fd) {
  absl::StatusOr<int> pid = StartStub(transfer_fd);
  if (!pid.ok()) return pid.status();
  auto zygote = std::unique_ptr<Zygote>(new Zygote(workers, *pid));
  if (!zygote->tracee_.Attach().ok()) {
    return absl::FailedPreconditionError(
        "cannot trace a child process: is ptrace forbidden (kernel.yama.ptrace_scope, a seccomp "
        "filter)?");
  }
  if (!zygote->MakePristine().ok()) {
    return absl::InternalError("cannot clear the first stub's address space");
  }
  zygote->tracee_.Park();
  return zygote;
}

Zygote::~Zygote() {
  MutexLock lock(&mu_);
  stopping_ = true;
  changed_.SignalAll();
  while (serving_) changed_.Wait(mu_.raw());
}

Result<void> Zygote::MakePristine() {
  const StubImage& image = TheStubImage();
  auto call = [&](const HostCallRequest& request) {
    return InjectCall(tracee_, image.call, request);
  };
  InitialImage initial = TRY(InspectInitialImage(tracee_, call));
  for (AddressRange range : initial.ToUnmap(image.range)) {
    TRY(call({.number = SYS_munmap, .arguments = {range.start, range.end - range.start}}));
  }
  TRY(call({.number = SYS_prctl, .arguments = {PR_SET_NAME, image.name}}));
  vdso_address_ = initial.vdso.start;
  return InstallFilter();
}

Result<void> Zygote::InstallFilter() {
  const StubImage& image = TheStubImage();
  std::vector<sock_filter> code = BuildStubFilter();
  uint64_t code_address = image.scratch + sizeof(sock_fprog);
  sock_fprog program{static_cast<unsigned short>(code.size()),
                     reinterpret_cast<sock_filter*>(code_address)};
  TRY(WriteMemory(tracee_.tid(), image.scratch, std::as_bytes(std::span(&program, 1))));
  TRY(WriteMemory(tracee_.tid(), code_address, std::as_bytes(std::span(code))));
  TRY(InjectCall(tracee_, image.call,
                 {.number = SYS_seccomp, .arguments = {SECCOMP_SET_MODE_FILTER, 0, image.scratch}}));
  return {};
}

Result<std::unique_ptr<StubProcess>> Zygote::NewStub() {
  MutexLock lock(&mu_);
  if (!serving_) {
    auto worker = TRY(workers_.Prepare());
    serving_ = true;
    worker->Run([this] { Serve(); });
  }
  const uint64_t request = ++last_request_;
  ++waiting_;
  changed_.SignalAll();
  while (pool_.empty() && last_failed_ < request) changed_.Wait(mu_.raw());
  --waiting_;
  if (pool_.empty()) return Errno(EAGAIN);
  auto stub = std::move(pool_.front());
  pool_.pop_front();
  changed_.SignalAll();
  return stub;
}

void Zygote::Serve() {
  static_cast<void>(tracee_.Attach());  // A failure shows in every CloneStub.
  mu_.Lock();
  bool failed = false;
  while (!stopping_) {
    // After a failure only a new request tries again.
    bool requested = pool_.size() < waiting_ && last_failed_ < last_request_;
    if (!requested && (failed || pool_.size() >= kPoolSize)) {
      changed_.Wait(mu_.raw());
      continue;
    }
    mu_.Unlock();
    Result<std::unique_ptr<StubProcess>> stub = CloneStub();
    mu_.Lock();
    failed = !stub.ok();
    if (failed) {
      last_failed_ = last_request_;
    } else {
      pool_.push_back(*std::move(stub));
    }
    changed_.SignalAll();
  }
  serving_ = false;
  changed_.SignalAll();
  mu_.Unlock();
}

Result<std::unique_ptr<StubProcess>> Zygote::CloneStub() {
  uint64_t pid = TRY(InjectCall(tracee_, TheStubImage().fork,
                                {.number = SYS_clone, .arguments = {CLONE_PARENT | SIGCHLD}}));
  return std::make_unique<StubProcess>(static_cast<int>(pid));
}

}  // namespace redoubt::platform::ptrace
