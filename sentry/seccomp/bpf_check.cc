// SPDX-License-Identifier: Apache-2.0
#include "sentry/seccomp/bpf_check.h"

#include <linux/seccomp.h>

#include <cstdint>
#include <vector>

namespace redoubt::seccomp {

namespace {

constexpr uint16_t kLoadAbsolute = BPF_LD | BPF_W | BPF_ABS, kLoadLength = BPF_LD | BPF_W | BPF_LEN;
constexpr uint16_t kLoadXLength = BPF_LDX | BPF_W | BPF_LEN;

bool IsValidArithmetic(const sock_filter& insn) {
  bool constant = BPF_SRC(insn.code) == BPF_K;
  switch (BPF_OP(insn.code)) {
    case BPF_ADD:
    case BPF_SUB:
    case BPF_MUL:
    case BPF_AND:
    case BPF_OR:
    case BPF_XOR:
      return true;
    case BPF_DIV:  // Not MOD: seccomp never learnt it.
      return !constant || insn.k != 0;
    case BPF_LSH:
    case BPF_RSH:
      return !constant || insn.k < 32;
    case BPF_NEG:
      return constant;  // Its code has no source bit.
  }
  return false;
}

bool IsValidJump(const sock_filter& insn, size_t at, size_t length) {
  // Jumps count from the next instruction.
  size_t behind = length - at - 1;
  switch (BPF_OP(insn.code)) {
    case BPF_JA:
      return insn.code == (BPF_JMP | BPF_JA) && insn.k < behind;
    case BPF_JEQ:
    case BPF_JGE:
    case BPF_JGT:
    case BPF_JSET:
      return insn.jt < behind && insn.jf < behind;
  }
  return false;
}

bool IsValidInstruction(const sock_filter& insn, size_t at, size_t length) {
  if (insn.code > 0xff) return false;
  switch (BPF_CLASS(insn.code)) {
    case BPF_LD:
      if (insn.code == kLoadAbsolute) return insn.k < sizeof(seccomp_data) && insn.k % 4 == 0;
      if (insn.code == kLoadLength || insn.code == (BPF_LD | BPF_IMM)) return true;
      return insn.code == (BPF_LD | BPF_MEM) && insn.k < BPF_MEMWORDS;
    case BPF_LDX:
      if (insn.code == kLoadXLength || insn.code == (BPF_LDX | BPF_IMM)) return true;
      return insn.code == (BPF_LDX | BPF_MEM) && insn.k < BPF_MEMWORDS;
    case BPF_ST:
      return insn.code == BPF_ST && insn.k < BPF_MEMWORDS;
    case BPF_STX:
      return insn.code == BPF_STX && insn.k < BPF_MEMWORDS;
    case BPF_ALU:
      return IsValidArithmetic(insn);
    case BPF_JMP:
      return IsValidJump(insn, at, length);
    case BPF_RET:
      return insn.code == (BPF_RET | BPF_K) || insn.code == (BPF_RET | BPF_A);
    case BPF_MISC:
      return insn.code == (BPF_MISC | BPF_TAX) || insn.code == (BPF_MISC | BPF_TXA);
  }
  return false;
}

// check_load_and_stores(): `written[i]` is the set of scratch words that every way to i has
// written.
bool ReadsOnlyWhatWasWritten(std::span<const sock_filter> program) {
  std::vector<uint16_t> written(program.size(), 0xffff);
  uint16_t now = 0;
  for (size_t i = 0; i < program.size(); ++i) {
    const sock_filter& insn = program[i];
    now &= written[i];
    switch (insn.code) {
      case BPF_ST:
      case BPF_STX:
        now |= static_cast<uint16_t>(1 << insn.k);
        break;
      case BPF_LD | BPF_MEM:
      case BPF_LDX | BPF_MEM:
        if ((now & (1 << insn.k)) == 0) return false;
        break;
      case BPF_JMP | BPF_JA:
        written[i + 1 + insn.k] &= now;
        now = 0xffff;
        break;
      default:
        if (BPF_CLASS(insn.code) != BPF_JMP) break;
        written[i + 1 + insn.jt] &= now;
        written[i + 1 + insn.jf] &= now;
        now = 0xffff;
    }
  }
  return true;
}

}  // namespace

bool IsValidProgram(std::span<const sock_filter> program) {
  if (program.empty()) return false;
  for (size_t i = 0; i < program.size(); ++i) {
    if (!IsValidInstruction(program[i], i, program.size())) return false;
  }
  return BPF_CLASS(program.back().code) == BPF_RET && ReadsOnlyWhatWasWritten(program);
}

}  // namespace redoubt::seccomp
