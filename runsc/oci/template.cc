// SPDX-License-Identifier: Apache-2.0
#include "runsc/oci/template.h"

#include "nlohmann/json.hpp"

namespace redoubt::oci {

namespace {

using Json = nlohmann::ordered_json;

Json Process() {
  Json capabilities = {"CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"};
  Json process;
  process["terminal"] = true;
  process["user"] = {{"uid", 0}, {"gid", 0}};
  process["args"] = {"sh"};
  process["env"] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                    "TERM=xterm"};
  process["cwd"] = "/";
  for (const char* set : {"bounding", "effective", "permitted"}) {
    process["capabilities"][set] = capabilities;
  }
  process["rlimits"] =
      Json::array({Json{{"type", "RLIMIT_NOFILE"}, {"hard", 1024}, {"soft", 1024}}});
  process["noNewPrivileges"] = true;
  return process;
}

Json Mount(const char* destination, const char* type, const char* source,
           std::vector<std::string> options) {
  Json mount = {{"destination", destination}, {"type", type}, {"source", source}};
  if (!options.empty()) mount["options"] = std::move(options);
  return mount;
}

Json Mounts(bool rootless) {
  std::vector<std::string> pts = {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"};
  if (!rootless) pts.push_back("gid=5");
  Json mounts = Json::array();
  mounts.push_back(Mount("/proc", "proc", "proc", {}));
  mounts.push_back(
      Mount("/dev", "tmpfs", "tmpfs", {"nosuid", "strictatime", "mode=755", "size=65536k"}));
  mounts.push_back(Mount("/dev/pts", "devpts", "devpts", pts));
  mounts.push_back(
      Mount("/dev/shm", "tmpfs", "shm", {"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}));
  mounts.push_back(Mount("/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"}));
  mounts.push_back(Mount("/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", "ro"}));
  mounts.push_back(
      Mount("/sys/fs/cgroup", "cgroup", "cgroup", {"nosuid", "noexec", "nodev", "relatime", "ro"}));
  return mounts;
}

Json Linux(bool rootless, uint32_t uid, uint32_t gid) {
  Json section;
  Json namespaces = Json::array();
  for (const char* type : {"pid", "network", "ipc", "uts", "mount", "cgroup"}) {
    if (rootless && std::string(type) == "network") continue;
    namespaces.push_back({{"type", type}});
  }
  if (rootless) {
    namespaces.push_back({{"type", "user"}});
    section["uidMappings"] = Json::array({Json{{"containerID", 0}, {"hostID", uid}, {"size", 1}}});
    section["gidMappings"] = Json::array({Json{{"containerID", 0}, {"hostID", gid}, {"size", 1}}});
  } else {
    section["resources"]["devices"] = Json::array({Json{{"allow", false}, {"access", "rwm"}}});
  }
  section["namespaces"] = std::move(namespaces);
  section["maskedPaths"] = {"/proc/acpi",        "/proc/asound",        "/proc/kcore",
                            "/proc/keys",        "/proc/latency_stats", "/proc/timer_list",
                            "/proc/timer_stats", "/proc/sched_debug",   "/sys/firmware",
                            "/proc/scsi"};
  section["readonlyPaths"] = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
                              "/proc/sysrq-trigger"};
  return section;
}

}  // namespace

std::string TemplateConfig(bool rootless, uint32_t uid, uint32_t gid) {
  Json config;
  config["ociVersion"] = "1.0.2-dev";
  config["process"] = Process();
  config["root"] = {{"path", "rootfs"}, {"readonly", true}};
  config["hostname"] = "runsc";
  config["mounts"] = Mounts(rootless);
  config["linux"] = Linux(rootless, uid, gid);
  return config.dump(4) + "\n";
}

}  // namespace redoubt::oci
