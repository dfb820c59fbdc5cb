// SPDX-License-Identifier: Apache-2.0
//
// Credentials: the ids and capabilities of a task (credentials(7), capabilities(7)). Immutable once
// shared, as Linux's struct cred: a change makes a copy, edits it and installs it with
// Task::SetCredentials.
#ifndef SENTRY_KERNEL_CREDENTIALS_H_
#define SENTRY_KERNEL_CREDENTIALS_H_

#include <linux/capability.h>

#include <cstdint>
#include <vector>

#include "base/ref_counted.h"

namespace redoubt::kernel {

inline constexpr uint64_t kAllCapabilities = (uint64_t{1} << (CAP_LAST_CAP + 1)) - 1;

// References are held by tasks, and by whoever checks them outside a lock.
class Credentials : public RefCounted<Credentials> {
 public:
  Credentials() = default;
  // Root with every capability, or an ordinary user with none.
  static RefPtr<Credentials> Create(uint32_t uid, uint32_t gid, std::vector<uint32_t> groups,
                                    uint64_t capabilities);
  RefPtr<Credentials> Copy() const;

  uint32_t uid = 0, euid = 0, suid = 0, fsuid = 0;
  uint32_t gid = 0, egid = 0, sgid = 0, fsgid = 0;
  std::vector<uint32_t> groups;
  uint64_t effective = 0, permitted = 0, inheritable = 0, bounding = 0, ambient = 0;
  uint32_t securebits = 0;

  bool HasCapability(int capability) const { return (effective >> capability & 1) != 0; }
  // The capability changes that Linux makes after uids changed (capabilities(7), "Effect of user ID
  // changes on capabilities"), from `old`'s ids to ours.
  void AdjustCapabilitiesAfterUidChange(const Credentials& old);
};

}  // namespace redoubt::kernel

#endif  // SENTRY_KERNEL_CREDENTIALS_H_
