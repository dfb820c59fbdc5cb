// SPDX-License-Identifier: Apache-2.0
#include "sentry/loader/elf.h"

#include <elf.h>
#include <limits.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstring>

#include "sentry/loader/read_file.h"

namespace redoubt::loader {

namespace {

Result<void> CheckHeader(const Elf64_Ehdr& header) {
  if (memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) return Errno(ENOEXEC);
  // binfmt_elf looks at the machine and the type, not at the class byte.
  if (header.e_machine != EM_X86_64) return Errno(ENOEXEC);
  if (header.e_type != ET_EXEC && header.e_type != ET_DYN) return Errno(ENOEXEC);
  if (header.e_phentsize != sizeof(Elf64_Phdr)) return Errno(ENOEXEC);
  constexpr size_t kMaxHeaderBytes = 65536;
  size_t bytes = size_t{header.e_phnum} * sizeof(Elf64_Phdr);
  if (bytes == 0 || bytes > kMaxHeaderBytes) return Errno(ENOEXEC);
  return {};
}

int ProtectionOf(uint32_t flags) {
  return ((flags & PF_R) != 0 ? PROT_READ : 0) | ((flags & PF_W) != 0 ? PROT_WRITE : 0) |
         ((flags & PF_X) != 0 ? PROT_EXEC : 0);
}

Result<std::string> ReadInterpreter(vfs::FileDescription& file, const Elf64_Phdr& header) {
  if (header.p_filesz < 2 || header.p_filesz > PATH_MAX) return Errno(ENOEXEC);
  std::string name(header.p_filesz, '\0');
  TRY(ReadExactly(file, header.p_offset, std::as_writable_bytes(std::span(name)), EIO));
  if (name.back() != '\0') return Errno(ENOEXEC);
  return std::string(name.c_str());
}

void AddSegment(const Elf64_Ehdr& file_header, const Elf64_Phdr& header, ElfImage& image) {
  ElfSegment segment;
  segment.address = header.p_vaddr;
  segment.file_offset = header.p_offset;
  segment.file_size = header.p_filesz;
  segment.memory_size = header.p_memsz;
  segment.protection = ProtectionOf(header.p_flags);
  image.segments.push_back(segment);
  bool power_of_two = (header.p_align & (header.p_align - 1)) == 0;
  if (power_of_two) image.alignment = std::max<uint64_t>(image.alignment, header.p_align);
  // The segment that holds the program headers tells where they will be in memory.
  uint64_t table = file_header.e_phoff;
  if (header.p_offset <= table && table - header.p_offset < header.p_filesz) {
    image.header_address = table - header.p_offset + header.p_vaddr;
  }
}

}  // namespace

uint64_t ElfImage::lowest() const {
  uint64_t lowest = ~uint64_t{0};
  for (const ElfSegment& segment : segments) lowest = std::min(lowest, segment.address);
  return lowest & ~uint64_t{4095};
}

uint64_t ElfImage::highest() const {
  uint64_t highest = 0;
  for (const ElfSegment& segment : segments) {
    highest = std::max(highest, segment.address + segment.memory_size);
  }
  return highest;
}

Result<ElfImage> ReadElf(vfs::FileDescription& file) {
  Elf64_Ehdr header;
  TRY(ReadExactly(file, 0, std::as_writable_bytes(std::span(&header, 1)), ENOEXEC));
  TRY(CheckHeader(header));
  std::vector<Elf64_Phdr> program_headers(header.e_phnum);
  TRY(ReadExactly(file, header.e_phoff, std::as_writable_bytes(std::span(program_headers)),
                  ENOEXEC));
  ElfImage image;
  image.position_independent = header.e_type == ET_DYN;
  image.entry = header.e_entry;
  image.header_count = header.e_phnum;
  for (const Elf64_Phdr& program_header : program_headers) {
    switch (program_header.p_type) {
      case PT_LOAD:
        AddSegment(header, program_header, image);
        break;
      case PT_INTERP:
        if (image.interpreter.empty())
          image.interpreter = TRY(ReadInterpreter(file, program_header));
        break;
      case PT_GNU_STACK:
        image.executable_stack = (program_header.p_flags & PF_X) != 0;
        break;
      default:
        break;
    }
  }
  return image;
}

}  // namespace redoubt::loader
