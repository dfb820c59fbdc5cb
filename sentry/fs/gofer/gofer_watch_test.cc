// SPDX-License-Identifier: Apache-2.0
//
// A shared tree, as the guest sees it while the host changes it: always the truth, mostly without
// asking the gofer.
#include "sentry/fs/gofer/gofer_watch.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <memory>
#include <set>
#include <string>

#include "sentry/fs/gofer/gofer_inode.h"
#include "sentry/fs/gofer/gofer_superblock.h"
#include "sentry/vfs/current_call.h"
#include "sentry/vfs/operations.h"
#include "test/gofer/gofer_process.h"
#include "test/util/temp_path.h"

namespace redoubt::gofer_fs {
namespace {

constexpr long kSettledMs = 60;

void SleepMs(long milliseconds) {
  timespec time = {milliseconds / 1000, milliseconds % 1000 * 1'000'000};
  nanosleep(&time, nullptr);
}

class Names : public vfs::DirectorySink {
 public:
  bool Add(const vfs::DirectoryEntry& entry) override {
    names.emplace(entry.name);
    return true;
  }
  std::set<std::string> names;
};

// One system call of the guest.
class Call {
 public:
  Call() { vfs::BeginCall(); }
  ~Call() { vfs::EndCall(); }
};

class WatchTest : public testing::Test {
 protected:
  void SetUp() override {
    dir_.Dir("a");
    dir_.Dir("a/b");
    dir_.Dir("a/b/c");
    dir_.File("a/b/c/f", "hello");
    process_ = std::make_unique<test::GoferProcess>(dir_.path(), test::GoferSettings{});
    channel_ = std::make_shared<gofer::Channel>(process_->TakeSocket());
    pool_ = std::make_shared<HostFilePool>(size_t{0});
    auto root = GoferSuperblock::Attach(channel_, pool_, {.shared = true});
    ASSERT_TRUE(root.ok());
    RefPtr<vfs::Superblock> superblock = (*root)->superblock();
    auto dentry = MakeRef<vfs::Dentry>(superblock, nullptr, "", *root);
    names_ = MakeRef<vfs::MountNamespace>(MakeRef<vfs::Mount>(superblock, dentry, 0, "none"));
    caller_.root = caller_.working_directory = names_->RootPath();
    caller_.capabilities = ~uint64_t{0};
    caller_.umask = 0;
    caller_.uid = getuid();
    caller_.gid = getgid();
  }
  void TearDown() override {
    caller_ = {};
    if (names_) vfs::Dentry::EvictAllUnused(*names_->root()->superblock());
    names_ = nullptr;
    if (channel_) {
      EXPECT_EQ(pool_->size(), 0u) << "host descriptors leak";
    }
    channel_.reset();
  }

  Result<RefPtr<vfs::FileDescription>> Open(std::string_view path, uint32_t flags) {
    Call call;
    return vfs::Open(caller_, caller_.root, path, {.flags = flags, .mode = 0644});
  }
  Result<vfs::Attributes> Stat(std::string_view path) {
    Call call;
    RefPtr<vfs::FileDescription> file =
        TRY(vfs::Open(caller_, caller_.root, path, {.flags = O_PATH | O_NOFOLLOW}));
    return file->GetAttributes();
  }
  bool Exists(std::string_view path) { return Stat(path).ok(); }
  std::set<std::string> List(std::string_view path) {
    auto directory = Open(path, O_RDONLY | O_DIRECTORY);
    if (!directory.ok()) return {};
    Call call;
    Names names;
    EXPECT_TRUE((*directory)->ReadDirectory(names).ok());
    return names.names;
  }
  // So that descriptors were donated, and times prove something.
  void Warm(std::string_view path) {
    SleepMs(kSettledMs);
    for (int i = 0; i < 5; ++i) (void)Stat(path);
  }

