// SPDX-License-Identifier: Apache-2.0
//
// The memory calls that the filter leaves to the host, because their arguments alone show that they
// touch nothing but the guest's private memory. A call of numbers cannot change after the filter
// has seen it, and the shim lies at the same place in every stub: so no more than comparisons is
// needed, and the call costs what it costs outside.
//
//   mmap      private, anonymous, of known flags; anywhere, or at an address of the guest's
//   munmap    of the guest's addresses
//   mprotect  of the guest's addresses, read, write, execute
//   madvise   of the guest's addresses: DONTNEED, FREE, HUGEPAGE, NOHUGEPAGE
//   mremap    of the guest's addresses to where the host finds room; from the gate only: the
//             sentry notes where shared memory goes (call_sites.h)
//
// A length has at most 32 bits. So a start that is 4 GiB away from the shim settles it, and no call
// takes so long that an interrupt would seem to be ignored (warden.h); hence also no MAP_POPULATE.
// What differs in any way is an event, and the sentry's to decide. The host enforces RLIMIT_AS, and
// the file's access mode where a mapping is made writable (mprotect).
#ifndef PLATFORM_SECCOMP_TRAP_NATIVE_MEMORY_H_
#define PLATFORM_SECCOMP_TRAP_NATIVE_MEMORY_H_

#include "platform/seccomp_trap/bpf_program.h"

namespace redoubt::platform::seccomp_trap {

// Both expect the call's number in the accumulator, and leave it there.
void AllowNativeMemoryCalls(Program& p);
void AllowNativeRemap(Program& p);

}  // namespace redoubt::platform::seccomp_trap

#endif  // PLATFORM_SECCOMP_TRAP_NATIVE_MEMORY_H_
