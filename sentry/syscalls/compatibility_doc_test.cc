// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/compatibility_doc.h"

#include <fstream>
#include <sstream>

#include "gtest/gtest.h"
#include "sentry/syscalls/table_amd64.h"

namespace redoubt::syscalls {
namespace {

TEST(CompatibilityDoc, CommittedPageIsCurrent) {
  std::ifstream file("docs/compatibility.md");
  ASSERT_TRUE(file.is_open());
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_EQ(text.str(), CompatibilityDoc(Amd64Table()))
      << "Run: bazel run //sentry/syscalls:compatibility_doc_main > docs/compatibility.md";
}

TEST(Table, EveryNumberOfTheHeaderIsThere) {
  // 0 to 334 without a gap, then from 424 on.
  std::span<const SyscallEntry> table = Amd64Table();
  for (size_t i = 0; i <= 334; ++i) EXPECT_EQ(table[i].number, i);
  EXPECT_EQ(table[335].number, 424);
  EXPECT_EQ(table.back().number, 462);
  EXPECT_EQ(table.size(), 335U + 39U);
}

TEST(Table, PartialAndMissingCallsSayWhy) {
  for (const SyscallEntry& entry : Amd64Table()) {
    if (entry.support == Support::kFull) continue;
    EXPECT_STRNE(entry.note, "") << entry.name;
  }
}

}  // namespace
}  // namespace redoubt::syscalls
