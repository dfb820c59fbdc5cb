// SPDX-License-Identifier: Apache-2.0
//
// The gofer as the sentry meets it: a process behind a socket, honest and hostile requests.
#include "gofer/server/gofer.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <atomic>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/host/unix_socket.h"
#include "gofer/protocol/channel.h"
#include "test/gofer/gofer_process.h"
#include "test/util/temp_path.h"

namespace redoubt::gofer {
namespace {

using test::GoferProcess;
using test::GoferSettings;
using test::TempDir;

// A directory, its gofer, and the requests in short.
class GoferTest : public testing::Test {
 protected:
  void Start(GoferSettings settings = {}) {
    process_ = std::make_unique<GoferProcess>(dir_.path(), settings);
    channel_ = std::make_unique<Channel>(process_->TakeSocket());
    Exchange exchange;
    exchange.request.mutable_attach()->set_attach_point(0);
    ASSERT_TRUE(channel_->Call(&exchange).ok());
    root_ = exchange.response.nodes(0).handle();
  }
  void TearDown() override {
    channel_.reset();
    if (process_) {
      EXPECT_EQ(process_->Wait(), 0);
    }
  }

  // The handles found on the way.
  Result<std::vector<uint64_t>> Walk(uint64_t from, std::vector<std::string> names) {
    Exchange exchange;
    exchange.request.mutable_walk()->set_directory(from);
    for (auto& name : names) exchange.request.mutable_walk()->add_names(name);
    TRY(channel_->Call(&exchange));
    std::vector<uint64_t> handles;
    for (auto& node : exchange.response.nodes()) handles.push_back(node.handle());
    last_ = exchange.response;
    return handles;
  }
  uint64_t MustWalk(uint64_t from, std::vector<std::string> names) {
    size_t count = names.size();
    auto handles = Walk(from, std::move(names));
    EXPECT_TRUE(handles.ok());
    if (!handles.ok() || handles->size() != count) return 0;
    return handles->back();
  }
  Result<OwnedFd> Open(uint64_t handle, uint32_t access) {
    Exchange exchange;
    exchange.request.mutable_open()->set_handle(handle);
    exchange.request.mutable_open()->set_access(access);
    TRY(channel_->Call(&exchange));
    return std::move(exchange.fd);
  }
  Result<uint64_t> Create(uint64_t directory, const std::string& name, uint32_t mode,
                          const std::string& target = "") {
    Exchange exchange;
    CreateRequest* create = exchange.request.mutable_create();
    create->set_directory(directory);
    create->set_name(name);
    create->set_mode(mode);
    create->set_uid(getuid());
    create->set_gid(getgid());
    create->set_link_target(target);
    TRY(channel_->Call(&exchange));
    return exchange.response.nodes(0).handle();
  }
  Result<void> Unlink(uint64_t directory, const std::string& name, uint64_t child,
                      bool is_directory = false) {
    Exchange exchange;
    UnlinkRequest* unlink = exchange.request.mutable_unlink();
    unlink->set_directory(directory);
    unlink->set_name(name);
    unlink->set_child(child);
    unlink->set_is_directory(is_directory);
    return channel_->Call(&exchange);
  }
  Result<void> Rename(uint64_t from, const std::string& name, uint64_t child, uint64_t to,
                      const std::string& new_name) {
    Exchange exchange;
    RenameRequest* rename = exchange.request.mutable_rename();
    rename->set_directory(from);
    rename->set_name(name);
    rename->set_child(child);
    rename->set_new_directory(to);
    rename->set_new_name(new_name);
    return channel_->Call(&exchange);
  }
  Result<uint64_t> SizeOf(uint64_t handle) {
    Exchange exchange;
    exchange.request.mutable_get_attributes()->set_handle(handle);
    TRY(channel_->Call(&exchange));
    return exchange.response.attributes().size();
  }

