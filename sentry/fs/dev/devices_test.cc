// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/dev/devices.h"

#include <gtest/gtest.h>

#include "sentry/fs/anon/anonymous_inode.h"
#include "sentry/fs/testing/testing.h"
#include "sentry/fs/tmpfs/vfs_fixture.h"

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

class DevTreeTest : public vfs::VfsTest {
 protected:
  DevTreeTest() { RegisterSpecialFiles(); }
  Result<RefPtr<vfs::FileDescription>> OpenAt(std::string_view path, uint32_t flags) {
    return vfs::Open(root, root.root, path, {.flags = flags});
  }
};

TEST_F(DevTreeTest, NodesAreUsable) {
  ASSERT_TRUE(PopulateDev(root, root.root, /*console=*/true).ok());
  EXPECT_TRUE(PopulateDev(root, root.root, /*console=*/true).ok());  // Leaves what is there.
  auto null = OpenAt("/null", O_RDWR).value();
  EXPECT_EQ(WriteText(*null, "x").value(), 1U);
  vfs::Attributes attributes = null->GetAttributes().value();
  EXPECT_EQ(attributes.mode, uint32_t{S_IFCHR | 0666});
  EXPECT_EQ(attributes.special_device, kNullDevice);
  EXPECT_EQ(ReadText(*OpenAt("/zero", O_RDONLY).value(), 2).value(), std::string(2, '\0'));
  EXPECT_TRUE(OpenAt("/tty", O_RDWR).Is(ENXIO));
  EXPECT_TRUE(vfs::Open(user, user.root, "/null", {.flags = O_RDWR}).ok());
}

TEST_F(DevTreeTest, FifosMeetByPath) {
  ASSERT_TRUE(vfs::MakeNode(root, root.root, "/fifo", S_IFIFO | 0600, 0).ok());
  EXPECT_TRUE(OpenAt("/fifo", O_WRONLY | O_NONBLOCK).Is(ENXIO));
  auto reader = OpenAt("/fifo", O_RDONLY).value();
  EXPECT_TRUE(reader->FinishOpen().Is(EAGAIN));
  auto writer = OpenAt("/fifo", O_WRONLY).value();
  EXPECT_TRUE(reader->FinishOpen().ok());
  EXPECT_TRUE(writer->FinishOpen().ok());
  WriteText(*writer, "x").value();
  EXPECT_EQ(ReadText(*reader).value(), "x");
}

}  // namespace
}  // namespace redoubt::fs
