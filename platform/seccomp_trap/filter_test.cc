// SPDX-License-Identifier: Apache-2.0
//
// The filter as a program, run by an interpreter: what it lets pass, by arguments at every border.
#include "platform/seccomp_trap/filter.h"

#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <cstring>
#include <random>

#include "platform/seccomp_trap/layout.h"

namespace redoubt::platform::seccomp_trap {
namespace {

constexpr uint64_t kGate = 0x20123, kElsewhere = 0x12345678;
constexpr uint64_t kPage = kPageSize;
constexpr uint64_t kSomewhere = 0x7f0012345000;
constexpr uint64_t kAnonymous = MAP_PRIVATE | MAP_ANONYMOUS;
using Arguments = std::array<uint64_t, 6>;

bool Taken(const sock_filter& jump, uint32_t accumulator) {
  switch (BPF_OP(jump.code)) {
    case BPF_JEQ:
      return accumulator == jump.k;
    case BPF_JGT:
      return accumulator > jump.k;
    case BPF_JGE:
      return accumulator >= jump.k;
    default:
      EXPECT_EQ(BPF_OP(jump.code), BPF_JSET);
      return (accumulator & jump.k) != 0;
  }
}

uint32_t Judge(const std::vector<sock_filter>& code, const seccomp_data& data) {
  uint32_t accumulator = 0;
  for (size_t i = 0; i < code.size(); ++i) {
    const sock_filter& op = code[i];
    switch (BPF_CLASS(op.code)) {
      case BPF_LD:
        std::memcpy(&accumulator, reinterpret_cast<const char*>(&data) + op.k, sizeof(accumulator));
        break;
      case BPF_ALU:
        EXPECT_EQ(BPF_OP(op.code), BPF_AND);
        accumulator &= op.k;
        break;
      case BPF_RET:
        return op.k;
      default:
        if (BPF_OP(op.code) == BPF_JA) {
          i += op.k;
        } else {
          i += Taken(op, accumulator) ? op.jt : op.jf;
        }
    }
  }
  ADD_FAILURE() << "ran off the end";
  return 0;
}

class Filter : public testing::Test {
 protected:
  uint32_t Ask(long number, const Arguments& a, uint64_t instruction = kElsewhere,
               uint32_t arch = AUDIT_ARCH_X86_64) const {
    seccomp_data data{.nr = static_cast<int>(number),
                      .arch = arch,
                      .instruction_pointer = instruction,
                      .args = {a[0], a[1], a[2], a[3], a[4], a[5]}};
    return Judge(code_, data);
  }
  bool Allows(long number, const Arguments& a, uint64_t instruction = kElsewhere) const {
    uint32_t action = Ask(number, a, instruction);
    EXPECT_TRUE(action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_TRAP ||
                (instruction == kGate && action == SECCOMP_RET_USER_NOTIF));
    return action == SECCOMP_RET_ALLOW;
  }
  bool AllowsMap(uint64_t address, uint64_t length, uint64_t protection, uint64_t flags) const {
    return Allows(SYS_mmap, {address, length, protection, flags, ~uint64_t{0}, 0});
  }

