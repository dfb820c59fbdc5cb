// SPDX-License-Identifier: Apache-2.0
#include "sentry/vfs/mount.h"

#include "sentry/fs/tmpfs/vfs_fixture.h"

namespace redoubt::vfs {
namespace {

class MountTest : public VfsTest {
 protected:
  MountTest() {
    Mkdir(root, "/m");
    Mkdir(root, "/n");
    Put("/f", "text");
  }
  RefPtr<Mount> Bind(std::string_view path) {
    return MakeRef<Mount>(At(path).dentry->superblock(), At(path).dentry, 0, "bind");
  }
};

TEST_F(MountTest, AttachNeedsMatchingTypes) {
  EXPECT_EQ(Code(ns->Attach(tmpfs::NewMount({}, 0, "t"), At("/f"))), ENOTDIR);
  EXPECT_EQ(Code(ns->Attach(Bind("/f"), At("/m"))), ENOTDIR);
}

TEST_F(MountTest, AttachToARemovedPlaceIsEnoent) {
  Path gone = At("/m");
  Rmdir(root, "/m");
  EXPECT_EQ(Code(ns->Attach(tmpfs::NewMount({}, 0, "t"), gone)), ENOENT);
}

TEST_F(MountTest, OneMountHasOnePlace) {
  RefPtr<Mount> mount = MountAt("/m");
  EXPECT_EQ(Code(ns->Attach(mount, At("/n"))), EBUSY);
}

TEST_F(MountTest, BindShowsTheSameFiles) {
  Put("/m/x", "x");
  ASSERT_EQ(Code(ns->Attach(Bind("/m"), At("/n"))), 0);
  EXPECT_EQ(Get(root, "/n/x"), "x");
  Put("/n/y", "y");
  EXPECT_EQ(Get(root, "/m/y"), "y");
  EXPECT_EQ(Find(root, "/n/..").value(), At("/"));
  EXPECT_EQ(Move(root, "/m/x", "/n/z"), EXDEV);
}

TEST_F(MountTest, DetachUncoversAgain) {
  Put("/m/below", "1");
  RefPtr<Mount> mount = MountAt("/m");
  EXPECT_FALSE(Exists("/m/below"));
  EXPECT_EQ(Code(ns->Detach(mount, false)), 0);
  EXPECT_TRUE(Exists("/m/below"));
  EXPECT_EQ(Code(ns->Detach(mount, false)), EINVAL);
  EXPECT_EQ(Rmdir(root, "/m"), ENOTEMPTY);
}

TEST_F(MountTest, DetachOfABusyMountIsEbusy) {
  RefPtr<Mount> mount = MountAt("/m");
  Put("/m/x", "x");
  auto file = TryOpen(root, "/m/x", O_RDONLY).value();
  EXPECT_EQ(Code(ns->Detach(mount, false)), EBUSY);
  EXPECT_EQ(Code(ns->Detach(mount, true)), 0);
  EXPECT_EQ(ReadAll(*file), "x");
  EXPECT_EQ(PathText(root, file->path()), "(unreachable)/x");
}

TEST_F(MountTest, DetachOfAMountWithChildrenIsEbusy) {
  RefPtr<Mount> outer = MountAt("/m");
  Mkdir(root, "/m/inner");
  MountAt("/m/inner");
  EXPECT_EQ(Code(ns->Detach(outer, false)), EBUSY);
  EXPECT_EQ(ns->List().size(), 3u);
  EXPECT_EQ(Code(ns->Detach(outer, true)), 0);
  EXPECT_EQ(ns->List().size(), 1u);
}

TEST_F(MountTest, RootIsNotDetached) { EXPECT_EQ(Code(ns->Detach(ns->root(), true)), EINVAL); }

TEST_F(MountTest, MoveTakesTheMountElsewhere) {
  RefPtr<Mount> mount = MountAt("/m");
  Put("/m/x", "x");
  Mkdir(root, "/m/sub");
  ASSERT_EQ(Code(ns->Move(mount, At("/n"))), 0);
  EXPECT_EQ(Get(root, "/n/x"), "x");
  EXPECT_FALSE(Exists("/m/x"));
  EXPECT_EQ(Code(ns->Move(mount, At("/n/sub"))), ELOOP);
  EXPECT_EQ(Rmdir(root, "/m"), 0);
}

TEST_F(MountTest, CloneIsIndependent) {
  RefPtr<Mount> mount = MountAt("/m");
  Put("/m/x", "x");
  Path working = At("/m");
  Path* paths[] = {&working};
  RefPtr<MountNamespace> copy = ns->Clone(paths);
  EXPECT_NE(working.mount, mount);
  EXPECT_EQ(copy->List().size(), 2u);
  Caller inside = root;
  inside.root = inside.working_directory = copy->RootPath();
  EXPECT_EQ(Get(inside, "/m/x"), "x");
  EXPECT_EQ(Code(copy->Detach(working.mount, true)), 0);
  EXPECT_EQ(Get(inside, "/m/x"), "errno 2");
  EXPECT_EQ(Get(root, "/m/x"), "x");
}

TEST_F(MountTest, ListNamesParents) {
  RefPtr<Mount> mount = MountAt("/m");
  auto entries = ns->List();
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].parent_id, 0);
  EXPECT_EQ(entries[1].parent_id, entries[0].mount->id());
  EXPECT_EQ(PathText(root, entries[1].Where()), "/m");
}

TEST_F(MountTest, PivotRootSwapsTheRoots) {
  RefPtr<Mount> mount = MountAt("/m");
  Mkdir(root, "/m/old");
  EXPECT_EQ(Code(ns->PivotRoot(At("/m/old"), At("/m/old"))), EINVAL);
  EXPECT_EQ(Code(ns->PivotRoot(At("/m"), At("/n"))), EBUSY);
  ASSERT_EQ(Code(ns->PivotRoot(At("/m"), At("/m/old"))), 0);
  root.root = root.working_directory = ns->RootPath();
  EXPECT_EQ(root.root.mount, mount);
  EXPECT_EQ(Get(root, "/old/f"), "text");
  EXPECT_EQ(Find(root, "/old/..").value(), At("/"));
  EXPECT_EQ(Code(ns->Detach(At("/old").mount, true)), 0);
  EXPECT_FALSE(Exists("/old/f"));
}

TEST_F(MountTest, PivotRootOntoItselfStacksTheOldRoot) {
  RefPtr<Mount> old = ns->root();
  RefPtr<Mount> mount = MountAt("/m");
  ASSERT_EQ(Code(ns->PivotRoot(At("/m"), At("/m"))), 0);
  EXPECT_EQ(ns->RootPath().mount, old);
  EXPECT_EQ(Code(ns->Detach(old, true)), 0);
  EXPECT_EQ(ns->RootPath().mount, mount);
}

TEST_F(MountTest, NamespaceFreesItsMounts) {
  RefPtr<Mount> mount = MountAt("/m");
  Mkdir(root, "/m/a");
  EXPECT_GT(mount->ref_count(), 1);
  root.root = root.working_directory = user.root = user.working_directory = {};
  ns = nullptr;
  EXPECT_EQ(mount->ref_count(), 1);
}

}  // namespace
}  // namespace redoubt::vfs
