// SPDX-License-Identifier: Apache-2.0
#include <sys/mount.h>

#include <thread>

#include "sentry/fs/tmpfs/vfs_fixture.h"

namespace redoubt::vfs {
namespace {

class NamesTest : public VfsTest {
 protected:
  NamesTest() {
    Mkdir(root, "/d");
    Put("/f", "text");
  }
};

TEST_F(NamesTest, MkdirErrorsComeInLinuxOrder) {
  EXPECT_EQ(Mkdir(user, "/d"), EEXIST);  // Before EACCES.
  EXPECT_EQ(Mkdir(user, "/new"), EACCES);
  EXPECT_EQ(Mkdir(root, "/"), EEXIST);
  EXPECT_EQ(Mkdir(root, "/d/."), EEXIST);
  EXPECT_EQ(Mkdir(root, "/d/.."), EEXIST);
  EXPECT_EQ(Mkdir(root, "/none/x"), ENOENT);
  EXPECT_EQ(Mkdir(root, "/f/x"), ENOTDIR);
  EXPECT_EQ(Mkdir(root, ""), ENOENT);
}

TEST_F(NamesTest, MkdirTakesTrailingSlashes) {
  EXPECT_EQ(Mkdir(root, "/new///"), 0);
  EXPECT_TRUE(Stat("/new").mode & S_IFDIR);
}

TEST_F(NamesTest, MkdirOnReadOnlyMount) {
  MountAt("/d", MS_RDONLY);
  EXPECT_EQ(Mkdir(root, "/d/new"), EROFS);
  EXPECT_EQ(Mkdir(root, "/d"), EEXIST);
}

TEST_F(NamesTest, MkdirOnDanglingSymlinkIsEexist) {
  Symlink("none", "/link");
  EXPECT_EQ(Mkdir(root, "/link"), EEXIST);
}

TEST_F(NamesTest, MkdirCountsLinks) {
  EXPECT_EQ(Stat("/d").links, 2u);
  Mkdir(root, "/d/sub");
  EXPECT_EQ(Stat("/d").links, 3u);
  Rmdir(root, "/d/sub");
  EXPECT_EQ(Stat("/d").links, 2u);
}

TEST_F(NamesTest, MknodChecksTypeAndCapability) {
  EXPECT_EQ(Code(MakeNode(root, root.root, "x", S_IFDIR | 0755, 0)), EPERM);
  EXPECT_EQ(Code(MakeNode(root, root.root, "x", S_IFLNK | 0755, 0)), EINVAL);
  Chmod("/", 0777);
  EXPECT_EQ(Code(MakeNode(user, root.root, "x", S_IFBLK | 0600, 0x801)), EPERM);
  EXPECT_EQ(Code(MakeNode(user, root.root, "fifo", S_IFIFO | 0600, 0)), 0);
  EXPECT_EQ(Code(MakeNode(user, root.root, "plain", 0600, 0)), 0);
  EXPECT_EQ(Stat("/plain").mode, S_IFREG | 0600u);
  EXPECT_EQ(Code(MakeNode(root, root.root, "slash/", S_IFREG | 0600, 0)), ENOENT);
}

TEST_F(NamesTest, MknodKeepsTheDevice) {
  ASSERT_EQ(Code(MakeNode(root, root.root, "null", S_IFCHR | 0666, 0x103)), 0);
  EXPECT_EQ(Stat("/null").special_device, 0x103u);
}

TEST_F(NamesTest, SymlinkErrors) {
  EXPECT_EQ(Symlink("", "/link"), ENOENT);
  EXPECT_EQ(Symlink(std::string(4096, 'x'), "/link"), ENAMETOOLONG);
  EXPECT_EQ(Symlink("x", "/f"), EEXIST);
  EXPECT_EQ(Symlink("x", "/new/"), ENOENT);
  EXPECT_EQ(Symlink("x", "/link"), 0);
  EXPECT_EQ(ReadLink(root, *Find(root, "/link", {.follow_final = false})).value(), "x");
  EXPECT_EQ(Code(ReadLink(root, At("/f"))), EINVAL);
}

TEST_F(NamesTest, LinkSharesTheFile) {
  ASSERT_EQ(Hardlink(root, "/f", "/d/second"), 0);
  EXPECT_EQ(Stat("/f").links, 2u);
  EXPECT_EQ(Stat("/f").inode_number, Stat("/d/second").inode_number);
  ASSERT_EQ(Remove(root, "/f"), 0);
  EXPECT_EQ(Get(root, "/d/second"), "text");
  EXPECT_EQ(Stat("/d/second").links, 1u);
}

TEST_F(NamesTest, LinkErrors) {
  EXPECT_EQ(Hardlink(root, "/d", "/d2"), EPERM);
  EXPECT_EQ(Hardlink(root, "/f", "/d"), EEXIST);
  EXPECT_EQ(Hardlink(root, "/f", "/none/x"), ENOENT);
  MountAt("/d");
  EXPECT_EQ(Hardlink(root, "/f", "/d/x"), EXDEV);
}

TEST_F(NamesTest, LinkIsProtected) {
  Chmod("/", 0777);
  EXPECT_EQ(Hardlink(user, "/f", "/mine"), EPERM);  // Readable, not writable, by user.
  Chmod("/f", 0666);
  EXPECT_EQ(Hardlink(user, "/f", "/mine"), 0);
  Chmod("/f", 04666);
  EXPECT_EQ(Hardlink(user, "/f", "/setuid"), EPERM);
}

TEST_F(NamesTest, UnlinkErrors) {
  EXPECT_EQ(Remove(root, "/none"), ENOENT);
  EXPECT_EQ(Remove(root, "/d"), EISDIR);
  EXPECT_EQ(Remove(root, "/d/"), EISDIR);
  EXPECT_EQ(Remove(root, "/f/"), ENOTDIR);
  EXPECT_EQ(Remove(root, "/d/."), EISDIR);
  EXPECT_EQ(Remove(root, "/"), EISDIR);
  EXPECT_EQ(Remove(user, "/f"), EACCES);
  EXPECT_EQ(Remove(user, "/d"), EACCES);  // Before EISDIR.
  EXPECT_EQ(Remove(root, "/f/x"), ENOTDIR);
}

TEST_F(NamesTest, UnlinkRemovesTheSymlinkItself) {
  Symlink("f", "/link");
  EXPECT_EQ(Remove(root, "/link"), 0);
  EXPECT_TRUE(Exists("/f"));
}

TEST_F(NamesTest, UnlinkOnReadOnlyMountIsErofsEvenWhenMissing) {
  MountAt("/d", MS_RDONLY);
  EXPECT_EQ(Remove(root, "/d/none"), EROFS);
}

TEST_F(NamesTest, RmdirErrors) {
  EXPECT_EQ(Rmdir(root, "/none"), ENOENT);
  EXPECT_EQ(Rmdir(root, "/f"), ENOTDIR);
  EXPECT_EQ(Rmdir(root, "/d/."), EINVAL);
  EXPECT_EQ(Rmdir(root, "/d/.."), ENOTEMPTY);
  EXPECT_EQ(Rmdir(root, "/"), EBUSY);
  EXPECT_EQ(Rmdir(user, "/d"), EACCES);
  Put("/d/x");
  EXPECT_EQ(Rmdir(root, "/d"), ENOTEMPTY);
  Remove(root, "/d/x");
  EXPECT_EQ(Rmdir(root, "/d/"), 0);
  EXPECT_FALSE(Exists("/d"));
}

TEST_F(NamesTest, RmdirOfSymlinkToDirectoryIsEnotdir) {
  Symlink("d", "/link");
  EXPECT_EQ(Rmdir(root, "/link"), ENOTDIR);
}

TEST_F(NamesTest, RmdirOfMountPointIsEbusy) {
  MountAt("/d");
  Path below = {root.root.mount, Find(root, "/")->dentry};
  EXPECT_EQ(Rmdir(root, "/d"), EBUSY);
  EXPECT_EQ(Move(root, "/d", "/e"), EBUSY);
}

TEST_F(NamesTest, UnlinkOfMountPointFileIsEbusy) {
  RefPtr<Mount> file = MakeRef<Mount>(root.root.mount->superblock(), At("/f").dentry, 0, "bind");
  Put("/target", "below");
  ASSERT_EQ(Code(ns->Attach(file, At("/target"))), 0);
  EXPECT_EQ(Get(root, "/target"), "text");
  EXPECT_EQ(Remove(root, "/target"), EBUSY);
}

TEST_F(NamesTest, StickyDirectoryProtects) {
  Chmod("/d", 01777);
  Put("/d/roots");
  EXPECT_EQ(Remove(user, "/d/roots"), EPERM);
  EXPECT_EQ(OpenCode(user, "/d/mine", O_CREAT | O_RDWR), 0);
  EXPECT_EQ(Move(user, "/d/mine", "/d/roots"), EPERM);
  Caller other = user;
  other.uid = 1001;
  EXPECT_EQ(Remove(other, "/d/mine"), EPERM);
  EXPECT_EQ(Remove(user, "/d/mine"), 0);
  EXPECT_EQ(Remove(root, "/d/roots"), 0);
}

TEST_F(NamesTest, ReaddirHasDotsAndAll) {
  Put("/d/x");
  Mkdir(root, "/d/y");
  auto directory = TryOpen(root, "/d", O_RDONLY).value();
  NameSink sink;
  ASSERT_EQ(Code(directory->ReadDirectory(sink)), 0);
  EXPECT_EQ(sink.names, (std::vector<std::string>{".", "..", "x", "y"}));
  EXPECT_EQ(sink.inodes[0], Stat("/d").inode_number);
  EXPECT_EQ(sink.inodes[1], Stat("/").inode_number);
  NameSink again;
  ASSERT_EQ(Code(directory->ReadDirectory(again)), 0);
  EXPECT_TRUE(again.names.empty());
}

TEST_F(NamesTest, ReaddirOneByOneAndSeek) {
  for (const char* name : {"/d/a", "/d/b", "/d/c"}) Put(name);
  auto directory = TryOpen(root, "/d", O_RDONLY).value();
  std::vector<std::string> names;
  std::vector<int64_t> offsets;
  while (true) {
    NameSink one(1);
    ASSERT_EQ(Code(directory->ReadDirectory(one)), 0);
    if (one.names.empty()) break;
    names.push_back(one.names[0]);
    offsets.push_back(one.offsets[0]);
  }
  ASSERT_EQ(names.size(), 5u);
  for (size_t i = 0; i + 1 < names.size(); ++i) {
    ASSERT_TRUE(directory->Seek(offsets[i], SEEK_SET).ok());
    NameSink one(1);
    ASSERT_EQ(Code(directory->ReadDirectory(one)), 0);
    EXPECT_EQ(one.names[0], names[i + 1]);
  }
}

TEST_F(NamesTest, ReaddirWhileDeletingMissesNothing) {
  for (int i = 0; i < 500; ++i) Put("/d/f" + std::to_string(i));
  auto directory = TryOpen(root, "/d", O_RDONLY).value();
  int removed = 0;
  while (true) {
    NameSink piece(13);
    ASSERT_EQ(Code(directory->ReadDirectory(piece)), 0);
    if (piece.names.empty()) break;
    for (const std::string& name : piece.names) {
      if (name[0] == 'f') removed += Remove(root, "/d/" + name) == 0;
    }
  }
  EXPECT_EQ(removed, 500);
  EXPECT_EQ(Rmdir(root, "/d"), 0);
}

TEST_F(NamesTest, ReaddirOfRemovedDirectoryIsEnoent) {
  auto directory = TryOpen(root, "/d", O_RDONLY).value();
  Rmdir(root, "/d");
  NameSink sink;
  EXPECT_EQ(Code(directory->ReadDirectory(sink)), ENOENT);
}

TEST_F(NamesTest, NegativeEntriesGiveWayToNewFiles) {
  EXPECT_FALSE(Exists("/d/x"));
  Put("/d/x", "1");
  EXPECT_EQ(Get(root, "/d/x"), "1");
  Remove(root, "/d/x");
  EXPECT_FALSE(Exists("/d/x"));
  Mkdir(root, "/d/x");
  EXPECT_TRUE(Exists("/d/x/."));
}

TEST_F(NamesTest, ConcurrentCreateAndUnlink) {
  root.root.mount->superblock()->SetDentryLimit(8);
  std::atomic<int> created{0};
  auto work = [&](int seed) {
    for (int i = 0; i < 3000; ++i) {
      std::string name = "/d/n" + std::to_string((i * 7 + seed) % 11);
      int code = OpenCode(root, name, O_CREAT | O_EXCL | O_RDWR);
      created += code == 0;
      if (code != 0) {
        ASSERT_EQ(code, EEXIST);
      }
      code = Remove(root, name);
      if (code != 0) {
        ASSERT_EQ(code, ENOENT);
      }
      if (i % 5 == 0) List("/d");
      if (i % 7 == 0) Move(root, name, "/d/moved");
      Get(root, "/d/n" + std::to_string(i % 11));
      PathText(root, At("/d"));
    }
  };
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) threads.emplace_back(work, t);
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(created.load(), 0);
  for (const std::string& name : List("/d")) Remove(root, "/d/" + name);
  EXPECT_EQ(Rmdir(root, "/d"), 0);
}

}  // namespace
}  // namespace redoubt::vfs