  const ShimInfo shim_{.gate = kGate, .guest_call = 0, .guest_call_end = 0, .start_stack = 0};
  const std::vector<sock_filter> code_ = BuildFilter(shim_, /*native_memory_calls=*/true);
};

TEST_F(Filter, OrdinaryMemoryCallsAreNative) {
  EXPECT_TRUE(AllowsMap(0, 65536, PROT_READ | PROT_WRITE, kAnonymous));
  EXPECT_TRUE(AllowsMap(0, 8 << 20, PROT_NONE, kAnonymous | MAP_NORESERVE | MAP_STACK));
  EXPECT_TRUE(AllowsMap(kSomewhere, kPage, PROT_READ, kAnonymous | MAP_FIXED));
  EXPECT_TRUE(AllowsMap(kGuestStart, kPage, PROT_READ, kAnonymous | MAP_FIXED_NOREPLACE));
  EXPECT_TRUE(AllowsMap(0xc000000000, 64 << 20, PROT_READ, kAnonymous));  // Go's heap.
  EXPECT_TRUE(Allows(SYS_munmap, {kSomewhere, 65536}));
  EXPECT_TRUE(Allows(SYS_munmap, {0x10000000, 65536}));
  EXPECT_TRUE(Allows(SYS_mprotect, {kSomewhere, kPage, PROT_READ | PROT_EXEC}));
  for (uint64_t advice : {MADV_DONTNEED, MADV_FREE, MADV_HUGEPAGE, MADV_NOHUGEPAGE}) {
    EXPECT_TRUE(Allows(SYS_madvise, {kSomewhere, kPage, advice})) << advice;
  }
}

TEST_F(Filter, WhatIsNotPlainlyPrivateMemoryTraps) {
  EXPECT_FALSE(AllowsMap(0, kPage, PROT_READ, MAP_PRIVATE));  // A file.
  EXPECT_FALSE(AllowsMap(0, kPage, PROT_READ, MAP_SHARED | MAP_ANONYMOUS));
  EXPECT_FALSE(AllowsMap(0, kPage, PROT_READ, MAP_SHARED_VALIDATE | MAP_ANONYMOUS));
  EXPECT_FALSE(AllowsMap(0, kPage, PROT_READ, MAP_ANONYMOUS));
  EXPECT_FALSE(AllowsMap(0, kPage, PROT_READ, kAnonymous | MAP_FIXED));
  EXPECT_FALSE(AllowsMap(0, kPage, PROT_READ, kAnonymous | MAP_FIXED_NOREPLACE));
  for (int bit = 0; bit < 64; ++bit) {
    uint64_t flag = uint64_t{1} << bit;
    constexpr uint64_t kFine = kAnonymous | MAP_NORESERVE | MAP_STACK | MAP_NONBLOCK | MAP_32BIT;
    EXPECT_EQ(AllowsMap(0, kPage, PROT_READ, kAnonymous | flag), (kFine & flag) != 0) << bit;
    EXPECT_EQ(AllowsMap(0, kPage, flag, kAnonymous), flag <= PROT_EXEC) << bit;
    EXPECT_EQ(Allows(SYS_mprotect, {kSomewhere, kPage, flag}), flag <= PROT_EXEC) << bit;
  }
  for (uint64_t advice = 0; advice < 200; ++advice) {
    EXPECT_EQ(Allows(SYS_madvise, {kSomewhere, kPage, advice}),
              advice == MADV_DONTNEED || advice == MADV_FREE || advice == MADV_HUGEPAGE ||
                  advice == MADV_NOHUGEPAGE);
  }
  EXPECT_FALSE(AllowsMap(0, uint64_t{1} << 32, PROT_READ, kAnonymous));
  EXPECT_FALSE(Allows(SYS_munmap, {kSomewhere, uint64_t{1} << 32}));
}

TEST_F(Filter, RemapsPassFromTheGateOnly) {
  Arguments grow = {kSomewhere, kPage, 2 * kPage, MREMAP_MAYMOVE, 0, 0};
  EXPECT_FALSE(Allows(SYS_mremap, grow));
  EXPECT_TRUE(Allows(SYS_mremap, grow, kGate));
  for (uint64_t flags : {uint64_t{MREMAP_FIXED | MREMAP_MAYMOVE}, uint64_t{MREMAP_DONTUNMAP | 1},
                         uint64_t{1} << 32}) {
    EXPECT_EQ(Ask(SYS_mremap, {kSomewhere, kPage, kPage, flags, kSlots, 0}, kGate),
              SECCOMP_RET_USER_NOTIF);
  }
  EXPECT_FALSE(Allows(SYS_mremap, {kSlots - kPage, kPage, 2 * kPage, 0, 0, 0}, kGate));
}

TEST_F(Filter, OtherArchitecturesAlwaysTrap) {
  for (uint64_t gate : {kElsewhere, kGate}) {
    EXPECT_EQ(Ask(SYS_munmap, {kSomewhere, kPage}, gate, AUDIT_ARCH_I386), SECCOMP_RET_TRAP);
    EXPECT_EQ(Ask(SYS_munmap | 0x40000000, {kSomewhere, kPage}, gate), SECCOMP_RET_TRAP);
  }
}

TEST_F(Filter, NothingIsNativeWhenTheSentryWantsToSeeIt) {
  const auto code = BuildFilter(shim_, /*native_memory_calls=*/false);
  for (long number : {SYS_mmap, SYS_munmap, SYS_mprotect, SYS_madvise, SYS_mremap}) {
    for (uint64_t gate : {kElsewhere, kGate}) {
      seccomp_data data{.nr = static_cast<int>(number),
                        .arch = AUDIT_ARCH_X86_64,
                        .instruction_pointer = gate,
                        .args = {0, kPage, PROT_READ, kAnonymous, 0, 0}};
      EXPECT_EQ(Judge(code, data), gate == kGate ? SECCOMP_RET_USER_NOTIF : SECCOMP_RET_TRAP);
      data.args[0] = kSomewhere;
      EXPECT_NE(Judge(code, data), SECCOMP_RET_ALLOW);
    }
  }
}

// Which addresses the host would change, rounded to pages; false when it would refuse.
bool Reach(uint64_t address, uint64_t length, uint64_t* end) {
  uint64_t size = (length + kPage - 1) & ~(kPage - 1);
  *end = (address & ~(kPage - 1)) + size;
  return size >= length && *end >= address && *end <= uint64_t{1} << 48;
}

// Every combination of lengths with addresses around each border, and many by chance.
TEST_F(Filter, NoNativeCallReachesTheShim) {
  std::vector<uint64_t> addresses, lengths;
  for (uint64_t border : {uint64_t{0}, kShimStart, kShimEnd, kSlots, kStacks, kHighEnd, kGuestEnd,
                          uint64_t{1} << 32, uint64_t{1} << 63, kSlots - (uint64_t{1} << 32)}) {
    for (uint64_t distance : {uint64_t{0}, uint64_t{1}, kPage, kPage + 1, uint64_t{1} << 31,
                              (uint64_t{1} << 32) - kPage, uint64_t{1} << 32, uint64_t{1} << 33}) {
      addresses.push_back(border + distance);
      addresses.push_back(border - distance);
      lengths.push_back(border + distance);
      lengths.push_back(border - distance);
    }
  }
  std::mt19937_64 random(7);
  for (int i = 0; i < 500; ++i) {
    addresses.push_back(random() >> random() % 64);
    lengths.push_back(random() >> random() % 64);
  }
  size_t allowed = 0;
  for (uint64_t address : addresses) {
    for (uint64_t length : lengths) {
      for (auto [number, third, fourth] : {std::tuple<long, uint64_t, uint64_t>{SYS_munmap, 0, 0},
                                           {SYS_mprotect, 7, 0},
                                           {SYS_madvise, MADV_DONTNEED, 0},
                                           {SYS_mmap, 3, kAnonymous | MAP_FIXED},
                                           {SYS_mmap, 3, kAnonymous},
                                           {SYS_mremap, length, MREMAP_MAYMOVE}}) {
        if (!Allows(number, {address, length, third, fourth}, kGate)) continue;
        ++allowed;
        uint64_t end;
        bool anywhere = number == SYS_mmap && address == 0;
        if (anywhere || !Reach(address, length, &end)) continue;
        EXPECT_GE(address, kShimEnd) << number;
        EXPECT_TRUE(end <= kSlots || address >= kHighEnd)
            << number << std::hex << " " << address << " " << length;
      }
    }
  }
  EXPECT_GT(allowed, 10'000u);
}

}  // namespace
}  // namespace redoubt::platform::seccomp_trap
