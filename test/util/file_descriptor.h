// SPDX-License-Identifier: Apache-2.0
//
// FileDescriptor closes its descriptor when it goes out of scope; Pipe and SocketPair hold two of
// them.
//
//   FileDescriptor file(open(path.c_str(), O_RDONLY));
//   ASSERT_TRUE(file.valid());
//   Pipe pipe;                       // A blocking pipe; Pipe(O_NONBLOCK) for the other kind.
//   EXPECT_THAT(write(pipe.writer.get(), "x", 1), SyscallSucceedsWithValue(1));
//
// Tests use this and not base/owned_fd.h: they share no code with what they test.

#ifndef REDOUBT_TEST_UTIL_FILE_DESCRIPTOR_H_
#define REDOUBT_TEST_UTIL_FILE_DESCRIPTOR_H_

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <utility>

namespace redoubt::test {

class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(other.release()) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    if (this != &other) reset(other.release());
    return *this;
  }
  ~FileDescriptor() { reset(); }

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }
  void reset(int fd = -1) {
    if (fd_ >= 0) close(fd_);
    fd_ = fd;
  }

 private:
  int fd_ = -1;
};

// Aborts when there are no descriptors left: no test can go on from there.
struct Pipe {
  explicit Pipe(int flags = 0) {
    int fds[2];
    if (pipe2(fds, flags) != 0) abort();
    reader.reset(fds[0]);
    writer.reset(fds[1]);
  }
  FileDescriptor reader;
  FileDescriptor writer;
};

struct SocketPair {
  explicit SocketPair(int type = SOCK_STREAM) {
    int fds[2];
    if (socketpair(AF_UNIX, type, 0, fds) != 0) abort();
    first.reset(fds[0]);
    second.reset(fds[1]);
  }
  FileDescriptor first;
  FileDescriptor second;
};

// Whether `fd` is an open descriptor of this process.
inline bool IsOpen(int fd) { return fcntl(fd, F_GETFD) >= 0; }

}  // namespace redoubt::test

#endif  // REDOUBT_TEST_UTIL_FILE_DESCRIPTOR_H_
