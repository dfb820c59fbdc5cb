// SPDX-License-Identifier: Apache-2.0
//
// The gofer's file system below a real VFS and above a real gofer.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/falloc.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <memory>
#include <set>
#include <string>
#include <thread>

#include "base/owned_fd.h"
#include "sentry/fs/gofer/gofer_file.h"
#include "sentry/fs/gofer/gofer_inode.h"
#include "sentry/fs/gofer/gofer_superblock.h"
#include "sentry/vfs/operations.h"
#include "test/gofer/gofer_process.h"
#include "test/util/temp_path.h"

namespace redoubt::gofer_fs {
namespace {

using test::ReadFile;

std::span<const std::byte> Bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

class Names : public vfs::DirectorySink {
 public:
  bool Add(const vfs::DirectoryEntry& entry) override {
    names.emplace(entry.name);
    return true;
  }
  std::multiset<std::string> names;
};

class GoferFsTest : public testing::TestWithParam<bool> {
 protected:
  void Start(test::GoferSettings settings = {}, size_t host_files = 0) {
    process_ = std::make_unique<test::GoferProcess>(dir_.path(), settings);
    channel_ = std::make_shared<gofer::Channel>(process_->TakeSocket());
    pool_ = std::make_shared<HostFilePool>(host_files);
    auto root = GoferSuperblock::Attach(channel_, pool_, {.shared = shared()});
    ASSERT_TRUE(root.ok());
    RefPtr<vfs::Superblock> superblock = (*root)->superblock();
    auto dentry = MakeRef<vfs::Dentry>(superblock, nullptr, "", *root);
    auto mount = MakeRef<vfs::Mount>(superblock, dentry, 0, "none");
    names_ = MakeRef<vfs::MountNamespace>(mount);
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
      EXPECT_EQ(channel_.use_count(), 1);
      EXPECT_EQ(pool_->size(), 0u) << "host descriptors leak";
    }
    channel_.reset();
    if (process_) {
      EXPECT_EQ(process_->Wait(), 0);
    }
  }
  bool shared() const { return GetParam(); }

  Result<RefPtr<vfs::FileDescription>> Open(std::string_view path, uint32_t flags,
                                            uint32_t mode = 0644) {
    return vfs::Open(caller_, caller_.root, path, {.flags = flags, .mode = mode});
  }
  Result<vfs::Attributes> Stat(std::string_view path) {
    RefPtr<vfs::FileDescription> file = TRY(Open(path, O_PATH | O_NOFOLLOW));
    return file->GetAttributes();
  }
  static std::string Read(vfs::FileDescription& file, uint64_t offset = 0) {
    std::string text(64, '\0');
    auto size = file.PRead(std::as_writable_bytes(std::span(text)), offset);
    return size.ok() ? text.substr(0, *size) : "error";
  }
  Result<size_t> Write(vfs::FileDescription& file, std::string_view text) {
    return file.Write(Bytes(text), caller_);
  }

