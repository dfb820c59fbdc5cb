// SPDX-License-Identifier: Apache-2.0
//
// Which epolls watch which: a graph without circles and at most five levels deep, so that waking
// and asking, which go along its edges with locks held, always end (epoll_ctl(2): ELOOP).
#ifndef SENTRY_FS_EPOLL_NESTING_H_
#define SENTRY_FS_EPOLL_NESTING_H_

#include <vector>

#include "base/result.h"

namespace redoubt::fs {

// One epoll in the graph. All edges are guarded by one leaf lock of the sentry.
class NestingNode {
 public:
  NestingNode() = default;
  NestingNode(const NestingNode&) = delete;
  NestingNode& operator=(const NestingNode&) = delete;
  // All edges are gone.
  ~NestingNode();

  // `outer` watches `inner`. ELOOP for a circle or too deep a chain.
  static Result<void> Link(NestingNode& outer, NestingNode& inner);
  static void Unlink(NestingNode& outer, NestingNode& inner);

 private:
  // One entry for each item, so the same node may be there more than once.
  std::vector<NestingNode*> watched_by_;
  std::vector<NestingNode*> watches_;
};

}  // namespace redoubt::fs

#endif  // SENTRY_FS_EPOLL_NESTING_H_
