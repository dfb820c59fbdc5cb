// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/proc/process_memory.h"

#include <sys/sysmacros.h>

#include <algorithm>
#include <span>

#include "absl/strings/str_format.h"
#include "sentry/fs/proc/process_smaps.h"

namespace redoubt::proc {

namespace {

// The guest says where its arguments lie (PR_SET_MM): bounded, whatever it says. Linux lets
// arguments and environment have a quarter of the stack limit.
constexpr uint64_t kMaxArgumentBytes = 2 << 20;

// As much of [start, end) as can be read.
std::string ReadGuest(const mm::MemoryMap& memory, uint64_t start, uint64_t end) {
  if (end <= start) return "";
  std::string text(std::min(end - start, kMaxArgumentBytes), '\0');
  Result<size_t> got =
      memory.space()->CopyIn(start, std::as_writable_bytes(std::span(text.data(), text.size())));
  text.resize(got.value_or(0));
  return text;
}

// "name" as maps shows it: a newline would begin another entry.
std::string EscapeName(const std::string& name) {
  std::string text;
  for (char c : name) {
    if (c == '\n') {
      text += "\\012";
    } else {
      text += c;
    }
  }
  return text;
}

}  // namespace

// A program that writes a title of its own over its arguments (setproctitle(3)) may run on into the
// environment: it is taken for one when the last byte of the arguments is no NUL any more, and
// then ends at its first NUL.
Result<std::string> Cmdline(const Subject& subject) {
  RefPtr<mm::MemoryMap> memory = subject.task->memory();
  if (!memory) return std::string();
  mm::ImageLayout layout = memory->layout();
  std::string text = ReadGuest(*memory, layout.argument_start, layout.argument_end);
  bool whole = text.size() == layout.argument_end - layout.argument_start;
  if (text.empty() || !whole || text.back() == '\0') return text;
  if (layout.environment_start == layout.argument_end) {
    text += ReadGuest(*memory, layout.environment_start, layout.environment_end);
  }
  size_t end = text.find('\0');
  if (end != std::string::npos) text.resize(end + 1);
  return text;
}

Result<std::string> Environ(const Subject& subject) {
  RefPtr<mm::MemoryMap> memory = subject.task->memory();
  if (!memory) return std::string();
  mm::ImageLayout layout = memory->layout();
  return ReadGuest(*memory, layout.environment_start, layout.environment_end);
}

Result<std::string> Auxv(const Subject& subject) {
  RefPtr<mm::MemoryMap> memory = subject.task->memory();
  if (!memory) return std::string();
  mm::ImageLayout layout = memory->layout();
  const auto& words = layout.auxiliary_vector;
  return std::string(reinterpret_cast<const char*>(words.data()), words.size() * sizeof(words[0]));
}

std::string MappingLine(const mm::Mapping& mapping) {
  std::string text = absl::StrFormat("%08x-%08x %s %08x %02x:%02x %d ", mapping.start, mapping.end,
                                     mapping.permissions, mapping.offset, major(mapping.device),
                                     minor(mapping.device), mapping.inode_number);
  if (mapping.name.empty()) return text;
  // Names stand in a column of their own.
  constexpr size_t kNameColumn = 73;
  if (text.size() < kNameColumn) text.resize(kNameColumn, ' ');
  return text + EscapeName(mapping.name);
}

Result<std::string> Maps(const Subject& subject) {
  RefPtr<mm::MemoryMap> memory = subject.task->memory();
  if (!memory) return std::string();
  std::vector<mm::Mapping> mappings = TRY(memory->Mappings(subject.View()));
  std::string text;
  for (const mm::Mapping& mapping : mappings) text += MappingLine(mapping) + '\n';
  return text;
}

}  // namespace redoubt::proc
