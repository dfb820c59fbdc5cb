// SPDX-License-Identifier: Apache-2.0
//
// Writes a seccomp filter (BPF) from tests that either fall through or return.
//
//   Program p;
//   p.Load(kNumber);
//   p.ReturnIf(SYS_sched_yield, SECCOMP_RET_ALLOW);
//   p.ReturnIfAll(SYS_munmap, SECCOMP_RET_ALLOW, [](Program& p) {   // If every condition holds.
//     p.Load(ArgumentHigh(1));
//     p.RequireEqual(0);
//   });
//   p.Return(SECCOMP_RET_TRAP);
//
// All jumps go forward, and are at most 255 instructions long, which is checked.
#ifndef PLATFORM_SECCOMP_TRAP_BPF_PROGRAM_H_
#define PLATFORM_SECCOMP_TRAP_BPF_PROGRAM_H_

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/check.h"

namespace redoubt::platform::seccomp_trap {

// Offsets in seccomp_data. Arguments have 64 bits, the accumulator has 32.
inline constexpr uint32_t kNumber = offsetof(seccomp_data, nr);
inline constexpr uint32_t kArch = offsetof(seccomp_data, arch);
inline constexpr uint32_t kInstruction = offsetof(seccomp_data, instruction_pointer);
constexpr uint32_t ArgumentLow(unsigned i) {
  return static_cast<uint32_t>(offsetof(seccomp_data, args) + i * sizeof(uint64_t));
}
constexpr uint32_t ArgumentHigh(unsigned i) {
  return ArgumentLow(i) + static_cast<uint32_t>(sizeof(uint32_t));
}

class Program {
 public:
  void Load(uint32_t offset) { Add(BPF_LD | BPF_W | BPF_ABS, offset); }
  void Mask(uint32_t mask) { Add(BPF_ALU | BPF_AND | BPF_K, mask); }
  void Return(uint32_t action) { Add(BPF_RET | BPF_K, action); }
  void ReturnIf(uint32_t value, uint32_t action) {
    Add(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
    Return(action);
  }
  void ReturnUnless(uint32_t value, uint32_t action) {
    Add(BPF_JMP | BPF_JEQ | BPF_K, value, 1, 0);
    Return(action);
  }
  // Returns `action` unless the 64-bit word at `offset` is `value`.
  void ReturnUnless64(uint32_t offset, uint64_t value, uint32_t action) {
    Load(offset);
    ReturnUnless(static_cast<uint32_t>(value), action);
    Load(offset + static_cast<uint32_t>(sizeof(uint32_t)));
    ReturnUnless(static_cast<uint32_t>(value >> 32), action);
  }
  // Runs `block` only when the accumulator is `value`.
  template <typename F>
  void If(uint32_t value, F block) {
    Program inner;
    block(inner);
    Add(BPF_JMP | BPF_JEQ | BPF_K, value, 0, Distance(inner.code_.size()));
    Append(std::move(inner));
  }

  // If the accumulator, which holds the call's number, is `number`, and all conditions hold that
  // `conditions` requires: returns `action`. Else goes on, with the number loaded.
  template <typename F>
  void ReturnIfAll(uint32_t number, uint32_t action, F conditions) {
    If(number, [&](Program& p) {
      conditions(p);
      p.Return(action);
      p.ResolveFailures();
      p.Load(kNumber);
    });
  }
  // Conditions on the accumulator.
  void RequireEqual(uint32_t value) { Require(BPF_JEQ, value, true); }
  void RequireAtLeast(uint32_t value) { Require(BPF_JGE, value, true); }
  void RequireAtMost(uint32_t value) { Require(BPF_JGT, value, false); }
  void RequireNone(uint32_t bits) { Require(BPF_JSET, bits, false); }
  void RequireAny(uint32_t bits) { Require(BPF_JSET, bits, true); }
  // Other conditions for an accumulator above `value` than for one up to it.
  template <typename F, typename G>
  void IfAbove(uint32_t value, F above, G up_to) {
    Program first, second;
    above(first);
    up_to(second);
    Add(BPF_JMP | BPF_JGT | BPF_K, value, 0, Distance(first.code_.size() + 1));
    Append(std::move(first));
    Add(BPF_JMP | BPF_JA, static_cast<uint32_t>(second.code_.size()));
    Append(std::move(second));
  }

  std::vector<sock_filter> Take() {
    CHECK(failures_.empty());
    return std::move(code_);
  }

 private:
  // A jump that is to lead to the end of the conditions.
  struct Failure {
    size_t jump;
    bool if_true;
  };

  static uint8_t Distance(size_t instructions) {
    CHECK(instructions <= UINT8_MAX);
    return static_cast<uint8_t>(instructions);
  }
  void Add(int code, uint32_t k, uint8_t if_true = 0, uint8_t if_false = 0) {
    code_.push_back({static_cast<uint16_t>(code), if_true, if_false, k});
  }
  void Require(int test, uint32_t value, bool outcome) {
    failures_.push_back({code_.size(), !outcome});
    Add(BPF_JMP | test | BPF_K, value);
  }
  void Append(Program inner) {
    for (Failure failure : inner.failures_) {
      failures_.push_back({code_.size() + failure.jump, failure.if_true});
    }
    code_.insert(code_.end(), inner.code_.begin(), inner.code_.end());
  }
  void ResolveFailures() {
    for (Failure failure : failures_) {
      sock_filter& jump = code_[failure.jump];
      (failure.if_true ? jump.jt : jump.jf) = Distance(code_.size() - failure.jump - 1);
    }
    failures_.clear();
  }

  std::vector<sock_filter> code_;
  std::vector<Failure> failures_;
};

}  // namespace redoubt::platform::seccomp_trap

#endif  // PLATFORM_SECCOMP_TRAP_BPF_PROGRAM_H_
