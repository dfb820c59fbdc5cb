// SPDX-License-Identifier: Apache-2.0
#include "sentry/vfs/path_walk.h"

#include <linux/openat2.h>

#include "sentry/fs/tmpfs/vfs_fixture.h"

namespace redoubt::vfs {
namespace {

class WalkTest : public VfsTest {
 protected:
  WalkTest() {
    Mkdir(root, "/a");
    Mkdir(root, "/a/b");
    Put("/a/file", "text");
  }
};

TEST_F(WalkTest, EmptyPathIsEnoent) { EXPECT_EQ(Code(Find(root, "")), ENOENT); }

TEST_F(WalkTest, SlashIsTheRoot) {
  EXPECT_EQ(Find(root, "/").value(), root.root);
  EXPECT_EQ(Find(root, "///").value(), root.root);
}

TEST_F(WalkTest, DotAndRepeatedSlashesChangeNothing) {
  EXPECT_EQ(Find(root, "/./a//./b/.").value(), At("/a/b"));
}

TEST_F(WalkTest, DotDotAtRootStays) { EXPECT_EQ(Find(root, "/../../a/../..").value(), root.root); }

TEST_F(WalkTest, MissingNameIsEnoent) {
  EXPECT_EQ(Code(Find(root, "/a/none")), ENOENT);
  EXPECT_EQ(Code(Find(root, "/a/none")), ENOENT);  // From the negative entry.
  EXPECT_EQ(Code(Find(root, "/none/x")), ENOENT);
}

TEST_F(WalkTest, FileInTheMiddleIsEnotdir) {
  EXPECT_EQ(Code(Find(root, "/a/file/x")), ENOTDIR);
  EXPECT_EQ(Code(Find(root, "/a/file/.")), ENOTDIR);
  EXPECT_EQ(Code(Find(root, "/a/file/..")), ENOTDIR);
}

TEST_F(WalkTest, TrailingSlashNeedsDirectory) {
  EXPECT_EQ(Code(Find(root, "/a/file/")), ENOTDIR);
  EXPECT_EQ(Code(Find(root, "/a/b/")), 0);
}

TEST_F(WalkTest, MustBeDirectory) {
  EXPECT_EQ(Code(Find(root, "/a/file", {.must_be_directory = true})), ENOTDIR);
}

TEST_F(WalkTest, SearchPermissionComesBeforeEnoent) {
  Chmod("/a", 0700);
  EXPECT_EQ(Code(Find(user, "/a/none")), EACCES);
  EXPECT_EQ(Code(Find(user, "/a/file/x")), EACCES);
  EXPECT_EQ(Code(Find(user, "/a")), 0);
}

TEST_F(WalkTest, SearchWithoutReadIsEnough) {
  Chmod("/a", 0711);
  EXPECT_EQ(Code(Find(user, "/a/b")), 0);
}

TEST_F(WalkTest, DacReadSearchWalksEverywhere) {
  Chmod("/a", 0);
  user.capabilities = uint64_t{1} << CAP_DAC_READ_SEARCH;
  EXPECT_EQ(Code(Find(user, "/a/b")), 0);
}

TEST_F(WalkTest, LongNameIsEnametoolong) {
  EXPECT_EQ(Code(Find(root, "/" + std::string(256, 'x'))), ENAMETOOLONG);
  EXPECT_EQ(Code(Find(root, "/" + std::string(255, 'x'))), ENOENT);
}

TEST_F(WalkTest, LongPathIsEnametoolong) {
  std::string path;
  while (path.size() < 4095) path += '/';
  EXPECT_EQ(Code(Find(root, path)), 0);
  EXPECT_EQ(Code(Find(root, path + "/")), ENAMETOOLONG);
}

TEST_F(WalkTest, RelativeSymlinkStartsAtItsDirectory) {
  Symlink("b/../file", "/a/link");
  EXPECT_EQ(Find(root, "/a/link").value(), At("/a/file"));
}

TEST_F(WalkTest, AbsoluteSymlinkStartsAtRoot) {
  Symlink("/a/b", "/link");
  EXPECT_EQ(Find(root, "/link/../file").value(), At("/a/file"));
}

TEST_F(WalkTest, FinalSymlinkIsKeptWhenAsked) {
  Symlink("a", "/link");
  EXPECT_TRUE(Find(root, "/link", {.follow_final = false})->dentry->inode()->IsSymlink());
  EXPECT_EQ(Find(root, "/link/", {.follow_final = false}).value(), At("/a"));
}

TEST_F(WalkTest, SymlinkToFileWithTrailingSlashIsEnotdir) {
  Symlink("a/file", "/link");
  EXPECT_EQ(Code(Find(root, "/link/")), ENOTDIR);
  Symlink("a/file/", "/link2");
  EXPECT_EQ(Code(Find(root, "/link2")), ENOTDIR);
}

TEST_F(WalkTest, LoopIsEloop) {
  Symlink("self", "/self");
  EXPECT_EQ(Code(Find(root, "/self")), ELOOP);
  EXPECT_EQ(Code(Find(root, "/self/x")), ELOOP);
}

TEST_F(WalkTest, FortyLinksAreFollowedAndNoMore) {
  Symlink("a", "/l1");
  for (int i = 2; i <= 41; ++i) {
    Symlink("l" + std::to_string(i - 1), "/l" + std::to_string(i));
  }
  EXPECT_EQ(Code(Find(root, "/l40")), 0);
  EXPECT_EQ(Code(Find(root, "/l41")), ELOOP);
}

TEST_F(WalkTest, DanglingSymlinkIsEnoent) {
  Symlink("none", "/link");
  EXPECT_EQ(Code(Find(root, "/link")), ENOENT);
}

TEST_F(WalkTest, WalksIntoMountsAndOut) {
  Put("/a/b/hidden");
  RefPtr<Mount> mount = MountAt("/a/b");
  EXPECT_EQ(Find(root, "/a/b")->mount, mount);
  EXPECT_EQ(Code(Find(root, "/a/b/hidden")), ENOENT);
  EXPECT_EQ(Find(root, "/a/b/..").value(), At("/a"));
  EXPECT_EQ(Find(root, "/a/b/../file").value(), At("/a/file"));
}

TEST_F(WalkTest, StackedMountsShowTheTop) {
  MountAt("/a/b");
  RefPtr<Mount> top = MountAt("/a/b");
  EXPECT_EQ(Find(root, "/a/b")->mount, top);
  EXPECT_EQ(Find(root, "/a/b/..").value(), At("/a"));
}

TEST_F(WalkTest, MountOnRootCoversIt) {
  MountAt("/");
  Path top = ns->RootPath();
  EXPECT_NE(top, root.root);
  EXPECT_EQ(Find(root, "/a/..").value(), top);
}

TEST_F(WalkTest, ChrootIsNotLeftByDotDot) {
  user.root = At("/a");
  user.working_directory = At("/a/b");
  EXPECT_EQ(Walk(user, user.working_directory, "../../..", {}).value(), At("/a"));
  EXPECT_EQ(Walk(user, user.working_directory, "/..", {}).value(), At("/a"));
}

TEST_F(WalkTest, AbsoluteSymlinkStaysInChroot) {
  Symlink("/file", "/a/link");
  user.root = user.working_directory = At("/a");
  EXPECT_EQ(Find(user, "link").value(), At("/a/file"));
}

TEST_F(WalkTest, BeneathForbidsLeaving) {
  WalkOptions beneath{.resolve = RESOLVE_BENEATH};
  Path a = At("/a");
  EXPECT_EQ(Code(Walk(root, a, "b/../file", beneath)), 0);
  EXPECT_EQ(Code(Walk(root, a, "..", beneath)), EXDEV);
  EXPECT_EQ(Code(Walk(root, a, "/a", beneath)), EXDEV);
  Symlink("/a/file", "/a/link");
  EXPECT_EQ(Code(Walk(root, a, "link", beneath)), EXDEV);
}

TEST_F(WalkTest, InRootTreatsStartAsRoot) {
  WalkOptions in_root{.resolve = RESOLVE_IN_ROOT};
  Symlink("/file", "/a/link");
  Path a = At("/a");
  EXPECT_EQ(Walk(root, a, "/link", in_root).value(), At("/a/file"));
  EXPECT_EQ(Walk(root, a, "../../b", in_root).value(), At("/a/b"));
}

TEST_F(WalkTest, NoSymlinksIsEloop) {
  Symlink("b", "/a/link");
  EXPECT_EQ(Code(Find(root, "/a/link", {.resolve = RESOLVE_NO_SYMLINKS})), ELOOP);
  EXPECT_EQ(Code(Find(root, "/a/link", {.follow_final = false, .resolve = RESOLVE_NO_SYMLINKS})),
            0);
}

TEST_F(WalkTest, NoXdevForbidsMounts) {
  MountAt("/a/b");
  WalkOptions no_xdev{.resolve = RESOLVE_NO_XDEV};
  EXPECT_EQ(Code(Find(root, "/a/b", no_xdev)), EXDEV);
  EXPECT_EQ(Code(Walk(root, At("/a/b"), "..", no_xdev)), EXDEV);
  EXPECT_EQ(Code(Find(root, "/a/file", no_xdev)), 0);
}

TEST_F(WalkTest, CachedFailsWithEagainWhenCold) {
  WalkOptions cached{.resolve = RESOLVE_CACHED};
  EXPECT_EQ(Code(Find(root, "/a/b", cached)), 0);
  EXPECT_EQ(Code(Find(root, "/a/cold", cached)), EAGAIN);
}

TEST_F(WalkTest, PathTextIsAbsolute) {
  EXPECT_EQ(PathText(root, At("/")), "/");
  EXPECT_EQ(PathText(root, At("/a/b")), "/a/b");
}

TEST_F(WalkTest, PathTextCrossesMounts) {
  MountAt("/a/b");
  Mkdir(root, "/a/b/c");
  EXPECT_EQ(PathText(root, At("/a/b/c")), "/a/b/c");
  EXPECT_EQ(PathText(root, At("/a/b")), "/a/b");
}

TEST_F(WalkTest, PathTextIsRelativeToChroot) {
  user.root = At("/a");
  EXPECT_EQ(PathText(user, At("/a/b")), "/b");
  EXPECT_EQ(PathText(user, At("/a")), "/");
  Mkdir(root, "/other");
  EXPECT_EQ(PathText(user, At("/other")), "(unreachable)/other");
}

TEST_F(WalkTest, PathTextMarksDeleted) {
  Path file = At("/a/file");
  EXPECT_EQ(Remove(root, "/a/file"), 0);
  EXPECT_EQ(PathText(root, file), "/a/file (deleted)");
}

TEST_F(WalkTest, WalkToParentKeepsTheLastName) {
  ParentWalk walk = WalkToParent(root, root.root, "/a/b/new///").value();
  EXPECT_EQ(walk.parent, At("/a/b"));
  EXPECT_EQ(walk.name, "new");
  EXPECT_TRUE(walk.trailing_slash);
  EXPECT_FALSE(walk.is_dots);
}

TEST_F(WalkTest, WalkToParentOfRootAndDots) {
  EXPECT_EQ(WalkToParent(root, root.root, "/")->name, ".");
  EXPECT_TRUE(WalkToParent(root, root.root, "/")->is_dots);
  EXPECT_EQ(WalkToParent(root, root.root, "a/..")->name, "..");
}

TEST_F(WalkTest, LookupChildFollowsMounts) {
  RefPtr<Mount> mount = MountAt("/a/b");
  EXPECT_EQ(LookupChild(root, At("/a"), "b")->mount, mount);
  EXPECT_EQ(Code(LookupChild(root, At("/a"), "none")), ENOENT);
  EXPECT_EQ(Code(LookupChild(root, At("/a/file"), "x")), ENOTDIR);
}

TEST_F(WalkTest, RemovedDirectoryHasNothing) {
  Path b = At("/a/b");
  EXPECT_EQ(Rmdir(root, "/a/b"), 0);
  EXPECT_EQ(Code(Walk(root, b, "x", {})), ENOENT);
  EXPECT_EQ(Code(MakeDirectory(root, b, "x", 0755)), ENOENT);
  EXPECT_EQ(Walk(root, b, "..", {}).value(), At("/a"));
}

TEST_F(WalkTest, CacheStaysBounded) {
  root.root.mount->superblock()->SetDentryLimit(16);
  for (int i = 0; i < 200; ++i) Put("/f" + std::to_string(i));
  for (int i = 0; i < 200; ++i) EXPECT_TRUE(Exists("/f" + std::to_string(i)));
  EXPECT_EQ(Code(Find(root, "/a/b")), 0);
}

TEST_F(WalkTest, VeryDeepTreesDoNotOverflowTheStack) {
  Path at = root.root;
  std::vector<Path> chain;
  for (int i = 0; i < 60000; ++i) {
    ASSERT_EQ(Code(MakeDirectory(root, at, "d", 0755)), 0);
    at = Walk(root, at, "d", {}).value();
  }
  EXPECT_EQ(PathText(root, at).size(), 120000u);
}

}  // namespace
}  // namespace redoubt::vfs
