// SPDX-License-Identifier: Apache-2.0
//
// The extended processor state (x87, SSE, AVX, AVX-512, PKRU) as an XSAVE image in the standard
// format, and its place in a signal frame.
//
//   std::vector<std::byte> image(arch::XstateSize());
//   arch::InitXstate(image);                 // What a fresh process has.
//   TRY(arch::ValidateXstate(image));        // Before an image from a guest goes anywhere.
//
// A signal frame holds the same image with two marks by which a handler (and rt_sigreturn) finds
// its size: sw_reserved inside the legacy area and a magic word after the image
// (arch/x86/include/uapi/asm/sigcontext.h). FinishSignalXstate writes them; ParseSignalXstate
// does what rt_sigreturn does with a frame that the guest may have changed.
//
// AMX tile data (component 18) is left out: Linux gives it only to a process that asked by
// arch_prctl(ARCH_REQ_XCOMP_PERM), which guests cannot.
#ifndef PLATFORM_ARCH_XSTATE_H_
#define PLATFORM_ARCH_XSTATE_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.h"

namespace redoubt::platform::arch {

// Bytes of an image; at least 576 (legacy area and header). The same for every guest thread.
size_t XstateSize();
// The components in it, as bits of XCR0.
uint64_t XstateFeatures();
// What the host's ptrace calls want: all components of XCR0, those we leave out included.
size_t HostXstateSize();

// Where component `index` (2: AVX, 5-7: AVX-512, 9: PKRU) is in an image.
struct XstateComponent {
  size_t offset = 0;
  size_t size = 0;  // 0: this machine does not have it.
};
XstateComponent FindXstateComponent(unsigned index);

// Offsets in the legacy area (FXSAVE) and the header (struct _xstate).
inline constexpr size_t kXstateLegacySize = 512;
inline constexpr size_t kXstateHeaderOffset = 512;
inline constexpr size_t kXstateHeaderSize = 64;
inline constexpr size_t kXstateMinSize = kXstateHeaderOffset + kXstateHeaderSize;
inline constexpr size_t kControlWordOffset = 0;
inline constexpr size_t kMxcsrOffset = 24;
inline constexpr size_t kXmmOffset = 160;
inline constexpr size_t kSwReservedOffset = 464;

inline constexpr uint64_t kXfeatureX87 = 1;
inline constexpr uint64_t kXfeatureSse = 2;
inline constexpr uint64_t kXfeatureAvx = 4;

// struct _fpx_sw_bytes: what the kernel writes over the legacy area's unused end.
struct FpxSwBytes {
  uint32_t magic1;
  uint32_t extended_size;  // Image and magic2.
  uint64_t xfeatures;
  uint32_t xstate_size;  // Image only.
  uint32_t padding[7];
};
static_assert(sizeof(FpxSwBytes) == kXstateLegacySize - kSwReservedOffset);
inline constexpr uint32_t kFpXstateMagic1 = 0x46505853;
inline constexpr uint32_t kFpXstateMagic2 = 0x46505845;
inline constexpr size_t kFpXstateMagic2Size = sizeof(kFpXstateMagic2);

// Every component in its initial configuration. `image` has XstateSize() bytes.
void InitXstate(std::span<std::byte> image);

// EINVAL for an image that the processor would refuse to load: wrong size, unknown components, a
// compacted format, reserved header bytes or MXCSR bits.
Result<void> ValidateXstate(std::span<const std::byte> image);

// Bytes that a frame's fpstate takes: the image and magic2. Its address must be 64-byte aligned.
size_t SignalXstateSize();
// Marks an image, in the first XstateSize() bytes of `frame`, as a frame's fpstate.
void FinishSignalXstate(std::span<std::byte> frame);
// Makes what a guest left in a frame's fpstate, SignalXstateSize() bytes, an image again: a frame
// without the marks restores x87 and SSE only and gives the rest its initial value, as Linux does.
Result<void> ParseSignalXstate(std::span<std::byte> frame);

}  // namespace redoubt::platform::arch

#endif  // PLATFORM_ARCH_XSTATE_H_
