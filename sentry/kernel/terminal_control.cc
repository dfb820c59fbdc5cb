// SPDX-License-Identifier: Apache-2.0
#include "sentry/kernel/terminal_control.h"

#include <utility>

#include "sentry/kernel/current_task.h"
#include "sentry/kernel/job_control.h"
#include "sentry/kernel/signal_send.h"

namespace redoubt::kernel {

namespace {

class TerminalControl final : public fs::JobControl {
 public:
  explicit TerminalControl(Kernel& kernel) : tasks_(kernel.tasks()) {}

  Result<RefPtr<fs::Terminal>> ControllingTerminal(const vfs::Caller& caller) override {
    MutexLock lock(&tasks_.mu_);
    RefPtr<Session> session = TRY(SessionOfCallerLocked(caller));
    if (!session->controlling_terminal) return Errno(ENXIO);
    return session->controlling_terminal;
  }

  void OnTerminalOpened(const vfs::Caller& caller, fs::Terminal& terminal) override {
    MutexLock lock(&tasks_.mu_);
    Result<RefPtr<Session>> session = SessionOfCallerLocked(caller);
    if (!session.ok() || (*session)->id != caller.tgid) return;
    if ((*session)->controlling_terminal || FindSessionLocked(terminal)) return;
    TakeLocked(**session, terminal, caller.tgid);
  }

  Result<void> SetControlling(const vfs::Caller& caller, fs::Terminal& terminal,
                              bool steal) override {
    MutexLock lock(&tasks_.mu_);
    RefPtr<Session> session = TRY(SessionOfCallerLocked(caller));
    if (session->id == caller.tgid && session->controlling_terminal == &terminal) return {};
    if (session->id != caller.tgid || session->controlling_terminal) return Errno(EPERM);
    if (RefPtr<Session> other = FindSessionLocked(terminal); other) {
      if (!steal || !caller.HasCapability(CAP_SYS_ADMIN)) return Errno(EPERM);
      other->controlling_terminal = nullptr;
      other->foreground_group = 0;
    }
    TakeLocked(*session, terminal, caller.tgid);
    return {};
  }

  Result<void> GiveUpControlling(const vfs::Caller& caller, fs::Terminal& terminal) override {
    MutexLock lock(&tasks_.mu_);
    RefPtr<Session> session = TRY(OwnSessionLocked(caller, terminal));
    if (session->id != caller.tgid) return {};  // Only a leader takes it from everybody.
    SignalGroupLocked(session->foreground_group, SIGHUP);
    SignalGroupLocked(session->foreground_group, SIGCONT);
    session->controlling_terminal = nullptr;
    session->foreground_group = 0;
    return {};
  }

  Result<int> ForegroundGroup(const vfs::Caller& caller, fs::Terminal& terminal) override {
    MutexLock lock(&tasks_.mu_);
    RefPtr<Session> session = TRY(OwnSessionLocked(caller, terminal));
    return session->foreground_group;
  }

  Result<void> SetForegroundGroup(const vfs::Caller& caller, fs::Terminal& terminal,
                                  int group) override {
    if (group < 0) return Errno(EINVAL);
    MutexLock lock(&tasks_.mu_);
    RefPtr<Session> session = TRY(OwnSessionLocked(caller, terminal));
    RefPtr<Task> task = TRY(tasks_.FindLocked(caller.tid));
    TRY(CheckBackgroundLocked(*task, *session, SIGTTOU));
    for (const RefPtr<ThreadGroup>& member : tasks_.GroupsLocked()) {
      if (member->process_group->id != group) continue;
      if (member->process_group->session != session) return Errno(EPERM);
      session->foreground_group = group;
      return {};
    }
    return Errno(ESRCH);
  }

  Result<int> SessionOf(const vfs::Caller& caller, fs::Terminal& terminal) override {
    MutexLock lock(&tasks_.mu_);
    RefPtr<Session> session = TRY(OwnSessionLocked(caller, terminal));
    return session->id;
  }

  int ForegroundGroupOf(fs::Terminal& terminal) override {
    MutexLock lock(&tasks_.mu_);
    RefPtr<Session> session = FindSessionLocked(terminal);
    return session ? session->foreground_group : 0;
  }

  int SessionOf(fs::Terminal& terminal) override {
    MutexLock lock(&tasks_.mu_);
    RefPtr<Session> session = FindSessionLocked(terminal);
    return session ? session->id : 0;
  }

  void SignalForeground(fs::Terminal& terminal, int signal) override {
    MutexLock lock(&tasks_.mu_);
    RefPtr<Session> session = FindSessionLocked(terminal);
    if (session) SignalGroupLocked(session->foreground_group, signal);
  }

