// SPDX-License-Identifier: Apache-2.0

#pragma GCC diagnostic ignored "-Wunused-result"  // Events are the proof.

#include <gmock/gmock.h>

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <vector>

#include "test/util/file_descriptor.h"
#include "test/util/fork.h"
#include "test/util/syscall_matchers.h"
#include "test/util/temp_path.h"
#include "test/util/timing.h"

namespace redoubt::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

struct Event {
  int wd;
  uint32_t mask;
  std::string name;
  uint32_t cookie = 0;
  bool operator==(const Event& other) const {
    return wd == other.wd && mask == other.mask && name == other.name;
  }
};
void PrintTo(const Event& event, std::ostream* out) {
  *out << "{wd " << event.wd << ", mask 0x" << std::hex << event.mask << std::dec << ", '"
       << event.name << "'}";
}

// Everything queued so far.
std::vector<Event> Take(int fd) {
  std::vector<Event> events;
  alignas(inotify_event) char buffer[65536];
  ssize_t size;
  while ((size = read(fd, buffer, sizeof(buffer))) > 0) {
    for (char* at = buffer; at < buffer + size;) {
      auto* event = reinterpret_cast<inotify_event*>(at);
      events.push_back({.wd = event->wd,
                        .mask = event->mask,
                        .name = event->len > 0 ? event->name : "",
                        .cookie = event->cookie});
      at += sizeof(inotify_event) + event->len;
    }
  }
  return events;
}

class InotifyTest : public ::testing::Test {
 protected:
  InotifyTest() : fd_(inotify_init1(IN_NONBLOCK)) {}

  int Watch(const std::string& path, uint32_t mask = IN_ALL_EVENTS) {
    return inotify_add_watch(fd_.get(), path.c_str(), mask);
  }
  std::vector<Event> Take() { return test::Take(fd_.get()); }

  TempDir dir_;
  FileDescriptor fd_;
};

