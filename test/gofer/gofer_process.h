// SPDX-License-Identifier: Apache-2.0
//
// GoferProcess: a real gofer in a child process, serving one host directory, for tests.
//
//   test::TempDir dir;
//   test::GoferProcess gofer(dir.path());
//   gofer::Channel channel(gofer.TakeSocket());
//   ...
//   EXPECT_EQ(gofer.Wait(), 0);          // After the channel is gone: its exit status, or -signal.
#ifndef REDOUBT_TEST_GOFER_GOFER_PROCESS_H_
#define REDOUBT_TEST_GOFER_GOFER_PROCESS_H_

#include <sys/types.h>

#include <cstddef>
#include <string>

#include "base/owned_fd.h"

namespace redoubt::test {

struct GoferSettings {
  bool read_only = false;
  bool confine = true;
  size_t most_nodes = 0;  // 0: the gofer's own default.
  size_t most_descriptors = 0;
};

class GoferProcess {
 public:
  explicit GoferProcess(const std::string& root, GoferSettings settings = {});
  ~GoferProcess();
  GoferProcess(const GoferProcess&) = delete;
  GoferProcess& operator=(const GoferProcess&) = delete;

  int socket() const { return socket_.get(); }
  OwnedFd TakeSocket() { return std::move(socket_); }
  pid_t pid() const { return pid_; }
  bool IsRunning();
  // Closes our end if it is still here and waits.
  int Wait();

 private:
  OwnedFd socket_;
  pid_t pid_ = -1;
};

}  // namespace redoubt::test

#endif  // REDOUBT_TEST_GOFER_GOFER_PROCESS_H_
