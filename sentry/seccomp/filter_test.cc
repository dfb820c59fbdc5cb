// SPDX-License-Identifier: Apache-2.0
#include "sentry/seccomp/filter.h"

#include <gtest/gtest.h>

#include <cstddef>

namespace redoubt::seccomp {
namespace {

using Code = std::vector<sock_filter>;

constexpr sock_filter Statement(uint16_t code, uint32_t k) { return {code, 0, 0, k}; }
constexpr sock_filter Jump(uint16_t code, uint32_t k, uint8_t jt, uint8_t jf) {
  return {code, jt, jf, k};
}
constexpr sock_filter Return(uint32_t value) { return Statement(BPF_RET | BPF_K, value); }
constexpr sock_filter kLoadNumber = Statement(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr));

bool Accepted(Code code) { return BpfProgram::Create(std::move(code)).ok(); }
uint32_t RunCode(Code code, const seccomp_data& data = {}) {
  return BpfProgram::Create(std::move(code))->Run(data);
}

TEST(BpfCheck, AcceptsAndRefuses) {
  EXPECT_TRUE(Accepted({Return(SECCOMP_RET_ALLOW)}));
  EXPECT_FALSE(Accepted({}));
  EXPECT_FALSE(Accepted({kLoadNumber})) << "no return at the end";
  EXPECT_FALSE(Accepted({Jump(BPF_JMP | BPF_JEQ, 0, 1, 0), Return(0)})) << "jump out";
  EXPECT_FALSE(Accepted({Statement(BPF_JMP | BPF_JA, 0xffffffff), Return(0)})) << "jump back";
  EXPECT_FALSE(Accepted({Statement(BPF_LD | BPF_W | BPF_ABS, 64), Return(0)})) << "beyond the data";
  EXPECT_FALSE(Accepted({Statement(BPF_LD | BPF_W | BPF_ABS, 2), Return(0)})) << "unaligned";
  EXPECT_FALSE(Accepted({Statement(BPF_LD | BPF_B | BPF_ABS, 0), Return(0)})) << "a byte";
  EXPECT_FALSE(Accepted({Statement(BPF_LD | BPF_W | BPF_IND, 0), Return(0)})) << "indirect";
  EXPECT_FALSE(Accepted({Statement(BPF_ALU | BPF_DIV | BPF_K, 0), Return(0)})) << "division by 0";
  EXPECT_FALSE(Accepted({Statement(BPF_ALU | BPF_MOD | BPF_K, 1), Return(0)}));
  EXPECT_FALSE(Accepted({Statement(BPF_ALU | BPF_LSH | BPF_K, 32), Return(0)}));
  EXPECT_FALSE(Accepted({Statement(BPF_RET | BPF_X, 0)}));
  EXPECT_FALSE(Accepted({Statement(0xf00 | BPF_RET | BPF_K, 0)})) << "high bits of the code";
  EXPECT_FALSE(Accepted({Statement(BPF_ST, 16), Return(0)})) << "beyond the scratch words";
  EXPECT_FALSE(Accepted(Code(kMaxInstructions + 1, Return(0))));
  EXPECT_TRUE(Accepted(Code(kMaxInstructions, Return(0))));
}

TEST(BpfCheck, ScratchWordsMustBeWrittenOnEveryWay) {
  EXPECT_FALSE(Accepted({Statement(BPF_LD | BPF_MEM, 0), Statement(BPF_RET | BPF_A, 0)}));
  EXPECT_TRUE(Accepted(
      {Statement(BPF_ST, 0), Statement(BPF_LD | BPF_MEM, 0), Statement(BPF_RET | BPF_A, 0)}));
  // One branch skips the write.
  EXPECT_FALSE(Accepted({Jump(BPF_JMP | BPF_JEQ, 0, 0, 1), Statement(BPF_ST, 0),
                         Statement(BPF_LD | BPF_MEM, 0), Statement(BPF_RET | BPF_A, 0)}));
}

TEST(BpfProgram, CalculatesIn32Bits) {
  auto alu = [](uint16_t operation, uint32_t a, uint32_t k) {
    return RunCode({Statement(BPF_LD | BPF_IMM, a),
                    Statement(static_cast<uint16_t>(BPF_ALU | operation | BPF_K), k),
                    Statement(BPF_RET | BPF_A, 0)});
  };
  EXPECT_EQ(alu(BPF_ADD, 0xffffffff, 2), 1u);
  EXPECT_EQ(alu(BPF_SUB, 1, 2), 0xffffffffu);
  EXPECT_EQ(alu(BPF_MUL, 0x10000, 0x10000), 0u);
  EXPECT_EQ(alu(BPF_DIV, 7, 2), 3u);
  EXPECT_EQ(alu(BPF_RSH, 0x80000000, 31), 1u);
  EXPECT_EQ(alu(BPF_NEG, 1, 0), 0xffffffffu);
}

TEST(BpfProgram, DivisionByXOfZeroKills) {
  EXPECT_EQ(RunCode({Statement(BPF_LD | BPF_IMM, 1), Statement(BPF_LDX | BPF_IMM, 0),
                     Statement(BPF_ALU | BPF_DIV | BPF_X, 0), Return(SECCOMP_RET_ALLOW)}),
            SECCOMP_RET_KILL_THREAD);
}

TEST(BpfProgram, ReadsItsData) {
  seccomp_data data{.nr = 39, .arch = 7, .instruction_pointer = 1, .args = {1ULL << 32 | 5}};
  Code code = {Statement(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args) + 4),
               Statement(BPF_MISC | BPF_TAX, 0), kLoadNumber,
               Statement(BPF_ALU | BPF_ADD | BPF_X, 0), Statement(BPF_RET | BPF_A, 0)};
  EXPECT_EQ(RunCode(code, data), 40u);
  EXPECT_EQ(RunCode({Statement(BPF_LD | BPF_W | BPF_LEN, 0), Statement(BPF_RET | BPF_A, 0)}), 64u);
}