  test::TempDir dir_;
  std::unique_ptr<test::GoferProcess> process_;
  std::shared_ptr<gofer::Channel> channel_;
  std::shared_ptr<HostFilePool> pool_;
  RefPtr<vfs::MountNamespace> names_;
  vfs::Caller caller_;
};

TEST_F(WatchTest, AWalkIsCheckedInOneTripAndThenInNone) {
  ASSERT_TRUE(Exists("/a/b/c/f"));
  uint64_t before = channel_->calls();
  ASSERT_TRUE(Exists("/a/b/c/f"));
  // One check, and a descriptor for each of the three directories at most.
  EXPECT_LE(channel_->calls() - before, 1u + 4u);
  Warm("/a/b/c/f");
  before = channel_->calls();
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(Exists("/a/b/c/f"));
  EXPECT_LE(channel_->calls() - before, 4u);  // Trust runs out after a second.
}

TEST_F(WatchTest, MissingNamesAreRememberedToo) {
  Warm("/a/b/c/missing");
  uint64_t before = channel_->calls();
  for (int i = 0; i < 100; ++i) ASSERT_FALSE(Exists("/a/b/c/missing"));
  EXPECT_LE(channel_->calls() - before, 4u);
  dir_.File("a/b/c/missing", "");
  EXPECT_TRUE(Exists("/a/b/c/missing"));
}

TEST_F(WatchTest, WhatTheHostChangesShowsAtOnce) {
  Warm("/a/b/c/f");
  dir_.File("a/b/c/f", "longer than before");
  EXPECT_EQ(Stat("/a/b/c/f")->size, 18u);
  ASSERT_EQ(chmod(dir_.Path("a/b/c/f").c_str(), 0600), 0);
  EXPECT_EQ(Stat("/a/b/c/f")->mode & 07777, 0600u);
  Warm("/a/b/c/f");
  ASSERT_EQ(unlink(dir_.Path("a/b/c/f").c_str()), 0);
  EXPECT_FALSE(Exists("/a/b/c/f"));
  Warm("/a/b/c/f");
  dir_.File("a/b/c/f", "again");
  EXPECT_EQ(Stat("/a/b/c/f")->size, 5u);
}

TEST_F(WatchTest, OwnersThatTheHostChangesShowAtOnce) {
  if (getuid() != 0) GTEST_SKIP() << "chown takes root";
  Warm("/a/b/c/f");
  ASSERT_EQ(chown(dir_.Path("a/b/c/f").c_str(), 12, 34), 0);
  EXPECT_EQ(Stat("/a/b/c/f")->uid, 12u);
  Warm("/a/b/c/f");
  ASSERT_EQ(chown(dir_.Path("a/b/c/f").c_str(), 56, 34), 0);
  EXPECT_EQ(Stat("/a/b/c/f")->uid, 56u);
}

TEST_F(WatchTest, DirectoriesThatTheHostMovesShowAtOnce) {
  dir_.Dir("other");
  dir_.File("other/f", "other");
  Warm("/a/b/c/f");
  ASSERT_EQ(rename(dir_.Path("a/b/c").c_str(), dir_.Path("a/b/d").c_str()), 0);
  EXPECT_FALSE(Exists("/a/b/c/f"));
  EXPECT_TRUE(Exists("/a/b/d/f"));
  ASSERT_EQ(rename(dir_.Path("other").c_str(), dir_.Path("a/b/c").c_str()), 0);
  EXPECT_EQ(Stat("/a/b/c/f")->size, 5u);
  Warm("/a/b/c/f");
  ASSERT_EQ(symlink("d", dir_.Path("a/b/l").c_str()), 0);
  EXPECT_TRUE(Exists("/a/b/l/f"));
}

// Faster than the clock behind the times ticks.
TEST_F(WatchTest, QuickChangesAreNeverMissed) {
  Warm("/a/b/c/x");
  std::string path = dir_.Path("a/b/c/x");
  for (int i = 0; i < 300; ++i) {
    dir_.File("a/b/c/x", "");
    ASSERT_TRUE(Exists("/a/b/c/x")) << i;
    ASSERT_TRUE(List("/a/b/c").contains("x")) << i;
    ASSERT_EQ(unlink(path.c_str()), 0);
    ASSERT_FALSE(Exists("/a/b/c/x")) << i;
    ASSERT_FALSE(List("/a/b/c").contains("x")) << i;
  }
}

TEST_F(WatchTest, ListingsAreKeptUntilTheHostChangesThem) {
  Warm("/a/b/c/f");
  for (int i = 0; i < 4; ++i) List("/a/b/c");
  uint64_t before = channel_->calls();
  for (int i = 0; i < 50; ++i) ASSERT_EQ(List("/a/b/c").size(), 3u);
  EXPECT_LE(channel_->calls() - before, 4u);
  dir_.File("a/b/c/g", "");
  EXPECT_EQ(List("/a/b/c").size(), 4u);
}

TEST_F(WatchTest, CreatingDoesNotTrustThatAFileIsMissing) {
  ASSERT_FALSE(Exists("/a/b/c/x"));
  dir_.File("a/b/c/x", "host");
  EXPECT_TRUE(Open("/a/b/c/x", O_CREAT | O_EXCL | O_RDWR).Is(EEXIST));
  ASSERT_EQ(unlink(dir_.Path("a/b/c/x").c_str()), 0);
  ASSERT_FALSE(Exists("/a/b/c/x"));
  dir_.File("a/b/c/x", "host");
  auto file = Open("/a/b/c/x", O_CREAT | O_RDWR);
  ASSERT_TRUE(file.ok());
  EXPECT_EQ((*file)->GetAttributes()->size, 4u);
}

TEST_F(WatchTest, CreateAndUnlinkTakeOneTripEach) {
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(Open("/a/b/c/x", O_CREAT | O_RDWR).ok());
    Call call;
    ASSERT_TRUE(vfs::Unlink(caller_, caller_.root, "/a/b/c/x").ok());
  }
  Warm("/a/b/c/f");
  uint64_t before = channel_->calls();
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(Open("/a/b/c/x", O_CREAT | O_RDWR).ok());
    Call call;
    ASSERT_TRUE(vfs::Unlink(caller_, caller_.root, "/a/b/c/x").ok());
  }
  EXPECT_LE(channel_->calls() - before, 2u * 20u + 8u);
}

