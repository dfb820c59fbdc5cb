// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/overlay/overlay.h"

#include <linux/fs.h>
#include <sys/xattr.h>

#include "sentry/fs/tmpfs/vfs_fixture.h"

namespace redoubt::overlay {
namespace {

using vfs::Code;
using Names = std::vector<std::string>;

// Lower layers are tmpfs trees, built through a mount of their own and then put under an overlay.
class OverlayTest : public vfs::VfsTest {
 protected:
  OverlayTest() { Build(1, true); }

  // The lower tree: dir/{a,b,sub/deep}, file, link -> file, tool (with xattr).
  void Build(int lowers, bool writable) {
    Layers layers;
    lower_mounts.clear();
    for (int i = 0; i < lowers; ++i) {
      tmpfs::Options options;
      options.mode = 0755;
      lower_mounts.push_back(tmpfs::NewMount(options, 0, "lower"));
      layers.lowers.push_back(lower_mounts.back()->root()->inode());
    }
    UseRoot(lower_mounts[0]);
    lower_root = root.root;
    Mkdir(root, "/dir");
    Put("/dir/a", "lower a");
    Put("/dir/b", "lower b");
    Mkdir(root, "/dir/sub");
    Put("/dir/sub/deep", "deep");
    Put("/file", "lower file");
    Symlink("file", "/link");
    Put("/tool", "tool", 0755);
    vfs::SetXattr(root, At("/tool"), "user.mark", "kept", 0).value();
    if (writable) layers.upper = tmpfs::NewRoot({.mode = 0755});
    upper = layers.upper;
    UseRoot(NewMount(std::move(layers), 0, "overlay").value());
  }

  std::string Lower(std::string_view path) {
    auto place = vfs::Walk(root, lower_root, path, {.follow_final = false});
    if (!place.ok()) return "none";
    auto file = vfs::OpenPath(root, *place, O_RDONLY);
    return file.ok() ? ReadAll(**file) : "unreadable";
  }
  void ForgetDentries() { vfs::Dentry::EvictAllUnused(*root.root.mount->superblock()); }

