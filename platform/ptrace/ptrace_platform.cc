// SPDX-License-Identifier: Apache-2.0
#include "platform/ptrace/ptrace_platform.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <utility>

#include "base/check.h"
#include "platform/ptrace/context.h"
#include "platform/ptrace/host_ptrace.h"
#include "platform/ptrace/initial_image.h"
#include "platform/ptrace/stub_image.h"
#include "platform/ptrace/stub_process.h"

namespace redoubt::platform {
namespace ptrace {
namespace {

// Below it the host lets nobody map (vm.mmap_min_addr as distributions set it).
constexpr uint64_t kGuestStart = 0x10000;

// Tries the one thing that a machine may forbid: to trace a child.
absl::Status Supported() {
  pid_t pid = fork();
  if (pid < 0) return absl::ResourceExhaustedError("cannot fork");
  if (pid == 0) {
    while (true) pause();
  }
  bool traced = Seize(pid).ok();
  kill(pid, SIGKILL);
  waitpid(pid, nullptr, 0);
  if (traced) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "the ptrace platform cannot trace its own child: look at kernel.yama.ptrace_scope and at "
      "seccomp filters of the container that this runs in");
}

}  // namespace

absl::StatusOr<std::unique_ptr<Platform>> PtracePlatform::Create(
    const PlatformOptions& /*options*/) {
  auto workers = std::make_unique<Workers>();
  absl::StatusOr<FileTransfer> transfer = FileTransfer::Create();
  if (!transfer.ok()) return transfer.status();
  auto zygote = Zygote::Start(*workers, transfer->receiving_end());
  if (!zygote.ok()) return zygote.status();
  return std::unique_ptr<Platform>(
      new PtracePlatform(std::move(workers), *std::move(transfer), *std::move(zygote)));
}

Result<RefPtr<AddressSpace>> PtracePlatform::NewAddressSpace() {
  std::unique_ptr<StubProcess> stub = TRY(zygote_->NewStub());
  return RefPtr<AddressSpace>(MakeRef<PtraceAddressSpace>(death_watch_, std::move(stub)));
}

Result<std::unique_ptr<Context>> PtracePlatform::NewContext(RefPtr<AddressSpace> space) {
  auto& claimed = static_cast<PtraceAddressSpace&>(*space);
  if (!claimed.ClaimPristine()) return Errno(EBUSY);
  std::unique_ptr<Worker> worker = TRY(workers_->Prepare());
  return std::unique_ptr<Context>(std::make_unique<PtraceContext>(
      *this, RefPtr<PtraceAddressSpace>(&claimed), claimed.process().pid(), std::move(worker)));
}

void PtracePlatform::Start(std::unique_ptr<Context> context, GuestEvents& events) {
  PtraceContext::Launch(
      std::unique_ptr<PtraceContext>(static_cast<PtraceContext*>(context.release())), events);
}

AddressRange PtracePlatform::guest_range() const { return {.start = kGuestStart, .end = kUserEnd}; }

std::vector<AddressRange> PtracePlatform::shim_ranges() const { return {TheStubImage().range}; }

}  // namespace ptrace

const PlatformType& PtracePlatformType() {
  static constexpr PlatformType kType = {
      .name = "ptrace",
      .description = "system calls by ptrace(2): slow, and works wherever a child can be traced",
      .supported = &ptrace::Supported,
      .create = &ptrace::PtracePlatform::Create,
      .required_calls = &ptrace::HostCalls,
  };
  return kType;
}

}  // namespace redoubt::platform
