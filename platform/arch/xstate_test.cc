// SPDX-License-Identifier: Apache-2.0
#include "platform/arch/xstate.h"

#include <cstring>
#include <vector>

#include "gtest/gtest.h"

namespace redoubt::platform::arch {
namespace {

std::vector<std::byte> FreshImage() {
  std::vector<std::byte> image(XstateSize());
  InitXstate(image);
  return image;
}

std::vector<std::byte> FreshFrame() {
  std::vector<std::byte> frame(SignalXstateSize());
  InitXstate(std::span(frame).first(XstateSize()));
  FinishSignalXstate(frame);
  return frame;
}

TEST(Xstate, SizeCoversEveryComponent) {
  EXPECT_GE(XstateSize(), kXstateMinSize);
  EXPECT_GE(HostXstateSize(), XstateSize());
  for (unsigned i = 2; i < 64; ++i) {
    auto component = FindXstateComponent(i);
    EXPECT_LE(component.offset + component.size, XstateSize());
    EXPECT_EQ(component.size != 0, i < 32 && (XstateFeatures() >> i & 1)) << i;
  }
}

TEST(Xstate, InitialImageIsValid) { EXPECT_TRUE(ValidateXstate(FreshImage()).ok()); }

TEST(Xstate, WhatTheProcessorRefusesIsEinval) {
  auto image = FreshImage();
  EXPECT_TRUE(ValidateXstate(std::span(image).first(kXstateMinSize - 1)).Is(EINVAL));
  image[kMxcsrOffset + 3] = std::byte{0x80};
  EXPECT_TRUE(ValidateXstate(image).Is(EINVAL));
  image = FreshImage();
  image[kXstateHeaderOffset + 7] = std::byte{0x80};  // Component 63.
  EXPECT_TRUE(ValidateXstate(image).Is(EINVAL));
  image = FreshImage();
  image[kXstateHeaderOffset + 8 + 7] = std::byte{0x80};  // The compacted format.
  EXPECT_TRUE(ValidateXstate(image).Is(EINVAL));
  image = FreshImage();
  image[kXstateHeaderOffset + 24] = std::byte{1};
  EXPECT_TRUE(ValidateXstate(image).Is(EINVAL));
}

TEST(SignalXstate, RoundTripGivesTheImageBack) {
  auto frame = FreshFrame();
  EXPECT_TRUE(ParseSignalXstate(frame).ok());
  frame.resize(XstateSize());
  EXPECT_EQ(frame, FreshImage());
}

TEST(SignalXstate, WithoutMarksOnlyTheLegacyAreaCounts) {
  auto frame = FreshFrame();
  frame[XstateSize()] = std::byte{0};                 // Breaks magic2.
  frame[kXstateHeaderOffset + 30] = std::byte{0xff};  // Garbage that must not be looked at.
  ASSERT_TRUE(ParseSignalXstate(frame).ok());
  uint64_t present;
  std::memcpy(&present, frame.data() + kXstateHeaderOffset, sizeof(present));
  EXPECT_EQ(present, kXfeatureX87 | kXfeatureSse);
}

TEST(SignalXstate, GarbageHeaderIsEinval) {
  auto frame = FreshFrame();
  frame[kXstateHeaderOffset + 30] = std::byte{0xff};
  EXPECT_TRUE(ParseSignalXstate(frame).Is(EINVAL));
}

}  // namespace
}  // namespace redoubt::platform::arch
