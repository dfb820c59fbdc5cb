// SPDX-License-Identifier: Apache-2.0
#include "runsc/container/state.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/host/syscall.h"
#include "nlohmann/json.hpp"

namespace redoubt::runsc {

namespace {

using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;

absl::Status Failed(const std::string& what, int error) {
  return absl::InternalError(absl::StrCat(what, ": ", strerror(error)));
}

absl::Status NoContainer() { return absl::NotFoundError("container does not exist"); }

Json ToJson(const ProcessId& process) {
  return {{"pid", process.pid}, {"startTime", process.start_time}};
}

ProcessId ProcessFromJson(const Json& json, const char* key) {
  ProcessId process;
  if (!json.contains(key) || !json[key].is_object()) return process;
  process.pid = json[key].value("pid", 0);
  process.start_time = json[key].value("startTime", uint64_t{0});
  return process;
}

std::string ToText(const State& state) {
  Json json = {{"ociVersion", state.oci_version},
               {"id", state.id},
               {"bundle", state.bundle},
               {"rootfs", state.rootfs},
               {"status", state.status},
               {"created", state.created},
               {"owner", state.owner},
               {"creator", ToJson(state.creator)},
               {"monitor", ToJson(state.monitor)},
               {"sentry", ToJson(state.sentry)},
               {"gofer", ToJson(state.gofer)},
               {"cgroupPaths", state.cgroup_paths},
               {"rootless", state.rootless},
               {"annotations", state.annotations}};
  return json.dump(1, ' ', false, Json::error_handler_t::replace);
}

// A file that somebody damaged must not end the command: value() throws on a wrong type.
absl::StatusOr<State> FromText(const std::string& text) try {
  Json json = Json::parse(text);
  State state;
  state.oci_version = json.value("ociVersion", "");
  state.id = json.value("id", "");
  state.bundle = json.value("bundle", "");
  state.rootfs = json.value("rootfs", "");
  state.status = json.value("status", "");
  state.created = json.value("created", "");
  state.owner = json.value("owner", 0u);
  state.creator = ProcessFromJson(json, "creator");
  state.monitor = ProcessFromJson(json, "monitor");
  state.sentry = ProcessFromJson(json, "sentry");
  state.gofer = ProcessFromJson(json, "gofer");
  state.cgroup_paths = json.value("cgroupPaths", cgroup::Paths());
  state.rootless = json.value("rootless", false);
  state.annotations = json.value("annotations", std::map<std::string, std::string>());
  return state;
} catch (const Json::exception& error) {
  return absl::DataLossError(absl::StrCat("state.json is damaged: ", error.what()));
}

// Waits for the lock; false at the deadline.
bool Lock(int fd, absl::Duration deadline) {
  absl::Time end = absl::Now() + deadline;
  while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (absl::Now() >= end) return false;
    absl::SleepFor(absl::Milliseconds(5));
  }
  return true;
}

}  // namespace

absl::Status CheckContainerId(std::string_view id) {
  auto good = [](char c) {
    return isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '+' || c == '-' ||
           c == '.';
  };
  if (id.empty()) return absl::InvalidArgumentError("container id cannot be empty");
  if (id.size() > 1024 || id == "." || id == ".." || !std::all_of(id.begin(), id.end(), good)) {
    return absl::InvalidArgumentError(absl::StrCat("invalid container ID format: \"",
                                                   std::string(id),
                                                   "\"; want letters, digits and any of _+-."));
  }
  return absl::OkStatus();
}

absl::StatusOr<Container> Container::Create(const std::string& root, const std::string& id) {
  if (absl::Status status = CheckContainerId(id); !status.ok()) return status;
  std::error_code error;
  bool made_root = std::filesystem::create_directories(root, error);
  if (error) return Failed(root, error.value());
  if (made_root) (void)chmod(root.c_str(), 0711);
  std::string path = absl::StrCat(root, "/", id);
  if (mkdir(path.c_str(), 0711) != 0) {
    if (errno == EEXIST) {
      return absl::AlreadyExistsError("container with given ID already exists");
    }
    return Failed(path, errno);
  }
  OwnedFd directory(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.valid()) return Failed(path, errno);
  Container container(path, std::move(directory));
  (void)Lock(container.directory(), absl::Seconds(10));
  container.state_.id = id;
  container.state_.owner = geteuid();
  container.state_.created =
      absl::FormatTime("%Y-%m-%dT%H:%M:%E9SZ", absl::Now(), absl::UTCTimeZone());
  container.state_.creator = ProcessId::Of(getpid());
  return container;
}

