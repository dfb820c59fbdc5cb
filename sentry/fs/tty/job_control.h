// SPDX-License-Identifier: Apache-2.0
//
// What terminals and the kernel's job control ask of each other (credentials(7), ioctl_tty(2)).
//
// The kernel owns sessions and process groups, and with them which terminal controls a session and
// which group is in its foreground. A terminal (pty, host terminal) only has an identity, and asks
// through JobControl. The kernel installs its JobControl once, at boot, before any guest runs.
//
// Locks: a terminal holds none of its own when it calls; implementations take kTasks and below.
#ifndef SENTRY_FS_TTY_JOB_CONTROL_H_
#define SENTRY_FS_TTY_JOB_CONTROL_H_

#include <cstdint>

#include "base/ref_counted.h"
#include "base/result.h"
#include "sentry/vfs/file_description.h"

namespace redoubt::fs {

// A terminal as sessions know it. References are held by its open files and by the session that it
// controls (kernel::Session).
class Terminal : public RefCounted<Terminal> {
 public:
  virtual ~Terminal() = default;
  // st_rdev: /proc/PID/stat's tty_nr.
  virtual uint64_t device() const = 0;
  // Opens it anew: /dev/tty.
  virtual Result<RefPtr<vfs::FileDescription>> OpenAgain(const vfs::Path& path, uint32_t flags) = 0;
};

class JobControl {
 public:
  virtual ~JobControl() = default;

  // The caller's controlling terminal; ENXIO when it has none (open of /dev/tty).
  virtual Result<RefPtr<Terminal>> ControllingTerminal(const vfs::Caller& caller) = 0;
  // open(2) without O_NOCTTY: makes it the controlling terminal of a session leader that has none,
  // if no session has it; otherwise nothing.
  virtual void OnTerminalOpened(const vfs::Caller& caller, Terminal& terminal) = 0;

  // TIOCSCTTY, with its EPERM rules; `steal`: the argument is 1.
  virtual Result<void> SetControlling(const vfs::Caller& caller, Terminal& terminal,
                                      bool steal) = 0;
  // TIOCNOTTY: ENOTTY when it is not the caller's.
  virtual Result<void> GiveUpControlling(const vfs::Caller& caller, Terminal& terminal) = 0;
  // TIOCGPGRP, TIOCSPGRP, TIOCGSID: ENOTTY when `terminal` is not the caller's controlling one.
  // SetForeground sends SIGTTOU to a background caller, as tcsetpgrp(3) says.
  virtual Result<int> ForegroundGroup(const vfs::Caller& caller, Terminal& terminal) = 0;
  virtual Result<void> SetForegroundGroup(const vfs::Caller& caller, Terminal& terminal,
                                          int group) = 0;
  virtual Result<int> SessionOf(const vfs::Caller& caller, Terminal& terminal) = 0;

  // The same two from a pty's master: no caller, 0 when no session has it.
  virtual int ForegroundGroupOf(Terminal& terminal) = 0;
  virtual int SessionOf(Terminal& terminal) = 0;

  // SIGINT, SIGQUIT, SIGTSTP (keys), SIGWINCH: to the foreground group, if there is one.
  virtual void SignalForeground(Terminal& terminal, int signal) = 0;
  // The line went: SIGHUP and SIGCONT to the session leader and the foreground group; the session
  // loses its terminal.
  virtual void HangUp(Terminal& terminal) = 0;

  // Before the task that this thread serves reads from (writes to, changes) its controlling
  // terminal: in the background it gets SIGTTIN (SIGTTOU) and an error (EIO when that signal is
  // ignored or blocked or the group is orphaned, a restart code else). Default: always allowed.
  virtual Result<void> CheckRead(Terminal& terminal) { return {}; }
  virtual Result<void> CheckWrite(Terminal& terminal, bool change_settings) { return {}; }
};

// Nobody controls anything: before a kernel is there, and in unit tests.
JobControl& NoJobControl();

// The kernel's, or NoJobControl().
JobControl& CurrentJobControl();
// `job_control` must live as long as the process; null to uninstall (tests).
void InstallJobControl(JobControl* job_control);

// Serves TIOCSCTTY, TIOCNOTTY, TIOCGPGRP, TIOCSPGRP and TIOCGSID, which are alike for all
// terminals. Empty: another command.
struct JobControlAnswer {
  bool handled = false;
  Result<uint64_t> result = uint64_t{0};
};
JobControlAnswer JobControlIoctl(Terminal& terminal, const vfs::IoctlRequest& request);

}  // namespace redoubt::fs

#endif  // SENTRY_FS_TTY_JOB_CONTROL_H_
