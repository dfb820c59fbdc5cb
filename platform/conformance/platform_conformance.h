// SPDX-License-Identifier: Apache-2.0
//
// What every platform must do, as tests. A platform's test binary is these tests and one line:
//
//   int main(int argc, char** argv) {
//     return conformance::Main(argc, argv, PtracePlatformType());
//   }
//
// Guest programs are assembled into the test binary between two labels (GUEST_CODE) and copied to
// kCode; kData is a writable page and rbx points at it; rsp at the end of kStack. System calls with
// numbers of 1000 and above mean nothing to any kernel, so no platform answers them itself.
#ifndef PLATFORM_CONFORMANCE_PLATFORM_CONFORMANCE_H_
#define PLATFORM_CONFORMANCE_PLATFORM_CONFORMANCE_H_

#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "gtest/gtest.h"
#include "platform/conformance/guest_thread.h"
#include "platform/platform.h"
#include "platform/registry.h"

// Position-independent guest code `name` (AT&T syntax). Use at namespace scope, file-locally.
#define GUEST_CODE(name, text)                                                                    \
  asm(".pushsection .rodata\n" #name "_begin:\n" text "\n" #name "_end: .byte 0\n.popsection\n"); \
  extern "C" const char name##_begin[], name##_end[];                                             \
  [[maybe_unused]] static std::span<const char> name() { return {name##_begin, name##_end}; }

namespace redoubt::platform::conformance {

// Creates the platform while the process has one thread, runs the tests, destroys the platform, and
// fails if a child or a descriptor is left, and at once where the platform cannot work.
int Main(int argc, char** argv, const PlatformType& type);

inline constexpr uint64_t kPage = 4096;
inline constexpr uint64_t kCode = 0x10000000;
inline constexpr uint64_t kData = 0x20000000;
inline constexpr uint64_t kDataSize = 4 * kPage;
inline constexpr uint64_t kStack = 0x30000000;
inline constexpr uint64_t kStackSize = 16 * kPage;

// The platform under test.
Platform& ThePlatform();

// Anonymous private memory at a fixed address, mapped by a host call in the guest.
SyscallResult MapAnonymous(Context& context, uint64_t address, uint64_t length, int protection);
// munmap, mprotect and other calls of few words.
SyscallResult Call(Context& context, long number, uint64_t a = 0, uint64_t b = 0, uint64_t c = 0,
                   uint64_t d = 0, uint64_t e = 0, uint64_t f = 0);

// A context in a new address space, ready to run `code` at kCode.
std::unique_ptr<Context> NewGuest(std::span<const char> code);
// Maps code, data and stack into a pristine space and points the registers at them.
void Load(Context& context, std::span<const char> code);

template <typename T>
T Peek(AddressSpace& space, uint64_t address) {
  T value{};
  auto result = space.CopyIn(address, std::as_writable_bytes(std::span(&value, 1)));
  EXPECT_TRUE(result.ok() && *result == sizeof(T)) << std::hex << address;
  return value;
}

template <typename T>
void Poke(AddressSpace& space, uint64_t address, T value) {
  auto result = space.CopyOut(address, std::as_bytes(std::span(&value, 1)));
  EXPECT_TRUE(result.ok() && *result == sizeof(T)) << std::hex << address;
}

// Child processes and descriptors of this process now: to compare, before and after.
int CountChildren();
int CountDescriptors();
// Children and descriptors that a platform may come to hold meanwhile, in pools.
inline constexpr int kPoolSlack = 8;
// Polls for at most ten seconds until `condition` holds.
bool Eventually(const std::function<bool()>& condition);

// The outcome of a host call as one number, as in rax: to compare in EXPECT_EQ.
inline int64_t Outcome(const SyscallResult& result) {
  return result.ok() ? static_cast<int64_t>(*result) : -int64_t{result.error().value()};
}

}  // namespace redoubt::platform::conformance

#endif  // PLATFORM_CONFORMANCE_PLATFORM_CONFORMANCE_H_
