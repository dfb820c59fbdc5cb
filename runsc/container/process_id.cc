// SPDX-License-Identifier: Apache-2.0
#include "runsc/container/process_id.h"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/host/syscall.h"

namespace redoubt::runsc {

namespace {

struct Stat {
  char state = 0;  // 0: no such process.
  uint64_t start_time = 0;
};

Stat ReadStat(pid_t pid) {
  std::ifstream file(absl::StrCat("/proc/", pid, "/stat"));
  std::string text;
  std::getline(file, text);
  // The name, in parentheses, may hold anything.
  size_t end = text.rfind(')');
  if (end == std::string::npos) return {};
  std::istringstream fields(text.substr(end + 1));
  Stat stat;
  std::string field;
  fields >> stat.state;
  for (int number = 4; number <= 21; ++number) fields >> field;
  fields >> stat.start_time;
  return stat;
}

}  // namespace

ProcessId ProcessId::Of(pid_t pid) {
  Stat stat = ReadStat(pid);
  return stat.state == 0 ? ProcessId{} : ProcessId{pid, stat.start_time};
}

bool ProcessId::IsAlive() const {
  if (pid <= 0) return false;
  Stat stat = ReadStat(pid);
  return stat.state != 0 && stat.state != 'Z' && stat.state != 'X' && stat.start_time == start_time;
}

OwnedFd ProcessId::Open() const {
  if (pid <= 0) return OwnedFd();
  OwnedFd fd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  // Only now is the number pinned: is it still the same process?
  if (!fd.valid() || ReadStat(pid).start_time != start_time) return OwnedFd();
  return fd;
}

bool ProcessId::KillAndWait(absl::Duration deadline) const {
  OwnedFd process = Open();
  if (!process.valid()) return true;
  (void)syscall(SYS_pidfd_send_signal, process.get(), SIGKILL, nullptr, 0);
  pollfd poll_fd = {process.get(), POLLIN, 0};
  int milliseconds = static_cast<int>(absl::ToInt64Milliseconds(deadline));
  return host::Call([&] { return poll(&poll_fd, 1, milliseconds); }).value_or(0) > 0;
}

}  // namespace redoubt::runsc
