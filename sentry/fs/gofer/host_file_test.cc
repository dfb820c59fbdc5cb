// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/gofer/host_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <deque>
#include <string>
#include <thread>
#include <vector>

#include "sentry/fs/gofer/directory_listing.h"

namespace redoubt::gofer_fs {
namespace {

OwnedFd Null() { return OwnedFd(open("/dev/null", O_RDONLY | O_CLOEXEC)); }

TEST(HostFilePool, ClosesWhatIsNotInUse) {
  HostFilePool pool(4);
  std::deque<HostFile> files(10);
  for (HostFile& file : files) {
    ASSERT_TRUE(pool.MakeRoom().ok());
    pool.Open(&file, Null());
    EXPECT_LE(pool.size(), 4u);
  }
  int open_files = 0;
  for (HostFile& file : files) {
    if (file.Acquire() >= 0) {
      ++open_files;
      file.Release();
    }
    pool.CloseUnused(&file);
  }
  EXPECT_EQ(open_files, 4);
  EXPECT_EQ(pool.size(), 0u);
}

TEST(HostFilePool, WhatIsInUseStaysAndCounts) {
  HostFilePool pool(2);
  std::deque<HostFile> files(3);
  HostFileUse first = pool.Open(&files[0], Null());
  HostFileUse second = pool.Open(&files[1], Null());
  EXPECT_TRUE(pool.MakeRoom().Is(ENFILE));
  EXPECT_GE(fcntl(first.fd(), F_GETFD), 0);
  second = HostFileUse();
  EXPECT_TRUE(pool.MakeRoom().ok());
  EXPECT_EQ(files[1].Acquire(), -1);
  first = HostFileUse();
  pool.CloseUnused(&files[0]);
}

TEST(HostFilePool, UsersAndTheClosingHandRace) {
  HostFilePool pool(64);
  HostFile file;
  pool.Open(&file, Null());
  std::atomic<bool> done{false};
  std::atomic<int> broken{0};
  std::thread user([&] {
    while (!done) {
      int fd = file.Acquire();
      if (fd < 0) continue;
      if (fcntl(fd, F_GETFD) < 0) ++broken;
      file.Release();
    }
  });
  for (int i = 0; i < 20000; ++i) {
    pool.CloseUnused(&file);
    if (pool.size() == 0) pool.Open(&file, Null());
  }
  done = true;
  user.join();
  EXPECT_EQ(broken, 0);
  pool.CloseUnused(&file);
}

class Names : public vfs::DirectorySink {
 public:
  explicit Names(size_t room) : room_(room) {}
  bool Add(const vfs::DirectoryEntry& entry) override {
    if (names.size() == room_) return false;
    names.emplace_back(entry.name);
    return true;
  }
  std::vector<std::string> names;

 private:
  size_t room_;
};

TEST(DirectoryListing, OffsetsOutliveChanges) {
  DirectoryListing listing;
  listing.Replace({{.name = "a"}, {.name = "b"}, {.name = "c"}});
  Names start(2);
  int64_t offset = listing.Emit(0, start);
  EXPECT_EQ(start.names, (std::vector<std::string>{"a", "b"}));
  listing.Replace({{.name = "d"}, {.name = "c"}, {.name = "b"}});
  Names rest(10);
  listing.Emit(offset, rest);
  EXPECT_EQ(rest.names, (std::vector<std::string>{"c", "d"}));
}

}  // namespace
}  // namespace redoubt::gofer_fs
