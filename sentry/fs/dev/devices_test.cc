// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/dev/devices.h"

#include <gtest/gtest.h>

#include "sentry/fs/anon/anonymous_inode.h"
#include "sentry/fs/testing/testing.h"

namespace redoubt::fs {
namespace {

Result<RefPtr<vfs::FileDescription>> Open(uint64_t device) {
  const vfs::Path path =
      MakeAnonymousPath(AnonymousKind::kAnonymous, "device", S_IFCHR | 0666, 0, 0);
  return OpenCharacterDevice(device, path, O_RDWR, RootCaller());
}

TEST(Devices, Null) {
  auto file = Open(kNullDevice).value();
  EXPECT_EQ(ReadText(*file).value(), "");
  EXPECT_EQ(WriteText(*file, "gone").value(), 4U);
  EXPECT_EQ(file->Seek(10, SEEK_SET).value(), 0);
  EXPECT_FALSE(IsZeroDevice(*file));
}

TEST(Devices, Zero) {
  auto file = Open(kZeroDevice).value();
  EXPECT_EQ(ReadText(*file, 3).value(), std::string(3, '\0'));
  EXPECT_EQ(WriteText(*file, "gone").value(), 4U);
  EXPECT_TRUE(IsZeroDevice(*file));
}

TEST(Devices, Full) {
  auto file = Open(kFullDevice).value();
  EXPECT_EQ(ReadText(*file, 3).value(), std::string(3, '\0'));
  EXPECT_TRUE(WriteText(*file, "x").Is(ENOSPC));
}

TEST(Devices, RandomDiffers) {
  auto file = Open(kUrandomDevice).value();
  EXPECT_EQ(ReadText(*file, 1000).value().size(), 1000U);
  EXPECT_NE(ReadText(*file, 32).value(), ReadText(*file, 32).value());
  EXPECT_EQ(WriteText(*file, "seed").value(), 4U);
}

TEST(Devices, UnknownOrMissingIsEnxio) {
  EXPECT_TRUE(Open(DeviceNumber(1, 1)).Is(ENXIO));
  EXPECT_TRUE(Open(kTtyDevice).Is(ENXIO));
  EXPECT_TRUE(Open(kConsoleDevice).Is(ENXIO));
}

}  // namespace
}  // namespace redoubt::fs
