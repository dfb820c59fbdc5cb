// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/compatibility_doc.h"

#include <algorithm>

namespace redoubt::syscalls {

namespace {

constexpr char kIntroduction[] =
    "# Linux system calls\n"
    "\n"
    "This page is generated from the system-call table (`sentry/syscalls/table_amd64.cc`); do not\n"
    "edit it. *Full*: all that Linux documents works, or fails as it may fail there. *Partial*: "
    "works,\n"
    "except for what the note says. *Missing*: always fails; the note says as which kernel would.\n"
    "\n";

const char* SupportName(Support support) {
  switch (support) {
    case Support::kFull:
      return "Full";
    case Support::kPartial:
      return "Partial";
    case Support::kMissing:
      return "Missing";
  }
  UNREACHABLE();
}

std::string Summary(std::span<const SyscallEntry> table) {
  auto count = [&](Support support) {
    return std::to_string(std::count_if(table.begin(), table.end(), [&](const SyscallEntry& entry) {
      return entry.support == support;
    }));
  };
  return count(Support::kFull) + " full, " + count(Support::kPartial) + " partial, " +
         count(Support::kMissing) + " missing.\n\n";
}

}  // namespace

std::string CompatibilityDoc(std::span<const SyscallEntry> table) {
  std::string text = kIntroduction + Summary(table);
  text += "| number | call | support | note |\n|---|---|---|---|\n";
  for (const SyscallEntry& entry : table) {
    text += "| " + std::to_string(entry.number) + " | " + entry.name + " | " +
            SupportName(entry.support) + " | " + entry.note + " |\n";
  }
  return text;
}

}  // namespace redoubt::syscalls
