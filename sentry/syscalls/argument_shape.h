// SPDX-License-Identifier: Apache-2.0
//
// ArgumentShape: what one argument of a system call is, deduced from its C++ type (args.h). strace
// output, the documentation and the shim's capture table are made from it: one source, no drift.
#ifndef SENTRY_SYSCALLS_ARGUMENT_SHAPE_H_
#define SENTRY_SYSCALLS_ARGUMENT_SHAPE_H_

#include <cstdint>

namespace redoubt::syscalls {

enum class ArgumentKind : uint8_t {
  kNone,
  // Plain numbers.
  kSigned,
  kUnsigned,
  kAddress,  // Shown in hex; nothing is copied through it by the table's knowledge.
  // Numbers with names.
  kFd,
  kDirFd,  // AT_FDCWD or a descriptor.
  kOpenFlags,
  kMode,
  kProtection,
  kMapFlags,
  kAdvice,
  kCloneFlags,
  kSignal,
  kClockId,
  kFutexOperation,
  kMaskHow,
  kResource,
  // Pointers. "Count" is always the argument that follows.
  kPath,        // In: a path.
  kString,      // In: another NUL-terminated string.
  kStringList,  // In: a null-terminated array of strings (argv).
  kBytesIn,     // In: count bytes.
  kBytesOut,    // Out: count bytes at most, result bytes in fact.
  kStructIn,    // In: `size` bytes.
  kStructOut,
  kStructInOut,
  kArrayIn,  // In: count elements of `size` bytes.
  kArrayOut,
  kArrayInOut,
  kIovecIn,   // count iovecs whose buffers the call reads.
  kIovecOut,  // ... and writes.
};

// Structures that strace shows by field.
enum class StructKind : uint8_t {
  kOther,
  kInt32,
  kUint32,
  kUint64,
  kTimespec,
  kTimeval,
  kIntervalTimerValue,
  kIntervalTimerSpec,
  kSignalSet,
  kSignalAction,
  kLimit,
};

struct ArgumentShape {
  ArgumentKind kind = ArgumentKind::kNone;
  StructKind structure = StructKind::kOther;
  uint32_t size = 0;  // Bytes of the structure or the element.
};

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_ARGUMENT_SHAPE_H_
