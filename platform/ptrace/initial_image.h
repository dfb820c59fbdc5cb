// SPDX-License-Identifier: Apache-2.0
//
// What the host's exec put into a new stub's address space, found without /proc: from the auxiliary
// vector on its stack and by asking for pages.
#ifndef PLATFORM_PTRACE_INITIAL_IMAGE_H_
#define PLATFORM_PTRACE_INITIAL_IMAGE_H_

#include <functional>
#include <vector>

#include "base/result.h"
#include "platform/platform.h"
#include "platform/ptrace/tracee.h"

namespace redoubt::platform::ptrace {

// The end of user addresses on amd64 without five-level paging (TASK_SIZE_MAX).
inline constexpr uint64_t kUserEnd = 0x7ffffffff000;

struct InitialImage {
  AddressRange vdso;       // Empty: none.
  AddressRange with_vvar;  // The vDSO and its data pages.

  // Everything but `stub` and the vDSO.
  std::vector<AddressRange> ToUnmap(const AddressRange& stub) const;
};

// Looks at a stub that has just been started and is stopped at or near its entry point. `call`
// makes host calls in it. Unmaps its stack.
Result<InitialImage> InspectInitialImage(
    Tracee& tracee, const std::function<SyscallResult(const HostCallRequest&)>& call);

}  // namespace redoubt::platform::ptrace

#endif  // PLATFORM_PTRACE_INITIAL_IMAGE_H_
