// SPDX-License-Identifier: Apache-2.0
#include <linux/openat2.h>
#include <sys/mount.h>

#include "sentry/fs/tmpfs/vfs_fixture.h"

namespace redoubt::vfs {
namespace {

class OpenTest : public VfsTest {
 protected:
  OpenTest() {
    Mkdir(root, "/d");
    Put("/f", "text");
    Chmod("/", 0777);
  }
};

TEST_F(OpenTest, MissingFileIsEnoent) { EXPECT_EQ(OpenCode(root, "/none", O_RDONLY), ENOENT); }

TEST_F(OpenTest, CreateMakesAnEmptyFile) {
  EXPECT_EQ(OpenCode(user, "/new", O_CREAT | O_WRONLY, 0666), 0);
  Attributes made = Stat("/new");
  EXPECT_EQ(made.mode, S_IFREG | 0644u);  // umask 022.
  EXPECT_EQ(made.uid, 1000u);
  EXPECT_EQ(made.size, 0u);
}

TEST_F(OpenTest, CreatedFileIsOpenWhateverItsMode) {
  auto file = TryOpen(user, "/new", O_CREAT | O_RDWR, 0);
  ASSERT_EQ(Code(file), 0);
  EXPECT_TRUE((*file)->writable());
  EXPECT_EQ(OpenCode(user, "/new", O_RDONLY), EACCES);
}

TEST_F(OpenTest, ExclusiveOnExistingIsEexist) {
  EXPECT_EQ(OpenCode(root, "/f", O_CREAT | O_EXCL | O_RDWR), EEXIST);
  EXPECT_EQ(OpenCode(root, "/d", O_CREAT | O_EXCL | O_RDWR), EEXIST);
  EXPECT_EQ(OpenCode(root, "/", O_CREAT | O_EXCL | O_RDWR), EEXIST);
}

TEST_F(OpenTest, ExclusiveDoesNotFollowDanglingSymlinks) {
  Symlink("target", "/link");
  EXPECT_EQ(OpenCode(root, "/link", O_CREAT | O_EXCL | O_RDWR), EEXIST);
  EXPECT_FALSE(Exists("/target"));
}

TEST_F(OpenTest, CreateFollowsDanglingSymlinks) {
  Symlink("/d/target", "/link");
  EXPECT_EQ(OpenCode(root, "/link", O_CREAT | O_RDWR), 0);
  EXPECT_TRUE(Exists("/d/target"));
}

TEST_F(OpenTest, CreateThroughSymlinkToMissingDirectoryIsEnoent) {
  Symlink("/none/target", "/link");
  EXPECT_EQ(OpenCode(root, "/link", O_CREAT | O_RDWR), ENOENT);
}

TEST_F(OpenTest, CreateThroughSymlinkWithTrailingSlashIsEisdir) {
  Symlink("target/", "/link");
  EXPECT_EQ(OpenCode(root, "/link", O_CREAT | O_RDWR), EISDIR);
}

TEST_F(OpenTest, CreateThroughLoopIsEloop) {
  Symlink("loop", "/loop");
  EXPECT_EQ(OpenCode(root, "/loop", O_CREAT | O_RDWR), ELOOP);
}

TEST_F(OpenTest, CreateWithTrailingSlashIsEisdir) {
  EXPECT_EQ(OpenCode(root, "/new/", O_CREAT | O_RDWR), EISDIR);
  EXPECT_FALSE(Exists("/new"));
}

TEST_F(OpenTest, CreateOnDirectoryIsEisdir) {
  EXPECT_EQ(OpenCode(root, "/d", O_CREAT | O_RDONLY), EISDIR);
  EXPECT_EQ(OpenCode(root, "/d/.", O_CREAT | O_RDONLY), EISDIR);
  EXPECT_EQ(OpenCode(root, "/d/..", O_CREAT | O_RDONLY), EISDIR);
}

TEST_F(OpenTest, CreateWithDirectoryFlagIsEinval) {
  EXPECT_EQ(OpenCode(root, "/new", O_CREAT | O_DIRECTORY | O_RDONLY), EINVAL);
}

TEST_F(OpenTest, CreateInUnwritableDirectoryIsEacces) {
  EXPECT_EQ(OpenCode(user, "/d/new", O_CREAT | O_RDWR), EACCES);
}

TEST_F(OpenTest, CreateOnReadOnlyMountIsErofs) {
  MountAt("/d", MS_RDONLY);
  EXPECT_EQ(OpenCode(user, "/d/new", O_CREAT | O_RDWR), EROFS);
  EXPECT_EQ(OpenCode(user, "/d/none", O_RDWR), ENOENT);
}

TEST_F(OpenTest, WritingOnReadOnlyMountIsErofs) {
  RefPtr<Mount> mount = MountAt("/d");
  Put("/d/x");
  mount->set_flags(MS_RDONLY);
  EXPECT_EQ(OpenCode(root, "/d/x", O_WRONLY), EROFS);
  EXPECT_EQ(OpenCode(root, "/d/x", O_RDONLY | O_TRUNC), EROFS);
  EXPECT_EQ(OpenCode(root, "/d/x", O_RDONLY), 0);
  EXPECT_EQ(OpenCode(root, "/d/x", O_RDONLY | O_CREAT), 0);
}

TEST_F(OpenTest, WritingToDirectoryIsEisdir) {
  EXPECT_EQ(OpenCode(root, "/d", O_WRONLY), EISDIR);
  EXPECT_EQ(OpenCode(root, "/d", O_RDONLY | O_TRUNC), EISDIR);
  EXPECT_EQ(OpenCode(root, "/d", O_RDONLY), 0);
}

TEST_F(OpenTest, DirectoryFlagOnFileIsEnotdir) {
  EXPECT_EQ(OpenCode(root, "/f", O_RDONLY | O_DIRECTORY), ENOTDIR);
}

TEST_F(OpenTest, NofollowOnSymlinkIsEloop) {
  Symlink("f", "/link");
  EXPECT_EQ(OpenCode(root, "/link", O_RDONLY | O_NOFOLLOW), ELOOP);
  EXPECT_EQ(OpenCode(root, "/link", O_CREAT | O_RDWR | O_NOFOLLOW), ELOOP);
  EXPECT_EQ(OpenCode(root, "/link", O_RDONLY | O_NOFOLLOW | O_DIRECTORY), ENOTDIR);
}

TEST_F(OpenTest, PathOnlyNeedsNoPermission) {
  Chmod("/f", 0);
  auto file = TryOpen(user, "/f", O_PATH);
  ASSERT_EQ(Code(file), 0);
  EXPECT_TRUE((*file)->IsPathOnly());
  EXPECT_FALSE((*file)->readable());
  Symlink("f", "/link");
  auto link = TryOpen(user, "/link", O_PATH | O_NOFOLLOW);
  ASSERT_EQ(Code(link), 0);
  EXPECT_TRUE((*link)->inode()->IsSymlink());
}

TEST_F(OpenTest, PermissionFollowsTheAccessMode) {
  Chmod("/f", 0444);
  EXPECT_EQ(OpenCode(user, "/f", O_RDONLY), 0);
  EXPECT_EQ(OpenCode(user, "/f", O_WRONLY), EACCES);
  EXPECT_EQ(OpenCode(user, "/f", O_RDWR), EACCES);
  EXPECT_EQ(OpenCode(user, "/f", O_RDONLY | O_TRUNC), EACCES);
  EXPECT_EQ(OpenCode(root, "/f", O_RDWR), 0);
}

TEST_F(OpenTest, OwnerGroupAndOthersAreDistinct) {
  Chown("/f", 1000, 50);
  Chmod("/f", 0077);
  EXPECT_EQ(OpenCode(user, "/f", O_RDONLY), EACCES);  // The owner's bits count, and only they.
  Chown("/f", 0, 50);
  Chmod("/f", 0604);
  user.groups = {50};
  EXPECT_EQ(OpenCode(user, "/f", O_RDONLY), EACCES);
}

TEST_F(OpenTest, TruncateEmptiesTheFile) {
  EXPECT_EQ(OpenCode(root, "/f", O_WRONLY | O_TRUNC), 0);
  EXPECT_EQ(Stat("/f").size, 0u);
}

TEST_F(OpenTest, NoatimeIsForOwners) {
  EXPECT_EQ(OpenCode(user, "/f", O_RDONLY | O_NOATIME), EPERM);
  EXPECT_EQ(OpenCode(root, "/f", O_RDONLY | O_NOATIME), 0);
}

TEST_F(OpenTest, TmpfileHasNoName) {
  EXPECT_EQ(OpenCode(root, "/d", O_TMPFILE | O_RDONLY), EINVAL);
  EXPECT_EQ(OpenCode(root, "/f", O_TMPFILE | O_RDWR), ENOTDIR);
  auto file = TryOpen(root, "/d", O_TMPFILE | O_RDWR);
  ASSERT_EQ(Code(file), 0);
  EXPECT_EQ((*file)->GetAttributes()->links, 0u);
  EXPECT_TRUE(List("/d").empty());
  EXPECT_EQ(Code(Link(root, (*file)->path(), root.root, "named")), 0);
  EXPECT_EQ(Stat("/named").links, 1u);
}

TEST_F(OpenTest, ExclusiveTmpfileStaysNameless) {
  auto file = TryOpen(root, "/d", O_TMPFILE | O_RDWR | O_EXCL);
  ASSERT_EQ(Code(file), 0);
  EXPECT_EQ(Code(Link(root, (*file)->path(), root.root, "named")), ENOENT);
}

TEST_F(OpenTest, SpecialFilesWithoutDriverAreEnxio) {
  ASSERT_EQ(Code(MakeNode(root, root.root, "sock", S_IFSOCK | 0777, 0)), 0);
  EXPECT_EQ(OpenCode(root, "/sock", O_RDWR), ENXIO);
}

TEST_F(OpenTest, DevicesOnNodevMountsAreEacces) {
  MountAt("/d", MS_NODEV);
  ASSERT_EQ(Code(MakeNode(root, root.root, "d/null", S_IFCHR | 0666, 0x103)), 0);
  EXPECT_EQ(OpenCode(root, "/d/null", O_RDWR), EACCES);
}

TEST_F(OpenTest, UnlinkedFileStaysUsable) {
  auto file = TryOpen(root, "/f", O_RDWR).value();
  ASSERT_EQ(Remove(root, "/f"), 0);
  EXPECT_EQ(ReadAll(*file), "text");
  EXPECT_EQ(file->GetAttributes()->links, 0u);
  Put("/f", "other");
  EXPECT_EQ(ReadAll(*file), "text");
}

TEST_F(OpenTest, OpenPathChecksAgain) {
  Path place = At("/f");
  Chmod("/f", 0400);
  EXPECT_EQ(Code(OpenPath(user, place, O_RDONLY)), EACCES);
  EXPECT_EQ(Code(OpenPath(root, place, O_RDONLY | O_DIRECTORY)), ENOTDIR);
  EXPECT_EQ(Code(OpenPath(root, place, O_RDONLY)), 0);
}

TEST_F(OpenTest, ResolveAppliesToCreation) {
  Path d = At("/d");
  OpenRequest beneath{.flags = O_CREAT | O_RDWR, .mode = 0600, .resolve = RESOLVE_BENEATH};
  EXPECT_EQ(Code(Open(root, d, "../escaped", beneath)), EXDEV);
  EXPECT_FALSE(Exists("/escaped"));
  EXPECT_EQ(Code(Open(root, d, "inside", beneath)), 0);
  EXPECT_TRUE(Exists("/d/inside"));
}

TEST_F(OpenTest, SetgidDirectoryGivesItsGroup) {
  Chown("/d", 0, 77);
  Chmod("/d", 02777);
  EXPECT_EQ(OpenCode(user, "/d/f", O_CREAT | O_RDWR, 02775), 0);
  EXPECT_EQ(Stat("/d/f").gid, 77u);
  EXPECT_EQ(Stat("/d/f").mode & S_ISGID, 0u);  // Not a member of 77.
  EXPECT_EQ(Mkdir(user, "/d/sub"), 0);
  EXPECT_EQ(Stat("/d/sub").gid, 77u);
  EXPECT_NE(Stat("/d/sub").mode & S_ISGID, 0u);
}

}  // namespace
}  // namespace redoubt::vfs
