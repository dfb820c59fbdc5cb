// SPDX-License-Identifier: Apache-2.0
#include "sentry/boot/confine.h"

#include <linux/capability.h>
#include <linux/mount.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "base/host/privileges.h"
#include "base/host/syscall.h"
#include "base/log.h"

namespace redoubt::boot {

namespace {

absl::Status Failed(const char* what, Errno error) {
  return absl::InternalError(absl::StrCat(what, ": ", strerror(error.value())));
}

// glibc 2.36 has no wrapper for a plain pivot_root.
long PivotRoot(const char* new_root, const char* put_old) {
  return syscall(SYS_pivot_root, new_root, put_old);
}

}  // namespace

OwnedFd OpenProcfs() {
  OwnedFd context(fsopen("proc", FSOPEN_CLOEXEC));
  if (!context.valid()) return OwnedFd();
  if (fsconfig(context.get(), FSCONFIG_SET_STRING, "subset", "pid", 0) != 0) return OwnedFd();
  if (fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) return OwnedFd();
  return OwnedFd(
      fsmount(context.get(), FSMOUNT_CLOEXEC,
              MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC));
}

absl::Status EnterEmptyRoot() {
  auto step = [](const char* what, auto call) -> absl::Status {
    auto result = host::Call(call);
    return result.ok() ? absl::OkStatus() : Failed(what, result.error());
  };
  // Any directory will do as a mount point for the moment; / always exists.
  constexpr unsigned long kFlags = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;
  absl::Status status = step("making mounts private", [] {
    return mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
  });
  if (!status.ok()) return status;
  constexpr const char* kPlaces[] = {"/proc", "/tmp", "/dev", "/mnt", "/usr"};
  for (const char* place : kPlaces) {
    status = step("mounting an empty root", [&] {
      return mount("none", place, "tmpfs", kFlags, "size=4k,nr_inodes=2,mode=0555");
    });
    if (!status.ok()) continue;
    status = step("entering the empty root", [&] { return chdir(place); });
    if (status.ok()) break;
  }
  if (!status.ok()) return status;
  status = step("pivot_root", [] { return PivotRoot(".", "."); });
  if (!status.ok()) return status;
  status = step("leaving the old root", [] { return umount2(".", MNT_DETACH); });
  if (!status.ok()) return status;
  return step("entering the new root", [] { return chdir("/"); });
}

absl::Status DropCapabilities() {
  if (!host::RenounceFuturePrivileges()) return Failed("no_new_privs", Errno(errno));
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct none[2] = {};
  auto dropped = host::Call([&] { return syscall(SYS_capset, &header, none); });
  if (!dropped.ok()) return Failed("dropping capabilities", dropped.error());
  return absl::OkStatus();
}

}  // namespace redoubt::boot
