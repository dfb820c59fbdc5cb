// SPDX-License-Identifier: Apache-2.0
//
// AF_UNIX stream sockets with names: bind(2), listen(2), connect(2), accept(2).

#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <string>

#include "test/util/file_descriptor.h"
#include "test/util/fork.h"
#include "test/util/syscall_matchers.h"
#include "test/util/temp_path.h"
#include "test/util/timing.h"

namespace redoubt::test {
namespace {

struct Address {
  explicit Address(const std::string& path) {
    storage.sun_family = AF_UNIX;
    path.copy(storage.sun_path, sizeof(storage.sun_path) - 1);
    // A name that starts with a zero byte is not in the file system, and has no terminator.
    const bool abstract = path[0] == '\0';
    length = offsetof(sockaddr_un, sun_path) + path.size() + (abstract ? 0 : 1);
  }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }

  sockaddr_un storage = {};
  socklen_t length;
};

int Bind(int fd, const Address& to) { return bind(fd, to.get(), to.length); }
int Connect(int fd, const Address& to) { return connect(fd, to.get(), to.length); }
FileDescriptor Socket(int type = SOCK_STREAM) { return FileDescriptor(socket(AF_UNIX, type, 0)); }

class UnixStreamTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_THAT(Bind(server_.get(), address_), SyscallSucceeds());
    ASSERT_THAT(listen(server_.get(), 5), SyscallSucceeds());
  }

  TempDir dir_;
  const Address address_{dir_.Path("s")};
  FileDescriptor server_ = Socket();
  FileDescriptor client_ = Socket();
};

TEST_F(UnixStreamTest, ConnectsAndTalks) {
  ASSERT_THAT(Connect(client_.get(), address_), SyscallSucceeds());
  FileDescriptor accepted(accept(server_.get(), nullptr, nullptr));
  ASSERT_TRUE(accepted.valid());
  char buffer[8];
  ASSERT_THAT(write(client_.get(), "ping", 4), SyscallSucceedsWithValue(4));
  EXPECT_THAT(read(accepted.get(), buffer, 8), SyscallSucceedsWithValue(4));
  ASSERT_THAT(write(accepted.get(), "pong!", 5), SyscallSucceedsWithValue(5));
  EXPECT_THAT(read(client_.get(), buffer, 8), SyscallSucceedsWithValue(5));
}

TEST_F(UnixStreamTest, BytesSentBeforeAcceptArrive) {
  ASSERT_THAT(Connect(client_.get(), address_), SyscallSucceeds());
  ASSERT_THAT(write(client_.get(), "early", 5), SyscallSucceedsWithValue(5));
  client_.reset();
  FileDescriptor accepted(accept(server_.get(), nullptr, nullptr));
  char buffer[8];
  EXPECT_THAT(read(accepted.get(), buffer, 8), SyscallSucceedsWithValue(5));
  EXPECT_THAT(read(accepted.get(), buffer, 8), SyscallSucceedsWithValue(0));
}

