// SPDX-License-Identifier: Apache-2.0
//
// process and hooks.
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "runsc/oci/capabilities.h"
#include "runsc/oci/spec_parts.h"

namespace redoubt::oci {

namespace {

constexpr std::array<std::string_view, RLIM_NLIMITS> kLimits = {
    "RLIMIT_CPU",      "RLIMIT_FSIZE", "RLIMIT_DATA",   "RLIMIT_STACK",
    "RLIMIT_CORE",     "RLIMIT_RSS",   "RLIMIT_NPROC",  "RLIMIT_NOFILE",
    "RLIMIT_MEMLOCK",  "RLIMIT_AS",    "RLIMIT_LOCKS",  "RLIMIT_SIGPENDING",
    "RLIMIT_MSGQUEUE", "RLIMIT_NICE",  "RLIMIT_RTPRIO", "RLIMIT_RTTIME"};

uint64_t ReadCapabilitySet(const JsonReader& json, const char* key) {
  std::vector<std::string> names;
  json.Read(key, &names);
  uint64_t set = 0;
  for (const std::string& name : names) {
    // As runc: a capability that this kernel does not have cannot be given, and is no error.
    std::optional<int> number = CapabilityNumber(name);
    if (number.has_value()) set |= uint64_t{1} << *number;
    if (!number.has_value()) LOG(Warning, "unknown capability %s is ignored", name.c_str());
  }
  return set;
}

void ReadCapabilities(const JsonReader& json, Capabilities* sets) {
  sets->bounding = ReadCapabilitySet(json, "bounding");
  sets->effective = ReadCapabilitySet(json, "effective");
  sets->permitted = ReadCapabilitySet(json, "permitted");
  sets->inheritable = ReadCapabilitySet(json, "inheritable");
  sets->ambient = ReadCapabilitySet(json, "ambient");
}

void ReadRlimits(const JsonReader& json, std::vector<Rlimit>* limits) {
  std::set<int> seen;
  json.ForEachObject("rlimits", [&](const JsonReader& entry) {
    std::string type;
    Rlimit limit;
    entry.Read("type", &type);
    entry.Read("soft", &limit.soft);
    entry.Read("hard", &limit.hard);
    const auto* found = std::find(kLimits.begin(), kLimits.end(), type);
    if (found == kLimits.end()) {
      return entry.Fail("type", absl::StrCat("unknown limit \"", type, "\""));
    }
    limit.resource = static_cast<int>(found - kLimits.begin());
    if (!seen.insert(limit.resource).second) return entry.Fail("type", type + " is given twice");
    if (limit.soft > limit.hard) return entry.Fail("soft", "is greater than hard");
    limits->push_back(limit);
  });
}

void ReadUser(const JsonReader& json, Process* process) {
  json.Read("uid", &process->uid);
  json.Read("gid", &process->gid);
  json.Read("umask", &process->umask);
  json.Read("additionalGids", &process->additional_gids);
}

void ReadHookList(const JsonReader& json, const char* key, std::vector<Hook>* hooks) {
  json.ForEachObject(key, [&](const JsonReader& entry) {
    Hook hook;
    entry.Read("path", &hook.path);
    entry.Read("args", &hook.args);
    entry.Read("env", &hook.env);
    entry.Read("timeout", &hook.timeout_seconds);
    WantAbsolute(entry, "path", hook.path);
    if (hook.timeout_seconds.has_value() && *hook.timeout_seconds <= 0) {
      entry.Fail("timeout", "must be greater than zero");
    }
    hooks->push_back(std::move(hook));
  });
}

}  // namespace

void ReadProcess(const JsonReader& json, Process* process) {
  json.Read("terminal", &process->terminal);
  json.At("consoleSize").Read("height", &process->console_size.height);
  json.At("consoleSize").Read("width", &process->console_size.width);
  ReadUser(json.At("user"), process);
  json.Read("args", &process->args);
  json.Read("env", &process->env);
  json.Read("cwd", &process->cwd);
  ReadCapabilities(json.At("capabilities"), &process->capabilities);
  ReadRlimits(json, &process->rlimits);
  json.Read("noNewPrivileges", &process->no_new_privileges);
  json.Read("oomScoreAdj", &process->oom_score_adj);
  std::string apparmor, selinux;
  json.Read("apparmorProfile", &apparmor);
  json.Read("selinuxLabel", &selinux);
  process->has_security_label = !apparmor.empty() || !selinux.empty();
  if (!json.ok()) return;
  if (process->args.empty()) return json.Fail("args", "must not be empty");
  WantAbsolute(json, "cwd", process->cwd);
}

void ReadHooks(const JsonReader& json, Hooks* hooks) {
  ReadHookList(json, "prestart", &hooks->prestart);
  ReadHookList(json, "createRuntime", &hooks->create_runtime);
  ReadHookList(json, "createContainer", &hooks->create_container);
  ReadHookList(json, "startContainer", &hooks->start_container);
  ReadHookList(json, "poststart", &hooks->poststart);
  ReadHookList(json, "poststop", &hooks->poststop);
}

}  // namespace redoubt::oci
