// SPDX-License-Identifier: Apache-2.0
//
// Descriptors and credentials passed over AF_UNIX sockets.

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <vector>

#include "test/util/file_descriptor.h"
#include "test/util/fork.h"
#include "test/util/syscall_matchers.h"
#include "test/util/temp_path.h"
#include "test/util/timing.h"

namespace redoubt::test {
namespace {

ssize_t SendFds(int socket, std::vector<int> fds) {
  char byte = 'x';
  iovec piece = {.iov_base = &byte, .iov_len = 1};
  std::vector<char> control(CMSG_SPACE(fds.size() * sizeof(int)));
  msghdr message = {};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
  memcpy(CMSG_DATA(header), fds.data(), fds.size() * sizeof(int));
  return sendmsg(socket, &message, 0);
}

struct Received {
  ssize_t bytes;
  int flags;
  std::vector<FileDescriptor> fds;
};

Received ReceiveFds(int socket, size_t room = 8, int flags = 0) {
  char byte;
  iovec piece = {.iov_base = &byte, .iov_len = 1};
  std::vector<char> control(CMSG_LEN(room * sizeof(int)));
  msghdr message = {};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  Received received = {.bytes = recvmsg(socket, &message, flags), .flags = 0, .fds = {}};
  received.flags = message.msg_flags;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    for (size_t at = 0; at + CMSG_LEN(sizeof(int)) <= header->cmsg_len; at += sizeof(int)) {
      int fd;
      memcpy(&fd, CMSG_DATA(header) + at, sizeof(fd));
      received.fds.emplace_back(fd);
    }
  }
  return received;
}

TEST(ScmRights, FileIsTheSameOpenFile) {
  TempDir dir;
  SocketPair pair;
  FileDescriptor file(open(dir.File("a", "0123456789").c_str(), O_RDONLY));
  ASSERT_THAT(SendFds(pair.first.get(), {file.get()}), SyscallSucceedsWithValue(1));
  ASSERT_THAT(lseek(file.get(), 4, SEEK_SET), SyscallSucceeds());
  file.reset();  // The message keeps it open.
  const Received received = ReceiveFds(pair.second.get());
  ASSERT_EQ(received.fds.size(), 1u);
  char byte;
  EXPECT_THAT(read(received.fds[0].get(), &byte, 1), SyscallSucceedsWithValue(1));
  EXPECT_EQ(byte, '4');
}

TEST(ScmRights, BetweenProcesses) {
  SocketPair pair;
  Pipe pipe;
  ForkedChild child([&] {
    const Received received = ReceiveFds(pair.second.get());
    CHILD_CHECK(received.fds.size() == 1);
    CHILD_CHECK(write(received.fds[0].get(), "ok", 2) == 2);
  });
  FileDescriptor own(open("/dev/null", O_RDONLY));
  ASSERT_THAT(SendFds(pair.first.get(), {pipe.writer.get()}), SyscallSucceedsWithValue(1));
  char buffer[2];
  EXPECT_THAT(read(pipe.reader.get(), buffer, 2), SyscallSucceedsWithValue(2));
  EXPECT_THAT(child.Wait(), ExitedWith(0));
}

TEST(ScmRights, SeveralInOneMessageAndCloseOnExec) {
  SocketPair pair;
  Pipe pipe;
  ASSERT_THAT(SendFds(pair.first.get(), {pipe.reader.get(), pipe.writer.get()}),
              SyscallSucceedsWithValue(1));
  const Received received = ReceiveFds(pair.second.get(), 8, MSG_CMSG_CLOEXEC);
  ASSERT_EQ(received.fds.size(), 2u);
  EXPECT_THAT(fcntl(received.fds[1].get(), F_GETFD), SyscallSucceedsWithValue(FD_CLOEXEC));
}

TEST(ScmRights, TooLittleRoomTruncatesAndSaysSo) {
  SocketPair pair;
  Pipe pipe;
  ASSERT_THAT(SendFds(pair.first.get(), {pipe.reader.get(), pipe.writer.get()}),
              SyscallSucceedsWithValue(1));
  const Received received = ReceiveFds(pair.second.get(), 1);
  EXPECT_EQ(received.fds.size(), 1u);
  EXPECT_TRUE(received.flags & MSG_CTRUNC);
}

TEST(ScmRights, UnreadMessageReleasesItsFiles) {
  SocketPair pair;
  Pipe pipe;
  ASSERT_THAT(SendFds(pair.first.get(), {pipe.writer.get()}), SyscallSucceedsWithValue(1));
  pipe.writer.reset();
  pair.first.reset();
  pair.second.reset();
  char byte;
  EXPECT_THAT(read(pipe.reader.get(), &byte, 1), SyscallSucceedsWithValue(0));
}

TEST(ScmRights, MessageEndsAStreamRead) {
  SocketPair pair;
  Pipe pipe;
  char buffer[8];
  ASSERT_THAT(write(pair.first.get(), "ab", 2), SyscallSucceedsWithValue(2));
  ASSERT_THAT(SendFds(pair.first.get(), {pipe.reader.get()}), SyscallSucceedsWithValue(1));
  ASSERT_THAT(write(pair.first.get(), "cd", 2), SyscallSucceedsWithValue(2));
  EXPECT_EQ(ReceiveFds(pair.second.get()).fds.size(), 0u);  // 'a'
  EXPECT_THAT(read(pair.second.get(), buffer, 1), SyscallSucceedsWithValue(1));
  EXPECT_EQ(ReceiveFds(pair.second.get()).fds.size(), 1u);
}

TEST(ScmRights, BadDescriptorIsEbadf) {
  SocketPair pair;
  EXPECT_THAT(SendFds(pair.first.get(), {-1}), SyscallFailsWith(EBADF));
  EXPECT_THAT(SendFds(pair.first.get(), std::vector<int>(254, 0)), SyscallFailsWith(EINVAL));
}

TEST(ScmCredentials, AreFilledInByTheKernel) {
  SocketPair pair;
  const int on = 1;
  ASSERT_THAT(setsockopt(pair.second.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)),
              SyscallSucceeds());
  ASSERT_THAT(write(pair.first.get(), "x", 1), SyscallSucceedsWithValue(1));
  char byte;
  iovec piece = {.iov_base = &byte, .iov_len = 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(ucred))];
  msghdr message = {};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  ASSERT_THAT(recvmsg(pair.second.get(), &message, 0), SyscallSucceedsWithValue(1));
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  ASSERT_NE(header, nullptr);
  EXPECT_EQ(header->cmsg_type, SCM_CREDENTIALS);
  ucred sender;
  memcpy(&sender, CMSG_DATA(header), sizeof(sender));
  EXPECT_EQ(sender.pid, getpid());
  EXPECT_EQ(sender.uid, geteuid());
}

