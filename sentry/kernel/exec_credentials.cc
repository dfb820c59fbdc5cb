// SPDX-License-Identifier: Apache-2.0
#include "sentry/kernel/exec_credentials.h"

#include <linux/securebits.h>
#include <sys/mount.h>
#include <sys/stat.h>

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

}  // namespace

Result<ExecCredentials> CredentialsForExec(Task& task, vfs::FileDescription& file) {
  RefPtr<Credentials> old = task.credentials();
  RefPtr<Credentials> next = old->Copy();
  vfs::Attributes attributes = TRY(file.GetAttributes());
  ApplySetIdBits(task, file, attributes, *next);
  next->suid = next->fsuid = next->euid;
  next->sgid = next->fsgid = next->egid;

  bool set_id = next->euid != old->euid || next->egid != old->egid;
  if (set_id) next->ambient = 0;
  // Root's programs count as having every file capability, unless SECBIT_NOROOT.
  bool root_rules = (old->securebits & SECBIT_NOROOT) == 0;
  uint64_t file_permitted = 0;
  bool file_effective = false;
  if (root_rules && (next->uid == 0 || next->euid == 0)) {
    file_permitted = kAllCapabilities;
    file_effective = next->euid == 0;
  }
  uint64_t file_inheritable = file_permitted;
  next->permitted =
      (old->inheritable & file_inheritable) | (file_permitted & old->bounding) | next->ambient;
  next->effective = file_effective ? next->permitted : next->ambient;
  next->securebits &= ~uint32_t{SECBIT_KEEP_CAPS};

  ExecCredentials result;
  bool gained = (next->permitted & ~(old->permitted | next->ambient)) != 0 && next->uid != 0;
  result.secure = next->uid != next->euid || next->gid != next->egid || gained;
  result.credentials = std::move(next);
  return result;
}

}  // namespace redoubt::kernel
