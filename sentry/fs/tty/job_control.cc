// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/tty/job_control.h"

#include <asm/ioctls.h>

#include <atomic>

#include "sentry/vfs/caller.h"

namespace redoubt::fs {

namespace {

class Nobody final : public JobControl {
 public:
  Result<RefPtr<Terminal>> ControllingTerminal(const vfs::Caller& caller) override {
    return Errno(ENXIO);
  }
  void OnTerminalOpened(const vfs::Caller& caller, Terminal& terminal) override {}
  Result<void> SetControlling(const vfs::Caller& caller, Terminal& terminal, bool steal) override {
    return Errno(EPERM);
  }
  Result<void> GiveUpControlling(const vfs::Caller& caller, Terminal& terminal) override {
    return Errno(ENOTTY);
  }
  Result<int> ForegroundGroup(const vfs::Caller& caller, Terminal& terminal) override {
    return Errno(ENOTTY);
  }
  Result<void> SetForegroundGroup(const vfs::Caller& caller, Terminal& terminal,
                                  int group) override {
    return Errno(ENOTTY);
  }
  Result<int> SessionOf(const vfs::Caller& caller, Terminal& terminal) override {
    return Errno(ENOTTY);
  }
  int ForegroundGroupOf(Terminal& terminal) override { return 0; }
  int SessionOf(Terminal& terminal) override { return 0; }
  void SignalForeground(Terminal& terminal, int signal) override {}
  void HangUp(Terminal& terminal) override {}
};

std::atomic<JobControl*> g_job_control{nullptr};

Result<uint64_t> PutNumber(const vfs::IoctlRequest& request, Result<int> number) {
  const int32_t value = TRY(number);
  TRY(request.memory.CopyOut(request.argument, std::as_bytes(std::span(&value, 1))));
  return uint64_t{0};
}

Result<uint64_t> SetForeground(Terminal& terminal, const vfs::IoctlRequest& request) {
  int32_t group = 0;
  TRY(request.memory.CopyIn(request.argument, std::as_writable_bytes(std::span(&group, 1))));
  TRY(CurrentJobControl().SetForegroundGroup(request.caller, terminal, group));
  return uint64_t{0};
}

Result<uint64_t> SetControlling(Terminal& terminal, const vfs::IoctlRequest& request) {
  TRY(CurrentJobControl().SetControlling(request.caller, terminal, request.argument == 1));
  return uint64_t{0};
}

Result<uint64_t> GiveUp(Terminal& terminal, const vfs::IoctlRequest& request) {
  TRY(CurrentJobControl().GiveUpControlling(request.caller, terminal));
  return uint64_t{0};
}

}  // namespace

JobControl& NoJobControl() {
  static auto* nobody = new Nobody;
  return *nobody;
}

JobControl& CurrentJobControl() {
  JobControl* installed = g_job_control.load(std::memory_order_acquire);
  return installed != nullptr ? *installed : NoJobControl();
}

void InstallJobControl(JobControl* job_control) {
  g_job_control.store(job_control, std::memory_order_release);
}

JobControlAnswer JobControlIoctl(Terminal& terminal, const vfs::IoctlRequest& request) {
  JobControl& control = CurrentJobControl();
  switch (request.command) {
    case TIOCSCTTY:
      return {true, SetControlling(terminal, request)};
    case TIOCNOTTY:
      return {true, GiveUp(terminal, request)};
    case TIOCGPGRP:
      return {true, PutNumber(request, control.ForegroundGroup(request.caller, terminal))};
    case TIOCSPGRP:
      return {true, SetForeground(terminal, request)};
    case TIOCGSID:
      return {true, PutNumber(request, control.SessionOf(request.caller, terminal))};
    default:
      return {};
  }
}

}  // namespace redoubt::fs
