// SPDX-License-Identifier: Apache-2.0
//
// Neighbours that somebody entered; none is ever learnt, since no packets move (Linux:
// neighbour.c).
#include <linux/neighbour.h>

#include <algorithm>

#include "sentry/socket/net/tables.h"

namespace redoubt::net {

namespace {

bool Same(const Neighbour& a, int index, const IpAddress& address, bool proxy) {
  return a.interface_index == index && a.address == address && a.is_proxy == proxy;
}

}  // namespace

Result<void> NetworkNamespace::AddNeighbour(Neighbour neighbour, bool create, bool exclusive) {
  return Change([&](Tables& tables, NetworkEvents& events) -> Result<void> {
    const Interface* interface = std::as_const(tables).Find(neighbour.interface_index);
    if (interface == nullptr) return Errno(ENODEV);
    auto found = std::find_if(tables.neighbours.begin(), tables.neighbours.end(), [&](auto& known) {
      return Same(known, neighbour.interface_index, neighbour.address, neighbour.is_proxy);
    });
    if (found != tables.neighbours.end()) {
      if (exclusive) return Errno(EEXIST);
      *found = neighbour;
    } else {
      if (!create) return Errno(ENOENT);
      if (tables.neighbours.size() >= kMaximumNeighbours) return Errno(ENOBUFS);
      tables.neighbours.push_back(neighbour);
    }
    events.push_back({.what = std::move(neighbour)});
    return {};
  });
}

Result<void> NetworkNamespace::RemoveNeighbour(int index, const IpAddress& address, bool proxy) {
  return Change([&](Tables& tables, NetworkEvents& events) -> Result<void> {
    auto found = std::find_if(tables.neighbours.begin(), tables.neighbours.end(),
                              [&](auto& known) { return Same(known, index, address, proxy); });
    if (found == tables.neighbours.end()) return Errno(ENOENT);
    found->state = NUD_FAILED;
    events.push_back({.what = *found, .removed = true});
    tables.neighbours.erase(found);
    return {};
  });
}

}  // namespace redoubt::net
