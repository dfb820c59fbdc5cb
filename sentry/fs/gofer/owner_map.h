// SPDX-License-Identifier: Apache-2.0
//
// OwnerMap: which guest uid (or gid) a host one is shown as, and back. Empty, it is the identity.
#ifndef SENTRY_FS_GOFER_OWNER_MAP_H_
#define SENTRY_FS_GOFER_OWNER_MAP_H_

#include <cstdint>
#include <vector>

namespace redoubt::gofer_fs {

struct OwnerRange {
  uint32_t guest = 0;
  uint32_t host = 0;
  uint32_t count = 0;
};

class OwnerMap {
 public:
  OwnerMap() = default;
  explicit OwnerMap(std::vector<OwnerRange> ranges) : ranges_(std::move(ranges)) {}

  // What no range names stays as it is.
  uint32_t ToGuest(uint32_t host) const {
    for (const OwnerRange& range : ranges_) {
      if (host - range.host < range.count) return host - range.host + range.guest;
    }
    return host;
  }
  uint32_t ToHost(uint32_t guest) const {
    for (const OwnerRange& range : ranges_) {
      if (guest - range.guest < range.count) return guest - range.guest + range.host;
    }
    return guest;
  }

 private:
  std::vector<OwnerRange> ranges_;
};

}  // namespace redoubt::gofer_fs

#endif  // SENTRY_FS_GOFER_OWNER_MAP_H_
