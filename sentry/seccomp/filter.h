// SPDX-License-Identifier: Apache-2.0
//
// Filter: one seccomp filter and those installed before it, an immutable list that grows at its
// head. fork shares it, exec keeps it, installing a filter makes a new head.
//
//   RefPtr<const Filter> filter = TRY(Filter::Append(task_filter, program, log));
//   Verdict verdict = filter->Evaluate(data);   // The strictest answer of all.
//
// References are held by: each task with this head, each younger filter. A task never lets its head
// go for an older one while it runs, so its own thread may read the head without a lock.
#ifndef SENTRY_SECCOMP_FILTER_H_
#define SENTRY_SECCOMP_FILTER_H_

#include <linux/seccomp.h>

#include <bitset>
#include <cstdint>
#include <utility>

#include "base/ref_counted.h"
#include "base/result.h"
#include "sentry/seccomp/bpf_program.h"

namespace redoubt::seccomp {

class Filter;

struct Verdict {
  uint32_t action = SECCOMP_RET_ALLOW;  // SECCOMP_RET_* without data.
  uint32_t data = 0;
  const Filter* filter = nullptr;  // Whose answer it is.
};

class Filter : public RefCounted<Filter> {
 public:
  // ENOMEM when all programs together would be too long (Linux's MAX_INSNS_PER_PATH).
  static Result<RefPtr<const Filter>> Append(RefPtr<const Filter> older, BpfProgram program,
                                             bool log);
  Filter(RefPtr<const Filter> older, BpfProgram program, bool log);

  // Of several answers the one with the lowest action counts; of equals, the youngest filter's.
  Verdict Evaluate(const seccomp_data& data) const;
  // Whether this call passes all filters whatever its arguments are.
  bool AlwaysAllows(uint32_t number) const { return number < kCalls && always_allowed_[number]; }
  bool log() const { return log_; }
  // How many there are: /proc/PID/status, "Seccomp_filters".
  uint32_t depth() const { return depth_; }
  // Whether `other` is this filter or an older one of its list; null is older than all.
  bool Descends(const Filter* other) const;

 private:
  const RefPtr<const Filter> older_;
  const BpfProgram program_;
  const bool log_;
  const uint32_t depth_;
  const size_t total_size_;
  static constexpr size_t kCalls = 512;
  std::bitset<kCalls> always_allowed_;  // Linux's action cache: most calls of most profiles.
};

}  // namespace redoubt::seccomp

#endif  // SENTRY_SECCOMP_FILTER_H_
