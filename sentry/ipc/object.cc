// SPDX-License-Identifier: Apache-2.0
#include "sentry/ipc/object.h"

#include <linux/capability.h>

namespace redoubt::ipc {

Object::Object(int32_t key, const vfs::Caller& creator, uint32_t mode)
    : key_(key),
      ownership_{.uid = creator.uid,
                 .gid = creator.gid,
                 .creator_uid = creator.uid,
                 .creator_gid = creator.gid,
                 .mode = mode & 0777} {}

Ownership Object::ownership() const {
  MutexLock lock(&ownership_mu_);
  return ownership_;
}

Result<void> Object::CheckAccess(const vfs::Caller& caller, uint32_t may) const {
  Ownership owner = ownership();
  uint32_t granted = owner.mode;
  if (caller.uid == owner.creator_uid || caller.uid == owner.uid) {
    granted >>= 6;
  } else if (caller.InGroup(owner.creator_gid) || caller.InGroup(owner.gid)) {
    granted >>= 3;
  }
  if ((may & ~granted & 7) != 0 && !caller.HasCapability(CAP_IPC_OWNER)) return Errno(EACCES);
  return {};
}

Result<void> Object::CheckOwner(const vfs::Caller& caller) const {
  Ownership owner = ownership();
  bool allowed = caller.uid == owner.uid || caller.uid == owner.creator_uid ||
                 caller.HasCapability(CAP_SYS_ADMIN);
  if (!allowed) return Errno(EPERM);
  return {};
}

void Object::SetOwnership(uint32_t uid, uint32_t gid, uint32_t mode) {
  MutexLock lock(&ownership_mu_);
  ownership_.uid = uid;
  ownership_.gid = gid;
  ownership_.mode = (ownership_.mode & ~uint32_t{0777}) | (mode & 0777);
}

void Object::AddModeBits(uint32_t bits) {
  MutexLock lock(&ownership_mu_);
  ownership_.mode |= bits;
}

void Object::Describe(ipc_perm& permissions) const {
  Ownership owner = ownership();
  permissions.__key = key();
  permissions.uid = owner.uid;
  permissions.gid = owner.gid;
  permissions.cuid = owner.creator_uid;
  permissions.cgid = owner.creator_gid;
  permissions.mode = owner.mode;
  permissions.__seq = static_cast<unsigned short>(id() >> kSlotBits);
}

}  // namespace redoubt::ipc
