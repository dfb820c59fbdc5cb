// SPDX-License-Identifier: Apache-2.0
#include "platform/ptrace/initial_image.h"

#include <elf.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cstring>

#include "platform/ptrace/remote_memory.h"
#include "platform/ptrace/stub_image.h"

namespace redoubt::platform::ptrace {
namespace {

constexpr uint64_t kPageSize = 4096;
// More than an exec makes of a stack for one short argument.
constexpr uint64_t kStackReach = uint64_t{8} << 20;
constexpr int kMaxVvarPages = 64;

uint64_t PageUp(uint64_t address) { return (address + kPageSize - 1) & ~(kPageSize - 1); }

template <typename T>
Result<T> Read(int tid, uint64_t address) {
  T value;
  size_t size = TRY(ReadMemory(tid, address, std::as_writable_bytes(std::span(&value, 1))));
  if (size != sizeof(value)) return Errno(EFAULT);
  return value;
}

struct AuxiliaryVector {
  uint64_t vdso = 0;
  uint64_t file_name = 0;  // The last thing on the stack, but for one word.
};

// argc, argv..., 0, envp..., 0, then pairs.
Result<AuxiliaryVector> ReadAuxiliaryVector(int tid, uint64_t stack) {
  uint64_t address = stack + sizeof(uint64_t);
  for (int zeros = 0; zeros < 2; address += sizeof(uint64_t)) {
    if (TRY(Read<uint64_t>(tid, address)) == 0) ++zeros;
  }
  AuxiliaryVector vector;
  while (true) {
    Elf64_auxv_t entry = TRY(Read<Elf64_auxv_t>(tid, address));
    if (entry.a_type == AT_NULL) return vector;
    if (entry.a_type == AT_SYSINFO_EHDR) vector.vdso = entry.a_un.a_val;
    if (entry.a_type == AT_EXECFN) vector.file_name = entry.a_un.a_val;
    address += sizeof(entry);
  }
}

Result<uint64_t> VdsoEnd(int tid, uint64_t vdso) {
  auto header = TRY(Read<Elf64_Ehdr>(tid, vdso));
  uint64_t end = vdso + kPageSize;
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    auto segment = TRY(Read<Elf64_Phdr>(tid, vdso + header.e_phoff + i * sizeof(Elf64_Phdr)));
    if (segment.p_type == PT_LOAD) end = std::max(end, PageUp(vdso + segment.p_memsz));
  }
  return end;
}

}  // namespace

std::vector<AddressRange> InitialImage::ToUnmap(const AddressRange& stub) const {
  std::vector<AddressRange> ranges{{.start = 0, .end = stub.start}};
  if (with_vvar.end == 0) {
    ranges.push_back({.start = stub.end, .end = kUserEnd});
  } else {
    ranges.push_back({.start = stub.end, .end = with_vvar.start});
    ranges.push_back({.start = with_vvar.end, .end = kUserEnd});
  }
  return ranges;
}

Result<InitialImage> InspectInitialImage(
    Tracee& tracee, const std::function<SyscallResult(const HostCallRequest&)>& call) {
  Registers registers{};
  TRY(GetRegisters(tracee.tid(), registers));
  auto auxiliary = TRY(ReadAuxiliaryVector(tracee.tid(), registers.rsp));
  InitialImage image;
  if (auxiliary.vdso == 0) return image;
  uint64_t vdso_end = TRY(VdsoEnd(tracee.tid(), auxiliary.vdso));
  image.vdso = {.start = auxiliary.vdso, .end = vdso_end};
  image.with_vvar = image.vdso;
  // The stack goes first: below the vDSO it could pass for the vDSO's data. Host exec leaves a
  // gap of far more than kStackReach below the stack, so nothing else goes with it.
  uint64_t stack_end = PageUp(auxiliary.file_name);
  TRY(call({.number = SYS_munmap, .arguments = {stack_end - kStackReach, kStackReach}}));
  // The data pages lie just below, as many as this host's kernel has: mincore says what is mapped.
  for (int i = 0; i < kMaxVvarPages; ++i) {
    uint64_t page = image.with_vvar.start - kPageSize;
    auto mapped =
        call({.number = SYS_mincore, .arguments = {page, kPageSize, TheStubImage().scratch}});
    if (mapped.Is(ENOMEM)) break;
    TRY(std::move(mapped));
    image.with_vvar.start = page;
  }
  return image;
}

}  // namespace redoubt::platform::ptrace
