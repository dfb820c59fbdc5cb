// SPDX-License-Identifier: Apache-2.0
#include "platform/seccomp_trap/zygote.h"

#include <elf.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "absl/strings/str_cat.h"
#include "base/host/privileges.h"
#include "base/host/syscall.h"
#include "platform/seccomp_trap/filter.h"
#include "platform/seccomp_trap/shim/stub_image.h"

namespace redoubt::platform::seccomp_trap {
namespace {

constexpr int kImageFd = kStubFd + 1;
constexpr int kStartMilliseconds = 10'000;
// The stack that the host gives a program: at most this much below its first stack pointer.
constexpr uint64_t kHostStackBelow = 256 * 1024;
constexpr uint64_t kHostStackAbove = 64 * 1024;

absl::Status Failure(absl::string_view what, int error) {
  return absl::InternalError(absl::StrCat("seccomp-trap: ", what, ": ", std::strerror(error)));
}

absl::StatusOr<OwnedFd> ImageFile() {
  OwnedFd file(memfd_create("stub", MFD_CLOEXEC));
  if (!file) return Failure("memfd_create", errno);
  std::span<const unsigned char> image = StubImage();
  if (write(file.get(), image.data(), image.size()) != static_cast<ssize_t>(image.size())) {
    return Failure("writing the stub", errno);
  }
  return file;
}

// In the child between vfork and exec: nothing but system calls.
[[noreturn]] void BecomeStub(int slots, int image) {
  int high_slots = fcntl(slots, F_DUPFD, kImageFd + 1);
  int high_image = fcntl(image, F_DUPFD, kImageFd + 1);
  for (int fd = 0; fd < kStubFd; ++fd) close(fd);
  rlimit none{0, 0};
  sigset_t empty;
  sigemptyset(&empty);
  sigprocmask(SIG_SETMASK, &empty, nullptr);
  char name[] = "stub";
  char* const arguments[] = {name, nullptr};
  char* const environment[] = {nullptr};
  if (dup2(high_slots, kStubFd) == kStubFd && dup3(high_image, kImageFd, O_CLOEXEC) == kImageFd &&
      syscall(SYS_close_range, kImageFd + 1, ~0u, 0) == 0 && setrlimit(RLIMIT_CORE, &none) == 0 &&
      host::RenounceFuturePrivileges()) {
    syscall(SYS_execveat, kImageFd, "", arguments, environment, AT_EMPTY_PATH);
  }
  _exit(1);
}

// The zygote as a context whose stub waits for commands.
absl::StatusOr<std::unique_ptr<StubContext>> Launch(Machine& machine) {
  auto image = ImageFile();
  if (!image.ok()) return image.status();
  Result<Slots> slots = Slots::Create();
  if (!slots.ok()) return Failure("slots", slots.error().value());
  auto process = MakeRef<StubProcess>(machine, *std::move(slots), 0);
  int slots_file = process->slots().file();
  pid_t pid = vfork();
  if (pid == 0) BecomeStub(slots_file, image->get());
  if (pid < 0) return Failure("vfork", errno);
  if (Result<void> adopted = process->Adopt(pid); !adopted.ok()) {
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, __WALL);
    return Failure("pidfd", adopted.error().value());
  }
  process->ClaimFirstThread();
  if (AwaitTurn(process->slots().at(0), kStartMilliseconds) != TurnOutcome::kTaken) {
    return absl::InternalError("seccomp-trap: the stub does not start");
  }
  return std::make_unique<StubContext>(machine, std::move(process), 0, pid);
}

// A host call while there is no filter yet.
Result<int64_t> Make(StubContext& zygote, long number, std::array<uint64_t, 6> arguments) {
  Command command{.kind = CommandKind::kHostCall, .number = static_cast<uint64_t>(number)};
  std::copy(arguments.begin(), arguments.end(), command.arguments);
  int64_t value = TRY(zygote.Transact(command));
  if (value < 0) return Errno(static_cast<int>(-value));
  return value;
}

// Reads the zygote's initial stack: the vDSO's address from the auxiliary vector.
Result<uint64_t> FindVdso(StubContext& zygote, uint64_t stack) {
  std::array<uint64_t, 256> words{};
  iovec local{words.data(), sizeof(words)};
  iovec remote{reinterpret_cast<void*>(stack), sizeof(words)};
  int pid = zygote.address_space()->host_pid();
  size_t read = TRY(host::Call([&] { return process_vm_readv(pid, &local, 1, &remote, 1, 0); }));
  size_t count = read / sizeof(uint64_t);
  size_t i = 1 + words[0] + 1;             // argc, argv, null.
  while (i < count && words[i] != 0) ++i;  // The environment.
  for (++i; i + 1 < count && words[i] != AT_NULL; i += 2) {
    if (words[i] == AT_SYSINFO_EHDR) return uint64_t{words[i + 1]};
  }
  return uint64_t{0};
}

Result<void> DropHostStack(StubContext& zygote, uint64_t stack) {
  uint64_t start = (stack - kHostStackBelow) & ~(kPageSize - 1);
  TRY(Make(zygote, SYS_munmap, {start, kHostStackBelow + kHostStackAbove}));
  return {};
}

Result<OwnedFd> InstallFilter(StubContext& zygote, Slots& slots, const Machine& machine) {
  std::vector<sock_filter> code = BuildFilter(machine.shim, machine.native_memory_calls);
  std::byte* window = slots.window(0);
  uint64_t window_address = SlotAddress(0) + kWindowOffset;
  sock_fprog program{static_cast<unsigned short>(code.size()),
                     reinterpret_cast<sock_filter*>(window_address + sizeof(sock_fprog))};
  std::memcpy(window, &program, sizeof(program));
  std::memcpy(window + sizeof(program), code.data(), code.size() * sizeof(sock_filter));
  int64_t fd = TRY(Make(
      zygote, SYS_seccomp,
      {SECCOMP_SET_MODE_FILTER,
       SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, window_address}));
  int pid = zygote.address_space()->host_pid();
  OwnedFd pidfd(static_cast<int>(TRY(host::Call([&] { return syscall(SYS_pidfd_open, pid, 0); }))));
  OwnedFd listener(static_cast<int>(
      TRY(host::Call([&] { return syscall(SYS_pidfd_getfd, pidfd.get(), fd, 0); }))));
  TRY(Make(zygote, SYS_close, {static_cast<uint64_t>(fd)}));
  std::memset(window, 0, sizeof(program) + code.size() * sizeof(sock_filter));
  return listener;
}

Result<void> GiveCaptures(std::span<const CallCapture> captures, StubContext& zygote,
                          Slots& slots) {
  if (captures.empty()) return {};
  if (captures.size() > kMaxCapturedCalls) return Errno(E2BIG);
  std::memcpy(slots.window(0), captures.data(), captures.size_bytes());
  TRY(zygote.Transact({.kind = CommandKind::kSetCaptures, .arguments = {captures.size()}}));
  return {};
}

Result<void> SetUp(Machine& machine, StubContext& zygote) {
  auto& process = static_cast<StubProcess&>(*zygote.address_space());
  std::memcpy(&machine.shim, process.slots().window(0), sizeof(machine.shim));
  machine.vdso_address = TRY(FindVdso(zygote, machine.shim.start_stack));
  TRY(DropHostStack(zygote, machine.shim.start_stack));
  TRY(GiveCaptures(machine.captures, zygote, process.slots()));
  OwnedFd listener = TRY(InstallFilter(zygote, process.slots(), machine));
  machine.notifier.emplace(std::move(listener), [&machine](int pid) { machine.warden.Bury(pid); });
  machine.notifier->AddThread(process.host_pid());
  return {};
}

}  // namespace

absl::StatusOr<std::unique_ptr<StubContext>> StartZygote(Machine& machine) {
  // A parent that ignores SIGCHLD never learns how a child ended.
  signal(SIGCHLD, SIG_DFL);
  auto context = Launch(machine);
  if (!context.ok()) return context.status();
  Result<void> done = SetUp(machine, **context);
  if (!done.ok()) return Failure("setting up the zygote", done.error().value());
  return context;
}

}  // namespace redoubt::platform::seccomp_trap
