// SPDX-License-Identifier: Apache-2.0
//
// --strace: each system call as one line of the log, in strace(1)'s words:
//   [   12] openat(AT_FDCWD, "/etc/passwd", O_RDONLY|O_CLOEXEC) = 3
//
// What an argument is comes from the table's shapes; no call has code of its own here. Strings and
// lists are cut, so that a line stays below a few KiB whatever the guest passes.
#ifndef SENTRY_SYSCALLS_STRACE_STRACE_H_
#define SENTRY_SYSCALLS_STRACE_STRACE_H_

#include <array>
#include <cstdint>
#include <span>
#include <string>

#include "base/result.h"
#include "sentry/syscalls/argument_shape.h"
#include "sentry/vfs/file_description.h"

namespace redoubt::syscalls::strace {

struct Call {
  uint32_t number = 0;
  const char* name = nullptr;               // Null: not in the table.
  std::span<const ArgumentShape> shapes{};  // Empty: shown as six words.
  std::array<uint64_t, 6> arguments{};
};

// One call in progress: in-arguments are read when it begins, out-arguments when it ends.
class Tracer {
 public:
  // Keeps a reference to `memory` until it ends.
  Tracer(vfs::UserMemory& memory, int tid, const Call& call);
  // "... = ?", for exit(2).
  std::string NeverReturns() const;
  std::string Finished(const SyscallResult& result);

 private:
  std::string Begin() const;
  size_t count() const { return call_.shapes.empty() ? 6 : call_.shapes.size(); }

  vfs::UserMemory& memory_;
  const int tid_;
  const Call call_;
  std::array<std::string, 6> texts_;
};

// Appends a line to the log's descriptor.
void WriteLine(std::string line);

}  // namespace redoubt::syscalls::strace

#endif  // SENTRY_SYSCALLS_STRACE_STRACE_H_
