// SPDX-License-Identifier: Apache-2.0
#include "test/gofer/gofer_process.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "base/host/unix_socket.h"
#include "gofer/server/gofer.h"

namespace redoubt::test {
namespace {

// The sanitizers' run-times make calls that no filter of ours allows.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kMayConfine = false;
#else
constexpr bool kMayConfine = true;
#endif

[[noreturn]] void RunChild(OwnedFd socket, const std::string& root, const GoferSettings& settings) {
  gofer::GoferConfig config;
  config.socket = std::move(socket);
  config.confine = settings.confine && kMayConfine;
  if (settings.most_nodes != 0) config.most_nodes = settings.most_nodes;
  config.most_descriptors = settings.most_descriptors;
  gofer::AttachPoint point;
  point.root = OwnedFd(open(root.c_str(), O_PATH | O_CLOEXEC));
  point.read_only = settings.read_only;
  config.attach_points.push_back(std::move(point));
  _exit(gofer::RunGofer(std::move(config)));
}

}  // namespace

GoferProcess::GoferProcess(const std::string& root, GoferSettings settings) {
  auto pair = host::CreateMessagePair();
  CHECK(pair.ok());
  pid_ = fork();
  CHECK(pid_ >= 0);
  if (pid_ == 0) {
    pair->first.Reset();
    RunChild(std::move(pair->second), root, settings);
  }
  socket_ = std::move(pair->first);
}

GoferProcess::~GoferProcess() {
  if (pid_ > 0) Wait();
}

bool GoferProcess::IsRunning() {
  siginfo_t info = {};
  return waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid == 0;
}

int GoferProcess::Wait() {
  socket_.Reset();
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

}  // namespace redoubt::test
