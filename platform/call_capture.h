// SPDX-License-Identifier: Apache-2.0
//
// CallCapture: which guest memory a system call reads and writes through its arguments. A platform
// may fetch the one with the call, and deliver the other when the guest goes on, instead of copying
// from process to process. Without it everything works the same, more slowly.
#ifndef PLATFORM_CALL_CAPTURE_H_
#define PLATFORM_CALL_CAPTURE_H_

#include <array>
#include <cstdint>

namespace redoubt::platform {

struct CapturedArgument {
  enum class Kind : uint8_t { kNone, kString, kIn, kOut, kInOut };
  static constexpr uint8_t kOne = 0xff;
  Kind kind = Kind::kNone;
  uint8_t argument = 0;           // The index of the pointer.
  uint8_t count_argument = kOne;  // The index of the number of elements; kOne: there is one.
  uint32_t size = 0;              // Bytes of an element; not for kString.
};

// Unused ones come last.
struct CallCapture {
  static constexpr unsigned kMaxArguments = 3;
  std::array<CapturedArgument, kMaxArguments> arguments{};
};

}  // namespace redoubt::platform

#endif  // PLATFORM_CALL_CAPTURE_H_
