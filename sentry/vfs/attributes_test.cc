// SPDX-License-Identifier: Apache-2.0
#include <sys/mount.h>
#include <sys/xattr.h>

#include "sentry/fs/tmpfs/vfs_fixture.h"

namespace redoubt::vfs {
namespace {

class AttributesTest : public VfsTest {
 protected:
  AttributesTest() {
    Mkdir(root, "/d");
    Put("/f", "text");
    Chmod("/", 0777);
    TryOpen(user, "/mine", O_CREAT | O_RDWR).value();
  }
  int Set(const Caller& caller, std::string_view path, std::string_view name,
          std::string_view value, int flags = 0) {
    return Code(SetXattr(caller, At(path), name, value, flags));
  }
};

TEST_F(AttributesTest, ChmodIsForOwners) {
  EXPECT_EQ(Code(ChangeMode(user, At("/f"), 0777)), EPERM);
  EXPECT_EQ(Code(ChangeMode(user, At("/mine"), 0700)), 0);
  EXPECT_EQ(Stat("/mine").mode, S_IFREG | 0700u);
}

TEST_F(AttributesTest, ChmodDropsSetgidOfForeignGroups) {
  Chown("/mine", 1000, 77);
  EXPECT_EQ(Code(ChangeMode(user, At("/mine"), 02755)), 0);
  EXPECT_EQ(Stat("/mine").mode & 07777, 0755u);
  user.groups = {77};
  EXPECT_EQ(Code(ChangeMode(user, At("/mine"), 02755)), 0);
  EXPECT_EQ(Stat("/mine").mode & 07777, 02755u);
}

TEST_F(AttributesTest, ChownNeedsCapability) {
  EXPECT_EQ(Code(ChangeOwner(user, At("/mine"), 1001, ~0u)), EPERM);
  EXPECT_EQ(Code(ChangeOwner(user, At("/mine"), 1000, ~0u)), 0);
  EXPECT_EQ(Code(ChangeOwner(user, At("/mine"), ~0u, 55)), EPERM);
  user.groups = {55};
  EXPECT_EQ(Code(ChangeOwner(user, At("/mine"), ~0u, 55)), 0);
  EXPECT_EQ(Stat("/mine").gid, 55u);
}

TEST_F(AttributesTest, ChownClearsSetIds) {
  Chmod("/f", 06755);
  EXPECT_EQ(Chown("/f", 3, 3), 0);
  EXPECT_EQ(Stat("/f").mode & 07777, 0755u);
  Chmod("/d", 06755);
  EXPECT_EQ(Chown("/d", 3, 3), 0);
  EXPECT_EQ(Stat("/d").mode & 07777, 06755u);
}

TEST_F(AttributesTest, ReadOnlyMountIsErofs) {
  RefPtr<Mount> mount = MountAt("/d");
  Put("/d/x", "x");
  mount->set_flags(MS_RDONLY);
  EXPECT_EQ(Chmod("/d/x", 0), EROFS);
  EXPECT_EQ(Chown("/d/x", 1, 1), EROFS);
  EXPECT_EQ(Code(Truncate(root, At("/d/x"), 0)), EROFS);
  EXPECT_EQ(Code(Access(root, At("/d/x"), W_OK)), EROFS);
  EXPECT_EQ(Code(Access(root, At("/d/x"), R_OK)), 0);
}

TEST_F(AttributesTest, TimesNeedOwnershipOrWrite) {
  TimeChange now;
  TimeChange set{.kind = TimeChange::Kind::kSet, .time = {.seconds = 5, .nanoseconds = 6}};
  TimeChange omit{.kind = TimeChange::Kind::kOmit, .time = {}};
  EXPECT_EQ(Code(ChangeTimes(user, At("/f"), set, set)), EPERM);
  EXPECT_EQ(Code(ChangeTimes(user, At("/f"), now, now)), EACCES);
  EXPECT_EQ(Code(ChangeTimes(user, At("/f"), omit, now)), EPERM);
  EXPECT_EQ(Code(ChangeTimes(user, At("/f"), omit, omit)), 0);
  Chmod("/f", 0666);
  EXPECT_EQ(Code(ChangeTimes(user, At("/f"), now, now)), 0);
  EXPECT_EQ(Code(ChangeTimes(user, At("/mine"), set, omit)), 0);
  EXPECT_EQ(Stat("/mine").access_time, set.time);
}

TEST_F(AttributesTest, TruncateErrors) {
  EXPECT_EQ(Code(Truncate(root, At("/d"), 0)), EISDIR);
  EXPECT_EQ(Code(Truncate(user, At("/f"), 0)), EACCES);
  ASSERT_EQ(Code(MakeNode(root, root.root, "fifo", S_IFIFO | 0666, 0)), 0);
  EXPECT_EQ(Code(Truncate(root, At("/fifo"), 0)), EINVAL);
  root.file_size_limit = 100;
  EXPECT_EQ(Code(Truncate(root, At("/f"), 101)), EFBIG);
  EXPECT_EQ(Code(Truncate(root, At("/f"), 100)), 0);
}

TEST_F(AttributesTest, TruncateDropsSetuid) {
  Chmod("/f", 06777);
  EXPECT_EQ(Code(Truncate(user, At("/f"), 1)), 0);
  EXPECT_EQ(Stat("/f").mode & 07777, 0777u);
}

TEST_F(AttributesTest, WriteDropsSetuid) {
  Chmod("/f", 06777);
  auto file = TryOpen(user, "/f", O_WRONLY).value();
  ASSERT_TRUE(file->Write(std::as_bytes(std::span("x", 1)), user).ok());
  EXPECT_EQ(Stat("/f").mode & 07777, 0777u);
}

TEST_F(AttributesTest, WriteDropsFileCapabilities) {
  ASSERT_EQ(Set(root, "/f", "security.capability", "x"), 0);
  auto file = TryOpen(root, "/f", O_WRONLY).value();
  ASSERT_TRUE(file->Write(std::as_bytes(std::span("x", 1)), root).ok());
  EXPECT_EQ(Code(GetXattr(root, At("/f"), "security.capability")), ENODATA);
}

TEST_F(AttributesTest, AccessToExecuteNeedsABit) {
  EXPECT_EQ(Code(Access(root, At("/f"), X_OK)), EACCES);
  Chmod("/f", 0100);
  EXPECT_EQ(Code(Access(root, At("/f"), X_OK)), 0);
  EXPECT_EQ(Code(Access(user, At("/f"), X_OK)), EACCES);
  EXPECT_EQ(Code(Access(user, At("/f"), F_OK)), 0);
}

TEST_F(AttributesTest, NoexecMountForbidsExecution) {
  RefPtr<Mount> mount = MountAt("/d", MS_NOEXEC);
  Put("/d/x", "x", 0755);
  EXPECT_EQ(Code(Access(root, At("/d/x"), X_OK)), EACCES);
  EXPECT_EQ(Code(Access(root, At("/d"), X_OK)), 0);
}

TEST_F(AttributesTest, UserXattrs) {
  EXPECT_EQ(Set(root, "/f", "user.a", "1"), 0);
  EXPECT_EQ(GetXattr(root, At("/f"), "user.a").value(), "1");
  EXPECT_EQ(Set(root, "/f", "user.a", "2", XATTR_CREATE), EEXIST);
  EXPECT_EQ(Set(root, "/f", "user.b", "2", XATTR_REPLACE), ENODATA);
  EXPECT_EQ(ListXattrs(root, At("/f")).value(), std::vector<std::string>{"user.a"});
  EXPECT_EQ(Code(RemoveXattr(root, At("/f"), "user.a")), 0);
  EXPECT_EQ(Code(GetXattr(root, At("/f"), "user.a")), ENODATA);
  EXPECT_EQ(Code(RemoveXattr(root, At("/f"), "user.a")), ENODATA);
}

TEST_F(AttributesTest, XattrNamespaces) {
  EXPECT_EQ(Set(user, "/mine", "trusted.x", "1"), EPERM);
  EXPECT_EQ(Code(GetXattr(user, At("/mine"), "trusted.x")), ENODATA);
  EXPECT_EQ(Set(root, "/mine", "trusted.x", "1"), 0);
  EXPECT_TRUE(ListXattrs(user, At("/mine"))->empty());
  EXPECT_EQ(Set(root, "/mine", "security.capability", "x"), 0);
  EXPECT_EQ(Set(user, "/mine", "security.other", "x"), EPERM);
  EXPECT_EQ(Set(root, "/mine", "system.posix_acl_access", "x"), EOPNOTSUPP);
  EXPECT_EQ(Set(root, "/mine", "nonsense", "x"), EOPNOTSUPP);
  EXPECT_EQ(Set(root, "/mine", "user.", "x"), EINVAL);
  EXPECT_EQ(Set(root, "/mine", "", "x"), ERANGE);
  EXPECT_EQ(Set(root, "/mine", "user." + std::string(251, 'n'), "x"), ERANGE);
  EXPECT_EQ(Set(root, "/mine", "user.big", std::string(65537, 'v')), E2BIG);
  EXPECT_EQ(Set(user, "/f", "user.x", "1"), EACCES);
}

TEST_F(AttributesTest, UserXattrsAreForFilesAndDirectories) {
  Symlink("f", "/link");
  Path link = Find(root, "/link", {.follow_final = false}).value();
  EXPECT_EQ(Code(SetXattr(root, link, "user.x", "1", 0)), EPERM);
  EXPECT_EQ(Code(GetXattr(root, link, "user.x")), ENODATA);
  EXPECT_EQ(Set(root, "/d", "user.x", "1"), 0);
}

TEST_F(AttributesTest, XattrsAreBounded) {
  int code = 0;
  for (int i = 0; i < 10 && code == 0; ++i) {
    code = Set(root, "/f", "user.n" + std::to_string(i), std::string(60000, 'v'));
  }
  EXPECT_EQ(code, ENOSPC);
}

TEST_F(AttributesTest, ChownDropsFileCapabilities) {
  ASSERT_EQ(Set(root, "/f", "security.capability", "x"), 0);
  Chown("/f", 9, 9);
  EXPECT_EQ(Code(GetXattr(root, At("/f"), "security.capability")), ENODATA);
}

TEST_F(AttributesTest, ReadUpdatesAccessTimeAfterAWrite) {
  TimeChange old{.kind = TimeChange::Kind::kSet, .time = {.seconds = 1000, .nanoseconds = 0}};
  ASSERT_EQ(Code(ChangeTimes(root, At("/f"), old, {})), 0);
  Get(root, "/f");
  EXPECT_GT(Stat("/f").access_time.seconds, 1000);
}

}  // namespace
}  // namespace redoubt::vfs
