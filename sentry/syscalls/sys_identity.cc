// SPDX-License-Identifier: Apache-2.0
//
// Users and groups change by the same rules (kernel/sys.c), so each rule is written once, over the
// four ids of either kind.
#include "sentry/syscalls/sys_identity.h"

#include "sentry/kernel/thread_group.h"
#include "sentry/syscalls/credentials_change.h"

namespace redoubt::syscalls {

namespace {

using kernel::Credentials;

constexpr uint32_t kUnchanged = ~uint32_t{0};  // (uid_t)-1.
constexpr int kGroupsMaximum = 65536;          // NGROUPS_MAX.

struct Ids {
  uint32_t real, effective, saved, filesystem;
  bool Has(uint32_t id) const { return id == real || id == effective || id == saved; }
};

enum class Kind : uint8_t { kUser, kGroup };

Ids Get(const Credentials& c, Kind kind) {
  if (kind == Kind::kUser) return {c.uid, c.euid, c.suid, c.fsuid};
  return {c.gid, c.egid, c.sgid, c.fsgid};
}

void Put(Credentials& c, Kind kind, const Ids& ids) {
  if (kind == Kind::kUser) {
    c.uid = ids.real, c.euid = ids.effective, c.suid = ids.saved, c.fsuid = ids.filesystem;
  } else {
    c.gid = ids.real, c.egid = ids.effective, c.sgid = ids.saved, c.fsgid = ids.filesystem;
  }
}

// `rule(old ids, privileged)` gives the new ids or EPERM.
template <typename Rule>
SyscallResult Change(Task& task, Kind kind, Rule rule) {
  RefPtr<Credentials> old = task.credentials();
  bool privileged = old->HasCapability(kind == Kind::kUser ? CAP_SETUID : CAP_SETGID);
  Ids ids = TRY(rule(Get(*old, kind), privileged));
  RefPtr<Credentials> next = old->Copy();
  Put(*next, kind, ids);
  if (kind == Kind::kUser) next->AdjustCapabilitiesAfterUidChange(*old);
  CommitCredentials(task, *old, std::move(next));
  return 0UL;
}

// setuid, setgid.
SyscallResult SetOne(Task& task, Kind kind, uint32_t id) {
  if (id == kUnchanged) return Errno(EINVAL);
  return Change(task, kind, [id](Ids ids, bool privileged) -> Result<Ids> {
    if (privileged) {
      ids.real = ids.saved = id;
    } else if (id != ids.real && id != ids.saved) {
      return Errno(EPERM);
    }
    ids.effective = ids.filesystem = id;
    return ids;
  });
}

// setreuid, setregid. The saved id follows when the real one is set, or the effective one to
// something other than the old real one.
SyscallResult SetTwo(Task& task, Kind kind, uint32_t real, uint32_t effective) {
  return Change(task, kind, [=](Ids old, bool privileged) -> Result<Ids> {
    Ids ids = old;
    if (real != kUnchanged) {
      if (!privileged && real != old.real && real != old.effective) return Errno(EPERM);
      ids.real = real;
    }
    if (effective != kUnchanged) {
      if (!privileged && !old.Has(effective)) return Errno(EPERM);
      ids.effective = effective;
    }
    if (real != kUnchanged || (effective != kUnchanged && effective != old.real)) {
      ids.saved = ids.effective;
    }
    ids.filesystem = ids.effective;
    return ids;
  });
}

// setresuid, setresgid.
SyscallResult SetThree(Task& task, Kind kind, uint32_t real, uint32_t effective, uint32_t saved) {
  return Change(task, kind, [=](Ids old, bool privileged) -> Result<Ids> {
    for (uint32_t id : {real, effective, saved}) {
      if (id != kUnchanged && !privileged && !old.Has(id)) return Errno(EPERM);
    }
    Ids ids = old;
    if (real != kUnchanged) ids.real = real;
    if (effective != kUnchanged) ids.effective = effective;
    if (saved != kUnchanged) ids.saved = saved;
    ids.filesystem = ids.effective;
    return ids;
  });
}

// setfsuid, setfsgid: always gives the old id, and no error.
SyscallResult SetFilesystemId(Task& task, Kind kind, uint32_t id) {
  uint32_t before = Get(*task.credentials(), kind).filesystem;
  if (id == kUnchanged) return uint64_t{before};
  (void)Change(task, kind, [=](Ids ids, bool privileged) -> Result<Ids> {
    if (!privileged && !ids.Has(id) && id != ids.filesystem) return Errno(EPERM);
    ids.filesystem = id;
    return ids;
  });
  return uint64_t{before};
}

SyscallResult GetThree(Task& task, const Ids& ids, UserOut<uint32_t> real,
                       UserOut<uint32_t> effective, UserOut<uint32_t> saved) {
  TRY(real.Write(task, ids.real));
  TRY(effective.Write(task, ids.effective));
  TRY(saved.Write(task, ids.saved));
  return 0UL;
}

}  // namespace

SyscallResult SysGetuid(Task& task) { return uint64_t{task.credentials()->uid}; }
SyscallResult SysGeteuid(Task& task) { return uint64_t{task.credentials()->euid}; }
SyscallResult SysGetgid(Task& task) { return uint64_t{task.credentials()->gid}; }
SyscallResult SysGetegid(Task& task) { return uint64_t{task.credentials()->egid}; }

SyscallResult SysGetresuid(Task& task, UserOut<uint32_t> real, UserOut<uint32_t> effective,
                           UserOut<uint32_t> saved) {
  return GetThree(task, Get(*task.credentials(), Kind::kUser), real, effective, saved);
}
SyscallResult SysGetresgid(Task& task, UserOut<uint32_t> real, UserOut<uint32_t> effective,
                           UserOut<uint32_t> saved) {
  return GetThree(task, Get(*task.credentials(), Kind::kGroup), real, effective, saved);
}

SyscallResult SysSetuid(Task& task, uint32_t id) { return SetOne(task, Kind::kUser, id); }
SyscallResult SysSetgid(Task& task, uint32_t id) { return SetOne(task, Kind::kGroup, id); }
SyscallResult SysSetreuid(Task& task, uint32_t real, uint32_t effective) {
  return SetTwo(task, Kind::kUser, real, effective);
}
SyscallResult SysSetregid(Task& task, uint32_t real, uint32_t effective) {
  return SetTwo(task, Kind::kGroup, real, effective);
}
SyscallResult SysSetresuid(Task& task, uint32_t real, uint32_t effective, uint32_t saved) {
  return SetThree(task, Kind::kUser, real, effective, saved);
}
SyscallResult SysSetresgid(Task& task, uint32_t real, uint32_t effective, uint32_t saved) {
  return SetThree(task, Kind::kGroup, real, effective, saved);
}
SyscallResult SysSetfsuid(Task& task, uint32_t id) {
  return SetFilesystemId(task, Kind::kUser, id);
}
SyscallResult SysSetfsgid(Task& task, uint32_t id) {
  return SetFilesystemId(task, Kind::kGroup, id);
}

SyscallResult SysGetgroups(Task& task, int32_t count, UserAddress list) {
  if (count < 0) return Errno(EINVAL);
  RefPtr<Credentials> credentials = task.credentials();
  const std::vector<uint32_t>& groups = credentials->groups;
  if (count == 0) return groups.size();
  if (groups.size() > static_cast<size_t>(count)) return Errno(EINVAL);
  TRY(task.CopyOut(list.address(), std::as_bytes(std::span(groups))));
  return groups.size();
}

SyscallResult SysSetgroups(Task& task, int32_t count, UserAddress list) {
  RefPtr<Credentials> old = task.credentials();
  if (!old->HasCapability(CAP_SETGID)) return Errno(EPERM);
  if (count < 0 || count > kGroupsMaximum) return Errno(EINVAL);
  std::vector<uint32_t> groups(static_cast<size_t>(count));
  TRY(task.CopyIn(list.address(), std::as_writable_bytes(std::span(groups))));
  for (uint32_t group : groups) {
    if (group == kUnchanged) return Errno(EINVAL);
  }
  RefPtr<Credentials> next = old->Copy();
  next->groups = std::move(groups);
  CommitCredentials(task, *old, std::move(next));
  return 0UL;
}

}  // namespace redoubt::syscalls
