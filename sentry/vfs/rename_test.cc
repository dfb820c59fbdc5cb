// SPDX-License-Identifier: Apache-2.0
#include <linux/fs.h>
#include <sys/mount.h>

#include "sentry/fs/tmpfs/vfs_fixture.h"

namespace redoubt::vfs {
namespace {

class RenameTest : public VfsTest {
 protected:
  RenameTest() {
    Mkdir(root, "/a");
    Mkdir(root, "/a/b");
    Mkdir(root, "/e");
    Put("/f", "f");
    Put("/g", "g");
  }
};

TEST_F(RenameTest, MovesAFile) {
  ASSERT_EQ(Move(root, "/f", "/a/new"), 0);
  EXPECT_EQ(Get(root, "/a/new"), "f");
  EXPECT_FALSE(Exists("/f"));
}

TEST_F(RenameTest, ReplacesAFile) {
  auto old = TryOpen(root, "/g", O_RDONLY).value();
  ASSERT_EQ(Move(root, "/f", "/g"), 0);
  EXPECT_EQ(Get(root, "/g"), "f");
  EXPECT_EQ(ReadAll(*old), "g");
  EXPECT_EQ(old->GetAttributes()->links, 0u);
}

TEST_F(RenameTest, MovesADirectoryWithItsTree) {
  Put("/a/b/x", "x");
  ASSERT_EQ(Move(root, "/a", "/e/moved"), 0);
  EXPECT_EQ(Get(root, "/e/moved/b/x"), "x");
  EXPECT_EQ(Find(root, "/e/moved/..").value(), At("/e"));
  EXPECT_EQ(Stat("/e").links, 3u);
}

TEST_F(RenameTest, ReplacesAnEmptyDirectoryOnly) {
  EXPECT_EQ(Move(root, "/e", "/a"), ENOTEMPTY);
  EXPECT_EQ(Move(root, "/a", "/e"), 0);
  EXPECT_TRUE(Exists("/e/b"));
}

TEST_F(RenameTest, TypesMustMatch) {
  EXPECT_EQ(Move(root, "/f", "/e"), EISDIR);
  EXPECT_EQ(Move(root, "/e", "/f"), ENOTDIR);
}

TEST_F(RenameTest, MissingSourceIsEnoent) {
  EXPECT_EQ(Move(root, "/none", "/x"), ENOENT);
  EXPECT_EQ(Move(root, "/f", "/none/x"), ENOENT);
}

TEST_F(RenameTest, DotsAreEbusy) {
  EXPECT_EQ(Move(root, "/a/.", "/x"), EBUSY);
  EXPECT_EQ(Move(root, "/a/..", "/x"), EBUSY);
  EXPECT_EQ(Move(root, "/f", "/a/."), EBUSY);
  EXPECT_EQ(Move(root, "/", "/x"), EBUSY);
  EXPECT_EQ(Move(root, "/f", "/a/..", RENAME_NOREPLACE), EEXIST);
}

TEST_F(RenameTest, BelowItselfIsEinval) {
  EXPECT_EQ(Move(root, "/a", "/a/b/c"), EINVAL);
  EXPECT_EQ(Move(root, "/a", "/a/x"), EINVAL);
}

TEST_F(RenameTest, OntoAnAncestorIsEnotempty) {
  EXPECT_EQ(Move(root, "/a/b", "/a"), ENOTEMPTY);
  Put("/a/b/x");
  EXPECT_EQ(Move(root, "/a/b/x", "/a"), ENOTEMPTY);
}

TEST_F(RenameTest, OntoItselfDoesNothing) {
  EXPECT_EQ(Move(root, "/f", "/f"), 0);
  Hardlink(root, "/f", "/same");
  EXPECT_EQ(Move(root, "/f", "/same"), 0);
  EXPECT_TRUE(Exists("/f"));
  EXPECT_TRUE(Exists("/same"));
}

TEST_F(RenameTest, TrailingSlashesAreForDirectories) {
  EXPECT_EQ(Move(root, "/f/", "/x"), ENOTDIR);
  EXPECT_EQ(Move(root, "/f", "/x/"), ENOTDIR);
  EXPECT_EQ(Move(root, "/e/", "/x/"), 0);
}

TEST_F(RenameTest, AcrossMountsIsExdev) {
  MountAt("/e");
  EXPECT_EQ(Move(root, "/f", "/e/f"), EXDEV);
}

TEST_F(RenameTest, NeedsBothDirectories) {
  Chmod("/a", 0777);
  EXPECT_EQ(Move(user, "/f", "/a/f"), EACCES);
  EXPECT_EQ(OpenCode(user, "/a/mine", O_CREAT | O_RDWR), 0);
  EXPECT_EQ(Move(user, "/a/mine", "/mine"), EACCES);
  EXPECT_EQ(Move(user, "/a/mine", "/a/other"), 0);
}

TEST_F(RenameTest, MovingADirectoryWritesToIt) {
  Chmod("/a", 0777);
  Chmod("/e", 0777);
  Mkdir(root, "/a/fixed");
  EXPECT_EQ(Move(user, "/a/fixed", "/e/fixed"), EACCES);  // Its ".." would change.
  EXPECT_EQ(Move(user, "/a/fixed", "/a/renamed"), 0);
}

TEST_F(RenameTest, ReadOnlyMountIsErofs) {
  RefPtr<Mount> mount = MountAt("/e");
  Put("/e/x");
  mount->set_flags(MS_RDONLY);
  EXPECT_EQ(Move(root, "/e/x", "/e/y"), EROFS);
}

TEST_F(RenameTest, NoreplaceKeepsTheTarget) {
  EXPECT_EQ(Move(root, "/f", "/g", RENAME_NOREPLACE), EEXIST);
  EXPECT_EQ(Move(root, "/f", "/new", RENAME_NOREPLACE), 0);
}

TEST_F(RenameTest, ExchangeSwapsAnything) {
  EXPECT_EQ(Move(root, "/f", "/none", RENAME_EXCHANGE), ENOENT);
  ASSERT_EQ(Move(root, "/f", "/a", RENAME_EXCHANGE), 0);
  EXPECT_EQ(Get(root, "/a"), "f");
  EXPECT_TRUE(Exists("/f/b"));
  ASSERT_EQ(Move(root, "/a", "/f/b", RENAME_EXCHANGE), 0);
  EXPECT_EQ(Get(root, "/f/b"), "f");
  EXPECT_EQ(Stat("/f").links, 2u);
  EXPECT_EQ(Move(root, "/f", "/f/b", RENAME_EXCHANGE), EINVAL);
}

TEST_F(RenameTest, WhiteoutTakesTheOldName) {
  ASSERT_EQ(Move(root, "/f", "/new", RENAME_WHITEOUT), 0);
  EXPECT_EQ(Stat("/f").mode & S_IFMT, unsigned{S_IFCHR});
  EXPECT_EQ(Get(root, "/new"), "f");
}

TEST_F(RenameTest, BadFlagsAreEinval) {
  EXPECT_EQ(Move(root, "/f", "/x", 8), EINVAL);
  EXPECT_EQ(Move(root, "/f", "/g", RENAME_EXCHANGE | RENAME_NOREPLACE), EINVAL);
}

TEST_F(RenameTest, OpenDirectoryKeepsItsPlace) {
  Path b = At("/a/b");
  ASSERT_EQ(Move(root, "/a", "/e/deep"), 0);
  EXPECT_EQ(PathText(root, b), "/e/deep/b");
}

}  // namespace
}  // namespace redoubt::vfs
