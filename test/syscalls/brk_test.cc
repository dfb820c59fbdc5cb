// SPDX-License-Identifier: Apache-2.0

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "test/util/fork.h"
#include "test/util/syscall_matchers.h"

namespace redoubt::test {
namespace {

// The raw call: it returns the break, moved or not.
uintptr_t Break(uintptr_t to) { return static_cast<uintptr_t>(syscall(SYS_brk, to)); }

// All in children: moving the break under malloc would not end well.
TEST(Brk, GrowsByZeroedMemoryAndShrinks) {
  EXPECT_THAT(InForkedProcess([] {
                const uintptr_t start = Break(0);
                const uintptr_t aligned = (start + 4095) & ~uintptr_t{4095};
                CHILD_CHECK(Break(aligned + 8192) == aligned + 8192);
                char* memory = reinterpret_cast<char*>(aligned);
                for (int i = 0; i < 8192; i++) CHILD_CHECK(memory[i] == 0);
                memory[4096] = 1;
                CHILD_CHECK(Break(aligned + 4096) == aligned + 4096);
                CHILD_CHECK(Break(0) == aligned + 4096);
                CHILD_CHECK(Break(aligned + 8192) == aligned + 8192);
                CHILD_CHECK(memory[4096] == 0);  // What was given back is not seen again.
              }),
              ExitedWith(0));
}

TEST(Brk, MemoryGivenBackFaults) {
  EXPECT_THAT(InForkedProcess([] {
                const uintptr_t start = (Break(0) + 4095) & ~uintptr_t{4095};
                Break(start + 4096);
                Break(start);
                *reinterpret_cast<volatile char*>(start) = 1;
              }),
              KilledBy(SIGSEGV));
}

TEST(Brk, BelowItsStartOrTooFarChangesNothing) {
  EXPECT_THAT(InForkedProcess([] {
                const uintptr_t start = Break(0);
                CHILD_CHECK(Break(4096) == start);
                CHILD_CHECK(Break(uintptr_t{1} << 62) == start);
                CHILD_CHECK(Break(0) == start);
              }),
              ExitedWith(0));
}

TEST(Brk, StopsAtAMappingInItsWay) {
  EXPECT_THAT(InForkedProcess([] {
                const uintptr_t start = Break(0);
                const uintptr_t wall = ((start + 4095) & ~uintptr_t{4095}) + (1 << 20);
                CHILD_CHECK(mmap(reinterpret_cast<void*>(wall), 4096, PROT_READ,
                                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
                                 0) == reinterpret_cast<void*>(wall));
                CHILD_CHECK(Break(wall + 8192) == start);
                CHILD_CHECK(Break(wall - 4096) == wall - 4096);
              }),
              ExitedWith(0));
}

TEST(Brk, DataLimitIsKept) {
  EXPECT_THAT(InForkedProcess([] {
                const rlimit limit = {.rlim_cur = 4 << 20, .rlim_max = 4 << 20};
                CHILD_CHECK(setrlimit(RLIMIT_DATA, &limit) == 0);
                const uintptr_t start = Break(0);
                CHILD_CHECK(Break(start + (64 << 20)) == start);
              }),
              ExitedWith(0));
}

TEST(Brk, ChildHasItsOwn) {
  const uintptr_t before = Break(0);
  EXPECT_THAT(InForkedProcess([before] { CHILD_CHECK(Break(before + 65536) == before + 65536); }),
              ExitedWith(0));
  EXPECT_EQ(Break(0), before);
}

}  // namespace
}  // namespace redoubt::test
