// SPDX-License-Identifier: Apache-2.0
#include "sentry/kernel/credentials.h"

#include <linux/securebits.h>

#include <utility>

namespace redoubt::kernel {

RefPtr<Credentials> Credentials::Create(uint32_t uid, uint32_t gid, std::vector<uint32_t> groups,
                                        uint64_t capabilities) {
  auto result = MakeRef<Credentials>();
  result->uid = result->euid = result->suid = result->fsuid = uid;
  result->gid = result->egid = result->sgid = result->fsgid = gid;
  result->groups = std::move(groups);
  result->effective = result->permitted = result->bounding = capabilities;
  if (uid != 0) {
    result->effective = result->permitted = 0;
  }
  return result;
}

RefPtr<Credentials> Credentials::Copy() const {
  auto copy = MakeRef<Credentials>();
  copy->uid = uid, copy->euid = euid, copy->suid = suid, copy->fsuid = fsuid;
  copy->gid = gid, copy->egid = egid, copy->sgid = sgid, copy->fsgid = fsgid;
  copy->groups = groups;
  copy->effective = effective, copy->permitted = permitted, copy->inheritable = inheritable;
  copy->bounding = bounding, copy->ambient = ambient;
  copy->securebits = securebits;
  return copy;
}

void Credentials::AdjustCapabilitiesAfterUidChange(const Credentials& old) {
  if ((securebits & SECBIT_NO_SETUID_FIXUP) != 0) return;
  bool had_root = old.uid == 0 || old.euid == 0 || old.suid == 0;
  bool has_root = uid == 0 || euid == 0 || suid == 0;
  if (had_root && !has_root) {
    if ((securebits & SECBIT_KEEP_CAPS) == 0) permitted = effective = 0;
    ambient = 0;
  }
  if (old.euid == 0 && euid != 0) effective = 0;
  if (old.euid != 0 && euid == 0) effective = permitted;
  // capabilities(7): file system capabilities follow fsuid.
  constexpr uint64_t kFilesystem = (1ULL << CAP_CHOWN) | (1ULL << CAP_DAC_OVERRIDE) |
                                   (1ULL << CAP_DAC_READ_SEARCH) | (1ULL << CAP_FOWNER) |
                                   (1ULL << CAP_FSETID) | (1ULL << CAP_LINUX_IMMUTABLE) |
                                   (1ULL << CAP_MKNOD) | (1ULL << CAP_MAC_OVERRIDE);
  if (old.fsuid == 0 && fsuid != 0) effective &= ~kFilesystem;
  if (old.fsuid != 0 && fsuid == 0) effective |= permitted & kFilesystem;
}

}  // namespace redoubt::kernel
