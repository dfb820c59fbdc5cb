// SPDX-License-Identifier: Apache-2.0
//
// fanotify(7), notification class.

#include <fcntl.h>
#include <poll.h>
#include <sys/fanotify.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>
#include <cstring>
#include <string>
#include <vector>

#include "test/util/file_descriptor.h"
#include "test/util/fork.h"
#include "test/util/syscall_matchers.h"
#include "test/util/temp_path.h"

namespace redoubt::test {
namespace {

struct Event {
  uint64_t mask;
  std::string path;
  int pid;
};

class FanotifyTest : public ::testing::Test {
 protected:
  void SetUp() override {
    fd_ = FileDescriptor(fanotify_init(FAN_CLOEXEC | FAN_NONBLOCK, O_RDONLY | O_CLOEXEC));
    if (fd_.get() < 0) GTEST_SKIP() << "no fanotify here";
  }
  int Mark(unsigned flags, uint64_t mask, const std::string& path) {
    return fanotify_mark(fd_.get(), flags, mask, AT_FDCWD, path.c_str());
  }
  // All that wait, with their files closed again.
  std::vector<Event> Take() {
    std::vector<Event> events;
    alignas(8) char buffer[4096];
    ssize_t length;
    while ((length = read(fd_.get(), buffer, sizeof(buffer))) > 0) {
      auto* event = reinterpret_cast<fanotify_event_metadata*>(buffer);
      for (; FAN_EVENT_OK(event, length); event = FAN_EVENT_NEXT(event, length)) {
        EXPECT_EQ(event->vers, FANOTIFY_METADATA_VERSION);
        char path[PATH_MAX] = "";
        std::string link = "/proc/self/fd/" + std::to_string(event->fd);
        EXPECT_THAT(readlink(link.c_str(), path, sizeof(path) - 1), SyscallSucceeds());
        events.push_back({event->mask, path, event->pid});
        close(event->fd);
      }
    }
    return events;
  }
  TempDir dir_;
  FileDescriptor fd_{-1};
};

TEST_F(FanotifyTest, FileIsWatched) {
  std::string path = dir_.File("a", "text");
  ASSERT_THAT(Mark(FAN_MARK_ADD, FAN_OPEN | FAN_ACCESS | FAN_MODIFY | FAN_CLOSE, path),
              SyscallSucceeds());
  FileDescriptor file(open(path.c_str(), O_RDWR));
  std::vector<Event> events = Take();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].mask, uint64_t{FAN_OPEN});
  EXPECT_EQ(events[0].path, path);
  EXPECT_EQ(events[0].pid, getpid());
  char byte;
  EXPECT_THAT(read(file.get(), &byte, 1), SyscallSucceedsWithValue(1));
  EXPECT_THAT(write(file.get(), "x", 1), SyscallSucceedsWithValue(1));
  events = Take();
  ASSERT_EQ(events.size(), 1u);  // Merged.
  EXPECT_EQ(events[0].mask, uint64_t{FAN_ACCESS | FAN_MODIFY});
  file.reset();
  events = Take();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].mask, uint64_t{FAN_CLOSE_WRITE});
}

TEST_F(FanotifyTest, DirectoryTellsOfItsChildren) {
  std::string in = dir_.File("a", "text");
  dir_.Dir("sub");
  std::string deeper = dir_.File("sub/b", "text");
  ASSERT_THAT(Mark(FAN_MARK_ADD, FAN_OPEN | FAN_EVENT_ON_CHILD, dir_.path()), SyscallSucceeds());
  FileDescriptor(open(deeper.c_str(), O_RDONLY));
  EXPECT_TRUE(Take().empty());
  FileDescriptor(open(in.c_str(), O_RDONLY));
  std::vector<Event> events = Take();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].path, in);
  // Directories only when asked for.
  FileDescriptor(open(dir_.path().c_str(), O_RDONLY | O_DIRECTORY));
  EXPECT_TRUE(Take().empty());
  ASSERT_THAT(Mark(FAN_MARK_ADD, FAN_OPEN | FAN_ONDIR, dir_.path()), SyscallSucceeds());
  FileDescriptor(open(dir_.path().c_str(), O_RDONLY | O_DIRECTORY));
  EXPECT_EQ(Take().size(), 1u);
}

