// SPDX-License-Identifier: Apache-2.0
//
// The JSON of `runsc events --stats`, key for key runc's: containerd's shim decodes it. Zeroes are
// left out where runc leaves them out.
#ifndef RUNSC_CGROUP_STATS_H_
#define RUNSC_CGROUP_STATS_H_

#include <cstdint>
#include <string>

#include "nlohmann/json.hpp"

namespace redoubt::cgroup {

// {"limit":, "usage":, "max":, "failcnt":}
nlohmann::json MemoryEntry(uint64_t usage, uint64_t max, uint64_t limit, uint64_t failures);
// Sets `key` unless `value` is 0.
void SetUnlessZero(nlohmann::json& json, const char* key, uint64_t value);
// {"major":, "minor":, "op":, "value":}
nlohmann::json BlockEntry(uint64_t major, uint64_t minor, const std::string& operation,
                          uint64_t value);
// "0-3,5" as [0,1,2,3,5].
nlohmann::json NumberSet(const std::string& text);
// The parts that no cgroup fills in.
void AddEmptyParts(nlohmann::json& stats);

}  // namespace redoubt::cgroup

#endif  // RUNSC_CGROUP_STATS_H_
