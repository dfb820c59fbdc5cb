// SPDX-License-Identifier: Apache-2.0
#include "runsc/cmd/globals.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/log.h"
#include "base/owned_fd.h"
#include "nlohmann/json.hpp"
#include "runsc/sandbox/platforms.h"

namespace redoubt::runsc {

namespace {

// Root of a user namespace that maps less than everybody is an ordinary user outside.
bool InUserNamespace() {
  std::ifstream map("/proc/self/uid_map");
  uint64_t inside = 0, outside = 0, count = 0;
  map >> inside >> outside >> count;
  return map && !(inside == 0 && outside == 0 && count == 4294967295);
}

std::string Record(const Globals& globals, const std::string& message) {
  std::string now = absl::FormatTime(absl::RFC3339_sec, absl::Now(), absl::LocalTimeZone());
  if (globals.log_format != "json") {
    return absl::StrCat(
        "time=\"", now, "\" level=error msg=",
        nlohmann::json(message).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace),
        "\n");
  }
  nlohmann::ordered_json record = {{"level", "error"}, {"msg", message}, {"time", now}};
  return record.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string Globals::StateRoot() const {
  if (!root.empty()) return root;
  // Root of a user namespace has no /run of its own to write to; its user's is found in the
  // environment.
  const char* runtime = getenv("XDG_RUNTIME_DIR");
  bool own = geteuid() != 0 || InUserNamespace();
  if (own && runtime != nullptr && *runtime != '\0') return absl::StrCat(runtime, "/runsc");
  if (geteuid() == 0) return "/run/runsc";
  return absl::StrCat("/tmp/runsc-", geteuid());
}

bool Globals::IsRootless() const {
  if (rootless == "true") return true;
  if (rootless == "false") return false;
  return geteuid() != 0 || InUserNamespace();
}

absl::StatusOr<const platform::PlatformType*> Globals::FindPlatform() const {
  absl::StatusOr<const platform::PlatformType*> type = runsc::FindPlatform(platform);
  if (!type.ok()) return type.status();
  if (absl::Status supported = (*type)->supported(); !supported.ok()) return supported;
  return *type;
}

void AddGlobalFlags(CLI::App& app, Globals* globals) {
  app.add_option("--root", globals->root, "Where containers' state is kept")->type_name("DIR");
  app.add_option("--log", globals->log, "Append errors to FILE")->type_name("FILE");
  app.add_option("--log-format", globals->log_format, "Of --log: text or json")
      ->check(CLI::IsMember({"text", "json"}));
  app.add_flag("--debug", globals->debug, "Log more");
  app.add_option("--debug-log", globals->debug_log, "Append the sandbox's log to FILE")
      ->type_name("FILE");
  app.add_flag("--systemd-cgroup", globals->systemd_cgroup, "Let systemd make cgroups");
  app.add_option("--rootless", globals->rootless, "true, false or auto")
      ->check(CLI::IsMember({"true", "false", "auto"}));
  app.add_option("--platform", globals->platform, "How guest code runs; see `runsc help platforms`")
      ->type_name("NAME");
  app.add_option("--network", globals->network, "Accepted; there is one kind so far")
      ->type_name("KIND");
  app.add_flag("--overlay", globals->overlay, "Keep changes of the root in memory");
  app.add_flag("--strace", globals->strace, "Log every system call, with --debug-log");
}

absl::Status OpenLogs(const Globals& globals) {
  if (globals.debug_log.empty()) {
    int fd = fcntl(2, F_DUPFD_CLOEXEC, 3);
    SetLogFd(fd);
    return absl::OkStatus();
  }
  int fd = open(globals.debug_log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("--debug-log ", globals.debug_log, ": ", strerror(errno)));
  }
  SetLogFd(fd);
  g_log_level = LogLevel::kDebug;
  return absl::OkStatus();
}

void FillStandardDescriptors() {
  int fd = open("/dev/null", O_RDWR);
  while (fd >= 0 && fd < 2) fd = open("/dev/null", O_RDWR);
  if (fd > 2) close(fd);
}

int Report(const Globals& globals, const absl::Status& status, int exit_code) {
  std::string message(status.message());
  if (!globals.log.empty()) {
    OwnedFd log(open(globals.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
    std::string record = Record(globals, message);
    if (log.valid() && write(log.get(), record.data(), record.size()) < 0) {
      fprintf(stderr, "runsc: --log %s: %s\n", globals.log.c_str(), strerror(errno));
    }
  }
  fprintf(stderr, "runsc: %s\n", message.c_str());
  return exit_code;
}

int Finish(const Globals& globals, const absl::Status& status) {
  return status.ok() ? 0 : Report(globals, status);
}

}  // namespace redoubt::runsc
