// SPDX-License-Identifier: Apache-2.0
//
// From the host's /proc/PID/maps of a stub to what the guest's shows: shim lines hidden, files by
// their guest names.
#ifndef SENTRY_MM_HOST_MAPS_H_
#define SENTRY_MM_HOST_MAPS_H_

#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "sentry/mm/memory_map.h"

namespace redoubt::mm {

struct MapNames {
  const vfs::Caller& view;
  uint64_t break_start = 0, break_end = 0;
  uint64_t stack_low = 0, stack_high = 0;
  absl::flat_hash_map<std::pair<uint64_t, uint64_t>, vfs::Path> files = {};
};

// Lines that do not parse are left out.
std::vector<Mapping> ParseHostMaps(std::string_view text, const MemoryPolicy& policy,
                                   const MapNames& names);

}  // namespace redoubt::mm

#endif  // SENTRY_MM_HOST_MAPS_H_
