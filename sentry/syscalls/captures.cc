// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/captures.h"

#include "sentry/syscalls/table_amd64.h"

namespace redoubt::syscalls {

namespace {

using platform::CallCapture;
using platform::CapturedArgument;
using Kind = CapturedArgument::Kind;

// Beyond this size a structure is seldom used whole; the count of an array bounds itself.
constexpr uint32_t kMaxStruct = 512;

Kind CaptureKindOf(ArgumentKind kind) {
  switch (kind) {
    case ArgumentKind::kPath:
    case ArgumentKind::kString:
      return Kind::kString;
    case ArgumentKind::kBytesIn:
    case ArgumentKind::kStructIn:
    case ArgumentKind::kArrayIn:
      return Kind::kIn;
    case ArgumentKind::kBytesOut:
    case ArgumentKind::kStructOut:
    case ArgumentKind::kArrayOut:
      return Kind::kOut;
    case ArgumentKind::kStructInOut:
    case ArgumentKind::kArrayInOut:
      return Kind::kInOut;
    default:
      return Kind::kNone;
  }
}

bool HasCount(ArgumentKind kind) {
  switch (kind) {
    case ArgumentKind::kBytesIn:
    case ArgumentKind::kBytesOut:
    case ArgumentKind::kArrayIn:
    case ArgumentKind::kArrayOut:
    case ArgumentKind::kArrayInOut:
      return true;
    default:
      return false;
  }
}

CallCapture CaptureOf(const SyscallEntry& entry) {
  CallCapture capture;
  unsigned used = 0;
  for (uint8_t i = 0; i < entry.argument_count && used < CallCapture::kMaxArguments; ++i) {
    const ArgumentShape& shape = entry.shapes[i];
    CapturedArgument argument{.kind = CaptureKindOf(shape.kind), .argument = i, .size = shape.size};
    if (argument.kind == Kind::kNone) continue;
    if (HasCount(shape.kind)) {
      if (i + 1 >= entry.argument_count) continue;
      argument.count_argument = static_cast<uint8_t>(i + 1);
      if (argument.size == 0) argument.size = 1;
    } else if (argument.kind != Kind::kString && (shape.size == 0 || shape.size > kMaxStruct)) {
      continue;
    }
    capture.arguments[used++] = argument;
  }
  return capture;
}

}  // namespace

std::vector<CallCapture> CallCaptures() {
  std::vector<CallCapture> captures;
  for (const SyscallEntry& entry : Amd64Table()) {
    captures.resize(entry.number + 1u);
    captures[entry.number] = CaptureOf(entry);
  }
  return captures;
}

}  // namespace redoubt::syscalls
