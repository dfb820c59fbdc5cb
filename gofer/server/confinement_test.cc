// SPDX-License-Identifier: Apache-2.0
//
// What a gofer that was taken over could still do.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

#include "gofer/server/sandbox.h"

namespace redoubt::gofer {
namespace {

// Runs `attempt` in a confined child. The exit status, or -signal.
int Confined(const std::function<int()>& attempt, bool log_breaches = false) {
  pid_t child = fork();
  if (child == 0) {
    if (!Confine({}, 3, log_breaches).ok()) _exit(99);
    _exit(attempt());
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

TEST(Confinement, OrdinaryWorkGoesOn) {
  EXPECT_EQ(Confined([] {
              void* memory = malloc(1 << 20);
              free(memory);
              return openat(AT_FDCWD, "/", O_PATH) >= 0 ? 0 : 1;
            }),
            0);
}

TEST(Confinement, SocketsKill) {
  EXPECT_EQ(Confined([] { return socket(AF_UNIX, SOCK_STREAM, 0); }), -SIGSYS);
  EXPECT_EQ(Confined([] { return socket(AF_INET, SOCK_STREAM, 0); }), -SIGSYS);
}

TEST(Confinement, ExecKills) {
  EXPECT_EQ(Confined([] { return execl("/bin/true", "true", nullptr); }), -SIGSYS);
}

TEST(Confinement, OtherProcessesAreOutOfReach) {
  EXPECT_EQ(Confined([] { return fork(); }), -SIGSYS);
  EXPECT_EQ(Confined([] { return kill(getppid(), 0); }), -SIGSYS);
}

TEST(Confinement, ExecutableMemoryKills) {
  EXPECT_EQ(Confined([] {
              mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
              return 0;
            }),
            -SIGSYS);
}

TEST(Confinement, DevicesKillWhiteoutsDoNot) {
  EXPECT_EQ(Confined([] { return mknodat(-1, "x", S_IFCHR | 0600, makedev(1, 3)); }), -SIGSYS);
  EXPECT_EQ(Confined([] { return mknodat(-1, "x", S_IFBLK | 0600, makedev(8, 0)); }), -SIGSYS);
  EXPECT_EQ(Confined([] { return mknodat(-1, "x", S_IFCHR | 0600, 0) == -1 ? 0 : 1; }), 0);
}

TEST(Confinement, MessagesGoToTheChannelOnly) {
  EXPECT_EQ(Confined([] {
              msghdr header = {};
              return static_cast<int>(sendmsg(4, &header, 0));
            }),
            -SIGSYS);
}

TEST(Confinement, DescriptorsAreClosed) {
  int leaked = open("/", O_PATH);
  EXPECT_EQ(Confined([leaked] { return fchownat(leaked, "", 0, 0, AT_EMPTY_PATH) == -1 ? 0 : 1; }),
            0);
  close(leaked);
}

TEST(Confinement, OnlyOwnershipCapabilitiesStay) {
  uint64_t kept = KeptCapabilities();
  EXPECT_EQ(kept & (uint64_t{1} << CAP_SYS_ADMIN), 0u);
  EXPECT_EQ(kept & (uint64_t{1} << CAP_MKNOD), 0u);
  EXPECT_EQ(kept & (uint64_t{1} << CAP_SYS_PTRACE), 0u);
}

TEST(Confinement, DebugSwitchLogsAndRefuses) {
  EXPECT_EQ(Confined([] { return socket(AF_INET, SOCK_STREAM, 0) == -1 && errno == EPERM ? 7 : 1; },
                     true),
            7);
}

TEST(Confinement, TheListSaysWhy) {
  std::string text = DescribeAllowedCalls();
  EXPECT_NE(text.find("renameat2"), std::string::npos);
  EXPECT_NE(text.find("whiteouts"), std::string::npos);
  EXPECT_EQ(text.find("execve"), std::string::npos);
  EXPECT_EQ(text.find("socket "), std::string::npos);
}

}  // namespace
}  // namespace redoubt::gofer