  test::TempDir dir_;
  std::unique_ptr<test::GoferProcess> process_;
  std::shared_ptr<gofer::Channel> channel_;
  std::shared_ptr<HostFilePool> pool_;
  RefPtr<vfs::MountNamespace> names_;
  vfs::Caller caller_;
};

INSTANTIATE_TEST_SUITE_P(Modes, GoferFsTest, testing::Bool(),
                         [](const auto& mode) { return mode.param ? "Shared" : "Exclusive"; });

TEST_P(GoferFsTest, ReadsAndWritesHostFiles) {
  dir_.Dir("a");
  dir_.File("a/f", "hello");
  Start();
  auto file = Open("/a/f", O_RDWR);
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(Read(**file), "hello");
  EXPECT_EQ(Write(**file, "J").value_or(0), 1u);
  EXPECT_EQ(ReadFile(dir_.Path("a/f")), "Jello");
  EXPECT_EQ((*file)->Seek(0, SEEK_END).value_or(0), 5);
  EXPECT_EQ(Write(**file, " there").value_or(0), 6u);
  EXPECT_EQ(Stat("/a/f")->size, 11u) << "the cached size follows writes";
  EXPECT_TRUE((*file)->Sync(false).ok());
  EXPECT_TRUE((*file)->Sync(true).ok());
}

TEST_P(GoferFsTest, CreatesTruncatesAndUnlinks) {
  Start();
  auto file = Open("/new", O_RDWR | O_CREAT | O_EXCL, 0640);
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(Write(**file, "some text").value_or(0), 9u);
  struct stat stat;
  ASSERT_EQ(lstat(dir_.Path("new").c_str(), &stat), 0);
  EXPECT_EQ(stat.st_mode, S_IFREG | 0640u);
  EXPECT_TRUE(Open("/new", O_RDWR | O_CREAT | O_EXCL).Is(EEXIST));
  ASSERT_TRUE(Open("/new", O_WRONLY | O_TRUNC).ok());
  EXPECT_EQ((*file)->GetAttributes()->size, 0u);
  EXPECT_EQ(ReadFile(dir_.Path("new")), "");
  ASSERT_TRUE(vfs::Unlink(caller_, caller_.root, "/new").ok());
  EXPECT_TRUE(Open("/new", O_RDONLY).Is(ENOENT));
  EXPECT_NE(access(dir_.Path("new").c_str(), F_OK), 0);
  EXPECT_EQ(Write(**file, "still there").value_or(0), 11u);
  EXPECT_EQ(Read(**file, 9), "still there");
  EXPECT_EQ((*file)->GetAttributes()->links, 0u);
}

TEST_P(GoferFsTest, AppendGoesToTheEndWhoeverWroteLast) {
  dir_.File("f", "12345");
  Start();
  auto log = Open("/f", O_WRONLY | O_APPEND);
  auto other = Open("/f", O_RDWR);
  ASSERT_TRUE(log.ok() && other.ok());
  EXPECT_EQ(Write(**log, "a").value_or(0), 1u);
  EXPECT_EQ((*other)->PWrite(Bytes("X"), 6, caller_).value_or(0), 1u);
  EXPECT_EQ(Write(**log, "b").value_or(0), 1u);
  EXPECT_EQ(ReadFile(dir_.Path("f")), "12345aXb");
  EXPECT_EQ((*log)->Seek(0, SEEK_CUR).value_or(-1), 8);
}

TEST_P(GoferFsTest, FileSizeLimitCutsWrites) {
  Start();
  auto file = Open("/f", O_RDWR | O_CREAT);
  ASSERT_TRUE(file.ok());
  caller_.file_size_limit = 4;
  EXPECT_EQ(Write(**file, "123456").value_or(0), 4u);
  EXPECT_TRUE(Write(**file, "x").Is(EFBIG));
}

TEST_P(GoferFsTest, ReadOnlyFilesMapWithoutTheRightToWrite) {
  dir_.File("f", "hello");
  Start();
  auto reader = Open("/f", O_RDONLY);
  auto writer = Open("/f", O_RDWR);
  ASSERT_TRUE(reader.ok() && writer.ok());
  EXPECT_EQ(Read(**reader), "hello");
  auto mapping = (*reader)->Map(false);
  ASSERT_TRUE(mapping.ok());
  EXPECT_EQ(fcntl(mapping->fd, F_GETFL) & O_ACCMODE, O_RDONLY);
  EXPECT_TRUE((*reader)->Map(true).Is(EACCES));
  auto shared_mapping = (*writer)->Map(true);
  ASSERT_TRUE(shared_mapping.ok());
  EXPECT_EQ(fcntl(shared_mapping->fd, F_GETFL) & O_ACCMODE, O_RDWR);
}

TEST_P(GoferFsTest, MappingsKeepTheirDescriptorWhenThePoolIsFull) {
  for (int i = 0; i < 20; ++i) dir_.File(std::to_string(i), "hello");
  Start({}, 4);
  auto mapped = Open("/0", O_RDONLY);
  ASSERT_TRUE(mapped.ok());
  int fd = (*mapped)->Map(false)->fd;
  std::vector<RefPtr<vfs::FileDescription>> files;
  for (int i = 1; i < 20; ++i) {
    auto file = Open("/" + std::to_string(i), O_RDONLY);
    ASSERT_TRUE(file.ok());
    files.push_back(*file);
  }
  EXPECT_LE(pool_->size(), 4u);
  char byte = 0;
  EXPECT_EQ(pread(fd, &byte, 1, 1), 1);
  EXPECT_EQ(byte, 'e');
  for (auto& file : files) EXPECT_EQ(Read(*file), "hello") << "donated again";
  EXPECT_LE(pool_->size(), 4u);
}

TEST_P(GoferFsTest, HardLinksAreOneInode) {
  dir_.File("f", "hello");
  ASSERT_EQ(link(dir_.Path("f").c_str(), dir_.Path("g").c_str()), 0);
  Start();
  auto f = Open("/f", O_RDONLY), g = Open("/g", O_RDONLY);
  ASSERT_TRUE(f.ok() && g.ok());
  EXPECT_TRUE((*f)->inode() == (*g)->inode());
  EXPECT_EQ(Stat("/f")->links, 2u);
  EXPECT_TRUE(vfs::Link(caller_, (*f)->path(), caller_.root, "/h").ok());
  EXPECT_EQ(Stat("/g")->links, 3u);
  EXPECT_EQ(ReadFile(dir_.Path("h")), "hello");
}

TEST_P(GoferFsTest, SymlinksAreTheSentrysToFollow) {
  dir_.Dir("d");
  dir_.File("d/f", "inside");
  ASSERT_EQ(symlink("/d/../../..//d", dir_.Path("link").c_str()), 0);
  ASSERT_EQ(symlink("/etc/passwd", dir_.Path("out").c_str()), 0);
  Start();
  auto file = Open("/link/f", O_RDONLY);
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(Read(**file), "inside");
  EXPECT_TRUE(Open("/out", O_RDONLY).Is(ENOENT)) << "there is no /etc in the guest's root";
  EXPECT_TRUE(Open("/../../etc/passwd", O_RDONLY).Is(ENOENT));
  ASSERT_TRUE(vfs::MakeSymlink(caller_, caller_.root, "/made", "d/f").ok());
  EXPECT_EQ(Read(**Open("/made", O_RDONLY)), "inside");
}

TEST_P(GoferFsTest, DirectoriesAreListedAndFollowChanges) {
  dir_.Dir("d");
  for (int i = 0; i < 500; ++i) {
    std::string path = dir_.Path("d/" + std::to_string(i));
    close(open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  }
  Start();
  auto directory = Open("/d", O_RDONLY | O_DIRECTORY);
  ASSERT_TRUE(directory.ok());
  Names names;
  ASSERT_TRUE((*directory)->ReadDirectory(names).ok());
  EXPECT_EQ(names.names.size(), 502u);
  EXPECT_EQ(names.names.count("499"), 1u);
  ASSERT_TRUE(vfs::Unlink(caller_, caller_.root, "/d/499").ok());
  ASSERT_TRUE(Open("/d/new", O_WRONLY | O_CREAT).ok());
  Names end, again;
  ASSERT_TRUE((*directory)->ReadDirectory(end).ok());
  ASSERT_TRUE((*directory)->Seek(0, SEEK_SET).ok());
  ASSERT_TRUE((*directory)->ReadDirectory(again).ok());
  EXPECT_EQ(again.names.size(), 502u);
  EXPECT_EQ(again.names.count("499"), 0u);
  EXPECT_EQ(again.names.count("new"), 1u);
  EXPECT_TRUE((*directory)->Sync(false).ok());
}

TEST_P(GoferFsTest, RenamesMoveFilesAndDirectories) {
  dir_.Dir("a");
  dir_.Dir("b");
  dir_.File("a/f", "hello");
  dir_.File("b/g", "replaced");
  Start();
  auto replaced = Open("/b/g", O_RDONLY);
  ASSERT_TRUE(replaced.ok());
  ASSERT_TRUE(vfs::Rename(caller_, caller_.root, "/a/f", caller_.root, "/b/g", 0).ok());
  EXPECT_EQ(Read(**replaced), "replaced");
  EXPECT_EQ((*replaced)->GetAttributes()->links, 0u);
  EXPECT_EQ(Read(**Open("/b/g", O_RDONLY)), "hello");
  EXPECT_TRUE(Open("/a/f", O_RDONLY).Is(ENOENT));
  ASSERT_TRUE(vfs::Rename(caller_, caller_.root, "/b", caller_.root, "/a/c", 0).ok());
  EXPECT_EQ(Read(**Open("/a/c/g", O_RDONLY)), "hello");
  ASSERT_TRUE(
      vfs::Rename(caller_, caller_.root, "/a/c/g", caller_.root, "/a", RENAME_EXCHANGE).ok() ==
      false);
  EXPECT_TRUE(vfs::RemoveDirectory(caller_, caller_.root, "/a").Is(ENOTEMPTY));
}

TEST_P(GoferFsTest, AttributesChange) {
  dir_.File("f", "hello");
  dir_.Dir("d");
  Start();
  auto file = Open("/f", O_RDONLY);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE(vfs::ChangeMode(caller_, (*file)->path(), 0600).ok());
  EXPECT_EQ(Stat("/f")->mode, S_IFREG | 0600u);
  vfs::AttributeChange change;
  change.modify_time = vfs::FileTime{1000, 5};
  ASSERT_TRUE((*file)->SetAttributes(change).ok());
  EXPECT_EQ(Stat("/f")->modify_time, (vfs::FileTime{1000, 5}));
  ASSERT_TRUE(vfs::Truncate(caller_, (*file)->path(), 2).ok());
  EXPECT_EQ(ReadFile(dir_.Path("f")), "he");
  if (getuid() == 0) {
    ASSERT_TRUE(vfs::ChangeOwner(caller_, (*file)->path(), 1234, 5678).ok());
    EXPECT_EQ(Stat("/f")->uid, 1234u);
    struct stat stat;
    ASSERT_EQ(lstat(dir_.Path("f").c_str(), &stat), 0);
    EXPECT_EQ(stat.st_gid, 5678u);
  }
  uint64_t before = Stat("/d")->links;
  ASSERT_TRUE(vfs::MakeDirectory(caller_, caller_.root, "/d/sub", 0755).ok());
  EXPECT_EQ(Stat("/d")->links, before + 1) << "the parent's attributes follow";
}

TEST_P(GoferFsTest, XattrsWithinTheAllowedNamespace) {
  std::string path = dir_.File("f");
  if (setxattr(path.c_str(), "user.test", "x", 1, 0) != 0) GTEST_SKIP() << "no xattrs here";
  Start();
  auto file = Open("/f", O_RDONLY);
  ASSERT_TRUE(file.ok());
  vfs::Inode& inode = *(*file)->inode();
  EXPECT_EQ(*inode.GetXattr("user.test"), "x");
  EXPECT_TRUE(inode.SetXattr("user.test", "y", XATTR_CREATE).Is(EEXIST));
  ASSERT_TRUE(inode.SetXattr("user.other", std::string("a\0b", 3), 0).ok());
  EXPECT_EQ(inode.GetXattr("user.other")->size(), 3u);
  EXPECT_THAT(*inode.ListXattrs(), testing::UnorderedElementsAre("user.test", "user.other"));
  ASSERT_TRUE(inode.RemoveXattr("user.test").ok());
  EXPECT_TRUE(inode.GetXattr("user.test").Is(ENODATA));
  EXPECT_TRUE(inode.GetXattr("trusted.x").Is(EOPNOTSUPP));
  EXPECT_TRUE(inode.GetXattr("security.capability").Is(ENODATA));
}

TEST_P(GoferFsTest, NamelessFilesMayBeNamedLater) {
  Start();
  auto file = Open("/", O_TMPFILE | O_RDWR, 0600);
  if (file.Is(EOPNOTSUPP)) GTEST_SKIP() << "no O_TMPFILE here";
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(Write(**file, "text").value_or(0), 4u);
  EXPECT_EQ((*file)->GetAttributes()->links, 0u);
  EXPECT_TRUE(vfs::Link(caller_, (*file)->path(), caller_.root, "/named").ok());
  EXPECT_EQ(ReadFile(dir_.Path("named")), "text");
}

TEST_P(GoferFsTest, HolesAndSpace) {
  Start();
  auto file = Open("/f", O_RDWR | O_CREAT);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE((*file)->PWrite(Bytes("x"), 1 << 20, caller_).ok());
  EXPECT_EQ((*file)->Seek(0, SEEK_DATA).value_or(-1), 1 << 20);
  EXPECT_EQ((*file)->Seek(0, SEEK_HOLE).value_or(-1), 0);
  EXPECT_TRUE((*file)->Seek(2 << 20, SEEK_DATA).Is(ENXIO));
  ASSERT_TRUE((*file)->Allocate(0, 0, 2 << 20).ok());
  EXPECT_EQ((*file)->GetAttributes()->size, uint64_t{2} << 20);
  EXPECT_TRUE((*file)->Allocate(FALLOC_FL_COLLAPSE_RANGE, 0, 4096).Is(EOPNOTSUPP));
}

TEST_P(GoferFsTest, HostChangesShowInSharedTreesOnly) {
  dir_.File("f", "1");
  dir_.File("gone", "1");
  Start();
  EXPECT_EQ(Stat("/f")->size, 1u);
  EXPECT_TRUE(Stat("/gone").ok());
  EXPECT_TRUE(Stat("/late").Is(ENOENT));
  ASSERT_EQ(unlink(dir_.Path("f").c_str()), 0);
  dir_.File("f", "longer");
  ASSERT_EQ(unlink(dir_.Path("gone").c_str()), 0);
  dir_.File("late");
  if (!shared()) return;
  EXPECT_EQ(Stat("/f")->size, 6u);
  EXPECT_TRUE(Stat("/gone").Is(ENOENT));
  EXPECT_TRUE(Stat("/late").ok());
}

TEST_P(GoferFsTest, SharedTreesHaveNoWriterLeftAfterClose) {
  Start();
  { ASSERT_TRUE(Open("/program", O_WRONLY | O_CREAT, 0755).ok()); }
  if (!shared()) return;
  // The host grants a read lease on what nobody has open for writing. The gofer closes the
  // descriptor that it has sent while its client goes on already.
  OwnedFd program(open(dir_.Path("program").c_str(), O_RDONLY));
  int leased = -1;
  for (int tries = 0; leased != 0 && tries < 2000; ++tries) {
    leased = fcntl(program.get(), F_SETLEASE, F_RDLCK);
    if (leased != 0) usleep(1000);
  }
  EXPECT_EQ(leased, 0) << strerror(errno);
}

TEST_P(GoferFsTest, StatusComesFromTheHost) {
  Start();
  auto status = caller_.root.mount->superblock()->Status();
  ASSERT_TRUE(status.ok());
  EXPECT_GT(status->blocks, 0u);
  EXPECT_EQ(status->name_length, 255u);
  EXPECT_TRUE(caller_.root.mount->superblock()->Sync().ok());
}

TEST_P(GoferFsTest, ADeadGoferIsAnErrorNotAHang) {
  dir_.File("f", "hello");
  Start();
  auto file = Open("/f", O_RDONLY);
  ASSERT_TRUE(file.ok());
  kill(process_->pid(), SIGKILL);
  process_->Wait();
  process_.reset();
  EXPECT_TRUE(Open("/other", O_RDONLY).Is(EIO));
  EXPECT_EQ(Read(**file), "hello") << "data needs no gofer";
}

TEST_P(GoferFsTest, ManyFilesFewDescriptors) {
  constexpr int kFiles = 3000;
  Start({.most_descriptors = 64}, 32);
  for (int i = 0; i < kFiles; ++i) {
    auto file = Open("/" + std::to_string(i), O_RDWR | O_CREAT, 0600);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE(Write(**file, std::to_string(i)).ok());
  }
  for (int i = 0; i < kFiles; i += 3) {
    auto file = Open("/" + std::to_string(i), O_RDONLY);
    ASSERT_TRUE(file.ok());
    ASSERT_EQ(Read(**file), std::to_string(i));
  }
  EXPECT_LE(pool_->size(), 32u);
}

TEST_P(GoferFsTest, ThreadsMayDoAllOfItAtOnce) {
  dir_.Dir("d");
  dir_.File("d/f", "hello");
  Start({}, 8);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i) {
        std::string name = "/d/" + std::to_string(t) + "." + std::to_string(i % 10);
        auto file = Open(name, O_RDWR | O_CREAT);
        ASSERT_TRUE(file.ok()) << file.error().value();
        (void)Write(**file, "text");
        EXPECT_EQ(Read(**Open("/d/f", O_RDONLY)), "hello");
        if (i % 3 != 0) continue;
        EXPECT_TRUE(vfs::Unlink(caller_, caller_.root, name).ok());
      }
    });
  }
  for (auto& thread : threads) thread.join();
}

}  // namespace
}  // namespace redoubt::gofer_fs
