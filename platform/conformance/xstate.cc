// SPDX-License-Identifier: Apache-2.0
//
// FP and vector state over events, clones and exec.
#include "platform/arch/xstate.h"

#include <cstring>
#include <vector>

#include "platform/conformance/platform_conformance.h"

namespace redoubt::platform::conformance {
namespace {

using Kind = Event::Kind;

// Loads ymm0 from kData and stores it behind it after a call.
GUEST_CODE(keep_ymm, R"(
  vmovdqu (%rbx), %ymm0
  mov $1001, %eax
  syscall
  vmovdqu %ymm0, 32(%rbx)
  mov $1002, %eax
  syscall
  ud2
)")
GUEST_CODE(keep_xmm, R"(
  movdqu (%rbx), %xmm0
  mov $1001, %eax
  syscall
  movdqu %xmm0, 32(%rbx)
  mov $1002, %eax
  syscall
  ud2
)")

bool HaveAvx() { return arch::FindXstateComponent(2).size != 0; }

std::vector<std::byte> Image(Context& context) {
  std::vector<std::byte> image(arch::XstateSize());
  EXPECT_TRUE(context.GetXstate(image).ok());
  return image;
}

uint64_t Word(const std::vector<std::byte>& image, size_t offset) {
  uint64_t value;
  std::memcpy(&value, image.data() + offset, sizeof(value));
  return value;
}

void SetWord(std::vector<std::byte>& image, size_t offset, uint64_t value) {
  std::memcpy(image.data() + offset, &value, sizeof(value));
}

// A guest in its first call, with 1, 2, 3, 4 in ymm0 (or 1, 2 in xmm0).
struct VectorGuest {
  VectorGuest() {
    auto context = NewGuest(HaveAvx() ? keep_ymm() : keep_xmm());
    space = context->address_space();
    for (uint64_t i = 0; i < 4; ++i) Poke<uint64_t>(*space, kData + 8 * i, i + 1);
    guest = std::make_unique<GuestThread>(ThePlatform(), std::move(context));
    EXPECT_EQ(guest->Next().syscall_number, 1001u);
  }
  uint64_t Stored(int i) { return Peek<uint64_t>(*space, kData + 32 + 8 * i); }

  RefPtr<AddressSpace> space;
  std::unique_ptr<GuestThread> guest;
};

TEST(XstateKept, OverEvents) {
  VectorGuest g;
  EXPECT_EQ(g.guest->Return(0).syscall_number, 1002u);
  for (int i = 0; i < (HaveAvx() ? 4 : 2); ++i) EXPECT_EQ(g.Stored(i), i + 1u);
}

TEST(XstateKept, OverHostCalls) {
  VectorGuest g;
  g.guest->Do([](Context& c) { EXPECT_TRUE(MapAnonymous(c, 0x40000000, kPage, 0).ok()); });
  EXPECT_EQ(g.guest->Return(0).syscall_number, 1002u);
  EXPECT_EQ(g.Stored(HaveAvx() ? 3 : 1), HaveAvx() ? 4u : 2u);
}

TEST(Xstate, GetShowsTheGuestsRegisters) {
  VectorGuest g;
  std::vector<std::byte> image;
  g.guest->Do([&](Context& c) { image = Image(c); });
  EXPECT_EQ(Word(image, arch::kXmmOffset), 1u);
  EXPECT_EQ(Word(image, arch::kXmmOffset + 8), 2u);
  EXPECT_TRUE(arch::ValidateXstate(image).ok());
  if (!HaveAvx()) return;
  EXPECT_EQ(Word(image, arch::FindXstateComponent(2).offset), 3u);
  EXPECT_EQ(Word(image, arch::FindXstateComponent(2).offset + 8), 4u);
}

TEST(Xstate, SetChangesTheGuestsRegisters) {
  VectorGuest g;
  g.guest->Do([&](Context& c) {
    auto image = Image(c);
    SetWord(image, arch::kXmmOffset, 71);
    if (HaveAvx()) SetWord(image, arch::FindXstateComponent(2).offset + 8, 74);
    EXPECT_TRUE(c.SetXstate(image).ok());
    EXPECT_EQ(Word(Image(c), arch::kXmmOffset), 71u);
  });
  EXPECT_EQ(g.guest->Return(0).syscall_number, 1002u);
  EXPECT_EQ(g.Stored(0), 71u);
  EXPECT_EQ(g.Stored(1), 2u);
  EXPECT_EQ(g.Stored(HaveAvx() ? 3 : 1), HaveAvx() ? 74u : 2u);
}

TEST(Xstate, InitialImageClearsTheRegisters) {
  VectorGuest g;
  g.guest->Do([&](Context& c) {
    std::vector<std::byte> image(arch::XstateSize());
    arch::InitXstate(image);
    EXPECT_TRUE(c.SetXstate(image).ok());
  });
  EXPECT_EQ(g.guest->Return(0).syscall_number, 1002u);
  for (int i = 0; i < (HaveAvx() ? 4 : 2); ++i) EXPECT_EQ(g.Stored(i), 0u);
}

TEST(Xstate, BadImagesAreEinval) {
  VectorGuest g;
  g.guest->Do([&](Context& c) {
    auto good = Image(c);
    EXPECT_TRUE(c.SetXstate(std::span(good).first(512)).Is(EINVAL));
    auto bad = good;
    SetWord(bad, arch::kXstateHeaderOffset, uint64_t{1} << 62);
    EXPECT_TRUE(c.SetXstate(bad).Is(EINVAL));
    bad = good;
    bad[arch::kMxcsrOffset + 3] = std::byte{0xff};
    EXPECT_TRUE(c.SetXstate(bad).Is(EINVAL));
  });
  EXPECT_EQ(g.guest->Return(0).syscall_number, 1002u);
  EXPECT_EQ(g.Stored(0), 1u);  // A refused image changes nothing.
}

TEST(Xstate, ClonesStartWithACopy) {
  for (bool share_memory : {false, true}) {
    VectorGuest g;
    std::unique_ptr<Context> clone;
    g.guest->Do([&](Context& c) {
      auto image = Image(c);
      SetWord(image, arch::kXmmOffset, 91);  // "As they stand now": with what was set.
      EXPECT_TRUE(c.SetXstate(image).ok());
      clone = std::move(*c.Clone(share_memory));
    });
    RefPtr<AddressSpace> space = clone->address_space();
    GuestThread child(ThePlatform(), std::move(clone));
    EXPECT_EQ(child.Next().syscall_number, 1002u);
    EXPECT_EQ(Peek<uint64_t>(*space, kData + 32), 91u);
    EXPECT_EQ(Peek<uint64_t>(*space, kData + 40), 2u);
    EXPECT_EQ(Peek<uint64_t>(*space, kData + (HaveAvx() ? 56 : 40)), HaveAvx() ? 4u : 2u);
  }
}

TEST(Xstate, FreshAfterExec) {
  VectorGuest g;
  g.guest->Do([&](Context& c) {
    ASSERT_TRUE(c.EnterAddressSpace(*ThePlatform().NewAddressSpace()).ok());
    auto image = Image(c);
    EXPECT_EQ(Word(image, arch::kXmmOffset), 0u);
    uint32_t mxcsr;
    std::memcpy(&mxcsr, image.data() + arch::kMxcsrOffset, sizeof(mxcsr));
    EXPECT_EQ(mxcsr, 0x1f80u);
  });
}

}  // namespace
}  // namespace redoubt::platform::conformance
