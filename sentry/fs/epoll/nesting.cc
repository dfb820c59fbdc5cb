// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/epoll/nesting.h"

#include <algorithm>

#include "absl/container/flat_hash_map.h"
#include "base/check.h"
#include "base/sync/mutex.h"

namespace redoubt::fs {

namespace {

constexpr int kMaximumDepth = 5;  // EP_MAX_NESTS + 1: levels of epolls in one chain.

Mutex<LockRank::kLeaf>& GraphMutex() {
  static auto* mu = new Mutex<LockRank::kLeaf>;
  return *mu;
}

using Heights = absl::flat_hash_map<const NestingNode*, int>;

// Levels from `node` along the edges that `next` gives, `node` included. Each node is computed
// once, and there are no circles yet, so this ends however the guest has woven its epolls.
template <typename Next>
int Height(const NestingNode* node, const Next& next, Heights& known) {
  auto [found, is_new] = known.try_emplace(node, 1);
  if (!is_new) return found->second;
  int height = 1;
  for (const NestingNode* each : next(node)) {
    height = std::max(height, 1 + Height(each, next, known));
  }
  return known[node] = height;
}

void EraseOne(std::vector<NestingNode*>& nodes, const NestingNode* node) {
  auto found = std::find(nodes.begin(), nodes.end(), node);
  CHECK(found != nodes.end());
  *found = nodes.back();
  nodes.pop_back();
}

}  // namespace

NestingNode::~NestingNode() { CHECK(watched_by_.empty() && watches_.empty()); }

Result<void> NestingNode::Link(NestingNode& outer, NestingNode& inner) {
  MutexLock lock(&GraphMutex());
  Heights below, above;
  const int down = Height(
      &inner, [](const NestingNode* n) -> const auto& { return n->watches_; }, below);
  if (below.contains(&outer)) return Errno(ELOOP);
  const int up = Height(
      &outer, [](const NestingNode* n) -> const auto& { return n->watched_by_; }, above);
  if (up + down > kMaximumDepth) return Errno(ELOOP);
  outer.watches_.push_back(&inner);
  inner.watched_by_.push_back(&outer);
  return {};
}

void NestingNode::Unlink(NestingNode& outer, NestingNode& inner) {
  MutexLock lock(&GraphMutex());
  EraseOne(outer.watches_, &inner);
  EraseOne(inner.watched_by_, &outer);
}

}  // namespace redoubt::fs
