// SPDX-License-Identifier: Apache-2.0
#include "runsc/sandbox/sentry_process.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "base/log.h"
#include "sentry/boot/boot.h"
#include "sentry/kernel/credentials.h"

namespace redoubt::runsc {

namespace {

// Closes everything but `kept` (a fork has all that the launcher had).
void CloseOthers(std::vector<int> kept) {
  std::sort(kept.begin(), kept.end());
  unsigned first = 0;
  for (int fd : kept) {
    unsigned number = static_cast<unsigned>(fd);
    if (number > first) (void)close_range(first, number - 1, 0);
    first = std::max(first, number + 1);
  }
  (void)close_range(first, ~0U, 0);
}

bool IsDirectory(const std::string& path) {
  struct stat status;
  return stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

std::vector<boot::GoferMount> Mounts(const SandboxSpec& spec) {
  std::vector<boot::GoferMount> mounts;
  mounts.push_back({.attach_point = 0,
                    .guest_path = "/",
                    .source = "root",
                    .read_only = true,
                    .overlay = true,
                    .shared = false,
                    .is_file = false});
  for (size_t i = 0; i < spec.binds.size(); ++i) {
    const Bind& bind = spec.binds[i];
    mounts.push_back({.attach_point = static_cast<uint32_t>(i + 1),
                      .guest_path = bind.guest_path,
                      .source = bind.host_path,
                      .read_only = bind.read_only,
                      .overlay = false,
                      .shared = true,
                      .is_file = !IsDirectory(bind.host_path)});
  }
  return mounts;
}

int RunSentryProcess(const SandboxSpec& spec, SentryEnds& ends) {
  // A write to a closed pipe is the guest's EPIPE, not our end.
  signal(SIGPIPE, SIG_IGN);
  boot::SentryConfig config;
  config.platform = spec.platform;
  config.log_fd = LogFd();
  config.strace = spec.strace;
  config.log_filter_breaches = getenv("REDOUBT_LOG_FILTER_BREACHES") != nullptr;
  config.mounts = Mounts(spec);
  config.terminal = spec.terminal;
  config.file = spec.command.front();
  config.arguments = spec.command;
  config.environment = spec.environment;
  config.working_directory = spec.working_directory;
  config.uid = spec.uid, config.gid = spec.gid;
  config.groups = spec.groups;
  config.capabilities = kernel::kAllCapabilities;
  config.umask = spec.umask;
  config.hostname = spec.hostname;

  std::vector<int> kept{ends.control.get(), ends.gofer.get(), LogFd()};
  for (const OwnedFd& fd : ends.descriptors) {
    if (fd.valid()) kept.push_back(fd.get());
  }
  std::erase(kept, -1);
  CloseOthers(std::move(kept));
  config.control = std::move(ends.control);
  config.gofer = std::move(ends.gofer);
  config.descriptors = std::move(ends.descriptors);
  boot::RunSentry(std::move(config));
}

}  // namespace

absl::StatusOr<Child> StartSentry(const SandboxSpec& spec, SentryEnds ends) {
  constexpr uint64_t kFlags = CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC |
                              CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWCGROUP;
  return StartInNamespaces(kFlags, IdMaps::ForSentry(),
                           [&] { return RunSentryProcess(spec, ends); });
}

}  // namespace redoubt::runsc
