// SPDX-License-Identifier: Apache-2.0
#include "platform/seccomp_trap/seccomp_trap.h"

#include "absl/base/internal/sysinfo.h"
#include "platform/seccomp_trap/requirements.h"
#include "platform/seccomp_trap/serving_threads.h"
#include "platform/seccomp_trap/stub_context.h"
#include "platform/seccomp_trap/stub_pool.h"
#include "platform/seccomp_trap/zygote.h"

namespace redoubt::platform {
namespace seccomp_trap {
namespace {

void Serve(std::unique_ptr<StubContext> context, GuestEvents& events) {
  context->StartServing();
  while (events.OnEvent(*context, context->RunGuest()) == NextStep::kResume) {
  }
  context.reset();
  events.OnExited();
}

class SeccompTrapPlatform final : public Platform {
 public:
  SeccompTrapPlatform(std::unique_ptr<Machine> machine, std::unique_ptr<StubContext> zygote)
      : machine_(std::move(machine)),
        pool_(std::make_unique<StubPool>(*machine_, std::move(zygote))),
        threads_(*machine_->placement) {}

  const char* name() const override { return "seccomp-trap"; }

  Result<RefPtr<AddressSpace>> NewAddressSpace() override {
    RefPtr<StubProcess> process = TRY(pool_->Take());
    return RefPtr<AddressSpace>(std::move(process));
  }

  Result<std::unique_ptr<Context>> NewContext(RefPtr<AddressSpace> space) override {
    auto& process = static_cast<StubProcess&>(*space);
    if (process.dead()) return Errno(ESRCH);
    if (!process.ClaimFirstThread()) return Errno(EINVAL);
    return std::unique_ptr<Context>(std::make_unique<StubContext>(
        *machine_, RefPtr<StubProcess>(&process), process.first_slot(), process.host_pid()));
  }

  void Start(std::unique_ptr<Context> context, GuestEvents& events) override {
    auto* stub = static_cast<StubContext*>(context.release());
    threads_.Run([stub, &events] { Serve(std::unique_ptr<StubContext>(stub), events); },
                 stub->cpu());
  }

  AddressRange guest_range() const override { return {kGuestStart, kGuestEnd}; }
  uint64_t vdso_address() const override { return machine_->vdso_address; }
  std::vector<AddressRange> shim_ranges() const override {
    return {{kShimStart, kShimEnd}, {kSlots, kHighEnd}};
  }
  std::vector<host::AllowedCall> RequiredHostCalls() const override { return HostCalls(); }

 private:
  std::unique_ptr<Machine> machine_;
  std::unique_ptr<StubPool> pool_;
  ServingThreads threads_;
};

absl::StatusOr<std::unique_ptr<Platform>> Create(const PlatformOptions& options) {
  // What contended mutexes look up in files, once: later the sentry can open nothing.
  absl::base_internal::NumCPUs();
  absl::base_internal::NominalCPUFrequency();
  auto machine = std::make_unique<Machine>();
  machine->native_memory_calls = !options.report_memory_calls;
  machine->captures = options.captures;
  auto zygote = StartZygote(*machine);
  if (!zygote.ok()) return zygote.status();
  machine->placement.emplace();
  return std::make_unique<SeccompTrapPlatform>(std::move(machine), *std::move(zygote));
}

}  // namespace
}  // namespace seccomp_trap

const PlatformType& SeccompTrapPlatformType() {
  static const PlatformType type{
      .name = "seccomp-trap",
      .description = "seccomp filter, signal handler and shared memory: fast, Linux >= 5.19",
      .supported = seccomp_trap::CheckHost,
      .create = seccomp_trap::Create,
      .required_calls = seccomp_trap::HostCalls,
  };
  return type;
}

}  // namespace redoubt::platform
