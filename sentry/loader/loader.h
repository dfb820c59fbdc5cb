// SPDX-License-Identifier: Apache-2.0
//
// Loader: from an executable file to a program ready to run in a pristine address space.
//
// Two steps, as execve(2) needs: Prepare reads and validates every header without touching any
// address space and may fail with an errno; Load maps into the new one, and its failure kills.
#ifndef SENTRY_LOADER_LOADER_H_
#define SENTRY_LOADER_LOADER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "platform/platform.h"
#include "sentry/loader/elf.h"
#include "sentry/mm/memory_map.h"
#include "sentry/vfs/file_description.h"

namespace redoubt::loader {

// Opens an interpreter (ELF PT_INTERP or `#!`) for execution, by path as the caller sees it.
using FileOpener = std::function<Result<RefPtr<vfs::FileDescription>>(const std::string& path)>;

struct Program {
  RefPtr<vfs::FileDescription> file;  // The ELF file that will run (a script's interpreter).
  ElfImage image;
  RefPtr<vfs::FileDescription> interpreter_file;  // Null for a static program.
  ElfImage interpreter_image;
  std::string executable_name;  // AT_EXECFN: as the caller gave it.
  std::vector<std::string> arguments;
};

// Follows `#!` lines (at most 5 deep, ELOOP; ENOEXEC, E2BIG, ENOENT, EACCES, ELIBBAD as Linux).
Result<Program> Prepare(RefPtr<vfs::FileDescription> file, std::string name,
                        std::vector<std::string> arguments, const FileOpener& open);

struct LoadRequest {
  const std::vector<std::string>* environment = nullptr;
  uint32_t uid = 0, euid = 0, gid = 0, egid = 0;
  bool secure = false;       // AT_SECURE.
  uint64_t stack_limit = 0;  // RLIMIT_STACK, bytes.
  std::function<uint64_t()> random;
};
// Bytes of strings that execve(2) accepts: E2BIG beyond (MAX_ARG_STRLEN, RLIMIT_STACK / 4).
Result<void> CheckArgumentSize(const std::vector<std::string>& arguments,
                               const std::vector<std::string>& environment, uint64_t stack_limit);

// Maps `program` into `memory` through `context` and sets the context's registers.
Result<void> Load(platform::Context& context, mm::MemoryMap& memory, const Program& program,
                  const LoadRequest& request);

}  // namespace redoubt::loader

#endif  // SENTRY_LOADER_LOADER_H_
