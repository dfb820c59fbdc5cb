// SPDX-License-Identifier: Apache-2.0
#include "sentry/kernel/exec_credentials.h"

#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <cstring>
#include <optional>
#include <string>

namespace redoubt::kernel {

namespace {

void ApplySetIdBits(Task& task, const vfs::FileDescription& file, const vfs::Attributes& attributes,
                    Credentials& next) {
  bool honoured = !task.no_new_privileges.load() && (file.path().mount->flags() & MS_NOSUID) == 0;
  if (!honoured) return;
  if ((attributes.mode & S_ISUID) != 0) next.euid = attributes.uid;
  // Set-group-ID without group execute means mandatory locking, not a set-id program.
  constexpr uint32_t kSetGid = S_ISGID | S_IXGRP;
  if ((attributes.mode & kSetGid) == kSetGid) next.egid = attributes.gid;
}

// What security.capability says (struct vfs_ns_cap_data).
struct FileCapabilities {
  uint64_t permitted = 0, inheritable = 0;
  bool effective = false;
};

// get_vfs_caps_from_disk(): nothing on a nosuid mount; EINVAL for what cannot be understood.
Result<std::optional<FileCapabilities>> ReadFileCapabilities(const vfs::FileDescription& file) {
  std::optional<FileCapabilities> none;
  if ((file.path().mount->flags() & MS_NOSUID) != 0) return none;
  Result<std::string> value = file.inode()->GetXattr("security.capability");
  if (!value.ok()) return none;
  vfs_ns_cap_data data{};
  constexpr size_t kVersion2 = sizeof(vfs_cap_data);
  if (value->size() != kVersion2 && value->size() != sizeof(data)) return Errno(EINVAL);
  std::memcpy(&data, value->data(), value->size());
  uint32_t revision = data.magic_etc & VFS_CAP_REVISION_MASK;
  bool fits = (revision == VFS_CAP_REVISION_2 && value->size() == kVersion2) ||
              (revision == VFS_CAP_REVISION_3 && value->size() == sizeof(data));
  if (!fits) return Errno(EINVAL);
  // Meant for a user namespace with another root.
  if (revision == VFS_CAP_REVISION_3 && data.rootid != 0) return none;
  FileCapabilities result;
  result.permitted = data.data[0].permitted | uint64_t{data.data[1].permitted} << 32;
  result.inheritable = data.data[0].inheritable | uint64_t{data.data[1].inheritable} << 32;
  result.permitted &= kAllCapabilities;
  result.inheritable &= kAllCapabilities;
  result.effective = (data.magic_etc & VFS_CAP_FLAGS_EFFECTIVE) != 0;
  return std::optional<FileCapabilities>(result);
}

}  // namespace

Result<ExecCredentials> CredentialsForExec(Task& task, vfs::FileDescription& file) {
  RefPtr<Credentials> old = task.credentials();
  RefPtr<Credentials> next = old->Copy();
  vfs::Attributes attributes = TRY(file.GetAttributes());
  ApplySetIdBits(task, file, attributes, *next);
  next->suid = next->fsuid = next->euid;
  next->sgid = next->fsgid = next->egid;

  bool set_id = next->euid != old->euid || next->egid != old->egid;
  std::optional<FileCapabilities> capabilities = TRY(ReadFileCapabilities(file));
  if (set_id || capabilities) next->ambient = 0;
  uint64_t file_permitted = 0, file_inheritable = 0;
  bool file_effective = false;
  if (capabilities) {
    file_permitted = capabilities->permitted;
    file_inheritable = capabilities->inheritable;
    file_effective = capabilities->effective;
    // The program counts on what it would not get.
    uint64_t granted = (old->inheritable & file_inheritable) | (file_permitted & old->bounding);
    if (file_effective && (file_permitted & ~granted) != 0) return Errno(EPERM);
  }
  // Root's programs count as having every file capability, unless SECBIT_NOROOT; a set-user-ID-root
  // program with capabilities of its own gets those.
  bool root_rules = (old->securebits & SECBIT_NOROOT) == 0;
  bool own_only = capabilities && next->uid != 0 && next->euid == 0;
  if (root_rules && !own_only && (next->uid == 0 || next->euid == 0)) {
    file_permitted = file_inheritable = kAllCapabilities;
    file_effective = file_effective || next->euid == 0;
  }
  next->permitted =
      (old->inheritable & file_inheritable) | (file_permitted & old->bounding) | next->ambient;
  if (task.no_new_privileges.load() && (next->permitted & ~old->permitted) != 0) {
    next->permitted &= old->permitted;
  }
  next->effective = file_effective ? next->permitted : next->ambient;
  next->securebits &= ~uint32_t{SECBIT_KEEP_CAPS};

  ExecCredentials result;
  bool gained = (next->permitted & ~(old->permitted | next->ambient)) != 0 && next->uid != 0;
  result.secure = next->uid != next->euid || next->gid != next->egid || gained;
  result.credentials = std::move(next);
  return result;
}

}  // namespace redoubt::kernel
