// SPDX-License-Identifier: Apache-2.0
//
// runsc update [flags] ID: changes the limits of a container.
#include <array>
#include <cctype>
#include <cstdio>
#include <iostream>
#include <iterator>
#include <map>
#include <memory>
#include <optional>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"
#include "runsc/cmd/commands.h"
#include "runsc/container/control_client.h"
#include "runsc/container/create.h"
#include "runsc/sandbox/limits.h"

namespace redoubt::runsc {

namespace {

using Json = nlohmann::json;

enum class Form { kNumber, kBytes, kText };

struct LimitFlag {
  const char* name;
  const char* section;  // Of linux.resources; its key.
  const char* key;
  Form form;
};

constexpr LimitFlag kFlags[] = {
    {"--memory", "memory", "limit", Form::kBytes},
    {"--memory-reservation", "memory", "reservation", Form::kBytes},
    {"--memory-swap", "memory", "swap", Form::kBytes},
    {"--kernel-memory", "memory", "kernel", Form::kBytes},
    {"--kernel-memory-tcp", "memory", "kernelTCP", Form::kBytes},
    {"--cpu-period", "cpu", "period", Form::kNumber},
    {"--cpu-quota", "cpu", "quota", Form::kNumber},
    {"--cpu-burst", "cpu", "burst", Form::kNumber},
    {"--cpu-share", "cpu", "shares", Form::kNumber},
    {"--cpu-rt-period", "cpu", "realtimePeriod", Form::kNumber},
    {"--cpu-rt-runtime", "cpu", "realtimeRuntime", Form::kNumber},
    {"--cpu-idle", "cpu", "idle", Form::kNumber},
    {"--cpuset-cpus", "cpu", "cpus", Form::kText},
    {"--cpuset-mems", "cpu", "mems", Form::kText},
    {"--pids-limit", "pids", "limit", Form::kNumber},
    {"--blkio-weight", "blockIO", "weight", Form::kNumber},
};

struct UpdateFlags {
  std::string id, resources, l3_cache_schema, mem_bw_schema;
  std::array<std::string, std::size(kFlags)> limits;
};

// "64m", "1.5GB", "-1".
std::optional<int64_t> ParseBytes(const std::string& text) {
  size_t end = text.find_first_not_of("+-0123456789.");
  double number = 0;
  if (!absl::SimpleAtod(text.substr(0, end), &number)) return std::nullopt;
  std::string unit = end == std::string::npos ? "" : text.substr(end);
  for (char& c : unit) c = static_cast<char>(tolower(static_cast<unsigned char>(c)));
  static const std::map<std::string, int> kShifts = {
      {"", 0},     {"b", 0},  {"k", 10},  {"kb", 10},  {"kib", 10}, {"m", 20},  {"mb", 20},
      {"mib", 20}, {"g", 30}, {"gb", 30}, {"gib", 30}, {"t", 40},   {"tb", 40}, {"tib", 40}};
  auto shift = kShifts.find(unit);
  if (shift == kShifts.end()) return std::nullopt;
  double bytes = number * static_cast<double>(uint64_t{1} << shift->second);
  if (bytes > 9e18 || bytes < -9e18) return std::nullopt;
  return static_cast<int64_t>(bytes);
}

absl::StatusOr<Json> ParseLimit(const LimitFlag& flag, const std::string& text) {
  int64_t number = 0;
  if (flag.form == Form::kText) return Json(text);
  if (flag.form == Form::kNumber && absl::SimpleAtoi(text, &number)) return Json(number);
  if (std::optional<int64_t> bytes = ParseBytes(text); flag.form == Form::kBytes && bytes) {
    return Json(*bytes);
  }
  return absl::InvalidArgumentError(absl::StrCat(flag.name, " ", text, ": not a number"));
}

absl::StatusOr<Json> ReadResources(const std::string& path) {
  std::string text;
  if (path == "-") {
    text.assign(std::istreambuf_iterator<char>(std::cin), {});
  } else {
    absl::StatusOr<std::string> file = oci::ReadTextFile(path);
    if (!file.ok()) return file.status();
    text = *std::move(file);
  }
  Json json = Json::parse(text, nullptr, false);
  if (json.is_object()) return json;
  return absl::InvalidArgumentError(absl::StrCat("--resources ", path, ": is not a JSON object"));
}

absl::StatusOr<Json> MakeResources(const UpdateFlags& flags) {
  // As runc: with a file, the flags do not count.
  if (!flags.resources.empty()) return ReadResources(flags.resources);
  Json json = Json::object();
  for (size_t i = 0; i < std::size(kFlags); ++i) {
    if (flags.limits[i].empty()) continue;
    absl::StatusOr<Json> value = ParseLimit(kFlags[i], flags.limits[i]);
    if (!value.ok()) return value.status();
    json[kFlags[i].section][kFlags[i].key] = *std::move(value);
  }
  return json;
}

// A paused sandbox answers when it goes on; the request waits for that in its socket.
absl::Status ShowInside(const Container& container, const oci::LinuxResources& resources,
                        bool paused) {
  absl::StatusOr<ControlClient> client = ControlClient::Connect(container);
  if (!client.ok()) return client.status();
  boot::ControlRequest request;
  *request.mutable_set_limits() = LimitChange(resources);
  if (paused) return client->Send(std::move(request)).status();
  return client->Call(std::move(request)).status();
}

absl::Status Update(const Globals& globals, const UpdateFlags& flags) {
  absl::StatusOr<Json> json = MakeResources(flags);
  if (!json.ok()) return json.status();
  absl::StatusOr<oci::LinuxResources> resources = oci::ParseResources(*json);
  if (!resources.ok()) return resources.status();
  absl::StatusOr<Container> container = Container::Open(globals.StateRoot(), flags.id);
  if (!container.ok()) return container.status();
  std::string status = container->Status();
  if (status == "stopped") return absl::FailedPreconditionError("container not running");
  absl::StatusOr<std::unique_ptr<cgroup::Cgroup>> group = CgroupOf(*container);
  if (!group.ok()) return group.status();
  absl::Status applied = (*group)->Apply(cgroup::WithRoomForSandbox(*resources));
  return applied.ok() ? ShowInside(*container, *resources, status == "paused") : applied;
}

}  // namespace

void AddUpdateCommand(CommandLine line) {
  CLI::App* command = line.app.add_subcommand("update", "Change a container's limits");
  auto flags = std::make_shared<UpdateFlags>();
  command->add_option("--resources,-r", flags->resources, "Read linux.resources; - is stdin")
      ->type_name("FILE");
  for (size_t i = 0; i < std::size(kFlags); ++i) {
    command->add_option(kFlags[i].name, flags->limits[i]);
  }
  command->add_option("--l3-cache-schema", flags->l3_cache_schema, "Accepted");
  command->add_option("--mem-bw-schema", flags->mem_bw_schema, "Accepted");
  command->add_option("ID", flags->id, "The container")->required();
  command->callback([flags, line] {
    *line.run = [flags, line] { return Finish(line.globals, Update(line.globals, *flags)); };
  });
}

}  // namespace redoubt::runsc