  std::vector<RefPtr<vfs::Mount>> lower_mounts;
  vfs::Path lower_root;
  RefPtr<vfs::Inode> upper;
};

TEST_F(OverlayTest, ShowsTheLowerLayer) {
  EXPECT_EQ(Get(root, "/file"), "lower file");
  EXPECT_EQ(Get(root, "/dir/sub/deep"), "deep");
  EXPECT_EQ(Get(root, "/link"), "lower file");
  EXPECT_EQ(List("/"), (Names{"dir", "file", "link", "tool"}));
}

TEST_F(OverlayTest, WritingCopiesUpAndLeavesTheLowerAlone) {
  auto file = TryOpen(root, "/dir/sub/deep", O_RDWR).value();
  EXPECT_EQ((*file).PWrite(std::as_bytes(std::span("D", 1)), 0, root).value(), 1u);
  EXPECT_EQ(Get(root, "/dir/sub/deep"), "Deep");
  EXPECT_EQ(Lower("dir/sub/deep"), "deep");
}

TEST_F(OverlayTest, ReadingDoesNotCopyUp) {
  Get(root, "/file");
  EXPECT_EQ(Code(upper->Lookup("file")), ENOENT);
}

TEST_F(OverlayTest, CopyUpKeepsModeOwnerTimesAndXattrs) {
  vfs::Attributes before = Stat("/tool");
  ASSERT_EQ(Chmod("/tool", 0700), 0);
  vfs::Attributes after = Stat("/tool");
  EXPECT_EQ(after.mode, S_IFREG | 0700u);
  EXPECT_EQ(after.modify_time, before.modify_time);
  EXPECT_EQ(vfs::GetXattr(root, At("/tool"), "user.mark").value(), "kept");
  EXPECT_EQ(Get(root, "/tool"), "tool");
}

TEST_F(OverlayTest, NumbersSurviveCopyUpAndEviction) {
  vfs::Attributes before = Stat("/dir/a");
  ASSERT_EQ(Chmod("/dir/a", 0600), 0);
  EXPECT_EQ(Stat("/dir/a").inode_number, before.inode_number);
  ForgetDentries();
  EXPECT_EQ(Stat("/dir/a").inode_number, before.inode_number);
  EXPECT_EQ(Stat("/dir/a").device, before.device);
  ASSERT_EQ(Move(root, "/dir/a", "/moved"), 0);
  ForgetDentries();
  EXPECT_EQ(Stat("/moved").inode_number, before.inode_number);
}

TEST_F(OverlayTest, DirectoryNumberSurvivesCopyUp) {
  vfs::Attributes before = Stat("/dir");
  Put("/dir/new");
  ForgetDentries();
  EXPECT_EQ(Stat("/dir").inode_number, before.inode_number);
}

TEST_F(OverlayTest, AllFilesShareOneDevice) {
  Put("/new");
  EXPECT_EQ(Stat("/new").device, Stat("/file").device);
  EXPECT_EQ(Stat("/dir").device, Stat("/file").device);
}

TEST_F(OverlayTest, ReaddirNumbersAreStats) {
  Put("/dir/new");
  Chmod("/dir/a", 0600);
  auto directory = TryOpen(root, "/dir", O_RDONLY).value();
  vfs::NameSink sink;
  ASSERT_EQ(Code(directory->ReadDirectory(sink)), 0);
  for (size_t i = 2; i < sink.names.size(); ++i) {
    EXPECT_EQ(sink.inodes[i], Stat("/dir/" + sink.names[i]).inode_number) << sink.names[i];
  }
}

TEST_F(OverlayTest, TruncatingOpenCopiesNoData) {
  Put("/file", "new");
  EXPECT_EQ(Get(root, "/file"), "new");
  EXPECT_EQ(Lower("file"), "lower file");
}

TEST_F(OverlayTest, TruncateKeepsTheBeginning) {
  ASSERT_EQ(Code(vfs::Truncate(root, At("/file"), 5)), 0);
  EXPECT_EQ(Get(root, "/file"), "lower");
}

TEST_F(OverlayTest, TruncateMayGrow) {
  ASSERT_EQ(Code(vfs::Truncate(root, At("/file"), 12)), 0);
  EXPECT_EQ(Get(root, "/file"), std::string("lower file\0\0", 12));
}

TEST_F(OverlayTest, UnlinkLeavesAWhiteout) {
  ASSERT_EQ(Remove(root, "/file"), 0);
  EXPECT_FALSE(Exists("/file"));
  ForgetDentries();
  EXPECT_FALSE(Exists("/file"));
  EXPECT_EQ(List("/"), (Names{"dir", "link", "tool"}));
  EXPECT_EQ(upper->Lookup("file").value()->type(), unsigned{S_IFCHR});
  EXPECT_EQ(Lower("file"), "lower file");
}

TEST_F(OverlayTest, UnlinkOfAnUpperFileLeavesNothing) {
  Put("/new");
  ASSERT_EQ(Remove(root, "/new"), 0);
  EXPECT_EQ(Code(upper->Lookup("new")), ENOENT);
}

TEST_F(OverlayTest, RecreateAfterUnlink) {
  Remove(root, "/file");
  Put("/file", "second");
  ForgetDentries();
  EXPECT_EQ(Get(root, "/file"), "second");
  EXPECT_EQ(Remove(root, "/file"), 0);
  ForgetDentries();
  EXPECT_FALSE(Exists("/file"));
}

TEST_F(OverlayTest, RmdirNeedsTheMergedDirectoryEmpty) {
  EXPECT_EQ(Rmdir(root, "/dir"), ENOTEMPTY);
  EXPECT_EQ(Remove(root, "/dir/a"), 0);
  EXPECT_EQ(Remove(root, "/dir/b"), 0);
  EXPECT_EQ(Rmdir(root, "/dir"), ENOTEMPTY);
  EXPECT_EQ(Remove(root, "/dir/sub/deep"), 0);
  EXPECT_EQ(Rmdir(root, "/dir/sub"), 0);
  EXPECT_EQ(Rmdir(root, "/dir"), 0);
  ForgetDentries();
  EXPECT_FALSE(Exists("/dir"));
}

TEST_F(OverlayTest, NewDirectoryOverARemovedOneIsOpaque) {
  for (const char* name : {"/dir/a", "/dir/b", "/dir/sub/deep"}) ASSERT_EQ(Remove(root, name), 0);
  ASSERT_EQ(Rmdir(root, "/dir/sub"), 0);
  ASSERT_EQ(Rmdir(root, "/dir"), 0);
  ASSERT_EQ(Mkdir(root, "/dir"), 0);
  ForgetDentries();
  EXPECT_EQ(List("/dir"), Names{});
  EXPECT_FALSE(Exists("/dir/a"));
}

TEST_F(OverlayTest, MergedListing) {
  Put("/dir/new");
  Remove(root, "/dir/a");
  EXPECT_EQ(List("/dir"), (Names{"b", "new", "sub"}));
}

TEST_F(OverlayTest, OffsetsSurviveChangesAndCopyUp) {
  for (int i = 0; i < 50; ++i) Put("/dir/n" + std::to_string(i));
  ForgetDentries();
  auto directory = TryOpen(root, "/dir", O_RDONLY).value();
  std::vector<std::string> seen;
  while (true) {
    vfs::NameSink sink(7);
    ASSERT_EQ(Code(directory->ReadDirectory(sink)), 0);
    if (sink.names.empty()) break;
    for (const std::string& name : sink.names) {
      if (name != "." && name != "..") seen.push_back(name);
      if (name[0] == 'n') {
        ASSERT_EQ(Remove(root, "/dir/" + name), 0);
      }
    }
  }
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(seen.size(), 53u);
  EXPECT_EQ(std::unique(seen.begin(), seen.end()), seen.end());
  EXPECT_EQ(List("/dir"), (Names{"a", "b", "sub"}));
}

TEST_F(OverlayTest, RenameOfALowerFile) {
  ASSERT_EQ(Move(root, "/file", "/dir/renamed"), 0);
  ForgetDentries();
  EXPECT_FALSE(Exists("/file"));
  EXPECT_EQ(Get(root, "/dir/renamed"), "lower file");
}

TEST_F(OverlayTest, RenameOverALowerFile) {
  ASSERT_EQ(Move(root, "/file", "/dir/a"), 0);
  ForgetDentries();
  EXPECT_EQ(Get(root, "/dir/a"), "lower file");
  ASSERT_EQ(Remove(root, "/dir/a"), 0);
  ForgetDentries();
  EXPECT_FALSE(Exists("/dir/a"));
}

TEST_F(OverlayTest, RenameOntoAWhiteout) {
  Remove(root, "/dir/a");
  ASSERT_EQ(Move(root, "/file", "/dir/a"), 0);
  ForgetDentries();
  EXPECT_EQ(Get(root, "/dir/a"), "lower file");
}

TEST_F(OverlayTest, RenameOfALowerDirectoryIsExdev) {
  EXPECT_EQ(Move(root, "/dir", "/other"), EXDEV);
  Put("/dir/new");
  EXPECT_EQ(Move(root, "/dir", "/other"), EXDEV);
}

TEST_F(OverlayTest, RenameOfAnUpperDirectory) {
  Mkdir(root, "/new");
  Put("/new/file", "x");
  ASSERT_EQ(Move(root, "/new", "/dir/moved"), 0);
  ForgetDentries();
  EXPECT_EQ(Get(root, "/dir/moved/file"), "x");
  Put("/dir/moved/later", "y");
  EXPECT_EQ(List("/dir/moved"), (Names{"file", "later"}));
}

TEST_F(OverlayTest, RenameOfADirectoryOntoARemovedLowerOneIsOpaque) {
  Remove(root, "/dir/sub/deep");
  ASSERT_EQ(Rmdir(root, "/dir/sub"), 0);
  Mkdir(root, "/new");
  ASSERT_EQ(Move(root, "/new", "/dir/sub"), 0);
  ForgetDentries();
  EXPECT_EQ(List("/dir/sub"), Names{});
}

TEST_F(OverlayTest, RenameOfADirectoryOntoAnEmptyMergedOne) {
  Remove(root, "/dir/sub/deep");
  Mkdir(root, "/new");
  Put("/new/x");
  ASSERT_EQ(Move(root, "/new", "/dir/sub"), 0);
  ForgetDentries();
  EXPECT_EQ(List("/dir/sub"), Names{"x"});
}

TEST_F(OverlayTest, ExchangeOfFiles) {
  Put("/new", "new");
  ASSERT_EQ(Move(root, "/new", "/file", RENAME_EXCHANGE), 0);
  ForgetDentries();
  EXPECT_EQ(Get(root, "/new"), "lower file");
  EXPECT_EQ(Get(root, "/file"), "new");
}

TEST_F(OverlayTest, LinkCopiesUp) {
  ASSERT_EQ(Hardlink(root, "/file", "/dir/second"), 0);
  EXPECT_EQ(Stat("/file").inode_number, Stat("/dir/second").inode_number);
  auto file = TryOpen(root, "/dir/second", O_WRONLY | O_APPEND).value();
  ASSERT_TRUE(file->Write(std::as_bytes(std::span("!", 1)), root).ok());
  ForgetDentries();
  EXPECT_EQ(Get(root, "/file"), "lower file!");
  EXPECT_EQ(Stat("/file").inode_number, Stat("/dir/second").inode_number);
}

TEST_F(OverlayTest, OpenLowerFileFollowsTheCopy) {
  auto reader = TryOpen(root, "/file", O_RDONLY).value();
  EXPECT_EQ(ReadAll(*reader), "lower file");
  Put("/file", "changed");
  EXPECT_EQ(ReadAll(*reader), "changed");
}

TEST_F(OverlayTest, MappingAfterCopyUpIsTheUpper) {
  auto reader = TryOpen(root, "/file", O_RDONLY).value();
  int before = reader->Map(false)->fd;
  Put("/file", "changed");
  int after = reader->Map(false)->fd;
  EXPECT_NE(before, after);
  char text[8] = {};
  ASSERT_EQ(pread(after, text, 7, 0), 7);
  EXPECT_STREQ(text, "changed");
}

TEST_F(OverlayTest, UnlinkedOpenFileCanBeChanged) {
  auto file = TryOpen(root, "/file", O_RDONLY).value();
  Remove(root, "/file");
  vfs::AttributeChange change;
  change.mode = 0600;
  EXPECT_EQ(Code(file->SetAttributes(change)), 0);
  EXPECT_EQ(file->GetAttributes()->mode & 07777, 0600u);
  EXPECT_EQ(ReadAll(*file), "lower file");
  EXPECT_FALSE(Exists("/file"));
  ForgetDentries();
  EXPECT_FALSE(Exists("/file"));
}

TEST_F(OverlayTest, OwnXattrsAreHidden) {
  Put("/dir/new");
  EXPECT_EQ(vfs::ListXattrs(root, At("/dir"))->size(), 0u);
  EXPECT_EQ(Code(vfs::GetXattr(root, At("/dir"), "trusted.overlay.origin")), ENODATA);
  EXPECT_EQ(Code(vfs::SetXattr(root, At("/dir"), "trusted.overlay.opaque", "y", 0)), EPERM);
}

TEST_F(OverlayTest, GuestsMakeNoWhiteouts) {
  EXPECT_EQ(Code(vfs::MakeNode(root, root.root, "w", S_IFCHR | 0600, 0)), EPERM);
  EXPECT_EQ(Code(vfs::MakeNode(root, root.root, "null", S_IFCHR | 0600, 0x103)), 0);
}

TEST_F(OverlayTest, SymlinkCopyUp) {
  ASSERT_EQ(Code(vfs::ChangeOwner(root, *Find(root, "/link", {.follow_final = false}), 5, 5)), 0);
  ForgetDentries();
  EXPECT_EQ(Stat("/link", false).uid, 5u);
  EXPECT_EQ(Get(root, "/link"), "lower file");
}

TEST_F(OverlayTest, CopyUpKeepsTheParentsTimes) {
  vfs::TimeChange then{.kind = vfs::TimeChange::Kind::kSet,
                       .time = {.seconds = 100, .nanoseconds = 7}};
  ASSERT_EQ(Code(vfs::ChangeTimes(root, At("/dir"), then, then)), 0);
  Chmod("/dir/a", 0600);
  EXPECT_EQ(Stat("/dir").modify_time, then.time);
}

TEST_F(OverlayTest, HolesStayHoles) {
  UseRoot(lower_mounts[0]);
  auto big = TryOpen(root, "/sparse", O_CREAT | O_RDWR).value();
  ASSERT_TRUE(big->PWrite(std::as_bytes(std::span("x", 1)), 8 << 20, root).ok());
  Layers layers{.upper = tmpfs::NewRoot({}), .lowers = {root.root.dentry->inode()}};
  UseRoot(NewMount(std::move(layers), 0, "overlay").value());
  ASSERT_EQ(Chmod("/sparse", 0600), 0);
  EXPECT_EQ(Stat("/sparse").size, (8u << 20) + 1);
  EXPECT_LE(Stat("/sparse").blocks, 512u);
}

TEST_F(OverlayTest, OTmpfileAndLink) {
  auto file = TryOpen(root, "/dir", O_TMPFILE | O_RDWR).value();
  ASSERT_TRUE(file->Write(std::as_bytes(std::span("tmp", 3)), root).ok());
  ASSERT_EQ(Code(vfs::Link(root, file->path(), root.root, "named")), 0);
  ForgetDentries();
  EXPECT_EQ(Get(root, "/named"), "tmp");
}

TEST_F(OverlayTest, LowerHardLinksStayTogether) {
  UseRoot(lower_mounts[0]);
  ASSERT_EQ(Hardlink(root, "/file", "/dir/alias"), 0);
  Layers layers{.upper = tmpfs::NewRoot({}), .lowers = {root.root.dentry->inode()}};
  UseRoot(NewMount(std::move(layers), 0, "overlay").value());
  Put("/file", "changed");
  ForgetDentries();
  EXPECT_EQ(Get(root, "/dir/alias"), "changed");
  ASSERT_EQ(Move(root, "/dir/alias", "/dir/other"), 0);
  ForgetDentries();
  EXPECT_EQ(Get(root, "/dir/other"), "changed");
  EXPECT_EQ(Get(root, "/file"), "changed");
  EXPECT_FALSE(Exists("/dir/alias"));
}

TEST_F(OverlayTest, ReadOnlyOverlayIsErofs) {
  Build(1, false);
  EXPECT_EQ(Mkdir(root, "/x"), EROFS);
  EXPECT_EQ(Chmod("/file", 0), EROFS);
  EXPECT_EQ(Remove(root, "/file"), EROFS);
  EXPECT_EQ(OpenCode(root, "/file", O_RDWR), EROFS);
  EXPECT_EQ(Get(root, "/file"), "lower file");
}

TEST_F(OverlayTest, SeveralLowerLayersMerge) {
  Build(3, true);
  auto in_layer = [&](int layer, auto work) {
    vfs::Path saved = root.root;
    root.root = root.working_directory = {lower_mounts[layer], lower_mounts[layer]->root()};
    work();
    root.root = root.working_directory = saved;
  };
  in_layer(1, [&] {
    Mkdir(root, "/dir");
    Put("/dir/a", "hidden a");
    Put("/dir/middle", "middle");
    Put("/dir/sub", "a file under a directory");
  });
  in_layer(2, [&] {
    Mkdir(root, "/dir");
    Mkdir(root, "/dir/sub");
    Put("/dir/sub/hidden", "behind a file");
    Put("/dir/bottom", "bottom");
  });
  EXPECT_EQ(Get(root, "/dir/a"), "lower a");
  EXPECT_EQ(Get(root, "/dir/middle"), "middle");
  EXPECT_EQ(Get(root, "/dir/bottom"), "bottom");
  EXPECT_FALSE(Exists("/dir/sub/hidden"));
  EXPECT_EQ(List("/dir"), (Names{"a", "b", "bottom", "middle", "sub"}));
  EXPECT_EQ(List("/dir/sub"), Names{"deep"});
  Put("/dir/bottom", "up");
  ForgetDentries();
  EXPECT_EQ(Get(root, "/dir/bottom"), "up");
}

TEST_F(OverlayTest, DeepCopyUpDoesNotRecurse) {
  UseRoot(lower_mounts[0]);
  vfs::Path at = root.root;
  constexpr int kDepth = 3000;
  for (int i = 0; i < kDepth; ++i) {
    ASSERT_EQ(Code(vfs::MakeDirectory(root, at, "d", 0755)), 0);
    at = vfs::Walk(root, at, "d", {}).value();
  }
  Layers layers{.upper = tmpfs::NewRoot({}), .lowers = {root.root.dentry->inode()}};
  UseRoot(NewMount(std::move(layers), 0, "overlay").value());
  vfs::Path deep = root.root;
  for (int i = 0; i < kDepth; ++i) deep = vfs::Walk(root, deep, "d", {}).value();
  EXPECT_EQ(Code(vfs::MakeDirectory(root, deep, "new", 0755)), 0);
}

}  // namespace
}  // namespace redoubt::overlay