  TempDir dir_;
  std::unique_ptr<GoferProcess> process_;
  std::unique_ptr<Channel> channel_;
  uint64_t root_ = 0;
  Response last_;
};

TEST_F(GoferTest, WalkGivesEveryComponentInOneTrip) {
  dir_.Dir("a");
  dir_.Dir("a/b");
  dir_.File("a/b/c", "hello");
  Start();
  auto handles = Walk(root_, {"a", "b", "c"});
  ASSERT_TRUE(handles.ok());
  ASSERT_EQ(handles->size(), 3u);
  EXPECT_EQ(last_.nodes(2).attributes().size(), 5u);
  EXPECT_TRUE(S_ISDIR(last_.nodes(0).attributes().mode()));
  EXPECT_TRUE(Walk(root_, {"missing"}).Is(ENOENT));
  EXPECT_EQ(Walk(root_, {"a", "missing", "x"})->size(), 1u);
  EXPECT_EQ(Walk(root_, {"a", "b", "c", "below a file"})->size(), 3u);
}

TEST_F(GoferTest, SymlinksAreShownAndNeverFollowed) {
  dir_.Dir("a");
  ASSERT_EQ(symlink("/etc", dir_.Path("out").c_str()), 0);
  ASSERT_EQ(symlink("../..", dir_.Path("a/up").c_str()), 0);
  Start();
  ASSERT_EQ(Walk(root_, {"out", "passwd"})->size(), 1u);
  EXPECT_EQ(last_.nodes(0).link_target(), "/etc");
  ASSERT_EQ(Walk(root_, {"a", "up", "etc"})->size(), 2u);
  EXPECT_EQ(last_.nodes(1).link_target(), "../..");
  uint64_t link = MustWalk(root_, {"out"});
  EXPECT_TRUE(Open(link, O_RDONLY).Is(ELOOP));
  EXPECT_TRUE(Walk(link, {"passwd"}).Is(ENOTDIR));
  EXPECT_TRUE(Create(link, "x", S_IFREG | 0600).Is(ENOTDIR));
}

TEST_F(GoferTest, OpenDonatesDescriptorsOfTheAskedAccess) {
  dir_.File("f", "hello");
  Start();
  uint64_t file = MustWalk(root_, {"f"});
  char data[8] = {};
  Result<OwnedFd> reader = Open(file, O_RDONLY);
  ASSERT_TRUE(reader.ok());
  EXPECT_EQ(read(reader->get(), data, sizeof(data)), 5);
  EXPECT_EQ(write(reader->get(), "x", 1), -1);
  Result<OwnedFd> both = Open(file, O_RDWR);
  ASSERT_TRUE(both.ok());
  EXPECT_EQ(pwrite(both->get(), "J", 1, 0), 1);
  EXPECT_EQ(test::ReadFile(dir_.Path("f")), "Jello");
  EXPECT_TRUE(Open(file, O_RDONLY | O_CREAT).Is(EINVAL));
  EXPECT_TRUE(Open(root_, O_RDWR).Is(EISDIR));
}

TEST_F(GoferTest, APathDescriptorIsForFstatOnly) {
  dir_.File("f", "hello");
  Start();
  for (uint64_t handle : {MustWalk(root_, {"f"}), root_}) {
    Result<OwnedFd> path = Open(handle, O_PATH);
    ASSERT_TRUE(path.ok());
    struct stat stat;
    EXPECT_EQ(fstat(path->get(), &stat), 0);
    EXPECT_EQ(fcntl(path->get(), F_GETFL) & O_PATH, O_PATH);
    char data[8];
    EXPECT_EQ(read(path->get(), data, sizeof(data)), -1);
  }
}

TEST_F(GoferTest, ChecksTellHowFarAWalkStillHolds) {
  dir_.Dir("a");
  dir_.Dir("a/b");
  dir_.File("a/b/c", "hello");
  Start();
  ASSERT_EQ(Walk(root_, {"a", "b", "c"})->size(), 3u);
  std::vector<uint64_t> handles;
  for (const FileNode& node : last_.nodes()) handles.push_back(node.handle());
  Exchange whole;
  CheckRequest* check = whole.request.mutable_check();
  check->set_directory(root_);
  for (size_t i = 0; i < 3; ++i) {
    CheckStep* step = check->add_steps();
    step->set_name(std::string(1, static_cast<char>('a' + i)));
    step->set_child(handles[i]);
  }
  ASSERT_TRUE(channel_->Call(&whole).ok());
  ASSERT_EQ(whole.response.checked_size(), 3);
  EXPECT_EQ(whole.response.checked(2).size(), 5u);

  dir_.File("other", "");
  ASSERT_EQ(rename(dir_.Path("other").c_str(), dir_.Path("a/b/c").c_str()), 0);
  ASSERT_TRUE(channel_->Call(&whole).ok());
  EXPECT_EQ(whole.response.checked_size(), 2);
  ASSERT_EQ(rename(dir_.Path("a").c_str(), dir_.Path("z").c_str()), 0);
  EXPECT_TRUE(channel_->Call(&whole).Is(ESTALE));

  // A missing name, and below it nothing.
  check->mutable_steps(0)->set_child(0);
  ASSERT_TRUE(channel_->Call(&whole).ok());
  EXPECT_EQ(whole.response.checked_size(), 1);
}

TEST_F(GoferTest, ACheckedUnlinkTakesNoOtherFile) {
  dir_.File("f", "mine");
  Start();
  uint64_t file = MustWalk(root_, {"f"});
  dir_.File("other", "yours");
  ASSERT_EQ(rename(dir_.Path("other").c_str(), dir_.Path("f").c_str()), 0);
  Exchange exchange;
  UnlinkRequest* unlink = exchange.request.mutable_unlink();
  unlink->set_directory(root_);
  unlink->set_name("f");
  unlink->set_child(file);
  unlink->set_check(true);
  EXPECT_TRUE(channel_->Call(&exchange).Is(ESTALE));
  EXPECT_EQ(test::ReadFile(dir_.Path("f")), "yours");
  unlink->set_child(MustWalk(root_, {"f"}));
  EXPECT_TRUE(channel_->Call(&exchange).ok());
}

TEST_F(GoferTest, FifosSocketsAndDevicesAreNeverOpened) {
  ASSERT_EQ(mkfifo(dir_.Path("fifo").c_str(), 0600), 0);
  bool has_device = mknod(dir_.Path("device").c_str(), S_IFCHR | 0600, makedev(1, 3)) == 0;
  Start();
  EXPECT_TRUE(Open(MustWalk(root_, {"fifo"}), O_RDONLY).Is(ENXIO));
  if (has_device) {
    EXPECT_TRUE(Open(MustWalk(root_, {"device"}), O_RDWR).Is(ENXIO));
  }
}

TEST_F(GoferTest, MakesFilesOfEveryTypeButDevices) {
  Start();
  EXPECT_TRUE(Create(root_, "file", S_IFREG | 04755).ok());
  EXPECT_TRUE(Create(root_, "dir", S_IFDIR | 01777).ok());
  EXPECT_TRUE(Create(root_, "link", S_IFLNK | 0777, "target").ok());
  EXPECT_TRUE(Create(root_, "fifo", S_IFIFO | 0644).ok());
  EXPECT_TRUE(Create(root_, "socket", S_IFSOCK | 0644).ok());
  EXPECT_TRUE(Create(root_, "block", S_IFBLK | 0644).Is(EPERM));
  EXPECT_TRUE(Create(root_, "file", S_IFREG | 0644).Is(EEXIST));
  struct stat stat;
  ASSERT_EQ(lstat(dir_.Path("file").c_str(), &stat), 0);
  EXPECT_EQ(stat.st_mode, S_IFREG | 04755u);
  ASSERT_EQ(lstat(dir_.Path("dir").c_str(), &stat), 0);
  EXPECT_EQ(stat.st_mode, S_IFDIR | 01777u);
}

TEST_F(GoferTest, UnlinkedFilesKeepTheirHandle) {
  dir_.File("f", "hello");
  Start({.most_descriptors = 32});
  uint64_t file = MustWalk(root_, {"f"});
  ASSERT_TRUE(Unlink(root_, "f", file).ok());
  // Enough other files to push its descriptor out, were it not pinned.
  for (int i = 0; i < 100; ++i) {
    Result<uint64_t> other = Create(root_, std::to_string(i), S_IFREG | 0600);
    ASSERT_TRUE(other.ok());
    EXPECT_TRUE(SizeOf(*other).ok());
  }
  EXPECT_EQ(SizeOf(file).value_or(0), 5u);
  Result<OwnedFd> fd = Open(file, O_RDONLY);
  ASSERT_TRUE(fd.ok());
}

TEST_F(GoferTest, RenamedFilesAreFoundAgain) {
  dir_.Dir("a");
  dir_.Dir("b");
  dir_.File("a/f", "hello");
  Start({.most_descriptors = 32});
  uint64_t a = MustWalk(root_, {"a"}), b = MustWalk(root_, {"b"}), f = MustWalk(a, {"f"});
  ASSERT_TRUE(Rename(a, "f", f, b, "g").ok());
  ASSERT_TRUE(Rename(root_, "b", b, a, "c").ok());
  EXPECT_TRUE(Rename(root_, "a", a, b, "d").Is(EINVAL)) << "into itself";
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(Create(root_, std::to_string(i), S_IFDIR | 0700).ok());
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(SizeOf(MustWalk(root_, {std::to_string(i)})).ok());
  EXPECT_EQ(SizeOf(f).value_or(0), 5u);
  EXPECT_EQ(test::ReadFile(dir_.Path("a/c/g")), "hello");
}

TEST_F(GoferTest, WhatTheHostReplacedIsStaleAndNeverAnotherFile) {
  dir_.Dir("a");
  dir_.File("a/secret", "mine");
  Start({.most_descriptors = 32});
  uint64_t file = MustWalk(root_, {"a", "secret"});
  // The host moves the directory and puts a symlink to elsewhere in its place.
  TempDir elsewhere;
  elsewhere.File("secret", "not yours");
  ASSERT_EQ(rename(dir_.Path("a").c_str(), dir_.Path("moved").c_str()), 0);
  ASSERT_EQ(symlink(elsewhere.c_str(), dir_.Path("a").c_str()), 0);
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(Create(root_, std::to_string(i), S_IFDIR | 0700).ok());
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(SizeOf(MustWalk(root_, {std::to_string(i)})).ok());
  EXPECT_TRUE(Open(file, O_RDONLY).Is(ESTALE));
}

TEST_F(GoferTest, WalksSurviveADirectoryThatTheHostKeepsSwapping) {
  dir_.Dir("a");
  dir_.Dir("a/b");
  dir_.File("a/b/f", "inside");
  TempDir outside;
  outside.Dir("b");
  outside.File("b/f", "outside");
  ASSERT_EQ(symlink(outside.c_str(), dir_.Path("link").c_str()), 0);
  Start();
  std::atomic<bool> done{false};
  std::thread swapper([&] {
    while (!done) {
      renameat2(AT_FDCWD, dir_.Path("a").c_str(), AT_FDCWD, dir_.Path("link").c_str(),
                RENAME_EXCHANGE);
    }
  });
  int seen = 0;
  for (int i = 0; i < 3000; ++i) {
    auto handles = Walk(root_, {"a", "b", "f"});
    if (!handles.ok() || handles->size() != 3) continue;
    Result<OwnedFd> fd = Open(handles->back(), O_RDONLY);
    if (!fd.ok()) continue;
    char data[16] = {};
    ASSERT_GT(read(fd->get(), data, sizeof(data)), 0);
    ASSERT_STREQ(data, "inside");
    ++seen;
  }
  done = true;
  swapper.join();
  EXPECT_GT(seen, 0);
}

TEST_F(GoferTest, ReadOnlyAttachPointsRefuseEveryChange) {
  dir_.File("f", "hello");
  Start({.read_only = true});
  uint64_t file = MustWalk(root_, {"f"});
  EXPECT_TRUE(Open(file, O_RDONLY).ok());
  EXPECT_TRUE(Open(file, O_WRONLY).Is(EROFS));
  EXPECT_TRUE(Open(file, O_RDWR).Is(EROFS));
  EXPECT_TRUE(Create(root_, "x", S_IFREG | 0600).Is(EROFS));
  EXPECT_TRUE(Create(root_, "", S_IFREG | 0600).Is(EROFS));
  EXPECT_TRUE(Unlink(root_, "f", file).Is(EROFS));
  EXPECT_TRUE(Rename(root_, "f", file, root_, "g").Is(EROFS));
  Exchange exchange;
  exchange.request.mutable_set_attributes()->set_handle(file);
  exchange.request.mutable_set_attributes()->set_size(0);
  EXPECT_TRUE(channel_->Call(&exchange).Is(EROFS));
  exchange.request.mutable_link()->set_directory(root_);
  exchange.request.mutable_link()->set_name("x");
  exchange.request.mutable_link()->set_target(file);
  EXPECT_TRUE(channel_->Call(&exchange).Is(EROFS));
  exchange.request.mutable_set_xattr()->set_handle(file);
  exchange.request.mutable_set_xattr()->set_name("user.x");
  EXPECT_TRUE(channel_->Call(&exchange).Is(EROFS));
  exchange.request.mutable_remove_xattr()->set_handle(file);
  exchange.request.mutable_remove_xattr()->set_name("user.x");
  EXPECT_TRUE(channel_->Call(&exchange).Is(EROFS));
  EXPECT_EQ(test::ReadFile(dir_.Path("f")), "hello");
}

TEST_F(GoferTest, XattrsOutsideTheAllowedNamespacesAreInvisible) {
  dir_.File("f");
  Start();
  uint64_t file = MustWalk(root_, {"f"});
  Exchange exchange;
  for (const char* name : {"trusted.overlay.opaque", "security.selinux", "security.capability"}) {
    exchange.request.mutable_set_xattr()->set_handle(file);
    exchange.request.mutable_set_xattr()->set_name(name);
    exchange.request.mutable_set_xattr()->set_value("x");
    EXPECT_TRUE(channel_->Call(&exchange).Is(EOPNOTSUPP)) << name;
  }
}

TEST_F(GoferTest, DirectoriesComeInPages) {
  for (int i = 0; i < 3000; ++i) {
    std::string path = dir_.Path("file with a longer name " + std::to_string(i));
    close(open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  }
  Start();
  std::set<std::string> names;
  Exchange exchange;
  int pages = 0;
  do {
    int64_t cookie = exchange.response.cookie();
    exchange.request.mutable_read_directory()->set_directory(root_);
    exchange.request.mutable_read_directory()->set_cookie(cookie);
    ASSERT_TRUE(channel_->Call(&exchange).ok());
    for (auto& entry : exchange.response.entries()) names.insert(entry.name());
    ++pages;
  } while (!exchange.response.end());
  EXPECT_EQ(names.size(), 3000u);
  EXPECT_GT(pages, 3);
}

TEST_F(GoferTest, TableBoundsGiveEnfileAndHeal) {
  dir_.File("f");
  Start({.most_nodes = 100});
  std::vector<uint64_t> handles;
  for (;;) {
    auto found = Walk(root_, {"f"});
    if (!found.ok()) {
      EXPECT_TRUE(found.Is(ENFILE));
      break;
    }
    handles.push_back(found->back());
  }
  EXPECT_EQ(handles.size(), 99u);
  for (uint64_t handle : handles) channel_->Release(handle);
  EXPECT_TRUE(Walk(root_, {"f"}).ok());
}

TEST_F(GoferTest, MoreFilesThanDescriptors) {
  constexpr int kFiles = 21000;
  for (int d = 0; d < 25; ++d) dir_.Dir("d" + std::to_string(d));
  for (int i = 0; i < kFiles; ++i) {
    std::string name = "d" + std::to_string(i % 25) + "/" + std::to_string(i);
    close(open(dir_.Path(name).c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  }
  Start({.most_descriptors = 1000});
  std::vector<uint64_t> handles;
  for (int i = 0; i < kFiles; ++i) {
    handles.push_back(MustWalk(root_, {"d" + std::to_string(i % 25), std::to_string(i)}));
  }
  for (int i = 0; i < kFiles; i += 7) ASSERT_TRUE(Open(handles[i], O_RDONLY).ok()) << i;
}

TEST_F(GoferTest, DeepTreesNeedNoStack) {
  Start({.most_descriptors = 64});
  std::vector<uint64_t> handles = {root_};
  for (int i = 0; i < 1000; ++i) {
    Result<uint64_t> made = Create(handles.back(), "d", S_IFDIR | 0700);
    ASSERT_TRUE(made.ok()) << i;
    handles.push_back(*made);
  }
  EXPECT_TRUE(SizeOf(handles[1]).ok());
  EXPECT_TRUE(SizeOf(handles.back()).ok());
  for (size_t i = handles.size() - 1; i >= 1; --i) {
    ASSERT_TRUE(Unlink(handles[i - 1], "d", handles[i], true).ok()) << i;
    channel_->Release(handles[i]);
  }
}

TEST_F(GoferTest, ManyThreadsShareAChannel) {
  dir_.File("f", "hello");
  Start();
  std::vector<std::thread> threads;
  std::atomic<int> failures{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 500; ++i) {
        Exchange exchange;
        exchange.request.mutable_walk()->set_directory(root_);
        exchange.request.mutable_walk()->add_names(i % 2 == t % 2 ? "f" : "missing");
        Result<void> result = channel_->Call(&exchange);
        bool expected = i % 2 == t % 2 ? result.ok() : result.Is(ENOENT);
        if (!expected) ++failures;
        if (result.ok()) channel_->Release(exchange.response.nodes(0).handle());
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(failures, 0);
}

TEST_F(GoferTest, UnknownHandlesAreStale) {
  Start();
  for (uint64_t handle : {uint64_t{0}, uint64_t{12345}, ~uint64_t{0}}) {
    EXPECT_TRUE(Walk(handle, {"x"}).Is(ESTALE));
    EXPECT_TRUE(Open(handle, O_RDONLY).Is(ESTALE));
    EXPECT_TRUE(Unlink(handle, "x", 0).Is(ESTALE));
    channel_->Release(handle);
  }
  channel_->Release(root_);  // Roots stay.
  EXPECT_TRUE(Walk(root_, {"x"}).Is(ENOENT));
}

TEST_F(GoferTest, LiesAboutChildrenHarmNobody) {
  dir_.Dir("a");
  dir_.Dir("a/b");
  dir_.File("f");
  dir_.File("g");
  Start({.most_descriptors = 32});
  uint64_t a = MustWalk(root_, {"a"}), b = MustWalk(a, {"b"});
  // Claims that "f" is the directory a, moved into its own child.
  EXPECT_TRUE(Rename(root_, "f", a, b, "f").ok());
  EXPECT_TRUE(Rename(root_, "g", root_, b, "g").ok());
  EXPECT_TRUE(Unlink(b, "g", root_).ok());
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(Create(root_, std::to_string(i), S_IFDIR | 0700).ok());
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(SizeOf(MustWalk(root_, {std::to_string(i)})).ok());
  EXPECT_TRUE(SizeOf(b).ok());
  EXPECT_TRUE(SizeOf(root_).ok());
}

// Hostile bytes: the gofer answers or hangs up; it never crashes (a signal) and never hangs.
class HostileTest : public testing::Test {
 protected:
  int Send(std::span<const std::byte> bytes, std::span<const int> fds = {}) {
    GoferProcess process(dir_.path());
    EXPECT_TRUE(host::SendMessage(process.socket(), bytes, fds).ok());
    return process.Wait();
  }
  TempDir dir_;
};

TEST_F(HostileTest, RandomBytesEndTheConnection) {
  std::mt19937 random(7);
  for (int round = 0; round < 50; ++round) {
    std::vector<std::byte> bytes(1 + random() % 200);
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
    int status = Send(bytes);
    EXPECT_TRUE(status == 0 || status == 1) << status;
  }
}

TEST_F(HostileTest, DescriptorsWhereNoneBelongEndTheConnection) {
  Request request;
  request.mutable_attach()->set_attach_point(0);
  std::string bytes = request.SerializeAsString();
  int fds[] = {0, 1};
  EXPECT_EQ(Send(std::as_bytes(std::span(bytes)), fds), 1);
  EXPECT_EQ(Send(std::as_bytes(std::span(bytes))), 0);
}

TEST_F(HostileTest, TooLongMessagesEndTheConnection) {
  std::vector<std::byte> bytes(kMostMessageBytes + 1);
  EXPECT_EQ(Send(bytes), 1);
}

TEST_F(HostileTest, MutatedRequestsNeverCrash) {
  Request request;
  request.mutable_rename()->set_directory(1);
  request.mutable_rename()->set_name("a");
  request.mutable_rename()->set_new_directory(1);
  request.mutable_rename()->set_new_name("b");
  const std::string good = request.SerializeAsString();
  std::mt19937 random(3);
  for (int round = 0; round < 20; ++round) {
    GoferProcess process(dir_.path());
    for (int i = 0; i < 50; ++i) {
      std::string bytes = good;
      bytes[random() % bytes.size()] = static_cast<char>(random());
      bytes[random() % bytes.size()] = static_cast<char>(random());
      if (!host::SendMessage(process.socket(), std::as_bytes(std::span(bytes))).ok()) break;
      std::vector<std::byte> buffer(kMostMessageBytes);
      auto answer = host::ReceiveMessage(process.socket(), buffer, 1);
      if (!answer.ok() || answer->size == 0) break;
    }
    int status = process.Wait();
    EXPECT_TRUE(status == 0 || status == 1) << status;
  }
}

}  // namespace
}  // namespace redoubt::gofer
