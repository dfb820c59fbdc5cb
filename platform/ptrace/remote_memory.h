// SPDX-License-Identifier: Apache-2.0
//
// Copies to and from another process's memory, with counts that are exact to the page.
#ifndef PLATFORM_PTRACE_REMOTE_MEMORY_H_
#define PLATFORM_PTRACE_REMOTE_MEMORY_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.h"

namespace redoubt::platform::ptrace {

// The bytes copied, up to the first page that cannot be; EFAULT when that is none of some. ESRCH
// when thread `tid` has no memory any more.
Result<size_t> ReadMemory(int tid, uint64_t address, std::span<std::byte> buffer);
Result<size_t> WriteMemory(int tid, uint64_t address, std::span<const std::byte> buffer);

}  // namespace redoubt::platform::ptrace

#endif  // PLATFORM_PTRACE_REMOTE_MEMORY_H_
