// SPDX-License-Identifier: Apache-2.0
#include "runsc/container/hooks.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <span>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/host/syscall.h"
#include "base/log.h"
#include "base/owned_fd.h"

namespace redoubt::runsc {

namespace {

constexpr size_t kMostErrorText = 2048;

OwnedFd MemoryFile(const std::string& content) {
  OwnedFd file(memfd_create("hook", MFD_CLOEXEC));
  if (!file.valid()) return file;
  (void)host::Call([&] { return pwrite(file.get(), content.data(), content.size(), 0); });
  return file;
}

std::vector<char*> Pointers(const std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (const std::string& word : words) pointers.push_back(const_cast<char*>(word.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

[[noreturn]] void ExecHook(const oci::Hook& hook, int input, int errors,
                           std::span<char* const> args, std::span<char* const> environment) {
  int null = open("/dev/null", O_WRONLY);
  dup2(input, 0);
  dup2(null, 1);
  dup2(errors, 2);
  (void)close_range(3, ~0U, 0);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  signal(SIGPIPE, SIG_DFL);
  execve(hook.path.c_str(), args.data(), environment.data());
  dprintf(2, "%s", strerror(errno));
  _exit(127);
}

std::string TextOf(int file) {
  std::string text(kMostErrorText, '\0');
  ssize_t got = pread(file, text.data(), text.size(), 0);
  text.resize(got > 0 ? static_cast<size_t>(got) : 0);
  return std::string(absl::StripAsciiWhitespace(text));
}

// Its wait status; nothing when it did not end in time, and was killed.
bool WaitForHook(pid_t pid, const oci::Hook& hook, int* status) {
  OwnedFd process(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  int milliseconds = hook.timeout_seconds.has_value() ? *hook.timeout_seconds * 1000 : -1;
  pollfd ended = {process.get(), POLLIN, 0};
  bool in_time = host::Call([&] { return poll(&ended, 1, milliseconds); }).value_or(0) > 0;
  if (!in_time) kill(pid, SIGKILL);
  (void)host::Call([&] { return waitpid(pid, status, 0); });
  return in_time;
}

absl::Status RunHook(const oci::Hook& hook, const std::string& state) {
  OwnedFd input = MemoryFile(state), errors = MemoryFile("");
  std::vector<std::string> words = hook.args;
  if (words.empty()) words.push_back(hook.path);
  std::vector<char*> args = Pointers(words), environment = Pointers(hook.env);
  pid_t pid = fork();
  if (pid < 0) return absl::InternalError(absl::StrCat("fork: ", strerror(errno)));
  if (pid == 0) ExecHook(hook, input.get(), errors.get(), args, environment);
  int status = 0;
  if (!WaitForHook(pid, hook, &status)) {
    return absl::DeadlineExceededError(
        absl::StrCat("hook ran past specified timeout of ", *hook.timeout_seconds, ".0s"));
  }
  if (status == 0) return absl::OkStatus();
  std::string how = WIFEXITED(status) ? absl::StrCat("exit status ", WEXITSTATUS(status))
                                      : absl::StrCat("signal ", WTERMSIG(status));
  return absl::UnknownError(absl::StrCat(how, ", stderr: ", TextOf(errors.get())));
}

std::string Explain(const char* stage, size_t place, const absl::Status& status) {
  return absl::StrCat("error running ", stage, " hook #", place, ": ",
                      std::string(status.message()));
}

}  // namespace

absl::Status RunHooks(const char* stage, const std::vector<oci::Hook>& hooks,
                      const std::string& state) {
  for (size_t i = 0; i < hooks.size(); ++i) {
    absl::Status status = RunHook(hooks[i], state);
    if (!status.ok()) return absl::UnknownError(Explain(stage, i, status));
  }
  return absl::OkStatus();
}

void RunHooksAndWarn(const char* stage, const std::vector<oci::Hook>& hooks,
                     const std::string& state) {
  for (size_t i = 0; i < hooks.size(); ++i) {
    absl::Status status = RunHook(hooks[i], state);
    if (!status.ok()) LOG(Warning, "%s", Explain(stage, i, status).c_str());
  }
}

}  // namespace redoubt::runsc
