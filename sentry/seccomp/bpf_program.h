// SPDX-License-Identifier: Apache-2.0
//
// BpfProgram: a classic BPF program over struct seccomp_data, checked once and then run for each
// system call (bpf(4) of the BSDs; kernel/seccomp.c and net/core/filter.c of Linux).
//
//   Result<BpfProgram> program = BpfProgram::Create(instructions);   // EINVAL: refused.
//   uint32_t verdict = program->Run(data);                           // SECCOMP_RET_*
//
// Safe with any input: jumps lead forwards only, so that a run takes at most as many steps as there
// are instructions; scratch words are written before they are read on every path; loads are within
// seccomp_data and aligned. Immutable: all threads may run one.
#ifndef SENTRY_SECCOMP_BPF_PROGRAM_H_
#define SENTRY_SECCOMP_BPF_PROGRAM_H_

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"

namespace redoubt::seccomp {

inline constexpr size_t kMaxInstructions = 4096;  // BPF_MAXINSNS

class BpfProgram {
 public:
  static Result<BpfProgram> Create(std::vector<sock_filter> instructions);

  uint32_t Run(const seccomp_data& data) const;
  // Whether it allows call `number` of x86-64 whatever its arguments are, by all that a look at the
  // number alone can tell; false when in doubt.
  bool AlwaysAllows(uint32_t number) const;
  size_t size() const { return instructions_.size(); }
  std::span<const sock_filter> instructions() const { return instructions_; }

 private:
  explicit BpfProgram(std::vector<sock_filter> instructions)
      : instructions_(std::move(instructions)) {}
  std::vector<sock_filter> instructions_;
};

}  // namespace redoubt::seccomp

#endif  // SENTRY_SECCOMP_BPF_PROGRAM_H_
