// SPDX-License-Identifier: Apache-2.0
#include "runsc/container/translate.h"

#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "runsc/oci/mount_options.h"
#include "runsc/sandbox/limits.h"
#include "runsc/sandbox/seccomp_profile.h"

namespace redoubt::runsc {

namespace {

constexpr long kMqueueMagic = 0x19800202;

std::optional<boot::MountKind> KindOfType(const std::string& type) {
  if (type == "proc") return boot::MountKind::kProc;
  if (type == "sysfs") return boot::MountKind::kSysfs;
  if (type == "tmpfs" || type == "ramfs") return boot::MountKind::kTmpfs;
  if (type == "devpts") return boot::MountKind::kDevpts;
  if (type == "mqueue") return boot::MountKind::kMqueue;
  if (type == "cgroup" || type == "cgroup2") return boot::MountKind::kCgroup;
  return std::nullopt;
}

// The host's own view of its kernel is no file: a bind of one gets the sandbox's view.
std::optional<boot::MountKind> KindOfKernelView(const std::string& path) {
  struct statfs status;
  if (statfs(path.c_str(), &status) != 0) return std::nullopt;
  switch (status.f_type) {
    case PROC_SUPER_MAGIC:
      return boot::MountKind::kProc;
    case SYSFS_MAGIC:
      return boot::MountKind::kSysfs;
    case CGROUP_SUPER_MAGIC:
    case CGROUP2_SUPER_MAGIC:
      return boot::MountKind::kCgroup;
    case kMqueueMagic:
      return boot::MountKind::kMqueue;
    default:
      return std::nullopt;
  }
}

absl::Status MountError(const oci::Mount& mount, const std::string& what) {
  return absl::InvalidArgumentError(absl::StrCat(
      "error mounting \"", mount.source, "\" to rootfs at \"", mount.destination, "\": ", what));
}

// Fills in `out`, and adds a source for the gofer when it is a tree of the host.
absl::Status TranslateBind(const oci::Mount& mount, const oci::MountOptions& options,
                           const std::string& bundle, SandboxSpec& spec, boot::MountConfig& out) {
  std::string source = mount.source;
  if (!source.empty() && source[0] != '/') source = absl::StrCat(bundle, "/", source);
  struct stat status;
  if (stat(source.c_str(), &status) != 0) {
    std::string reason = errno == ENOENT ? "no such file or directory" : strerror(errno);
    return MountError(mount, absl::StrCat("stat ", source, ": ", reason));
  }
  out.source = source;
  out.is_file = !S_ISDIR(status.st_mode);
  if (std::optional<boot::MountKind> view = KindOfKernelView(source);
      view.has_value() && S_ISDIR(status.st_mode)) {
    out.kind = *view;
    return absl::OkStatus();
  }
  out.attach_point = static_cast<uint32_t>(spec.sources.size());
  out.shared = true;
  spec.sources.push_back({.host_path = source,
                          .read_only = (options.flags & MS_RDONLY) != 0,
                          .recursive = options.recursive});
  return absl::OkStatus();
}

absl::Status TranslateMount(const oci::Mount& mount, const std::string& bundle, SandboxSpec& spec) {
  absl::StatusOr<oci::MountOptions> options = oci::ParseMountOptions(mount.options);
  if (!options.ok()) return MountError(mount, std::string(options.status().message()));
  boot::MountConfig out;
  out.guest_path = mount.destination;
  out.source = mount.source.empty() ? mount.type : mount.source;
  out.flags = options->flags;
  out.data = options->data;
  if (options->bind || mount.type == "bind") {
    absl::Status bound = TranslateBind(mount, *options, bundle, spec, out);
    if (!bound.ok()) return bound;
  } else {
    std::optional<boot::MountKind> kind = KindOfType(mount.type);
    if (!kind.has_value()) {
      return MountError(mount, absl::StrCat("file system type \"", mount.type,
                                            "\" is not supported: no such device"));
    }
    out.kind = *kind;
  }
  if (mount.destination == "/") return MountError(mount, "the root is root.path");
  spec.mounts.push_back(std::move(out));
  return absl::OkStatus();
}

absl::Status TranslateRoot(const oci::Spec& spec, bool overlay, SandboxSpec& out) {
  struct stat status;
  if (stat(spec.root_path.c_str(), &status) != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("invalid rootfs: ", spec.root_path, ": ", strerror(errno)));
  }
  if (!S_ISDIR(status.st_mode)) {
    return absl::InvalidArgumentError(
        absl::StrCat("invalid rootfs: ", spec.root_path, ": not a directory"));
  }
  // The places of mounts are made in it even when the container may only read.
  out.sources.push_back({.host_path = spec.root_path, .read_only = overlay});
  boot::MountConfig root;
  root.guest_path = "/";
  root.source = "root";
  root.overlay = overlay;
  out.mounts.push_back(std::move(root));
  out.read_only_root = spec.root_readonly;
  return absl::OkStatus();
}

void TranslateDevices(const oci::Spec& spec, SandboxSpec& out) {
  for (const oci::Device& device : spec.linux_.devices) {
    boot::DeviceConfig node;
    node.path = device.path;
    node.type = device.type == 'b' ? S_IFBLK : device.type == 'p' ? S_IFIFO : S_IFCHR;
    node.number = uint64_t{device.major} << 8 | device.minor;
    node.permissions = device.file_mode;
    node.uid = device.uid, node.gid = device.gid;
    out.devices.push_back(std::move(node));
  }
}

std::string HostName() {
  char name[256] = {};
  return gethostname(name, sizeof(name) - 1) == 0 ? name : "localhost";
}

void WarnOfIgnored(const oci::Spec& spec) {
  if (spec.process.has_security_label) {
    LOG(Warning, "the sandbox has no AppArmor or SELinux: the process's label is ignored");
  }
}

}  // namespace

