// SPDX-License-Identifier: Apache-2.0
#include "sentry/seccomp/bpf_program.h"

#include <linux/audit.h>

#include <array>
#include <cstddef>
#include <cstring>

#include "sentry/seccomp/bpf_check.h"

namespace redoubt::seccomp {

namespace {

uint32_t Calculate(uint16_t operation, uint32_t a, uint32_t b) {
  switch (operation) {
    case BPF_ADD:
      return a + b;
    case BPF_SUB:
      return a - b;
    case BPF_MUL:
      return a * b;
    case BPF_DIV:
      return a / b;  // The caller has looked at b.
    case BPF_AND:
      return a & b;
    case BPF_OR:
      return a | b;
    case BPF_XOR:
      return a ^ b;
    case BPF_LSH:
      return a << (b & 31);
    case BPF_RSH:
      return a >> (b & 31);
    default:
      return 0 - a;  // BPF_NEG
  }
}

bool Compare(uint16_t operation, uint32_t a, uint32_t b) {
  switch (operation) {
    case BPF_JEQ:
      return a == b;
    case BPF_JGT:
      return a > b;
    case BPF_JGE:
      return a >= b;
    default:
      return (a & b) != 0;  // BPF_JSET
  }
}

}  // namespace

Result<BpfProgram> BpfProgram::Create(std::vector<sock_filter> instructions) {
  if (instructions.size() > kMaxInstructions || !IsValidProgram(instructions)) {
    return Errno(EINVAL);
  }
  return BpfProgram(std::move(instructions));
}

uint32_t BpfProgram::Run(const seccomp_data& data) const {
  std::array<uint32_t, sizeof(data) / 4> words;
  std::memcpy(words.data(), &data, sizeof(data));
  std::array<uint32_t, BPF_MEMWORDS> scratch{};
  uint32_t a = 0, x = 0;
  for (const sock_filter* insn = instructions_.data();; ++insn) {
    const uint32_t operand = BPF_SRC(insn->code) == BPF_X ? x : insn->k;
    switch (BPF_CLASS(insn->code)) {
      case BPF_LD:
      case BPF_LDX: {
        uint32_t value = insn->k;  // BPF_IMM
        if (BPF_MODE(insn->code) == BPF_ABS) value = words[insn->k / 4];
        if (BPF_MODE(insn->code) == BPF_MEM) value = scratch[insn->k];
        if (BPF_MODE(insn->code) == BPF_LEN) value = sizeof(data);
        (BPF_CLASS(insn->code) == BPF_LD ? a : x) = value;
        break;
      }
      case BPF_ST:
        scratch[insn->k] = a;
        break;
      case BPF_STX:
        scratch[insn->k] = x;
        break;
      case BPF_ALU:
        if (BPF_OP(insn->code) == BPF_DIV && operand == 0) return SECCOMP_RET_KILL_THREAD;
        a = Calculate(BPF_OP(insn->code), a, operand);
        break;
      case BPF_JMP:
        if (BPF_OP(insn->code) == BPF_JA) {
          insn += insn->k;
        } else {
          insn += Compare(BPF_OP(insn->code), a, operand) ? insn->jt : insn->jf;
        }
        break;
      case BPF_RET:
        return BPF_RVAL(insn->code) == BPF_A ? a : insn->k;
      default:
        (BPF_MISCOP(insn->code) == BPF_TAX ? x : a) = BPF_MISCOP(insn->code) == BPF_TAX ? a : x;
    }
  }
}

// seccomp_is_const_allow(): follows the program as long as it looks at number and architecture
// only.
bool BpfProgram::AlwaysAllows(uint32_t number) const {
  uint32_t a = 0;
  for (const sock_filter* insn = instructions_.data();; ++insn) {
    switch (insn->code) {
      case BPF_LD | BPF_W | BPF_ABS:
        if (insn->k == offsetof(seccomp_data, nr)) {
          a = number;
        } else if (insn->k == offsetof(seccomp_data, arch)) {
          a = AUDIT_ARCH_X86_64;
        } else {
          return false;
        }
        break;
      case BPF_RET | BPF_K:
        return insn->k == SECCOMP_RET_ALLOW;
      case BPF_JMP | BPF_JA:
        insn += insn->k;
        break;
      case BPF_JMP | BPF_JEQ | BPF_K:
      case BPF_JMP | BPF_JGE | BPF_K:
      case BPF_JMP | BPF_JGT | BPF_K:
      case BPF_JMP | BPF_JSET | BPF_K:
        insn += Compare(BPF_OP(insn->code), a, insn->k) ? insn->jt : insn->jf;
        break;
      case BPF_ALU | BPF_AND | BPF_K:
        a &= insn->k;
        break;
      default:
        return false;
    }
  }
}

}  // namespace redoubt::seccomp
