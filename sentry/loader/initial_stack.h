// SPDX-License-Identifier: Apache-2.0
//
// The stack that a program starts with: argc, argv, envp, the auxiliary vector and their strings
// (System V ABI, process initialization; create_elf_tables() of fs/binfmt_elf.c).
#ifndef SENTRY_LOADER_INITIAL_STACK_H_
#define SENTRY_LOADER_INITIAL_STACK_H_

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace redoubt::loader {

struct StackRequest {
  uint64_t top = 0;  // Page aligned end of the stack's memory.
  const std::vector<std::string>* arguments = nullptr;
  const std::vector<std::string>* environment = nullptr;
  std::string executable_name;
  std::array<uint64_t, 2> random{};
  // Without AT_RANDOM, AT_EXECFN, AT_PLATFORM and AT_NULL, which depend on the layout.
  std::vector<std::pair<uint64_t, uint64_t>> auxiliary_vector;
};

struct InitialStack {
  uint64_t pointer = 0;          // %rsp: the address of `bytes`' first byte; 16-byte aligned.
  std::vector<std::byte> bytes;  // Up to `top`.
  uint64_t argument_start = 0, argument_end = 0;
  uint64_t environment_start = 0, environment_end = 0;
  std::vector<uint64_t> auxiliary_vector;  // As written, for /proc/PID/auxv.
};

InitialStack BuildInitialStack(const StackRequest& request);

}  // namespace redoubt::loader

#endif  // SENTRY_LOADER_INITIAL_STACK_H_