RefPtr<const Filter> Add(RefPtr<const Filter> older, uint32_t answer) {
  return *Filter::Append(std::move(older), *BpfProgram::Create({Return(answer)}), false);
}

TEST(Filter, TheStrictestAnswerCounts) {
  const uint32_t by_strictness[] = {
      SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_KILL_THREAD, SECCOMP_RET_TRAP, SECCOMP_RET_ERRNO,
      SECCOMP_RET_USER_NOTIF,   SECCOMP_RET_TRACE,       SECCOMP_RET_LOG,  SECCOMP_RET_ALLOW};
  for (size_t strict = 0; strict < std::size(by_strictness); ++strict) {
    for (size_t mild = strict + 1; mild < std::size(by_strictness); ++mild) {
      auto filter = Add(Add(nullptr, by_strictness[strict]), by_strictness[mild]);
      EXPECT_EQ(filter->Evaluate({}).action, by_strictness[strict]);
      filter = Add(Add(nullptr, by_strictness[mild]), by_strictness[strict]);
      EXPECT_EQ(filter->Evaluate({}).action, by_strictness[strict]);
    }
  }
}

TEST(Filter, OfEqualAnswersTheYoungestCounts) {
  auto filter = Add(Add(nullptr, SECCOMP_RET_ERRNO | 1), SECCOMP_RET_ERRNO | 2);
  EXPECT_EQ(filter->Evaluate({}).data, 2u);
}

TEST(Filter, KnowsWhatItAlwaysAllows) {
  auto program = [](Code code) { return *BpfProgram::Create(std::move(code)); };
  // Call 1 by its number, call 2 by an argument.
  auto filter = *Filter::Append(
      nullptr,
      program({kLoadNumber, Jump(BPF_JMP | BPF_JEQ, 1, 0, 1), Return(SECCOMP_RET_ALLOW),
               Jump(BPF_JMP | BPF_JEQ, 2, 0, 3),
               Statement(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args)),
               Jump(BPF_JMP | BPF_JEQ, 0, 0, 1), Return(SECCOMP_RET_ALLOW), Return(0)}),
      false);
  EXPECT_TRUE(filter->AlwaysAllows(1));
  EXPECT_FALSE(filter->AlwaysAllows(2));
  EXPECT_FALSE(filter->AlwaysAllows(3));
  EXPECT_FALSE(filter->AlwaysAllows(0xffffffff));
  EXPECT_FALSE(Add(filter, SECCOMP_RET_ERRNO)->AlwaysAllows(1));
  EXPECT_TRUE(Add(filter, SECCOMP_RET_ALLOW)->AlwaysAllows(1));
}

TEST(Filter, KnowsItsAncestors) {
  auto first = Add(nullptr, 0);
  auto second = Add(first, 0), other = Add(first, 0);
  EXPECT_TRUE(second->Descends(first.get()));
  EXPECT_TRUE(second->Descends(nullptr));
  EXPECT_FALSE(second->Descends(other.get()));
  EXPECT_EQ(second->depth(), 2u);
}

TEST(Filter, AllTogetherAreBounded) {
  auto program = *BpfProgram::Create(Code(kMaxInstructions, Return(SECCOMP_RET_ALLOW)));
  RefPtr<const Filter> filter;
  int count = 0;
  while (true) {
    auto next = Filter::Append(filter, program, false);
    if (!next.ok()) {
      EXPECT_TRUE(next.Is(ENOMEM));
      break;
    }
    filter = *next;
    ++count;
  }
  EXPECT_EQ(count, 7);  // 8 * 4096 is the bound, and each but the first costs four more.
}

}  // namespace
}  // namespace redoubt::seccomp