absl::StatusOr<Container> Container::Open(const std::string& root, const std::string& id,
                                          absl::Duration lock_deadline) {
  if (absl::Status status = CheckContainerId(id); !status.ok()) return status;
  std::string path = absl::StrCat(root, "/", id);
  OwnedFd directory(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.valid()) return errno == ENOENT ? NoContainer() : Failed(path, errno);
  Container container(path, std::move(directory));
  if (lock_deadline > absl::ZeroDuration() && !Lock(container.directory(), lock_deadline)) {
    return absl::DeadlineExceededError("another command holds the container");
  }
  // Whoever held the lock may have removed it, and somebody made another of this name.
  struct stat ours, now;
  if (fstat(container.directory(), &ours) != 0 || stat(path.c_str(), &now) != 0 ||
      ours.st_ino != now.st_ino) {
    return NoContainer();
  }
  absl::Status loaded = container.Load();
  if (!loaded.ok()) return loaded;
  container.state_.id = id;
  return container;
}

absl::Status Container::Load() {
  absl::StatusOr<std::string> text = oci::ReadTextFile(path_ + "/state.json");
  // A create that was killed at once: nothing is known, and there is nothing but the directory.
  if (!text.ok()) return absl::OkStatus();
  absl::StatusOr<State> state = FromText(*text);
  if (!state.ok()) {
    state_.status = "stopped";
    return absl::OkStatus();
  }
  state_ = *std::move(state);
  return absl::OkStatus();
}

std::vector<std::string> Container::List(const std::string& root) {
  std::vector<std::string> ids;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(root, error)) {
    std::string name = entry.path().filename();
    if (CheckContainerId(name).ok() && entry.is_directory(error)) ids.push_back(name);
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

std::string Container::Status() const {
  if (state_.monitor.IsAlive()) return state_.status;
  if (state_.status == "creating" && state_.creator.IsAlive()) return "creating";
  return "stopped";
}

absl::Status Container::WriteFile(const std::string& name, const std::string& content) {
  std::string temporary = absl::StrCat(".", name, ".", getpid());
  OwnedFd file(
      openat(directory(), temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!file.valid()) return Failed(absl::StrCat("writing ", path_, "/", name), errno);
  for (size_t done = 0; done < content.size();) {
    auto wrote =
        host::Call([&] { return write(file.get(), content.data() + done, content.size() - done); });
    if (!wrote.ok()) {
      (void)unlinkat(directory(), temporary.c_str(), 0);
      return Failed(absl::StrCat("writing ", path_, "/", name), wrote.error().value());
    }
    done += *wrote;
  }
  if (renameat(directory(), temporary.c_str(), directory(), name.c_str()) != 0) {
    return Failed(absl::StrCat("writing ", path_, "/", name), errno);
  }
  return absl::OkStatus();
}

void Container::LeaveLock() {
  // The lock belongs to the open file description, which a fork shares.
  directory_ = OwnedFd(openat(directory(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

absl::Status Container::Save() { return WriteFile("state.json", ToText(state_)); }

absl::Status Container::Remove() {
  std::error_code error;
  std::filesystem::remove_all(path_, error);
  return error ? Failed(path_, error.value()) : absl::OkStatus();
}

std::string Container::Describe(const std::string& status) const {
  OrderedJson json;
  json["ociVersion"] = state_.oci_version;
  json["id"] = state_.id;
  json["pid"] = status == "stopped" ? 0 : state_.monitor.pid;
  json["status"] = status;
  json["bundle"] = state_.bundle;
  json["rootfs"] = state_.rootfs;
  json["created"] = state_.created;
  if (!state_.annotations.empty()) json["annotations"] = state_.annotations;
  json["owner"] = "";
  return json.dump(2, ' ', false, OrderedJson::error_handler_t::replace);
}

}  // namespace redoubt::runsc