TEST_F(FanotifyTest, MountIsWatched) {
  std::string path = dir_.File("a", "text");
  ASSERT_THAT(Mark(FAN_MARK_ADD | FAN_MARK_MOUNT, FAN_CLOSE_NOWRITE, path), SyscallSucceeds());
  FileDescriptor(open(path.c_str(), O_RDONLY));
  bool found = false;
  for (const Event& event : Take()) {
    found = found || (event.path == path && event.mask == FAN_CLOSE_NOWRITE);
  }
  EXPECT_TRUE(found);
  EXPECT_THAT(Mark(FAN_MARK_FLUSH | FAN_MARK_MOUNT, 0, path), SyscallSucceeds());
  Take();
  FileDescriptor(open(path.c_str(), O_RDONLY));
  EXPECT_TRUE(Take().empty());
}

TEST_F(FanotifyTest, FilesystemIsWatched) {
  std::string path = dir_.File("a", "text");
  ASSERT_THAT(Mark(FAN_MARK_ADD | FAN_MARK_FILESYSTEM, FAN_OPEN, path), SyscallSucceeds());
  FileDescriptor(open(path.c_str(), O_RDONLY));
  bool found = false;
  for (const Event& event : Take()) found = found || event.path == path;
  EXPECT_TRUE(found);
}

TEST_F(FanotifyTest, IgnoredUntilModified) {
  std::string path = dir_.File("a", "text");
  ASSERT_THAT(Mark(FAN_MARK_ADD, FAN_OPEN | FAN_MODIFY, path), SyscallSucceeds());
  ASSERT_THAT(Mark(FAN_MARK_ADD | FAN_MARK_IGNORED_MASK, FAN_OPEN, path), SyscallSucceeds());
  FileDescriptor file(open(path.c_str(), O_WRONLY));
  EXPECT_TRUE(Take().empty());
  EXPECT_THAT(write(file.get(), "x", 1), SyscallSucceedsWithValue(1));
  Take();
  FileDescriptor(open(path.c_str(), O_RDONLY));
  EXPECT_EQ(Take().size(), 1u);
}

TEST_F(FanotifyTest, ExecIsAnOpen) {
  ASSERT_THAT(Mark(FAN_MARK_ADD, FAN_OPEN_EXEC, "/bin/true"), SyscallSucceeds());
  FileDescriptor(open("/bin/true", O_RDONLY));
  EXPECT_TRUE(Take().empty());
  EXPECT_THAT(InForkedProcess([] {
                execl("/bin/true", "true", nullptr);
                _exit(1);
              }),
              ExitedWith(0));
  std::vector<Event> events = Take();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].mask, uint64_t{FAN_OPEN_EXEC});
}

