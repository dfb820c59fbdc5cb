// SPDX-License-Identifier: Apache-2.0
//
// ELF64 headers (elf(5)), read and validated once from hostile bytes.
#ifndef SENTRY_LOADER_ELF_H_
#define SENTRY_LOADER_ELF_H_

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "sentry/vfs/file_description.h"

namespace redoubt::loader {

struct ElfSegment {
  uint64_t address = 0;  // p_vaddr, as in the file.
  uint64_t file_offset = 0;
  uint64_t file_size = 0;
  uint64_t memory_size = 0;
  int protection = 0;  // PROT_*.
};

struct ElfImage {
  bool position_independent = false;  // ET_DYN.
  uint64_t entry = 0;
  uint64_t header_address = 0;  // AT_PHDR, before relocation; 0 when no segment holds it.
  uint16_t header_count = 0;
  bool executable_stack = false;
  uint64_t alignment = 4096;  // The largest p_align of its segments.
  std::string interpreter;    // PT_INTERP, empty for none.
  std::vector<ElfSegment> segments;

  // The pages that all segments take: [lowest, highest). Segments may come in any order.
  uint64_t lowest() const;
  uint64_t highest() const;
};

// ENOEXEC for what is not a 64-bit x86 ELF that Linux would take; EINVAL/EIO as binfmt_elf.
Result<ElfImage> ReadElf(vfs::FileDescription& file);

}  // namespace redoubt::loader

#endif  // SENTRY_LOADER_ELF_H_