// Sockets that only messages in each other's queues hold. What a collector does about them is seen
// by a pipe whose writing end is in the same message.
class Circle : public ::testing::Test {
 protected:
  // The pipe's end, within a while in which sockets come and go.
  bool IsCollected() {
    return PollUntil([&] {
      SocketPair another;
      pollfd entry = {.fd = pipe_.reader.get(), .events = POLLIN, .revents = 0};
      return poll(&entry, 1, 0) == 1 && (entry.revents & POLLHUP) != 0;
    });
  }
  Pipe pipe_;
};

TEST_F(Circle, OfOneSocketInItsOwnQueue) {
  {
    SocketPair pair;
    ASSERT_THAT(SendFds(pair.first.get(), {pair.second.get(), pipe_.writer.get()}),
                SyscallSucceeds());
  }
  pipe_.writer.reset();
  EXPECT_TRUE(IsCollected());
}

TEST_F(Circle, OfTwoSockets) {
  {
    SocketPair a, b;
    ASSERT_THAT(SendFds(a.first.get(), {b.second.get(), pipe_.writer.get()}), SyscallSucceeds());
    ASSERT_THAT(SendFds(b.first.get(), {a.second.get()}), SyscallSucceeds());
    ASSERT_THAT(SendFds(a.second.get(), {b.first.get()}), SyscallSucceeds());
    ASSERT_THAT(SendFds(b.second.get(), {a.first.get()}), SyscallSucceeds());
  }
  pipe_.writer.reset();
  EXPECT_TRUE(IsCollected());
}

TEST_F(Circle, OfAListenerAndWhatWaitsInItsBacklog) {
  TempDir dir;
  {
    sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = {}};
    strcpy(name.sun_path, (dir.path() + "/s").c_str());
    FileDescriptor listener(socket(AF_UNIX, SOCK_STREAM, 0)),
        client(socket(AF_UNIX, SOCK_STREAM, 0));
    ASSERT_THAT(bind(listener.get(), reinterpret_cast<sockaddr*>(&name), sizeof(name)),
                SyscallSucceeds());
    ASSERT_THAT(listen(listener.get(), 1), SyscallSucceeds());
    ASSERT_THAT(connect(client.get(), reinterpret_cast<sockaddr*>(&name), sizeof(name)),
                SyscallSucceeds());
    ASSERT_THAT(SendFds(client.get(), {listener.get(), pipe_.writer.get()}), SyscallSucceeds());
  }
  pipe_.writer.reset();
  EXPECT_TRUE(IsCollected());
}

TEST_F(Circle, ThatADescriptorReachesStays) {
  SocketPair outer;
  {
    SocketPair pair;
    ASSERT_THAT(SendFds(pair.first.get(), {pair.second.get(), pipe_.writer.get()}),
                SyscallSucceeds());
    ASSERT_THAT(SendFds(outer.first.get(), {pair.second.get()}), SyscallSucceeds());
  }
  pipe_.writer.reset();
  for (int i = 0; i < 50; ++i) SocketPair another;
  pollfd entry = {.fd = pipe_.reader.get(), .events = POLLIN, .revents = 0};
  EXPECT_THAT(poll(&entry, 1, 20), SyscallSucceedsWithValue(0));
  // It can still be taken apart.
  {
    Received socket = ReceiveFds(outer.second.get());
    ASSERT_EQ(socket.fds.size(), 1u);
    EXPECT_EQ(ReceiveFds(socket.fds[0].get()).fds.size(), 2u);
  }
  EXPECT_TRUE(IsCollected());
}

TEST_F(Circle, ManyAreCollectedOnTheWay) {
  for (int i = 0; i < 18'000; ++i) {
    SocketPair pair;
    ASSERT_THAT(SendFds(pair.first.get(), {pair.second.get()}), SyscallSucceeds()) << i;
  }
}

}  // namespace
}  // namespace redoubt::test