absl::StatusOr<boot::ProcessSpec> TranslateProcess(const oci::Process& process,
                                                   const std::string& seccomp) {
  boot::ProcessSpec out;
  for (const std::string& word : process.args) out.add_arguments(word);
  for (const std::string& variable : process.env) out.add_environment(variable);
  out.set_working_directory(process.cwd);
  out.set_uid(process.uid);
  out.set_gid(process.gid);
  out.mutable_groups()->Assign(process.additional_gids.begin(), process.additional_gids.end());
  out.set_umask(process.umask.value_or(022));
  boot::CapabilitySets* sets = out.mutable_capabilities();
  sets->set_bounding(process.capabilities.bounding);
  sets->set_effective(process.capabilities.effective);
  sets->set_permitted(process.capabilities.permitted);
  sets->set_inheritable(process.capabilities.inheritable);
  sets->set_ambient(process.capabilities.ambient);
  for (const oci::Rlimit& limit : process.rlimits) {
    boot::ResourceLimit* out_limit = out.add_limits();
    out_limit->set_resource(limit.resource);
    out_limit->set_soft(limit.soft);
    out_limit->set_hard(limit.hard);
  }
  out.set_no_new_privileges(process.no_new_privileges);
  out.set_oom_score_adjustment(process.oom_score_adj.value_or(0));
  out.set_terminal(process.terminal);
  out.set_add_home(true);
  if (absl::Status status = AddSeccomp(seccomp, out); !status.ok()) return status;
  return out;
}

absl::StatusOr<SandboxSpec> TranslateSpec(const oci::Spec& spec, const TranslateOptions& options) {
  SandboxSpec out;
  out.platform = options.platform;
  out.strace = options.strace;
  absl::Status status = TranslateRoot(spec, options.overlay, out);
  if (!status.ok()) return status;
  for (const oci::Mount& mount : spec.mounts) {
    status = TranslateMount(mount, options.bundle, out);
    if (!status.ok()) return status;
  }
  TranslateDevices(spec, out);
  out.masked_paths = spec.linux_.masked_paths;
  out.readonly_paths = spec.linux_.readonly_paths;
  out.sysctl = spec.linux_.sysctl;
  absl::StatusOr<boot::ProcessSpec> process = TranslateProcess(spec.process, spec.linux_.seccomp);
  if (!process.ok()) return process.status();
  out.process = *std::move(process);
  const oci::Namespace* pids = spec.FindNamespace("pid");
  out.process.set_unkillable(pids != nullptr && pids->path.empty());
  out.make_working_directory = true;  // As runc does.
  out.limits = LimitsOf(spec.linux_.resources);
  out.hostname = spec.hostname.empty() ? HostName() : spec.hostname;
  out.domainname = spec.domainname;
  WarnOfIgnored(spec);
  return out;
}

}  // namespace redoubt::runsc
