// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/proc/net_rows.h"

#include <map>
#include <utility>

#include "base/sync/mutex.h"

namespace redoubt::proc {

namespace {

struct Registry {
  Mutex<LockRank::kLeaf> mu;
  std::map<std::string, NetRows, std::less<>> rows ABSL_GUARDED_BY(mu);
};

Registry& TheRegistry() {
  static Registry* registry = new Registry;
  return *registry;
}

}  // namespace

void SetNetRows(std::string_view table, NetRows rows) {
  Registry& registry = TheRegistry();
  MutexLock lock(&registry.mu);
  registry.rows.insert_or_assign(std::string(table), std::move(rows));
}

std::string RowsOf(std::string_view table, net::NetworkNamespace& network) {
  NetRows rows;
  {
    Registry& registry = TheRegistry();
    MutexLock lock(&registry.mu);
    auto it = registry.rows.find(table);
    if (it != registry.rows.end()) rows = it->second;
  }
  return rows ? rows(network) : std::string();
}

}  // namespace redoubt::proc
