// SPDX-License-Identifier: Apache-2.0
//
// statx(2) of what the gofer serves, without ever following a link, and what names a host file.
#ifndef GOFER_SERVER_HOST_STAT_H_
#define GOFER_SERVER_HOST_STAT_H_

#include <sys/stat.h>

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "gofer/protocol/gofer.pb.h"

namespace redoubt::gofer {

using HostStat = struct statx;

// What names a host file. (Not the time of birth: an overlay changes it when it copies a file up.)
struct HostIdentity {
  uint64_t device = 0;
  uint64_t inode = 0;
  friend bool operator==(const HostIdentity&, const HostIdentity&) = default;
};

Result<HostStat> StatFd(int fd);
Result<HostStat> StatAt(int directory, const char* name);

HostIdentity IdentityOf(const HostStat& stat);
inline uint32_t TypeOf(const HostStat& stat) { return stat.stx_mode & S_IFMT; }
void FillAttributes(const HostStat& stat, Attributes* attributes);

// An O_PATH descriptor of one component of `directory`; of a symlink, the link itself.
Result<int> OpenComponent(int directory, const char* name);

}  // namespace redoubt::gofer

#endif  // GOFER_SERVER_HOST_STAT_H_
