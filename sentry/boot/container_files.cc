// SPDX-License-Identifier: Apache-2.0
#include "sentry/boot/container_files.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "sentry/boot/filesystems.h"
#include "sentry/fs/dev/devices.h"
#include "sentry/fs/tmpfs/tmpfs.h"
#include "sentry/vfs/operations.h"
#include "sentry/vfs/path_walk.h"

namespace redoubt::boot {

namespace {

absl::Status Failed(const std::string& what, Errno error) {
  return absl::InternalError(absl::StrCat(what, ": ", strerror(error.value())));
}

absl::Status PrepareDev(vfs::MountNamespace& mounts, bool console) {
  vfs::Caller caller = RootCaller(mounts);
  Result<vfs::Path> dev = FindOrMake(caller, "/dev", false);
  if (!dev.ok()) return Failed("/dev", dev.error());
  if (dev->mount == caller.root.mount) {
    // Device nodes on the host's files would be the host's devices.
    tmpfs::Options options;
    options.mode = 0755;
    Result<void> attached =
        mounts.Attach(tmpfs::NewMount(options, MS_NOSUID | MS_NOEXEC, "tmpfs"), *dev);
    if (!attached.ok()) return Failed("mounting /dev", attached.error());
    dev = mounts.TopmostAt(*dev);
  }
  bool ours = dev->mount->superblock()->type() == "tmpfs" && !dev->mount->IsReadOnly();
  Result<void> populated = fs::PopulateDev(caller, *dev, console);
  if (!populated.ok() && ours) return Failed("filling /dev", populated.error());
  return absl::OkStatus();
}

absl::Status MakeDevice(vfs::MountNamespace& mounts, const DeviceConfig& device) {
  vfs::Caller caller = RootCaller(mounts);
  size_t slash = device.path.rfind('/');
  if (slash > 0) {
    Result<vfs::Path> parent = FindOrMake(caller, device.path.substr(0, slash), false);
    if (!parent.ok()) return Failed(device.path, parent.error());
  }
  Result<void> made = vfs::MakeNode(caller, caller.root, device.path,
                                    device.type | (device.permissions & 07777), device.number);
  // One of the standard ones, which are there already.
  if (made.Is(EEXIST)) return absl::OkStatus();
  if (!made.ok()) return Failed(absl::StrCat("making device ", device.path), made.error());
  if (device.uid == 0 && device.gid == 0) return absl::OkStatus();
  Result<vfs::Path> path = vfs::Walk(caller, caller.root, device.path, {});
  if (path.ok()) (void)vfs::ChangeOwner(caller, *path, device.uid, device.gid);
  return absl::OkStatus();
}

// A setting that this kernel does not have is told and left out: most are about tuning what is not
// here to be tuned.
void WriteSetting(vfs::MountNamespace& mounts, std::string name, const std::string& value) {
  vfs::Caller caller = RootCaller(mounts);
  std::replace(name.begin(), name.end(), '.', '/');
  auto file = vfs::Open(caller, caller.root, "/proc/sys/" + name, {.flags = O_WRONLY});
  Result<size_t> written =
      file.ok() ? (*file)->Write(std::as_bytes(std::span(value)), caller) : file.error();
  if (written.ok()) return;
  LOG(Warning, "sysctl %s=%s has no effect: %s", name.c_str(), value.c_str(),
      strerror(written.error().value()));
}

absl::Status Mask(vfs::MountNamespace& mounts, const std::string& path) {
  vfs::Caller caller = RootCaller(mounts);
  Result<vfs::Path> found = vfs::Walk(caller, caller.root, path, {});
  // As runc: what is not there needs no mask.
  if (!found.ok()) return absl::OkStatus();
  Result<void> attached;
  if (found->dentry->inode()->IsDirectory()) {
    attached = mounts.Attach(NewEmptyMount(), *found);
  } else {
    Result<vfs::Path> null = vfs::Walk(caller, caller.root, "/dev/null", {});
    if (!null.ok()) return Failed("/dev/null", null.error());
    attached = mounts.Attach(
        MakeRef<vfs::Mount>(null->mount->superblock(), null->dentry, null->mount->flags(), "tmpfs"),
        *found);
  }
  return attached.ok() ? absl::OkStatus() : Failed("masking " + path, attached.error());
}

absl::Status CloseForWriting(vfs::MountNamespace& mounts, const std::string& path) {
  vfs::Caller caller = RootCaller(mounts);
  Result<vfs::Path> found = vfs::Walk(caller, caller.root, path, {});
  if (!found.ok()) return absl::OkStatus();
  auto mount = MakeRef<vfs::Mount>(found->mount->superblock(), found->dentry,
                                   found->mount->flags() | MS_RDONLY, found->mount->source());
  Result<void> attached = mounts.Attach(std::move(mount), *found);
  return attached.ok() ? absl::OkStatus()
                       : Failed("making " + path + " read-only", attached.error());
}

}  // namespace

absl::Status PrepareContainerFiles(kernel::Kernel& kernel, const SentryConfig& config) {
  vfs::MountNamespace& mounts = *kernel.mounts();
  absl::Status status = PrepareDev(mounts, config.process.terminal());
  for (const DeviceConfig& device : config.devices) {
    if (status.ok()) status = MakeDevice(mounts, device);
  }
  for (const auto& [name, value] : config.sysctl) WriteSetting(mounts, name, value);
  for (const std::string& path : config.readonly_paths) {
    if (status.ok()) status = CloseForWriting(mounts, path);
  }
  for (const std::string& path : config.masked_paths) {
    if (status.ok()) status = Mask(mounts, path);
  }
  if (config.make_working_directory) {
    // Whether it is there is found out when the process starts.
    (void)FindOrMake(RootCaller(mounts), config.process.working_directory(), false);
  }
  if (status.ok() && config.read_only_root) {
    RefPtr<vfs::Mount> root = mounts.root();
    root->set_flags(root->flags() | MS_RDONLY);
  }
  return status;
}

}  // namespace redoubt::boot
