// SPDX-License-Identifier: Apache-2.0
#include "runsc/cmd/do.h"

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "runsc/cmd/do_limits.h"
#include "runsc/cmd/do_options.h"
#include "runsc/cmd/exit_codes.h"
#include "runsc/sandbox/limits.h"
#include "runsc/sandbox/platforms.h"
#include "runsc/sandbox/sandbox.h"
#include "sentry/kernel/credentials.h"

extern char** environ;

namespace redoubt::runsc {

namespace {

struct DoFlags {
  std::string platform = "auto";
  std::string root_dir = "/";
  std::vector<std::string> binds, writable, environment;
  std::string working_directory, user, hostname = "redoubt", debug_log;
  LimitFlags limits;
  bool terminal = false, strace = false;
};

std::vector<std::string> Environment(const std::vector<std::string>& changes) {
  std::vector<std::string> result;
  for (char** variable = environ; *variable != nullptr; ++variable) result.push_back(*variable);
  for (const std::string& change : changes) {
    std::string name = change.substr(0, change.find('='));
    std::erase_if(result, [&](const std::string& old) { return old.starts_with(name + "="); });
    // NAME without a value takes the variable out.
    if (change.size() > name.size()) result.push_back(change);
  }
  return result;
}

bool IsDirectory(const std::string& path) {
  struct stat status;
  return stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

void AddBind(const Bind& bind, SandboxSpec& spec) {
  boot::MountConfig mount;
  mount.guest_path = bind.guest_path;
  mount.source = bind.host_path;
  mount.flags = bind.read_only ? MS_RDONLY : 0;
  mount.attach_point = static_cast<uint32_t>(spec.sources.size());
  mount.shared = true;
  mount.is_file = !IsDirectory(bind.host_path);
  spec.sources.push_back({.host_path = bind.host_path, .read_only = bind.read_only});
  spec.mounts.push_back(std::move(mount));
}

absl::Status AddBinds(const DoFlags& flags, SandboxSpec& spec) {
  for (const std::string& text : flags.binds) {
    absl::StatusOr<Bind> bind = ParseBind(text);
    if (!bind.ok()) return bind.status();
    AddBind(*bind, spec);
  }
  for (const std::string& directory : flags.writable) {
    absl::StatusOr<Bind> bind = ParseWritable(directory);
    if (!bind.ok()) return bind.status();
    AddBind(*bind, spec);
  }
  return absl::OkStatus();
}

void AddView(boot::MountKind kind, const char* path, const char* source, unsigned long flags,
             const char* data, SandboxSpec& spec) {
  boot::MountConfig mount;
  mount.kind = kind;
  mount.guest_path = path;
  mount.source = source;
  mount.flags = flags;
  mount.data = data;
  spec.mounts.push_back(std::move(mount));
}

// Binds come behind /dev, so that one may go below it.
absl::Status FillMounts(const DoFlags& flags, SandboxSpec& spec) {
  using boot::MountKind;
  AddView(MountKind::kTmpfs, "/dev", "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=0755", spec);
  AddView(MountKind::kDevpts, "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "gid=5", spec);
  AddView(MountKind::kTmpfs, "/dev/shm", "shm", MS_NOSUID | MS_NODEV, "", spec);
  constexpr unsigned long kFlags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
  AddView(MountKind::kMqueue, "/dev/mqueue", "mqueue", kFlags, "", spec);
  if (absl::Status status = AddBinds(flags, spec); !status.ok()) return status;
  AddView(MountKind::kProc, "/proc", "proc", kFlags, "", spec);
  AddView(MountKind::kSysfs, "/sys", "sysfs", kFlags | MS_RDONLY, "", spec);
  AddView(MountKind::kCgroup, "/sys/fs/cgroup", "cgroup", kFlags | MS_RDONLY, "", spec);
  return absl::OkStatus();
}

absl::Status FillRoot(const DoFlags& flags, SandboxSpec& spec) {
  absl::StatusOr<std::string> root = ResolveHostPath(flags.root_dir);
  if (!root.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--root-dir ", std::string(root.status().message())));
  }
  struct stat status;
  if (stat(root->c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--root-dir ", flags.root_dir, ": Not a directory"));
  }
  if (access(root->c_str(), R_OK | X_OK) != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("--root-dir ", flags.root_dir, ": ", strerror(errno)));
  }
  spec.sources.push_back({.host_path = *root, .read_only = true});
  boot::MountConfig mount;
  mount.guest_path = "/";
  mount.source = "root";
  mount.overlay = true;
  spec.mounts.push_back(std::move(mount));
  return absl::OkStatus();
}

// As Linux gives them to a user's first program: root has every capability, others have none.
void FillCapabilities(boot::ProcessSpec& process) {
  boot::CapabilitySets* sets = process.mutable_capabilities();
  sets->set_bounding(kernel::kAllCapabilities);
  if (process.uid() != 0) return;
  sets->set_effective(kernel::kAllCapabilities);
  sets->set_permitted(kernel::kAllCapabilities);
}

absl::Status FillUser(const DoFlags& flags, SandboxSpec& spec) {
  spec.process.set_uid(getuid());
  spec.process.set_gid(getgid());
  if (!flags.user.empty()) {
    absl::StatusOr<UserIds> ids = ParseUser(flags.user);
    if (!ids.ok()) return ids.status();
    spec.process.set_uid(ids->uid);
    spec.process.set_gid(ids->gid);
    FillCapabilities(spec.process);
    return absl::OkStatus();
  }
  FillCapabilities(spec.process);
  int count = getgroups(0, nullptr);
  if (count <= 0) return absl::OkStatus();
  std::vector<gid_t> groups(static_cast<size_t>(count));
  count = getgroups(count, groups.data());
  spec.process.mutable_groups()->Assign(groups.begin(), groups.begin() + std::max(count, 0));
  return absl::OkStatus();
}

absl::Status FillWorkingDirectory(const DoFlags& flags, SandboxSpec& spec) {
  spec.process.set_working_directory(flags.working_directory);
  if (!flags.working_directory.empty()) {
    if (flags.working_directory[0] == '/') return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat("--cwd ", flags.working_directory, ": must be absolute"));
  }
  // The caller's own, where the guest has the same tree.
  std::unique_ptr<char, void (*)(void*)> here(getcwd(nullptr, 0), free);
  bool same_tree =
      spec.sources[0].host_path == "/" && here != nullptr && here.get()[0] == '/';
  spec.process.set_working_directory(same_tree ? here.get() : "/");
  return absl::OkStatus();
}

absl::StatusOr<SandboxSpec> MakeSpec(const DoFlags& flags, std::vector<std::string> command) {
  SandboxSpec spec;
  absl::StatusOr<const platform::PlatformType*> platform = FindPlatform(flags.platform);
  if (!platform.ok()) return platform.status();
  spec.platform = *platform;
  if (absl::Status supported = spec.platform->supported(); !supported.ok()) return supported;
  for (auto* fill : {&FillRoot, &FillMounts, &FillUser, &FillWorkingDirectory}) {
    if (absl::Status status = fill(flags, spec); !status.ok()) return status;
  }
  for (std::string& word : command) spec.process.add_arguments(std::move(word));
  for (std::string& variable : Environment(flags.environment)) {
    spec.process.add_environment(std::move(variable));
  }
  spec.hostname = flags.hostname;
  spec.process.set_terminal(flags.terminal);
  spec.strace = flags.strace;
  mode_t mask = umask(0);
  umask(mask);
  spec.process.set_umask(mask);
  return spec;
}

absl::Status OpenLog(const DoFlags& flags) {
  // The guest may get descriptor 2; the log keeps one of its own.
  int fd = flags.debug_log.empty()
               ? fcntl(2, F_DUPFD_CLOEXEC, 3)
               : open(flags.debug_log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd < 0 && !flags.debug_log.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--debug-log ", flags.debug_log, ": ", strerror(errno)));
  }
  SetLogFd(fd);
  if (!flags.debug_log.empty()) g_log_level = LogLevel::kDebug;
  return absl::OkStatus();
}

int Fail(std::string_view message, int status) {
  fprintf(stderr, "runsc: do: %.*s\n", static_cast<int>(message.size()), message.data());
  return status;
}

int ExitStatus(const SandboxOutcome& outcome) {
  if (outcome.start_error == ENOENT) return Fail(outcome.start_message, kExitNotFound);
  if (outcome.start_error > 0) return Fail(outcome.start_message, kExitNotExecutable);
  if (outcome.start_error < 0) return Fail(outcome.start_message, kExitFailure);
  if (WIFSIGNALED(outcome.status)) return 128 + WTERMSIG(outcome.status);
  return WEXITSTATUS(outcome.status);
}

int RunDo(const DoFlags& flags, std::vector<std::string> command) {
  if (command.empty()) return Fail("no command; try: runsc do -- CMD ARGS", kExitFailure);
  if (absl::Status status = OpenLog(flags); !status.ok()) {
    return Fail(std::string(status.message()), kExitFailure);
  }
  absl::StatusOr<SandboxSpec> spec = MakeSpec(flags, std::move(command));
  if (!spec.ok()) return Fail(std::string(spec.status().message()), kExitFailure);
  absl::StatusOr<oci::LinuxResources> resources = ParseLimits(flags.limits);
  if (!resources.ok()) return Fail(std::string(resources.status().message()), kExitFailure);
  spec->limits = LimitsOf(*resources);
  absl::StatusOr<SandboxOutcome> outcome = RunWithLimits(*spec, *resources);
  if (!outcome.ok()) return Fail(std::string(outcome.status().message()), kExitFailure);
  return ExitStatus(*outcome);
}

}  // namespace

void AddDoCommand(CommandLine line) {
  auto flags = std::make_shared<DoFlags>();
  CLI::App* command = line.app.add_subcommand(
      "do", "Run a command in a sandbox over the host's files: do [flags] -- CMD ARGS");
  command->prefix_command();
  command
      ->add_option("--platform", flags->platform, "How guest code runs; see `runsc help platforms`")
      ->type_name("NAME");
  command->add_option("--root-dir", flags->root_dir, "Another root file system than the host's")
      ->type_name("DIR");
  command->add_option("--bind", flags->binds, "Mount a host path; read-only unless rw")
      ->type_name("HOST[:GUEST][:rw|ro]")
      ->expected(1)
      ->allow_extra_args(false)
      ->take_all();
  command->add_option("--rw", flags->writable, "Let writes below DIR reach the host")
      ->type_name("DIR")
      ->expected(1)
      ->allow_extra_args(false)
      ->take_all();
  command->add_option("--cwd", flags->working_directory, "Working directory in the guest")
      ->type_name("DIR");
  command->add_option("--env", flags->environment, "Set a variable; NAME alone removes it")
      ->type_name("NAME=VALUE")
      ->expected(1)
      ->allow_extra_args(false)
      ->take_all();
  command->add_option("--user", flags->user, "Run as this user")->type_name("UID[:GID]");
  command->add_option("--hostname", flags->hostname, "Host name in the guest")->type_name("NAME");
  AddLimitFlags(*command, flags->limits);
  command->add_flag("--tty", flags->terminal, "Give the guest a terminal of its own");
  command->add_flag("--strace", flags->strace, "Log every system call");
  command->add_option("--debug-log", flags->debug_log, "Append the sandbox's log to FILE")
      ->type_name("FILE");
  command->callback([command, flags, line] {
    *line.run = [command, flags, &separated = line.separated] {
      std::vector<std::string> words = command->remaining();
      // A word that looks like a flag is the command's only behind another word, or `--`.
      if (!words.empty() && words[0].starts_with("-")) {
        return Fail("unknown flag " + words[0] + "; try: runsc help do", kExitFailure);
      }
      // A `--` behind the command's name is the command's own.
      size_t skip = words.empty() && !separated.empty() ? 1 : 0;
      words.insert(words.end(), separated.begin() + static_cast<ptrdiff_t>(skip), separated.end());
      return RunDo(*flags, std::move(words));
    };
  });
}

}  // namespace redoubt::runsc
