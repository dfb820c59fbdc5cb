// SPDX-License-Identifier: Apache-2.0
#include "platform/arch/xstate.h"

#include <cpuid.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace redoubt::platform::arch {
namespace {

constexpr unsigned kComponents = 32;
constexpr unsigned kTileData = 18;
constexpr unsigned kXsaveLeaf = 0xd;
constexpr uint32_t kDefaultMxcsr = 0x1f80;
constexpr uint32_t kDefaultMxcsrMask = 0xffbf;
constexpr uint16_t kDefaultControlWord = 0x37f;

struct Layout {
  uint64_t features = kXfeatureX87 | kXfeatureSse;
  size_t size = kXstateMinSize;
  size_t host_size = kXstateMinSize;
  uint32_t mxcsr_mask = kDefaultMxcsrMask;
  std::array<XstateComponent, kComponents> components{};
};

uint64_t ReadXcr0() {
  uint32_t low, high;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return static_cast<uint64_t>(high) << 32 | low;
}

// Bits of MXCSR that this processor has: what FXSAVE says of itself.
uint32_t ReadMxcsrMask() {
  alignas(16) std::array<std::byte, kXstateLegacySize> area{};
  asm volatile("fxsave %0" : "=m"(area));
  uint32_t mask;
  std::memcpy(&mask, area.data() + kMxcsrOffset + sizeof(uint32_t), sizeof(mask));
  return mask == 0 ? kDefaultMxcsrMask : mask;
}

Layout ReadLayout() {
  Layout layout;
  layout.mxcsr_mask = ReadMxcsrMask();
  uint32_t eax, ebx, ecx, edx;
  constexpr uint32_t kOsxsave = 1u << 27;
  if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx & kOsxsave)) return layout;
  if (!__get_cpuid_count(kXsaveLeaf, 0, &eax, &ebx, &ecx, &edx)) return layout;
  layout.host_size = ebx;  // For the components that XCR0 enables now.
  layout.features = ReadXcr0() & ~(uint64_t{1} << kTileData);
  for (unsigned i = 2; i < kComponents; ++i) {
    if (!(layout.features >> i & 1)) continue;
    __cpuid_count(kXsaveLeaf, i, eax, ebx, ecx, edx);
    layout.components[i] = {.offset = ebx, .size = eax};
    layout.size = std::max<size_t>(layout.size, size_t{ebx} + eax);
  }
  layout.host_size = std::max(layout.host_size, layout.size);
  return layout;
}

const Layout& TheLayout() {
  static const Layout layout = ReadLayout();
  return layout;
}

template <typename T>
T Load(std::span<const std::byte> image, size_t offset) {
  T value;
  std::memcpy(&value, image.data() + offset, sizeof(value));
  return value;
}

template <typename T>
void Store(std::span<std::byte> image, size_t offset, const T& value) {
  std::memcpy(image.data() + offset, &value, sizeof(value));
}

bool HasSignalMarks(std::span<const std::byte> frame) {
  auto sw = Load<FpxSwBytes>(frame, kSwReservedOffset);
  if (sw.magic1 != kFpXstateMagic1 || sw.xstate_size != XstateSize()) return false;
  if (sw.extended_size != SignalXstateSize()) return false;
  return Load<uint32_t>(frame, XstateSize()) == kFpXstateMagic2;
}

}  // namespace

size_t XstateSize() { return TheLayout().size; }
uint64_t XstateFeatures() { return TheLayout().features; }
size_t HostXstateSize() { return TheLayout().host_size; }

XstateComponent FindXstateComponent(unsigned index) {
  return index < kComponents ? TheLayout().components[index] : XstateComponent{};
}

void InitXstate(std::span<std::byte> image) {
  CHECK(image.size() == XstateSize());
  std::fill(image.begin(), image.end(), std::byte{0});
  Store(image, kControlWordOffset, kDefaultControlWord);
  Store(image, kMxcsrOffset, kDefaultMxcsr);
  // x87 and SSE are marked as present: a reader of the frame then trusts the legacy area.
  Store(image, kXstateHeaderOffset, kXfeatureX87 | kXfeatureSse);
}

Result<void> ValidateXstate(std::span<const std::byte> image) {
  if (image.size() != XstateSize()) return Errno(EINVAL);
  if (Load<uint64_t>(image, kXstateHeaderOffset) & ~XstateFeatures()) return Errno(EINVAL);
  auto rest =
      image.subspan(kXstateHeaderOffset + sizeof(uint64_t), kXstateHeaderSize - sizeof(uint64_t));
  if (std::any_of(rest.begin(), rest.end(), [](std::byte b) { return b != std::byte{0}; })) {
    return Errno(EINVAL);
  }
  if (Load<uint32_t>(image, kMxcsrOffset) & ~TheLayout().mxcsr_mask) return Errno(EINVAL);
  return {};
}

size_t SignalXstateSize() { return XstateSize() + kFpXstateMagic2Size; }

void FinishSignalXstate(std::span<std::byte> frame) {
  CHECK(frame.size() == SignalXstateSize());
  FpxSwBytes sw{};
  sw.magic1 = kFpXstateMagic1;
  sw.extended_size = static_cast<uint32_t>(SignalXstateSize());
  sw.xfeatures = XstateFeatures();
  sw.xstate_size = static_cast<uint32_t>(XstateSize());
  Store(frame, kSwReservedOffset, sw);
  Store(frame, XstateSize(), kFpXstateMagic2);
}

Result<void> ParseSignalXstate(std::span<std::byte> frame) {
  if (frame.size() != SignalXstateSize()) return Errno(EINVAL);
  auto image = frame.first(XstateSize());
  if (HasSignalMarks(frame)) {
    // Linux loads the components that both the marks and the header name.
    auto sw = Load<FpxSwBytes>(frame, kSwReservedOffset);
    auto present = Load<uint64_t>(image, kXstateHeaderOffset);
    TRY(ValidateXstate(image));
    Store(image, kXstateHeaderOffset, present & sw.xfeatures);
  } else {
    auto header = image.subspan(kXstateHeaderOffset, kXstateHeaderSize);
    std::fill(header.begin(), header.end(), std::byte{0});
    Store(image, kXstateHeaderOffset, kXfeatureX87 | kXfeatureSse);
  }
  FpxSwBytes none{};
  Store(image, kSwReservedOffset, none);
  return ValidateXstate(image);
}

}  // namespace redoubt::platform::arch
