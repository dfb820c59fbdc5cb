// SPDX-License-Identifier: Apache-2.0
#include "base/host/privileges.h"

#include <linux/capability.h>
#include <sys/prctl.h>

namespace redoubt::host {

bool RenounceFuturePrivileges() {
  // Newer kernels may know more than our headers do; EINVAL is no harm. Without CAP_SETPCAP each
  // is EPERM, and there is nothing that an exec could gain under no_new_privs either.
  constexpr int kMostCapabilities = 64;
  static_assert(CAP_LAST_CAP < kMostCapabilities);
  for (int capability = 0; capability < kMostCapabilities; ++capability) {
    (void)prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
  }
  (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

}  // namespace redoubt::host