  Result<void> CheckRead(fs::Terminal& terminal) override { return CheckAccess(terminal, SIGTTIN); }

  // Writing from the background is stopped only with TOSTOP, which the terminal itself knows: it
  // asks only then, or for a change of settings.
  Result<void> CheckWrite(fs::Terminal& terminal, bool change_settings) override {
    return CheckAccess(terminal, SIGTTOU);
  }

  void HangUp(fs::Terminal& terminal) override {
    MutexLock lock(&tasks_.mu_);
    RefPtr<Session> session = FindSessionLocked(terminal);
    if (!session) return;
    Result<RefPtr<ThreadGroup>> leader = tasks_.FindGroupLocked(session->id);
    for (int signal : {SIGHUP, SIGCONT}) {
      if (leader.ok()) (void)SendSignalLocked(tasks_, **leader, KernelSignal(signal));
      bool leads = leader.ok() && (*leader)->process_group->id == session->foreground_group;
      if (!leads) SignalGroupLocked(session->foreground_group, signal);
    }
    session->controlling_terminal = nullptr;
    session->foreground_group = 0;
  }

 private:
  Result<RefPtr<Session>> SessionOfCallerLocked(const vfs::Caller& caller)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(tasks_.mu_) {
    RefPtr<Task> task = TRY(tasks_.FindLocked(caller.tid));
    return task->group()->process_group->session;
  }

  // The caller's session, if `terminal` controls it; ENOTTY.
  Result<RefPtr<Session>> OwnSessionLocked(const vfs::Caller& caller, fs::Terminal& terminal)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(tasks_.mu_) {
    Result<RefPtr<Session>> session = SessionOfCallerLocked(caller);
    if (!session.ok() || (*session)->controlling_terminal != &terminal) return Errno(ENOTTY);
    return session;
  }

  // The session that `terminal` controls, or null.
  RefPtr<Session> FindSessionLocked(fs::Terminal& terminal)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(tasks_.mu_) {
    for (const RefPtr<ThreadGroup>& group : tasks_.GroupsLocked()) {
      const RefPtr<Session>& session = group->process_group->session;
      if (session->controlling_terminal == &terminal) return session;
    }
    return nullptr;
  }

  void TakeLocked(Session& session, fs::Terminal& terminal, int leader)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(tasks_.mu_) {
    session.controlling_terminal = RefPtr<fs::Terminal>(&terminal);
    Result<RefPtr<ThreadGroup>> group = tasks_.FindGroupLocked(leader);
    session.foreground_group = group.ok() ? (*group)->process_group->id : leader;
  }

  void SignalGroupLocked(int id, int signal) ABSL_EXCLUSIVE_LOCKS_REQUIRED(tasks_.mu_) {
    if (id == 0) return;
    for (const RefPtr<ThreadGroup>& group : tasks_.GroupsLocked()) {
      if (group->process_group->id != id) continue;
      (void)SendSignalLocked(tasks_, *group, KernelSignal(signal));
    }
  }

  Result<void> CheckAccess(fs::Terminal& terminal, int signal) {
    Task* task = CurrentTask();
    if (task == nullptr) return {};
    MutexLock lock(&tasks_.mu_);
    RefPtr<Session> session = task->group()->process_group->session;
    if (session->controlling_terminal != &terminal) return {};
    return CheckBackgroundLocked(*task, *session, signal);
  }

  // __tty_check_change(): the background group gets `signal`. Blocked or ignored, SIGTTIN is EIO
  // and SIGTTOU no obstacle.
  Result<void> CheckBackgroundLocked(Task& task, const Session& session, int signal)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(tasks_.mu_) {
    ThreadGroup& group = *task.group();
    int own = group.process_group->id;
    if (session.foreground_group == 0 || own == session.foreground_group) return {};
    bool silent =
        task.signal_mask().Has(signal) || (*group.handlers)[signal].handler == abi::kSignalIgnore;
    if (silent) return signal == SIGTTIN ? Result<void>(Errno(EIO)) : Result<void>();
    if (IsOrphanedLocked(tasks_, *group.process_group)) return Errno(EIO);
    SignalGroupLocked(own, signal);
    return Errno(ERESTARTSYS);
  }

  TaskSet& tasks_;
};

}  // namespace

void InstallTerminalControl(Kernel& kernel) {
  // As long-lived as the process: terminals may ask until the very end.
  fs::InstallJobControl(new TerminalControl(kernel));
}

}  // namespace redoubt::kernel
