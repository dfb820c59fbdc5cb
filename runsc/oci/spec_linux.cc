// SPDX-License-Identifier: Apache-2.0
//
// The linux section.
#include <algorithm>
#include <array>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "runsc/oci/spec_parts.h"

namespace redoubt::oci {

namespace {

constexpr std::array<std::string_view, 8> kNamespaces = {"pid", "network", "mount",  "ipc",
                                                         "uts", "user",    "cgroup", "time"};

void ReadNamespaces(const JsonReader& json, Linux* linux_) {
  json.ForEachObject("namespaces", [&](const JsonReader& entry) {
    Namespace space;
    entry.Read("type", &space.type);
    entry.Read("path", &space.path);
    if (std::find(kNamespaces.begin(), kNamespaces.end(), space.type) == kNamespaces.end()) {
      return entry.Fail("type", absl::StrCat("unknown namespace \"", space.type, "\""));
    }
    if (!space.path.empty()) WantAbsolute(entry, "path", space.path);
    for (const Namespace& other : linux_->namespaces) {
      if (other.type == space.type) {
        return entry.Fail("type", absl::StrCat("namespace \"", space.type, "\" is given twice"));
      }
    }
    linux_->namespaces.push_back(std::move(space));
  });
}

void ReadMappings(const JsonReader& json, const char* key, std::vector<IdMapping>* mappings) {
  json.ForEachObject(key, [&](const JsonReader& entry) {
    IdMapping mapping;
    entry.Read("containerID", &mapping.container_id);
    entry.Read("hostID", &mapping.host_id);
    entry.Read("size", &mapping.size);
    mappings->push_back(mapping);
  });
}

void ReadDevices(const JsonReader& json, Linux* linux_) {
  json.ForEachObject("devices", [&](const JsonReader& entry) {
    Device device;
    std::string type;
    entry.Read("path", &device.path);
    entry.Read("type", &type);
    entry.Read("major", &device.major);
    entry.Read("minor", &device.minor);
    entry.Read("fileMode", &device.file_mode);
    entry.Read("uid", &device.uid);
    entry.Read("gid", &device.gid);
    WantAbsolute(entry, "path", device.path);
    if (type.size() != 1 || std::string_view("cubp").find(type[0]) == std::string_view::npos) {
      return entry.Fail("type", absl::StrCat("want c, u, b or p, is \"", type, "\""));
    }
    device.type = type[0] == 'u' ? 'c' : type[0];
    linux_->devices.push_back(std::move(device));
  });
}

// Settings outside the container's own namespaces would be the host's (runc refuses them too).
bool IsNamespacedSysctl(std::string_view name) {
  constexpr std::array<std::string_view, 12> kNames = {"kernel.msgmax",
                                                       "kernel.msgmnb",
                                                       "kernel.msgmni",
                                                       "kernel.sem",
                                                       "kernel.shmall",
                                                       "kernel.shmmax",
                                                       "kernel.shmmni",
                                                       "kernel.shm_rmid_forced",
                                                       "kernel.domainname",
                                                       "kernel.hostname",
                                                       "user.max_user_namespaces",
                                                       "kernel.pid_max"};
  return name.starts_with("net.") || name.starts_with("fs.mqueue.") ||
         std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

void ReadSysctl(const JsonReader& json, Linux* linux_) {
  json.ReadMap("sysctl", [&](const std::string& raw, const std::string& value) {
    std::string name = raw;
    std::replace(name.begin(), name.end(), '/', '.');
    if (!IsNamespacedSysctl(name)) {
      json.Fail("sysctl",
                absl::StrCat("sysctl \"", raw, "\" is not in a separate kernel namespace"));
    }
    linux_->sysctl.emplace_back(name, value);
  });
}

}  // namespace

void ReadLinux(const JsonReader& json, const nlohmann::json& section, Linux* linux_) {
  ReadNamespaces(json, linux_);
  ReadMappings(json, "uidMappings", &linux_->uid_mappings);
  ReadMappings(json, "gidMappings", &linux_->gid_mappings);
  ReadDevices(json, linux_);
  ReadSysctl(json, linux_);
  json.Read("cgroupsPath", &linux_->cgroups_path);
  json.Read("maskedPaths", &linux_->masked_paths);
  json.Read("readonlyPaths", &linux_->readonly_paths);
  json.Read("rootfsPropagation", &linux_->rootfs_propagation);
  for (const std::string& path : linux_->masked_paths) WantAbsolute(json, "maskedPaths", path);
  for (const std::string& path : linux_->readonly_paths) WantAbsolute(json, "readonlyPaths", path);
  if (json.Has("intelRdt")) json.Fail("intelRdt", "is not supported");
  if (json.Has("seccomp")) linux_->seccomp = section["seccomp"].dump();
}

}  // namespace redoubt::oci