TEST_F(InotifyTest, FlagsAreChecked) {
  EXPECT_THAT(inotify_init1(1), SyscallFailsWith(EINVAL));
  FileDescriptor plain(inotify_init());
  ASSERT_TRUE(plain.valid());
  EXPECT_THAT(fcntl(plain.get(), F_GETFD), SyscallSucceedsWithValue(0));
  FileDescriptor other(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  EXPECT_THAT(fcntl(other.get(), F_GETFD), SyscallSucceedsWithValue(FD_CLOEXEC));
  char byte;
  EXPECT_THAT(read(other.get(), &byte, 1), SyscallFailsWith(testing::AnyOf(EAGAIN, EINVAL)));
  EXPECT_THAT(write(other.get(), "x", 1), SyscallFailsWith(EBADF));
}

TEST_F(InotifyTest, BadArgumentsOfAddWatch) {
  EXPECT_THAT(Watch(dir_.path(), 0), SyscallFailsWith(EINVAL));
  EXPECT_THAT(Watch(dir_.Path("none")), SyscallFailsWith(ENOENT));
  EXPECT_THAT(inotify_add_watch(-1, dir_.c_str(), IN_OPEN), SyscallFailsWith(EBADF));
  Pipe pipe;
  EXPECT_THAT(inotify_add_watch(pipe.reader.get(), dir_.c_str(), IN_OPEN),
              SyscallFailsWith(EINVAL));
  EXPECT_THAT(Watch(dir_.File("a"), IN_OPEN | IN_ONLYDIR), SyscallFailsWith(ENOTDIR));
  EXPECT_THAT(Watch(dir_.path(), IN_OPEN | IN_MASK_ADD | IN_MASK_CREATE),
              SyscallFailsWith(EINVAL));
  EXPECT_THAT(inotify_rm_watch(fd_.get(), 77), SyscallFailsWith(EINVAL));
  EXPECT_THAT(inotify_rm_watch(pipe.reader.get(), 1), SyscallFailsWith(EINVAL));
}

TEST_F(InotifyTest, UnreadableIsEacces) {
  std::string path = dir_.File("secret", "", 0);
  chmod(dir_.c_str(), 0755);
  EXPECT_THAT(InForkedProcess([&] {
                if (geteuid() == 0) CHILD_CHECK(setresuid(65534, 65534, 65534) == 0);
                int fd = inotify_init();
                CHILD_CHECK_FAILS(inotify_add_watch(fd, path.c_str(), IN_OPEN), EACCES);
              }),
              ExitedWith(0));
}

TEST_F(InotifyTest, NumbersStartAtOneAndGrow) {
  EXPECT_THAT(Watch(dir_.File("a")), SyscallSucceedsWithValue(1));
  EXPECT_THAT(Watch(dir_.File("b")), SyscallSucceedsWithValue(2));
  EXPECT_THAT(Watch(dir_.Path("a")), SyscallSucceedsWithValue(1));
  ASSERT_THAT(inotify_rm_watch(fd_.get(), 2), SyscallSucceeds());
  EXPECT_THAT(Watch(dir_.Path("b")), SyscallSucceedsWithValue(3));
}

TEST_F(InotifyTest, FileIsOpenedReadWrittenClosed) {
  std::string path = dir_.File("a", "text");
  int wd = Watch(path);
  FileDescriptor file(open(path.c_str(), O_RDWR));
  EXPECT_THAT(Take(), ElementsAre(Event{wd, IN_OPEN, ""}));
  char byte;
  ASSERT_EQ(read(file.get(), &byte, 1), 1);
  EXPECT_THAT(Take(), ElementsAre(Event{wd, IN_ACCESS, ""}));
  ASSERT_EQ(pwrite(file.get(), &byte, 1, 0), 1);
  EXPECT_THAT(Take(), ElementsAre(Event{wd, IN_MODIFY, ""}));
  file.reset();
  EXPECT_THAT(Take(), ElementsAre(Event{wd, IN_CLOSE_WRITE, ""}));
  file.reset(open(path.c_str(), O_RDONLY));
  file.reset();
  EXPECT_THAT(Take(), ElementsAre(Event{wd, IN_OPEN, ""}, Event{wd, IN_CLOSE_NOWRITE, ""}));
}

TEST_F(InotifyTest, DirectoryHearsOfItsFilesByName) {
  std::string path = dir_.File("a", "text");
  int wd = Watch(dir_.path());
  FileDescriptor file(open(path.c_str(), O_RDWR));
  char byte;
  ASSERT_EQ(read(file.get(), &byte, 1), 1);
  ASSERT_EQ(write(file.get(), &byte, 1), 1);
  file.reset();
  EXPECT_THAT(Take(), ElementsAre(Event{wd, IN_OPEN, "a"}, Event{wd, IN_ACCESS, "a"},
                                  Event{wd, IN_MODIFY, "a"}, Event{wd, IN_CLOSE_WRITE, "a"}));
}

TEST_F(InotifyTest, NothingHappenedNothingTold) {
  std::string path = dir_.File("a");
  Watch(path, IN_ACCESS | IN_MODIFY);
  FileDescriptor file(open(path.c_str(), O_RDWR));
  char byte = 0;
  EXPECT_EQ(read(file.get(), &byte, 1), 0);
  EXPECT_EQ(write(file.get(), &byte, 0), 0);
  EXPECT_THAT(Take(), IsEmpty());
}

TEST_F(InotifyTest, PathOnlyDescriptorsAreSilent) {
  Watch(dir_.File("a"));
  FileDescriptor file(open(dir_.Path("a").c_str(), O_PATH));
  file.reset();
  EXPECT_THAT(Take(), IsEmpty());
}

TEST_F(InotifyTest, NamesComeAndGo) {
  int wd = Watch(dir_.path(), IN_CREATE | IN_DELETE);
  FileDescriptor(open(dir_.Path("file").c_str(), O_CREAT | O_WRONLY, 0600));
  mkdir(dir_.Path("directory").c_str(), 0755);
  symlink("x", dir_.Path("symlink").c_str());
  mkfifo(dir_.Path("fifo").c_str(), 0600);
  link(dir_.Path("file").c_str(), dir_.Path("link").c_str());
  EXPECT_THAT(Take(),
              ElementsAre(Event{wd, IN_CREATE, "file"}, Event{wd, IN_CREATE | IN_ISDIR, "directory"},
                          Event{wd, IN_CREATE, "symlink"}, Event{wd, IN_CREATE, "fifo"},
                          Event{wd, IN_CREATE, "link"}));
  unlink(dir_.Path("link").c_str());
  rmdir(dir_.Path("directory").c_str());
  unlink(dir_.Path("symlink").c_str());
  EXPECT_THAT(Take(), ElementsAre(Event{wd, IN_DELETE, "link"},
                                  Event{wd, IN_DELETE | IN_ISDIR, "directory"},
                                  Event{wd, IN_DELETE, "symlink"}));
}

TEST_F(InotifyTest, OpenOfAnExistingFileCreatesNothing) {
  dir_.File("a");
  Watch(dir_.path(), IN_CREATE);
  FileDescriptor(open(dir_.Path("a").c_str(), O_CREAT | O_WRONLY, 0600));
  EXPECT_THAT(open(dir_.Path("a").c_str(), O_CREAT | O_EXCL | O_WRONLY, 0600),
              SyscallFailsWith(EEXIST));
  EXPECT_THAT(Take(), IsEmpty());
}

TEST_F(InotifyTest, RenameHasOneCookie) {
  dir_.Dir("one"), dir_.Dir("two");
  dir_.File("one/a");
  int one = Watch(dir_.Path("one"), IN_MOVE), two = Watch(dir_.Path("two"), IN_MOVE);
  int self = Watch(dir_.Path("one/a"), IN_MOVE_SELF);
  ASSERT_THAT(rename(dir_.Path("one/a").c_str(), dir_.Path("two/b").c_str()), SyscallSucceeds());
  std::vector<Event> events = Take();
  ASSERT_THAT(events, ElementsAre(Event{one, IN_MOVED_FROM, "a"}, Event{two, IN_MOVED_TO, "b"},
                                  Event{self, IN_MOVE_SELF, ""}));
  EXPECT_NE(events[0].cookie, 0u);
  EXPECT_EQ(events[0].cookie, events[1].cookie);
  EXPECT_EQ(events[2].cookie, 0u);
  ASSERT_THAT(rename(dir_.Path("two/b").c_str(), dir_.Path("two/c").c_str()), SyscallSucceeds());
  std::vector<Event> more = Take();
  ASSERT_THAT(more, ElementsAre(Event{two, IN_MOVED_FROM, "b"}, Event{two, IN_MOVED_TO, "c"},
                                Event{self, IN_MOVE_SELF, ""}));
  EXPECT_NE(more[0].cookie, events[0].cookie);
}

TEST_F(InotifyTest, RenamedDirectoryIsMarked) {
  dir_.Dir("one");
  int wd = Watch(dir_.path(), IN_MOVE), self = Watch(dir_.Path("one"), IN_MOVE_SELF);
  ASSERT_THAT(rename(dir_.Path("one").c_str(), dir_.Path("two").c_str()), SyscallSucceeds());
  EXPECT_THAT(Take(), ElementsAre(Event{wd, IN_MOVED_FROM | IN_ISDIR, "one"},
                                  Event{wd, IN_MOVED_TO | IN_ISDIR, "two"},
                                  Event{self, IN_MOVE_SELF, ""}));
}

TEST_F(InotifyTest, WhatARenameReplacesIsDeleted) {
  dir_.File("new");
  int wd = Watch(dir_.File("old"), IN_DELETE_SELF | IN_ATTRIB);
  ASSERT_THAT(rename(dir_.Path("new").c_str(), dir_.Path("old").c_str()), SyscallSucceeds());
  EXPECT_THAT(Take(), ElementsAre(Event{wd, IN_ATTRIB, ""}, Event{wd, IN_DELETE_SELF, ""},
                                  Event{wd, IN_IGNORED, ""}));
}

TEST_F(InotifyTest, RemovedFileEndsItsWatch) {
  int wd = Watch(dir_.File("a"));
  ASSERT_THAT(unlink(dir_.Path("a").c_str()), SyscallSucceeds());
  EXPECT_THAT(Take(), ElementsAre(Event{wd, IN_ATTRIB, ""}, Event{wd, IN_DELETE_SELF, ""},
                                  Event{wd, IN_IGNORED, ""}));
  EXPECT_THAT(inotify_rm_watch(fd_.get(), wd), SyscallFailsWith(EINVAL));
}

TEST_F(InotifyTest, RemovedDirectoryEndsItsWatch) {
  int parent = Watch(dir_.path(), IN_DELETE);
  int wd = Watch(dir_.Dir("a"));
  ASSERT_THAT(rmdir(dir_.Path("a").c_str()), SyscallSucceeds());
  EXPECT_THAT(Take(),
              UnorderedElementsAre(Event{wd, IN_DELETE_SELF, ""}, Event{wd, IN_IGNORED, ""},
                                   Event{parent, IN_DELETE | IN_ISDIR, "a"}));
}

TEST_F(InotifyTest, OpenFileIsDeletedWithItsLastDescriptor) {
  int wd = Watch(dir_.File("a"), IN_DELETE_SELF | IN_MODIFY | IN_CLOSE_WRITE);
  FileDescriptor file(open(dir_.Path("a").c_str(), O_RDWR));
  ASSERT_THAT(unlink(dir_.Path("a").c_str()), SyscallSucceeds());
  EXPECT_THAT(Take(), IsEmpty());
  ASSERT_EQ(write(file.get(), "x", 1), 1);
  EXPECT_THAT(Take(), ElementsAre(Event{wd, IN_MODIFY, ""}));
  file.reset();
  EXPECT_THAT(Take(), ElementsAre(Event{wd, IN_CLOSE_WRITE, ""}, Event{wd, IN_DELETE_SELF, ""},
                                  Event{wd, IN_IGNORED, ""}));
}

TEST_F(InotifyTest, OtherNamesKeepTheWatch) {
  int wd = Watch(dir_.File("a"));
  ASSERT_THAT(link(dir_.Path("a").c_str(), dir_.Path("b").c_str()), SyscallSucceeds());
  EXPECT_THAT(Take(), ElementsAre(Event{wd, IN_ATTRIB, ""}));
  ASSERT_THAT(unlink(dir_.Path("a").c_str()), SyscallSucceeds());
  EXPECT_THAT(Take(), ElementsAre(Event{wd, IN_ATTRIB, ""}));
  FileDescriptor(open(dir_.Path("b").c_str(), O_RDONLY));
  EXPECT_THAT(Take(), ElementsAre(Event{wd, IN_OPEN, ""}, Event{wd, IN_CLOSE_NOWRITE, ""}));
}

TEST_F(InotifyTest, UnlinkedChildrenAreHeardUnlessExcluded) {
  dir_.File("a"), dir_.File("b");
  FileDescriptor first(open(dir_.Path("a").c_str(), O_RDWR));
  FileDescriptor second(open(dir_.Path("b").c_str(), O_RDWR));
  int wd = Watch(dir_.path(), IN_MODIFY);
  ASSERT_THAT(unlink(dir_.Path("a").c_str()), SyscallSucceeds());
  ASSERT_EQ(write(first.get(), "x", 1), 1);
  EXPECT_THAT(Take(), ElementsAre(Event{wd, IN_MODIFY, "a"}));
  ASSERT_EQ(Watch(dir_.path(), IN_MODIFY | IN_EXCL_UNLINK), wd);
  ASSERT_EQ(write(first.get(), "x", 1), 1);
  EXPECT_THAT(Take(), IsEmpty());
  ASSERT_EQ(write(second.get(), "x", 1), 1);
  EXPECT_THAT(Take(), ElementsAre(Event{wd, IN_MODIFY, "b"}));
}

TEST_F(InotifyTest, AttributesAndTimes) {
  std::string path = dir_.File("a");
  int wd = Watch(path);
  ASSERT_THAT(chmod(path.c_str(), 0600), SyscallSucceeds());
  EXPECT_THAT(Take(), ElementsAre(Event{wd, IN_ATTRIB, ""}));
  ASSERT_THAT(chown(path.c_str(), getuid(), getgid()), SyscallSucceeds());
  EXPECT_THAT(Take(), ElementsAre(Event{wd, IN_ATTRIB, ""}));
  ASSERT_THAT(utimensat(AT_FDCWD, path.c_str(), nullptr, 0), SyscallSucceeds());
  EXPECT_THAT(Take(), ElementsAre(Event{wd, IN_ATTRIB, ""}));
  timespec only_modify[2] = {{.tv_sec = 0, .tv_nsec = UTIME_OMIT}, {.tv_sec = 1, .tv_nsec = 0}};
  ASSERT_THAT(utimensat(AT_FDCWD, path.c_str(), only_modify, 0), SyscallSucceeds());
  EXPECT_THAT(Take(), ElementsAre(Event{wd, IN_MODIFY, ""}));
  ASSERT_THAT(truncate(path.c_str(), 10), SyscallSucceeds());
  EXPECT_THAT(Take(), ElementsAre(Event{wd, IN_MODIFY, ""}));
  if (setxattr(path.c_str(), "user.a", "b", 1, 0) == 0) {
    EXPECT_THAT(Take(), ElementsAre(Event{wd, IN_ATTRIB, ""}));
  }
}

TEST_F(InotifyTest, TruncatingOpenModifies) {
  std::string path = dir_.File("a", "text");
  int wd = Watch(path, IN_OPEN | IN_MODIFY);
  FileDescriptor(open(path.c_str(), O_WRONLY | O_TRUNC));
  EXPECT_THAT(Take(), UnorderedElementsAre(Event{wd, IN_OPEN, ""}, Event{wd, IN_MODIFY, ""}));
}

TEST_F(InotifyTest, FallocateAndSendfileModify) {
  dir_.File("a", "contents"), dir_.File("b");
  int from = Watch(dir_.Path("a"), IN_ACCESS), to = Watch(dir_.Path("b"), IN_MODIFY);
  FileDescriptor in(open(dir_.Path("a").c_str(), O_RDONLY));
  FileDescriptor out(open(dir_.Path("b").c_str(), O_WRONLY));
  ASSERT_THAT(sendfile(out.get(), in.get(), nullptr, 4), SyscallSucceedsWithValue(4));
  EXPECT_THAT(Take(), UnorderedElementsAre(Event{from, IN_ACCESS, ""}, Event{to, IN_MODIFY, ""}));
  if (fallocate(out.get(), 0, 0, 4096) == 0) {
    EXPECT_THAT(Take(), ElementsAre(Event{to, IN_MODIFY, ""}));
  }
}

TEST_F(InotifyTest, ListingADirectoryReadsIt) {
  int wd = Watch(dir_.path());
  DIR* listing = opendir(dir_.c_str());
  while (readdir(listing)) {
  }
  closedir(listing);
  EXPECT_THAT(Take(), ElementsAre(Event{wd, IN_OPEN | IN_ISDIR, ""},
                                  Event{wd, IN_ACCESS | IN_ISDIR, ""},
                                  Event{wd, IN_CLOSE_NOWRITE | IN_ISDIR, ""}));
}

TEST_F(InotifyTest, ExecOpensAndReads) {
  int wd = Watch("/bin/true", IN_OPEN | IN_CLOSE_NOWRITE);
  const char* argv[] = {"/bin/true", nullptr};
  EXPECT_EQ(RunProgram(argv), 0);
  std::vector<Event> events = Take();
  ASSERT_FALSE(events.empty());
  EXPECT_EQ(events.front(), (Event{wd, IN_OPEN, ""}));
}

TEST_F(InotifyTest, OneShotEndsAfterOneEvent) {
  dir_.File("a");
  int wd = Watch(dir_.path(), IN_ONESHOT | IN_OPEN);
  FileDescriptor(open(dir_.Path("a").c_str(), O_RDONLY));
  FileDescriptor(open(dir_.Path("a").c_str(), O_RDONLY));
  EXPECT_THAT(Take(), ElementsAre(Event{wd, IN_OPEN, "a"}, Event{wd, IN_IGNORED, ""}));
  EXPECT_THAT(inotify_rm_watch(fd_.get(), wd), SyscallFailsWith(EINVAL));
}

TEST_F(InotifyTest, MaskIsReplacedOrAddedTo) {
  std::string path = dir_.File("a", "text");
  int wd = Watch(path, IN_OPEN);
  EXPECT_EQ(Watch(path, IN_ACCESS), wd);
  FileDescriptor file(open(path.c_str(), O_RDONLY));
  EXPECT_THAT(Take(), IsEmpty());
  EXPECT_EQ(Watch(path, IN_OPEN | IN_MASK_ADD), wd);
  char byte;
  ASSERT_EQ(read(file.get(), &byte, 1), 1);
  FileDescriptor(open(path.c_str(), O_RDONLY));
  EXPECT_THAT(Take(), ElementsAre(Event{wd, IN_ACCESS, ""}, Event{wd, IN_OPEN, ""}));
  EXPECT_THAT(Watch(path, IN_OPEN | IN_MASK_CREATE), SyscallFailsWith(EEXIST));
}

TEST_F(InotifyTest, RemovedWatchIsIgnored) {
  int wd = Watch(dir_.path());
  ASSERT_THAT(inotify_rm_watch(fd_.get(), wd), SyscallSucceeds());
  dir_.File("a");
  EXPECT_THAT(Take(), ElementsAre(Event{wd, IN_IGNORED, ""}));
}

TEST_F(InotifyTest, EqualEventsAtTheEndAreOne) {
  std::string path = dir_.File("a", "text");
  int wd = Watch(path, IN_ACCESS | IN_MODIFY);
  FileDescriptor file(open(path.c_str(), O_RDWR));
  char byte = 0;
  for (int i = 0; i < 3; ++i) ASSERT_EQ(pread(file.get(), &byte, 1, 0), 1);
  ASSERT_EQ(pwrite(file.get(), &byte, 1, 0), 1);
  ASSERT_EQ(pread(file.get(), &byte, 1, 0), 1);
  EXPECT_THAT(Take(), ElementsAre(Event{wd, IN_ACCESS, ""}, Event{wd, IN_MODIFY, ""},
                                  Event{wd, IN_ACCESS, ""}));
}

TEST_F(InotifyTest, SymlinkItselfIsWatchedWithDontFollow) {
  dir_.File("a");
  ASSERT_THAT(symlink("a", dir_.Path("s").c_str()), SyscallSucceeds());
  int link = Watch(dir_.Path("s"), IN_DELETE_SELF | IN_DONT_FOLLOW);
  int file = Watch(dir_.Path("s"), IN_DELETE_SELF);
  EXPECT_NE(link, file);
  ASSERT_THAT(unlink(dir_.Path("s").c_str()), SyscallSucceeds());
  EXPECT_THAT(Take(), ElementsAre(Event{link, IN_DELETE_SELF, ""}, Event{link, IN_IGNORED, ""}));
}

TEST_F(InotifyTest, ReadWantsRoomForOneEvent) {
  Watch(dir_.path(), IN_CREATE);
  dir_.File("a-name-of-some-length");
  int pending = 0;
  ASSERT_THAT(ioctl(fd_.get(), FIONREAD, &pending), SyscallSucceeds());
  EXPECT_EQ(pending, 16 + 32);
  char buffer[sizeof(inotify_event) + 31];
  EXPECT_THAT(read(fd_.get(), buffer, sizeof(buffer)), SyscallFailsWith(EINVAL));
  alignas(inotify_event) char enough[sizeof(inotify_event) + 32];
  EXPECT_THAT(read(fd_.get(), enough, sizeof(enough)), SyscallSucceedsWithValue(48));
  EXPECT_THAT(read(fd_.get(), enough, sizeof(enough)), SyscallFailsWith(EAGAIN));
}

TEST_F(InotifyTest, PollTellsOfEvents) {
  Watch(dir_.path(), IN_CREATE);
  pollfd entry = {.fd = fd_.get(), .events = POLLIN, .revents = 0};
  EXPECT_THAT(poll(&entry, 1, 0), SyscallSucceedsWithValue(0));
  dir_.File("a");
  EXPECT_THAT(poll(&entry, 1, 0), SyscallSucceedsWithValue(1));
}

TEST_F(InotifyTest, ReaderIsWokenByAnotherProcess) {
  FileDescriptor blocking(inotify_init());
  int wd = inotify_add_watch(blocking.get(), dir_.c_str(), IN_CREATE);
  ForkedChild child([&] {
    AwaitSleeping(getppid());
    CHILD_CHECK(mkdir(dir_.Path("b").c_str(), 0755) == 0);
  });
  alignas(inotify_event) char buffer[4096];
  ASSERT_THAT(read(blocking.get(), buffer, sizeof(buffer)), SyscallSucceedsWithValue(32));
  auto* event = reinterpret_cast<inotify_event*>(buffer);
  EXPECT_EQ(event->wd, wd);
  EXPECT_STREQ(event->name, "b");
  EXPECT_THAT(child.Wait(), ExitedWith(0));
}

TEST_F(InotifyTest, TwoInstancesHearTheSame) {
  FileDescriptor other(inotify_init1(IN_NONBLOCK));
  int first = Watch(dir_.path(), IN_CREATE);
  int second = inotify_add_watch(other.get(), dir_.c_str(), IN_CREATE | IN_DELETE);
  dir_.File("a");
  unlink(dir_.Path("a").c_str());
  EXPECT_THAT(Take(), ElementsAre(Event{first, IN_CREATE, "a"}));
  EXPECT_THAT(test::Take(other.get()),
              ElementsAre(Event{second, IN_CREATE, "a"}, Event{second, IN_DELETE, "a"}));
}

TEST_F(InotifyTest, QueueOverflowIsToldOnce) {
  int limit = atoi(ReadFile("/proc/sys/fs/inotify/max_queued_events").c_str());
  ASSERT_GT(limit, 0);
  if (limit > 20000) GTEST_SKIP() << "too many events to make";
  std::string path = dir_.File("a", "text");
  int wd = Watch(path, IN_ACCESS | IN_MODIFY);
  FileDescriptor file(open(path.c_str(), O_RDWR));
  char byte = 0;
  for (int i = 0; i < limit / 2 + 5; ++i) {
    ASSERT_EQ(pread(file.get(), &byte, 1, 0), 1);
    ASSERT_EQ(pwrite(file.get(), &byte, 1, 0), 1);
  }
  std::vector<Event> events = Take();
  ASSERT_EQ(events.size(), static_cast<size_t>(limit) + 1);
  EXPECT_EQ(events.front(), (Event{wd, IN_ACCESS, ""}));
  EXPECT_EQ(events.back(), (Event{-1, IN_Q_OVERFLOW, ""}));
}

TEST_F(InotifyTest, InstancesAreLimited) {
  int limit = atoi(ReadFile("/proc/sys/fs/inotify/max_user_instances").c_str());
  ASSERT_GT(limit, 0);
  if (limit > 512) GTEST_SKIP() << "too many";
  std::vector<FileDescriptor> many;
  int fd;
  while ((fd = inotify_init()) >= 0 && many.size() <= 512) many.emplace_back(fd);
  EXPECT_EQ(errno, EMFILE);
  many.clear();
  EXPECT_TRUE(FileDescriptor(inotify_init()).valid());
}

TEST_F(InotifyTest, FdinfoListsWatches) {
  Watch(dir_.path(), IN_CREATE);
  std::string text = ReadFile("/proc/self/fdinfo/" + std::to_string(fd_.get()));
  EXPECT_THAT(text, testing::HasSubstr("inotify wd:1 ino:"));
  EXPECT_THAT(text, testing::HasSubstr("mask:100 ignored_mask:0"));
}

TEST_F(InotifyTest, UnmountEndsWatches) {
  std::string place = dir_.Dir("mount");
  if (mount("tmpfs", place.c_str(), "tmpfs", 0, "") != 0) GTEST_SKIP() << "may not mount";
  WriteFile(place + "/a", "");
  int wd = Watch(place + "/a", IN_OPEN);
  int root = Watch(place, IN_CREATE);
  ASSERT_THAT(umount(place.c_str()), SyscallSucceeds());
  EXPECT_THAT(Take(), UnorderedElementsAre(Event{wd, IN_UNMOUNT, ""}, Event{wd, IN_IGNORED, ""},
                                           Event{root, IN_UNMOUNT | IN_ISDIR, ""},
                                           Event{root, IN_IGNORED, ""}));
}

TEST_F(InotifyTest, WatchSurvivesManyLookups) {
  // The cache of names must not lose a watched file.
  dir_.Dir("d");
  dir_.File("d/a");
  int wd = Watch(dir_.Path("d/a"), IN_OPEN);
  for (int i = 0; i < 3000; ++i) {
    struct stat status;
    stat((dir_.path() + "/none" + std::to_string(i)).c_str(), &status);
  }
  FileDescriptor(open(dir_.Path("d/a").c_str(), O_RDONLY));
  EXPECT_THAT(Take(), ElementsAre(Event{wd, IN_OPEN, ""}));
}

}  // namespace
}  // namespace redoubt::test
