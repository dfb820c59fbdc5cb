// SPDX-License-Identifier: Apache-2.0
#include "runsc/sandbox/sentry_process.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "base/log.h"
#include "runsc/sandbox/process_title.h"
#include "sentry/boot/boot.h"

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

int RunSentryProcess(const SandboxSpec& spec, SentryEnds& ends) {
  // A write to a closed pipe is the guest's EPIPE, not our end.
  signal(SIGPIPE, SIG_IGN);
  SetProcessTitle("sentry (runsc)");
  boot::SentryConfig config;
  config.platform = spec.platform;
  config.log_fd = LogFd();
  config.strace = spec.strace;
  config.log_filter_breaches = getenv("REDOUBT_LOG_FILTER_BREACHES") != nullptr;
  config.mounts = spec.mounts;
  config.read_only_root = spec.read_only_root;
  config.devices = spec.devices;
  config.masked_paths = spec.masked_paths;
  config.readonly_paths = spec.readonly_paths;
  config.sysctl = spec.sysctl;
  config.process = spec.process;
  config.make_working_directory = spec.make_working_directory;
  config.hostname = spec.hostname;
  config.domainname = spec.domainname;
  config.limits = spec.limits;

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
