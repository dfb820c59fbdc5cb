// SPDX-License-Identifier: Apache-2.0
#include "runsc/sandbox/namespaces.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/host/syscall.h"
#include "base/log.h"

namespace redoubt::runsc {

namespace {

constexpr uint32_t kSentryId = 65534;  // nobody: owns no file anywhere.

absl::Status Failed(std::string_view what, Errno error) {
  return absl::InternalError(absl::StrCat(std::string(what), ": ", strerror(error.value())));
}

absl::Status WriteFile(const std::string& path, const std::string& content) {
  auto fd_number = host::Call([&] { return open(path.c_str(), O_WRONLY | O_CLOEXEC); });
  if (!fd_number.ok()) return Failed(path, fd_number.error());
  OwnedFd fd(static_cast<int>(*fd_number));
  auto written = host::Call([&] { return write(fd.get(), content.data(), content.size()); });
  if (!written.ok()) return Failed(path, written.error());
  return absl::OkStatus();
}

absl::Status WriteMaps(pid_t child, const IdMaps& maps) {
  std::string directory = absl::StrCat("/proc/", child);
  if (maps.deny_setgroups) {
    absl::Status status = WriteFile(directory + "/setgroups", "deny");
    if (!status.ok()) return status;
  }
  absl::Status status = WriteFile(directory + "/uid_map", maps.uid_map);
  if (!status.ok()) return status;
  return WriteFile(directory + "/gid_map", maps.gid_map);
}

bool TakeIds(const IdMaps& maps) {
  if (!maps.deny_setgroups && setgroups(0, nullptr) != 0) return false;
  return setresgid(maps.gid, maps.gid, maps.gid) == 0 &&
         setresuid(maps.uid, maps.uid, maps.uid) == 0;
}

bool WaitFor(int event) {
  uint64_t value = 0;
  return host::Call([&] { return read(event, &value, sizeof(value)); }).ok() && value == 1;
}

// The child must not outlive its parent, which may be gone already: its pidfd tells, also of one
// that nobody has reaped yet.
void DieWithParent(int parent_pidfd) {
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  pollfd parent = {parent_pidfd, POLLIN, 0};
  if (poll(&parent, 1, 0) != 0) _exit(1);
}

// The child's first steps. A change of ids clears the death signal, so it is asked for twice.
[[noreturn]] void RunChild(int go, int parent_pidfd, bool take_ids, const IdMaps& maps,
                           const std::function<int()>& body) {
  DieWithParent(parent_pidfd);
  if (!WaitFor(go)) _exit(1);
  if (take_ids && !TakeIds(maps)) {
    LOG(Error, "taking the ids of a new user namespace: %s", strerror(errno));
    _exit(1);
  }
  DieWithParent(parent_pidfd);
  // The launcher blocks what it passes on; that is no business of its children.
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  // Out of the terminal's process group: its keys are for the launcher, who passes them on.
  setsid();
  _exit(body());
}

}  // namespace

IdMaps IdMaps::ForSentry() {
  IdMaps maps;
  if (geteuid() == 0) {
    maps.uid = maps.gid = kSentryId;
    maps.uid_map = maps.gid_map = absl::StrCat(kSentryId, " ", kSentryId, " 1\n");
    return maps;
  }
  return ForGofer();
}

IdMaps IdMaps::ForGofer() {
  IdMaps maps;
  maps.uid = geteuid();
  maps.gid = getegid();
  maps.uid_map = absl::StrCat(maps.uid, " ", maps.uid, " 1\n");
  maps.gid_map = absl::StrCat(maps.gid, " ", maps.gid, " 1\n");
  maps.deny_setgroups = geteuid() != 0;
  return maps;
}

absl::StatusOr<Child> StartInNamespaces(uint64_t flags, const IdMaps& maps,
                                        const std::function<int()>& body) {
  OwnedFd go(eventfd(0, EFD_CLOEXEC));
  OwnedFd self(static_cast<int>(syscall(SYS_pidfd_open, getpid(), 0)));
  if (!go.valid() || !self.valid()) return absl::InternalError("no descriptors left to start");
  bool user = (flags & CLONE_NEWUSER) != 0;
  int pidfd = -1;
  clone_args args = {};
  args.flags = flags | CLONE_PIDFD;
  args.pidfd = reinterpret_cast<uint64_t>(&pidfd);
  args.exit_signal = SIGCHLD;
  // As fork(2), with namespaces: the child runs on a copy of this stack.
  long pid = syscall(SYS_clone3, &args, sizeof(args));
  if (pid < 0) return Failed("clone with new namespaces", Errno(errno));
  if (pid == 0) RunChild(go.get(), self.get(), user, maps, body);

  Child child{static_cast<pid_t>(pid), OwnedFd(pidfd)};
  absl::Status mapped = user ? WriteMaps(child.pid, maps) : absl::OkStatus();
  uint64_t value = 1;
  if (mapped.ok() && write(go.get(), &value, sizeof(value)) == sizeof(value)) return child;
  kill(child.pid, SIGKILL);
  (void)host::Call([&] { return waitpid(child.pid, nullptr, 0); });
  return mapped;
}

absl::Status CheckUserNamespaces() {
  auto child = StartInNamespaces(CLONE_NEWUSER, IdMaps::ForSentry(), [] { return 0; });
  if (!child.ok()) return child.status();
  int status = 0;
  (void)host::Call([&] { return waitpid(child->pid, &status, 0); });
  return status == 0 ? absl::OkStatus() : absl::InternalError("a user namespace takes no ids here");
}

}  // namespace redoubt::runsc