TEST_F(WatchTest, UnlinkRemovesWhatTheHostPutThere) {
  ASSERT_TRUE(Exists("/a/b/c/f"));
  ASSERT_EQ(unlink(dir_.Path("a/b/c/f").c_str()), 0);
  dir_.File("a/b/c/keep", "");  // Takes the number that became free.
  dir_.File("a/b/c/f", "new");
  Call call;
  EXPECT_TRUE(vfs::Unlink(caller_, caller_.root, "/a/b/c/f").ok());
  EXPECT_NE(access(dir_.Path("a/b/c/f").c_str(), F_OK), 0);
  EXPECT_TRUE(vfs::Unlink(caller_, caller_.root, "/a/b/c/f").Is(ENOENT));
}

TEST_F(WatchTest, UnlinkOfWhatBecameADirectoryIsEisdir) {
  ASSERT_TRUE(Exists("/a/b/c/f"));
  ASSERT_EQ(unlink(dir_.Path("a/b/c/f").c_str()), 0);
  dir_.Dir("a/b/c/f");
  Call call;
  EXPECT_TRUE(vfs::Unlink(caller_, caller_.root, "/a/b/c/f").Is(EISDIR));
  EXPECT_TRUE(vfs::RemoveDirectory(caller_, caller_.root, "/a/b/c/f").ok());
}

TEST(DirectoryWatchTest, AYoungTimeProvesNothing) {
  DirectoryWatch watch;
  vfs::FileTime now = vfs::Now();
  EXPECT_EQ(watch.Saw(now, now), 0u);
  SleepMs(kSettledMs);
  uint64_t epoch = watch.Saw(now, now);
  EXPECT_NE(epoch, 0u);
  EXPECT_EQ(watch.Saw(now, now), epoch);
  vfs::FileTime old = {.seconds = 1, .nanoseconds = 0};
  uint64_t other = watch.Saw(old, now);
  EXPECT_NE(other, 0u);
  EXPECT_NE(other, epoch);
}

TEST(DirectoryWatchTest, ATimeInTheFutureProvesNothing) {
  DirectoryWatch watch;
  vfs::FileTime future = {.seconds = vfs::Now().seconds + 1000, .nanoseconds = 0};
  EXPECT_EQ(watch.Saw(future, future), 0u);
}

}  // namespace
}  // namespace redoubt::gofer_fs
