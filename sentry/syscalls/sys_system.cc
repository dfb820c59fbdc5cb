// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/sys_system.h"

#include <sys/random.h>

#include <algorithm>
#include <string>

#include "base/host/syscall.h"
#include "sentry/kernel/kernel.h"
#include "sentry/kernel/restart.h"
#include "sentry/syscalls/linux_version.h"
#include "sentry/time/clock.h"
#include "sentry/vfs/path_walk.h"

namespace redoubt::syscalls {

namespace {

template <size_t kSize>
void Fill(char (&field)[kSize], std::string_view text) {
  text.copy(field, kSize - 1);
}

Result<std::string> ReadName(Task& task, UserBytesIn user, int length) {
  if (!task.credentials()->HasCapability(CAP_SYS_ADMIN)) return Errno(EPERM);
  if (length < 0 || static_cast<size_t>(length) > abi::kUtsNameLength) return Errno(EINVAL);
  std::string name(static_cast<size_t>(length), '\0');
  TRY(task.CopyIn(user.address(), std::as_writable_bytes(std::span(name))));
  return name.substr(0, name.find('\0'));
}

}  // namespace

SyscallResult SysUname(Task& task, UserOut<abi::UtsName> user) {
  abi::UtsName name;
  Fill(name.system, kSystemName);
  Fill(name.node, task.kernel().hostname());
  Fill(name.release, kLinuxRelease);
  Fill(name.version, kLinuxVersion);
  Fill(name.machine, kMachine);
  Fill(name.domain, task.kernel().domainname());
  TRY(user.Write(task, name));
  return 0UL;
}

SyscallResult SysSysinfo(Task& task, UserOut<abi::SystemInfo> user) {
  kernel::Kernel& kernel = task.kernel();
  int64_t up = time::Now(time::Clock::kMonotonic) - kernel.boot_time_ns();
  abi::SystemInfo info;
  info.uptime = (up + abi::kNanosecondsPerSecond - 1) / abi::kNanosecondsPerSecond;
  info.total_ram = info.free_ram = kernel.memory_bytes();
  info.processes = static_cast<uint16_t>(std::min(kernel.tasks().task_count(), 0xffff));
  TRY(user.Write(task, info));
  return 0UL;
}

SyscallResult SysGetrandom(Task& task, UserBytesOut buffer, uint64_t count, uint32_t flags) {
  if ((flags & ~uint32_t{GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE}) != 0) return Errno(EINVAL);
  if ((flags & (GRND_RANDOM | GRND_INSECURE)) == (GRND_RANDOM | GRND_INSECURE)) {
    return Errno(EINVAL);
  }
  count = std::min<uint64_t>(count, INT32_MAX);
  uint64_t done = 0;
  while (done < count) {
    std::span<std::byte> piece =
        task.IoBuffer(std::min<uint64_t>(count - done, Task::kIoBufferSize));
    size_t got = TRY(host::Call([&] { return getrandom(piece.data(), piece.size(), 0); }));
    Result<size_t> copied = task.CopyOutSome(buffer.address() + done, piece.first(got));
    if (!copied.ok() && done == 0) return copied.error();
    done += copied.value_or(0);
    if (!copied.ok() || *copied < got) break;
    // A large call ends early when a signal waits.
    if (task.interrupted()) break;
  }
  return done;
}

SyscallResult SysSethostname(Task& task, UserBytesIn user, int32_t length) {
  task.kernel().SetHostname(TRY(ReadName(task, user, length)));
  return 0UL;
}

SyscallResult SysSetdomainname(Task& task, UserBytesIn user, int32_t length) {
  task.kernel().SetDomainname(TRY(ReadName(task, user, length)));
  return 0UL;
}

// The kernel's log is empty.
SyscallResult SysSyslog(Task& task, int32_t type, UserBytesOut buffer, int32_t length) {
  constexpr int kReadAll = 3, kSizeBuffer = 10, kLast = 10;
  constexpr uint64_t kBufferSize = 1 << 18;
  if (type < 0 || type > kLast) return Errno(EINVAL);
  bool open_to_all = type == kReadAll || type == kSizeBuffer;
  RefPtr<kernel::Credentials> credentials = task.credentials();
  if (!open_to_all && !credentials->HasCapability(CAP_SYSLOG) &&
      !credentials->HasCapability(CAP_SYS_ADMIN)) {
    return Errno(EPERM);
  }
  if (type == kSizeBuffer) return kBufferSize;
  if (type >= 2 && type <= 4 && (!buffer || length < 0)) return Errno(EINVAL);
  // SYSLOG_ACTION_READ would wait for a message that never comes.
  if (type == 2) return Errno(ENOSYS);
  return 0UL;
}

SyscallResult SysUmask(Task& task, FileMode mask) {
  return uint64_t{task.fs()->SetUmask(mask & 0777)};
}

SyscallResult SysChroot(Task& task, UserPath user_path) {
  std::string path = TRY(user_path.Read(task));
  vfs::Caller caller = task.MakeCaller();
  vfs::Path root =
      TRY(vfs::Walk(caller, caller.working_directory, path, {.must_be_directory = true}));
  TRY(vfs::CheckPermission(caller, root, 1));  // MAY_EXEC.
  if (!caller.HasCapability(CAP_SYS_CHROOT)) return Errno(EPERM);
  task.fs()->SetRoot(std::move(root));
  return 0UL;
}

}  // namespace redoubt::syscalls
