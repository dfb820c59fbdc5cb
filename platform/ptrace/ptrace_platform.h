// SPDX-License-Identifier: Apache-2.0
//
// The ptrace platform: the reference. Guest threads run under PTRACE_SYSEMU, each traced by a
// thread of its own; their memory is copied by process_vm_readv(2) and changed by injected calls.
// Seven to fourteen microseconds a system call, and nothing but a plain kernel needed.
//
// It must outlive its contexts and address spaces. The process that uses it must not ignore
// SIGCHLD, or the host would reap stubs behind its back.
#ifndef PLATFORM_PTRACE_PTRACE_PLATFORM_H_
#define PLATFORM_PTRACE_PTRACE_PLATFORM_H_

#include <memory>
#include <vector>

#include "platform/platform.h"
#include "platform/ptrace/death_watch.h"
#include "platform/ptrace/file_transfer.h"
#include "platform/ptrace/workers.h"
#include "platform/ptrace/zygote.h"
#include "platform/registry.h"

namespace redoubt::platform {

const PlatformType& PtracePlatformType();

namespace ptrace {

// The sentry's host calls for this platform.
std::vector<host::AllowedCall> HostCalls();

class PtracePlatform : public Platform {
 public:
  // Every call is an event here, whatever the options say.
  static absl::StatusOr<std::unique_ptr<Platform>> Create(const PlatformOptions& options);

  const char* name() const override { return "ptrace"; }
  Result<RefPtr<AddressSpace>> NewAddressSpace() override;
  Result<std::unique_ptr<Context>> NewContext(RefPtr<AddressSpace> space) override;
  void Start(std::unique_ptr<Context> context, GuestEvents& events) override;
  AddressRange guest_range() const override;
  uint64_t vdso_address() const override { return zygote_->vdso_address(); }
  std::vector<AddressRange> shim_ranges() const override;
  std::vector<host::AllowedCall> RequiredHostCalls() const override { return HostCalls(); }

  Workers& workers() { return *workers_; }
  FileTransfer& transfer() { return transfer_; }
  DeathWatch& death_watch() { return death_watch_; }

 private:
  PtracePlatform(std::unique_ptr<Workers> workers, FileTransfer transfer,
                 std::unique_ptr<Zygote> zygote)
      : workers_(std::move(workers)),
        transfer_(std::move(transfer)),
        death_watch_(*workers_),
        zygote_(std::move(zygote)) {}

  // In the order of construction: the workers go last, when zygote and watch have let theirs end.
  std::unique_ptr<Workers> workers_;
  FileTransfer transfer_;
  DeathWatch death_watch_;
  std::unique_ptr<Zygote> zygote_;
};

}  // namespace ptrace
}  // namespace redoubt::platform

#endif  // PLATFORM_PTRACE_PTRACE_PLATFORM_H_
