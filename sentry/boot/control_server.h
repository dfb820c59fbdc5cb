// SPDX-License-Identifier: Apache-2.0
//
// ControlServer: the sentry's end of its control socket: starts processes, passes signals on, tells
// who is there, and reports every end, the container's last.
//
//   ControlServer server(&control, &kernel, &stdio, limits);
//   server.Run(std::move(first_process));    // Never returns.
//
// One thread takes requests; the main thread reports ends, so that waiting for a terminal's last
// words holds up nobody's signals.
#ifndef SENTRY_BOOT_CONTROL_SERVER_H_
#define SENTRY_BOOT_CONTROL_SERVER_H_

#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/owned_fd.h"
#include "sentry/boot/control.h"
#include "sentry/boot/stdio.h"
#include "sentry/kernel/initial_process.h"
#include "sentry/kernel/kernel.h"

namespace redoubt::boot {

class ControlServer {
 public:
  // All live as long as the process.
  ControlServer(ControlSocket* control, kernel::Kernel* kernel, Stdio* stdio, kernel::Limits limits)
      : control_(*control), kernel_(*kernel), stdio_(*stdio), limits_(limits) {}

  // Says that the container is there, and serves until its end. `descriptors` as in SentryConfig.
  [[noreturn]] void Run(ProcessSpec spec, std::vector<OwnedFd> descriptors);

 private:
  // A process that came from outside and has not been reported as ended.
  struct Guest {
    RefPtr<kernel::ThreadGroup> group;
    std::shared_ptr<TerminalBridge> bridge;
  };
  // The end of one; `process` as in Signal.
  struct End {
    uint64_t process = 0;
    int status = 0;
  };

  void ServeRequests();
  void Serve(const ControlRequest& request, std::vector<OwnedFd> fds);
  void ServeSignal(uint64_t id, const Signal& signal);
  void ServeStart(uint64_t id);
  void ServeExec(uint64_t id, const Exec& exec, std::vector<OwnedFd> fds);
  void ServeListProcesses(uint64_t id);
  void ServeSetLimits(uint64_t id, const SetLimits& change);
  // Starts what `spec` says as the guest `process`, and answers request `id`.
  void StartGuest(uint64_t id, uint64_t process, const ProcessSpec& spec,
                  std::vector<OwnedFd> descriptors);
  // Hooks may be the only processes for a while: their ends are not the sandbox's.
  void HoldSandbox();
  void ReleaseSandbox();
  void Report(End end);
  End NextEnd();
  [[noreturn]] void ReportEnds();
  void Send(uint64_t id, ControlEvent event);
  void SendFailed(uint64_t id, std::string message, int error);
  std::shared_ptr<TerminalBridge> BridgeOf(uint64_t process);

  ControlSocket& control_;
  kernel::Kernel& kernel_;
  Stdio& stdio_;
  const kernel::Limits limits_;
  // The first process until it is started; the request thread's.
  ProcessSpec first_;
  std::vector<OwnedFd> first_descriptors_;
  bool started_ = false;

  absl::Mutex start_mu_;  // Held while a process is started and while an end is told.
  absl::Mutex mu_;        // Outside the ladder: taken inside every lock, and takes none.
  std::map<uint64_t, Guest> guests_ ABSL_GUARDED_BY(mu_);
  std::deque<End> ends_ ABSL_GUARDED_BY(mu_);
};

}  // namespace redoubt::boot

#endif  // SENTRY_BOOT_CONTROL_SERVER_H_
