// SPDX-License-Identifier: Apache-2.0
//
// The second half of loading: into a pristine address space.
#include <elf.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <algorithm>

#include "platform/arch/xstate.h"
#include "sentry/loader/initial_stack.h"
#include "sentry/loader/loader.h"
#include "sentry/loader/map_image.h"
#include "sentry/mm/host_limit.h"

namespace redoubt::loader {

namespace {

using mm::PageDown;
using mm::PageUp;

constexpr uint64_t kRandomPages = 1 << 22;       // 16 GiB of stack randomization, as Linux.
constexpr uint64_t kStartStack = 128 * 1024;     // Mapped below the arguments; the host grows it.
constexpr uint64_t kBreakRandomPages = 1 << 13;  // 32 MiB.

// Two thirds of the address space (ELF_ET_DYN_BASE), with 28 bits of pages of randomness.
uint64_t ProgramBase(const mm::MemoryMap& memory, const ElfImage& image, uint64_t random) {
  uint64_t base = memory.policy().guest_range.end / 3 * 2;
  base += (random & ((uint64_t{1} << 28) - 1)) * mm::kPageSize;
  return base & ~(std::max(image.alignment, mm::kPageSize) - 1);
}

std::vector<std::pair<uint64_t, uint64_t>> AuxiliaryVector(const mm::MemoryMap& memory,
                                                           const Program& program,
                                                           const LoadRequest& request,
                                                           uint64_t bias, uint64_t base) {
  const ElfImage& image = program.image;
  std::vector<std::pair<uint64_t, uint64_t>> vector;
  if (memory.policy().vdso_address != 0) {
    vector.emplace_back(AT_SYSINFO_EHDR, memory.policy().vdso_address);
  }
  constexpr uint64_t kMinimumSignalFrame = 1024;  // What a frame takes beside the FP state.
  vector.insert(vector.end(),
                {{AT_MINSIGSTKSZ, kMinimumSignalFrame + platform::arch::SignalXstateSize()},
                 {AT_HWCAP, getauxval(AT_HWCAP)},
                 {AT_PAGESZ, mm::kPageSize},
                 {AT_CLKTCK, 100},
                 {AT_PHDR, image.header_address == 0 ? 0 : image.header_address + bias},
                 {AT_PHENT, sizeof(Elf64_Phdr)},
                 {AT_PHNUM, image.header_count},
                 {AT_BASE, base},
                 {AT_FLAGS, 0},
                 {AT_ENTRY, image.entry + bias},
                 {AT_UID, request.uid},
                 {AT_EUID, request.euid},
                 {AT_GID, request.gid},
                 {AT_EGID, request.egid},
                 {AT_SECURE, request.secure ? 1 : 0},
                 {AT_HWCAP2, getauxval(AT_HWCAP2)}});
  return vector;
}

// Maps memory for the stack somewhere below the top of the address space; gives its end.
Result<uint64_t> MapStack(platform::Context& context, mm::MemoryMap& memory, uint64_t size,
                          int protection, const LoadRequest& request) {
  constexpr int kAttempts = 16;  // The vDSO may be in the way.
  Result<unsigned long> mapped = Errno(ENOMEM);
  for (int i = 0; i < kAttempts; ++i) {
    uint64_t top = memory.policy().guest_range.end - mm::kPageSize -
                   (request.random() % kRandomPages) * mm::kPageSize;
    mm::MapRequest stack;
    stack.address = top - size;
    stack.length = size;
    stack.protection = protection;
    stack.flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_STACK | MAP_FIXED_NOREPLACE;
    mapped = memory.Map(context, stack);
    if (mapped.ok()) return top;
  }
  return mapped.error();
}

void SetRegisters(platform::Context& context, uint64_t entry, uint64_t stack_pointer) {
  platform::Registers registers{};
  registers.rip = entry;
  registers.rsp = stack_pointer;
  registers.rflags = 0x202;  // Interrupts on, and the bit that is always set.
  registers.cs = platform::kUserCodeSegment;
  registers.ss = platform::kUserStackSegment;
  registers.orig_rax = ~uint64_t{0};
  context.registers() = registers;
}

mm::ImageLayout LayoutOf(const Program& program, const MappedImage& mapped,
                         const InitialStack& stack) {
  mm::ImageLayout layout;
  for (const ElfSegment& segment : program.image.segments) {
    uint64_t start = segment.address + mapped.bias;
    if ((segment.protection & PROT_EXEC) != 0 && layout.start_code == 0) {
      layout.start_code = start;
      layout.end_code = start + segment.file_size;
    } else if ((segment.protection & PROT_WRITE) != 0) {
      layout.start_data = start;
      layout.end_data = start + segment.file_size;
    }
  }
  layout.start_stack = stack.pointer;
  layout.argument_start = stack.argument_start, layout.argument_end = stack.argument_end;
  layout.environment_start = stack.environment_start;
  layout.environment_end = stack.environment_end;
  layout.auxiliary_vector = stack.auxiliary_vector;
  layout.entry = program.image.entry + mapped.bias;
  return layout;
}

}  // namespace

Result<void> Load(platform::Context& context, mm::MemoryMap& memory, const Program& program,
                  const LoadRequest& request) {
  // A static position-independent program is placed like a library: its base 0 is the
  // interpreter's.
  uint64_t base = ProgramBase(memory, program.image, request.random());
  MappedImage mapped = TRY(MapImage(context, memory, program.file, program.image, base));
  MappedImage interpreter;
  uint64_t entry = program.image.entry + mapped.bias;
  uint64_t interpreter_base = 0;
  if (program.interpreter_file) {
    interpreter =
        TRY(MapImage(context, memory, program.interpreter_file, program.interpreter_image, 0));
    entry = program.interpreter_image.entry + interpreter.bias;
    interpreter_base = program.interpreter_image.position_independent
                           ? interpreter.bias + program.interpreter_image.lowest()
                           : 0;
  }
  uint64_t break_gap = (request.random() % kBreakRandomPages) * mm::kPageSize;
  memory.InitializeBreak(PageUp(mapped.end) + break_gap);

  StackRequest stack_request;
  stack_request.arguments = &program.arguments;
  stack_request.environment = request.environment;
  stack_request.executable_name = program.executable_name;
  stack_request.random = {request.random(), request.random()};
  stack_request.auxiliary_vector =
      AuxiliaryVector(memory, program, request, mapped.bias, interpreter_base);
  // Laid out once at address 0 only to learn its size.
  stack_request.top = uint64_t{1} << 32;
  uint64_t bytes = PageUp(BuildInitialStack(stack_request).bytes.size());
  // The host grows the stack as the guest touches it, up to this limit.
  mm::PassLimitToHost(memory, RLIMIT_STACK, request.stack_limit);
  int protection = PROT_READ | PROT_WRITE | (program.image.executable_stack ? PROT_EXEC : 0);
  uint64_t size = bytes + kStartStack;
  stack_request.top = TRY(MapStack(context, memory, size, protection, request));
  InitialStack stack = BuildInitialStack(stack_request);
  size_t copied = TRY(context.CopyOut(stack.pointer, stack.bytes));
  if (copied != stack.bytes.size()) return Errno(EFAULT);

  mm::ImageLayout layout = LayoutOf(program, mapped, stack);
  layout.stack_high = stack_request.top;
  layout.stack_low = stack_request.top - size;
  memory.SetLayout(std::move(layout));
  SetRegisters(context, entry, stack.pointer);
  return {};
}

}  // namespace redoubt::loader