TEST_F(FanotifyTest, ReaderIsWoken) {
  std::string path = dir_.File("a");
  pollfd poll_fd = {fd_.get(), POLLIN, 0};
  EXPECT_EQ(poll(&poll_fd, 1, 0), 0);
  ASSERT_THAT(Mark(FAN_MARK_ADD, FAN_OPEN, path), SyscallSucceeds());
  pid_t child = fork();
  if (child == 0) {
    usleep(50'000);
    close(open(path.c_str(), O_RDONLY));
    _exit(0);
  }
  EXPECT_EQ(poll(&poll_fd, 1, 20'000), 1);
  std::vector<Event> events = Take();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].pid, child);
  waitpid(child, nullptr, 0);
}

TEST_F(FanotifyTest, OwnFilesTellNobody) {
  std::string path = dir_.File("a", "text");
  ASSERT_THAT(Mark(FAN_MARK_ADD, FAN_OPEN | FAN_ACCESS | FAN_CLOSE_NOWRITE, path),
              SyscallSucceeds());
  FileDescriptor file(open(path.c_str(), O_RDONLY));
  alignas(8) char buffer[64];
  ASSERT_THAT(read(fd_.get(), buffer, sizeof(buffer)), SyscallSucceedsWithValue(24));
  int told = reinterpret_cast<fanotify_event_metadata*>(buffer)->fd;
  EXPECT_EQ(fcntl(told, F_GETFD), FD_CLOEXEC);
  char byte;
  EXPECT_THAT(read(told, &byte, 1), SyscallSucceedsWithValue(1));
  close(told);
  EXPECT_TRUE(Take().empty());
}

TEST_F(FanotifyTest, ShortBufferIsEinval) {
  std::string path = dir_.File("a");
  ASSERT_THAT(Mark(FAN_MARK_ADD, FAN_OPEN, path), SyscallSucceeds());
  FileDescriptor(open(path.c_str(), O_RDONLY));
  char buffer[16];
  EXPECT_THAT(read(fd_.get(), buffer, sizeof(buffer)), SyscallFailsWith(EINVAL));
  EXPECT_EQ(Take().size(), 1u);
  EXPECT_THAT(read(fd_.get(), buffer, sizeof(buffer)), SyscallFailsWith(EAGAIN));
}

TEST_F(FanotifyTest, InitErrors) {
  EXPECT_THAT(fanotify_init(FAN_CLASS_CONTENT | FAN_CLASS_PRE_CONTENT, 0),
              SyscallFailsWith(EINVAL));
  EXPECT_THAT(fanotify_init(0x10000000, 0), SyscallFailsWith(EINVAL));
  EXPECT_THAT(fanotify_init(0, O_ACCMODE), SyscallFailsWith(EINVAL));
  EXPECT_THAT(fanotify_init(0, O_CREAT), SyscallFailsWith(EINVAL));
  EXPECT_THAT(InForkedProcess([] {
                CHILD_CHECK(setresuid(65534, 65534, 65534) == 0);
                CHILD_CHECK_FAILS(fanotify_init(0, 0), EPERM);
              }),
              ExitedWith(0));
}

TEST_F(FanotifyTest, MarkErrors) {
  std::string path = dir_.File("a");
  EXPECT_THAT(Mark(FAN_MARK_ADD, 0, path), SyscallFailsWith(EINVAL));
  EXPECT_THAT(Mark(0, FAN_OPEN, path), SyscallFailsWith(EINVAL));
  EXPECT_THAT(Mark(FAN_MARK_ADD | FAN_MARK_REMOVE, FAN_OPEN, path), SyscallFailsWith(EINVAL));
  EXPECT_THAT(Mark(FAN_MARK_ADD | FAN_MARK_MOUNT | FAN_MARK_FILESYSTEM, FAN_OPEN, path),
              SyscallFailsWith(EINVAL));
  EXPECT_THAT(Mark(FAN_MARK_ADD, uint64_t{1} << 40, path), SyscallFailsWith(EINVAL));
  EXPECT_THAT(Mark(FAN_MARK_ADD, FAN_CREATE, path), SyscallFailsWith(EINVAL));
  EXPECT_THAT(Mark(FAN_MARK_ADD, FAN_OPEN_PERM, path), SyscallFailsWith(EINVAL));
  EXPECT_THAT(Mark(FAN_MARK_ADD | FAN_MARK_ONLYDIR, FAN_OPEN, path), SyscallFailsWith(ENOTDIR));
  EXPECT_THAT(Mark(FAN_MARK_ADD, FAN_OPEN, path + "x"), SyscallFailsWith(ENOENT));
  EXPECT_THAT(Mark(FAN_MARK_REMOVE, FAN_OPEN, path), SyscallFailsWith(ENOENT));
  FileDescriptor other(open(path.c_str(), O_RDONLY));
  EXPECT_THAT(fanotify_mark(other.get(), FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, path.c_str()),
              SyscallFailsWith(EINVAL));
  EXPECT_THAT(fanotify_mark(-1, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, path.c_str()),
              SyscallFailsWith(EBADF));
  // Without a path the descriptor itself.
  EXPECT_THAT(fanotify_mark(fd_.get(), FAN_MARK_ADD, FAN_OPEN, other.get(), nullptr),
              SyscallSucceeds());
  EXPECT_THAT(fanotify_mark(fd_.get(), FAN_MARK_ADD, FAN_OPEN, 1000, nullptr),
              SyscallFailsWith(EBADF));
  EXPECT_THAT(write(fd_.get(), "12345678", 8), SyscallFailsWith(EINVAL));
}

}  // namespace
}  // namespace redoubt::test
