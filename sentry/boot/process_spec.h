// SPDX-License-Identifier: Apache-2.0
//
// From a ProcessSpec, as the launcher sends it, to what the kernel starts.
#ifndef SENTRY_BOOT_PROCESS_SPEC_H_
#define SENTRY_BOOT_PROCESS_SPEC_H_

#include <string>

#include "sentry/boot/control.pb.h"
#include "sentry/kernel/initial_process.h"
#include "sentry/kernel/kernel.h"

namespace redoubt::boot {

// `limits`: what holds where the spec says nothing. The descriptors are the caller's business.
// EINVAL for a spec without a program.
Result<kernel::InitialProcess> MakeProcess(kernel::Kernel& kernel, const ProcessSpec& spec,
                                           const kernel::Limits& limits);

// Why a process could not be started, for a person and in the words that engines look for.
std::string StartMessage(const ProcessSpec& spec, bool bad_directory, int error);

// What vfs asks as, before the process is there.
vfs::Caller CallerOf(const kernel::Kernel& kernel, const kernel::InitialProcess& process);

// Whether the process's seccomp program may refuse a memory call: the platform must not leave them
// to the host then.
bool FilterLooksAtMemoryCalls(const ProcessSpec& spec);

}  // namespace redoubt::boot

#endif  // SENTRY_BOOT_PROCESS_SPEC_H_
