// SPDX-License-Identifier: Apache-2.0
//
// The stub's executable: where its parts lie in every stub, and how the first one is started.
#ifndef PLATFORM_PTRACE_STUB_IMAGE_H_
#define PLATFORM_PTRACE_STUB_IMAGE_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "platform/platform.h"

namespace redoubt::platform::ptrace {

// A place in the stub's code that makes one system call.
struct CallSite {
  uint64_t start = 0;  // The `syscall` instruction.
  uint64_t end = 0;    // rip when the `int3` after it has told of the result.
};

struct StubImage {
  AddressRange range;    // Code and scratch page.
  uint64_t entry = 0;    // Where a thread that nobody traces sleeps.
  CallSite call;         // Any host call.
  CallSite fork;         // clone of a process.
  CallSite thread;       // clone of a thread.
  uint64_t name = 0;     // A string in the code.
  uint64_t scratch = 0;  // One writable page.
};

// Of the embedded executable.
const StubImage& TheStubImage();

// Starts the executable as a child of this process, with `transfer_fd` as its only descriptor, 0.
// It dies with the calling thread. Call while this process has one thread.
absl::StatusOr<int> StartStub(int transfer_fd);

}  // namespace redoubt::platform::ptrace

#endif  // PLATFORM_PTRACE_STUB_IMAGE_H_
