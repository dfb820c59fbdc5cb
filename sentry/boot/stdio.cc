// SPDX-License-Identifier: Apache-2.0
#include "sentry/boot/stdio.h"

#include <fcntl.h>
#include <sys/ioctl.h>

#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sentry/boot/filesystems.h"
#include "sentry/boot/local_argument.h"
#include "sentry/fs/host/host_file.h"
#include "sentry/vfs/operations.h"

namespace redoubt::boot {

namespace {

absl::Status Failed(const char* what, Errno error) {
  return absl::InternalError(absl::StrCat(what, ": ", strerror(error.value())));
}

constexpr uint64_t kNoLimit = ~uint64_t{0};

struct PtyPair {
  RefPtr<vfs::FileDescription> master, slave;
};

Result<PtyPair> OpenPty(const vfs::Caller& caller) {
  PtyPair pair;
  pair.master = TRY(vfs::Open(caller, caller.root, "/dev/ptmx", {.flags = O_RDWR | O_NOCTTY}));
  int unlocked = 0;
  LocalArgument lock_argument(std::as_writable_bytes(std::span(&unlocked, 1)));
  TRY(pair.master->Ioctl(
      {.command = TIOCSPTLCK, .argument = 0, .memory = lock_argument, .caller = caller}));
  int number = 0;
  LocalArgument number_argument(std::as_writable_bytes(std::span(&number, 1)));
  TRY(pair.master->Ioctl(
      {.command = TIOCGPTN, .argument = 0, .memory = number_argument, .caller = caller}));
  pair.slave = TRY(vfs::Open(caller, caller.root, absl::StrCat("/dev/pts/", number),
                             {.flags = O_RDWR | O_NOCTTY}));
  return pair;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Stdio>> Stdio::Create() {
  auto poller = fs::HostPoller::Create();
  if (!poller.ok()) return poller.status();
  return std::unique_ptr<Stdio>(new Stdio(*std::move(poller)));
}

absl::Status Stdio::Install(std::vector<OwnedFd> descriptors, size_t first,
                            kernel::FdTable& table) {
  for (size_t i = first; i < descriptors.size(); ++i) {
    if (!descriptors[i].valid()) continue;
    auto file = fs::HostFile::Create(std::move(descriptors[i]), poller_.get());
    if (!file.ok()) return Failed("taking over a descriptor", file.error());
    auto installed = table.InstallAt(*std::move(file), static_cast<int>(i), false, kNoLimit, 0);
    if (!installed.ok()) return Failed("taking over a descriptor", installed.error());
  }
  return absl::OkStatus();
}

absl::StatusOr<ProcessStdio> Stdio::Donate(std::vector<OwnedFd> descriptors) {
  ProcessStdio result;
  result.table = MakeRef<kernel::FdTable>();
  absl::Status status = Install(std::move(descriptors), 0, *result.table);
  if (!status.ok()) return status;
  return result;
}

absl::StatusOr<ProcessStdio> Stdio::JoinTerminal(kernel::Kernel& kernel,
                                                 std::vector<OwnedFd> descriptors, uint32_t owner) {
  if (descriptors.size() < 2) return absl::InvalidArgumentError("a terminal needs descriptors");
  vfs::Caller caller = RootCaller(*kernel.mounts());
  Result<PtyPair> pair = OpenPty(caller);
  if (!pair.ok()) return Failed("opening a terminal", pair.error());
  if (owner != 0) (void)vfs::ChangeOwner(caller, pair->slave->path(), owner, ~0U);
  ProcessStdio result;
  result.terminal = pair->slave;
  result.table = MakeRef<kernel::FdTable>();
  for (int fd = 0; fd < 3; ++fd) {
    auto installed = result.table->InstallAt(result.terminal, fd, false, kNoLimit, 0);
    if (!installed.ok()) return Failed("opening a terminal", installed.error());
  }
  OwnedFd input = std::move(descriptors[0]), output = std::move(descriptors[1]);
  absl::Status status = Install(std::move(descriptors), 3, *result.table);
  if (!status.ok()) return status;
  result.bridge =
      TerminalBridge::Start(std::move(input), std::move(output), pair->master, std::move(caller));
  return result;
}

}  // namespace redoubt::boot
