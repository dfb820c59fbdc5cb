// SPDX-License-Identifier: Apache-2.0
#include "sentry/seccomp/filter.h"

#include <linux/audit.h>

namespace redoubt::seccomp {

namespace {

constexpr size_t kMostInstructions = (size_t{1} << 18) / sizeof(sock_filter);
constexpr size_t kCostOfAFilter = 4;  // Besides its own instructions.

size_t TotalSize(const Filter* older, size_t older_size, size_t size) {
  return size + (older == nullptr ? 0 : older_size + kCostOfAFilter);
}

}  // namespace

Result<RefPtr<const Filter>> Filter::Append(RefPtr<const Filter> older, BpfProgram program,
                                            bool log) {
  size_t before = older ? older->total_size_ : 0;
  if (TotalSize(older.get(), before, program.size()) > kMostInstructions) return Errno(ENOMEM);
  return RefPtr<const Filter>(MakeRef<Filter>(std::move(older), std::move(program), log));
}

Filter::Filter(RefPtr<const Filter> older, BpfProgram program, bool log)
    : older_(std::move(older)),
      program_(std::move(program)),
      log_(log),
      depth_(older_ ? older_->depth_ + 1 : 1),
      total_size_(TotalSize(older_.get(), older_ ? older_->total_size_ : 0, program_.size())) {
  for (uint32_t number = 0; number < kCalls; ++number) {
    bool before = !older_ || older_->always_allowed_[number];
    always_allowed_[number] = before && program_.AlwaysAllows(number);
  }
}

Verdict Filter::Evaluate(const seccomp_data& data) const {
  Verdict verdict;
  bool native = data.arch == AUDIT_ARCH_X86_64;
  if (native && AlwaysAllows(static_cast<uint32_t>(data.nr))) return verdict;
  for (const Filter* filter = this; filter != nullptr; filter = filter->older_.get()) {
    uint32_t answer = filter->program_.Run(data);
    uint32_t action = answer & SECCOMP_RET_ACTION_FULL;
    // KILL_PROCESS is the lowest because actions compare as signed numbers.
    bool stricter = static_cast<int32_t>(action) < static_cast<int32_t>(verdict.action);
    if (stricter || verdict.filter == nullptr) {
      verdict = {action, answer & SECCOMP_RET_DATA, filter};
    }
  }
  return verdict;
}

bool Filter::Descends(const Filter* other) const {
  if (other == nullptr) return true;
  const Filter* filter = this;
  while (filter != nullptr && filter != other) filter = filter->older_.get();
  return filter == other;
}

}  // namespace redoubt::seccomp