TEST_F(UnixStreamTest, BlockedAcceptIsWokenByAnotherProcess) {
  const pid_t parent = getpid();
  ForkedChild child([&] {
    AwaitSleeping(parent);
    CHILD_CHECK(Connect(client_.get(), address_) == 0);
    char byte;
    CHILD_CHECK(read(client_.get(), &byte, 1) == 1);
  });
  FileDescriptor accepted(accept4(server_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  ASSERT_TRUE(accepted.valid());
  EXPECT_THAT(fcntl(accepted.get(), F_GETFD), SyscallSucceedsWithValue(FD_CLOEXEC));
  ucred peer = {};
  socklen_t length = sizeof(peer);
  ASSERT_THAT(getsockopt(accepted.get(), SOL_SOCKET, SO_PEERCRED, &peer, &length),
              SyscallSucceeds());
  EXPECT_EQ(peer.pid, child.pid());
  ASSERT_THAT(write(accepted.get(), "x", 1), SyscallSucceedsWithValue(1));
  EXPECT_THAT(child.Wait(), ExitedWith(0));
}

TEST_F(UnixStreamTest, NamesAreTold) {
  ASSERT_THAT(Connect(client_.get(), address_), SyscallSucceeds());
  sockaddr_un name = {};
  socklen_t length = sizeof(name);
  ASSERT_THAT(getpeername(client_.get(), reinterpret_cast<sockaddr*>(&name), &length),
              SyscallSucceeds());
  EXPECT_EQ(std::string(name.sun_path), dir_.Path("s"));
  EXPECT_EQ(length, address_.length);
  length = sizeof(name);
  ASSERT_THAT(getsockname(client_.get(), reinterpret_cast<sockaddr*>(&name), &length),
              SyscallSucceeds());
  EXPECT_EQ(length, 2u);  // Only the family: it has no name.
}

TEST_F(UnixStreamTest, SocketFileIsOneAndCannotBeOpened) {
  struct stat st;
  ASSERT_THAT(stat(dir_.Path("s").c_str(), &st), SyscallSucceeds());
  EXPECT_TRUE(S_ISSOCK(st.st_mode));
  EXPECT_THAT(open(dir_.Path("s").c_str(), O_RDWR), SyscallFailsWith(ENXIO));
}

TEST_F(UnixStreamTest, ErrorsOfConnect) {
  EXPECT_THAT(Connect(client_.get(), Address(dir_.Path("no"))), SyscallFailsWith(ENOENT));
  EXPECT_THAT(Connect(client_.get(), Address(dir_.File("f"))), SyscallFailsWith(ECONNREFUSED));
  FileDescriptor datagram = Socket(SOCK_DGRAM);
  EXPECT_THAT(Connect(datagram.get(), address_), SyscallFailsWith(EPROTOTYPE));
  ASSERT_THAT(Connect(client_.get(), address_), SyscallSucceeds());
  EXPECT_THAT(Connect(client_.get(), address_), SyscallFailsWith(EISCONN));
  server_.reset();
  FileDescriptor late = Socket();
  EXPECT_THAT(Connect(late.get(), address_), SyscallFailsWith(ECONNREFUSED));
}

TEST_F(UnixStreamTest, ErrorsOfBind) {
  FileDescriptor other = Socket();
  EXPECT_THAT(Bind(other.get(), address_), SyscallFailsWith(EADDRINUSE));
  EXPECT_THAT(Bind(other.get(), Address(dir_.Path("no/s"))), SyscallFailsWith(ENOENT));
  EXPECT_THAT(Bind(server_.get(), Address(dir_.Path("t"))), SyscallFailsWith(EINVAL));
  EXPECT_THAT(bind(other.get(), address_.get(), 1), SyscallFailsWith(EINVAL));
}

TEST_F(UnixStreamTest, ErrorsOfAcceptAndListen) {
  EXPECT_THAT(accept(client_.get(), nullptr, nullptr), SyscallFailsWith(EINVAL));
  EXPECT_THAT(listen(client_.get(), 1), SyscallFailsWith(EINVAL));  // Not bound.
  ASSERT_THAT(fcntl(server_.get(), F_SETFL, O_NONBLOCK), SyscallSucceeds());
  EXPECT_THAT(accept(server_.get(), nullptr, nullptr), SyscallFailsWith(EAGAIN));
  EXPECT_THAT(accept4(server_.get(), nullptr, nullptr, 1), SyscallFailsWith(EINVAL));
  FileDescriptor datagram = Socket(SOCK_DGRAM);
  EXPECT_THAT(accept(datagram.get(), nullptr, nullptr), SyscallFailsWith(EOPNOTSUPP));
}

TEST_F(UnixStreamTest, UnconnectedIsEnotconn) {
  char byte = 0;
  EXPECT_THAT(send(client_.get(), &byte, 1, MSG_NOSIGNAL), SyscallFailsWith(ENOTCONN));
  EXPECT_THAT(recv(client_.get(), &byte, 1, 0), SyscallFailsWith(EINVAL));
}

TEST_F(UnixStreamTest, ListenerPollsReadableWhenSomeoneWaits) {
  pollfd entry = {.fd = server_.get(), .events = POLLIN, .revents = 0};
  EXPECT_THAT(poll(&entry, 1, 0), SyscallSucceedsWithValue(0));
  ASSERT_THAT(Connect(client_.get(), address_), SyscallSucceeds());
  EXPECT_THAT(poll(&entry, 1, 0), SyscallSucceedsWithValue(1));
}

TEST(UnixAbstract, NameGoesWithItsSocket) {
  const Address address(std::string("\0redoubt_test_", 14) + std::to_string(getpid()));
  FileDescriptor server = Socket();
  FileDescriptor client = Socket();
  ASSERT_THAT(Bind(server.get(), address), SyscallSucceeds());
  ASSERT_THAT(listen(server.get(), 1), SyscallSucceeds());
  EXPECT_THAT(Connect(client.get(), address), SyscallSucceeds());
  server.reset();
  FileDescriptor late = Socket();
  EXPECT_THAT(Connect(late.get(), address), SyscallFailsWith(ECONNREFUSED));
}

TEST(UnixDatagram, SendsByName) {
  TempDir dir;
  const Address to(dir.Path("to"));
  const Address from(dir.Path("from"));
  FileDescriptor receiver = Socket(SOCK_DGRAM);
  FileDescriptor sender = Socket(SOCK_DGRAM);
  ASSERT_THAT(Bind(receiver.get(), to), SyscallSucceeds());
  ASSERT_THAT(Bind(sender.get(), from), SyscallSucceeds());
  ASSERT_THAT(sendto(sender.get(), "hi", 2, 0, to.get(), to.length), SyscallSucceedsWithValue(2));
  char buffer[8];
  sockaddr_un source = {};
  socklen_t length = sizeof(source);
  EXPECT_THAT(recvfrom(receiver.get(), buffer, 8, 0, reinterpret_cast<sockaddr*>(&source), &length),
              SyscallSucceedsWithValue(2));
  EXPECT_EQ(std::string(source.sun_path), dir.Path("from"));
}

}  // namespace
}  // namespace redoubt::test
