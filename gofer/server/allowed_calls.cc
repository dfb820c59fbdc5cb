// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/host/common_calls.h"
#include "gofer/server/sandbox.h"

namespace redoubt::gofer {
namespace {

using host::AllowedCall;

std::vector<AllowedCall> ChannelCalls(int socket) {
  auto channel = static_cast<uint64_t>(socket);
  return {
      {SYS_recvmsg, "requests", {{0, channel, 0xffffffff}}},
      {SYS_sendmsg, "answers", {{0, channel, 0xffffffff}}},
      {SYS_sched_setaffinity, "goes where it is asked from", {{0, 0, 0xffffffff}}},
  };
}

std::vector<AllowedCall> ReadingCalls() {
  return {
      {SYS_openat, "opens a name below a directory, or a descriptor for data", {}},
      {SYS_statx, "attributes", {}},
      {SYS_readlinkat, "where a symlink leads", {}},
      {SYS_getdents64, "lists a directory", {}},
      {SYS_lseek, "goes on in a directory", {}},
      {SYS_fstatfs, "statfs(2)", {}},
      {SYS_getxattr, "extended attributes", {}},
      {SYS_listxattr, "extended attributes", {}},
  };
}

// A type in mknodat's mode, with device 0 where it matters.
AllowedCall Mknod(uint32_t type, const char* reason) {
  AllowedCall call = {SYS_mknodat, reason, {{2, type, S_IFMT}}};
  if (type == S_IFCHR) call.arguments.push_back({3, 0, ~uint64_t{0}});
  return call;
}

std::vector<AllowedCall> ChangingCalls() {
  return {
      {SYS_mkdirat, "new directories", {}},
      Mknod(S_IFIFO, "new FIFOs"),
      Mknod(S_IFSOCK, "names of unix sockets"),
      Mknod(S_IFCHR, "whiteouts: device 0 only"),
      {SYS_symlinkat, "new symlinks", {}},
      {SYS_linkat, "new names", {}},
      {SYS_unlinkat, "removes names", {}},
      {SYS_renameat2, "renames", {}},
      {SYS_chmod, "modes", {}},
      {SYS_fchownat, "owners", {}},
      {SYS_utimensat, "times", {}},
      {SYS_truncate, "sizes", {}},
      {SYS_setxattr, "extended attributes", {}},
      {SYS_removexattr, "extended attributes", {}},
      {SYS_fsync, "makes changes of directories last", {}},
      {SYS_syncfs, "syncfs(2)", {}},
  };
}

}  // namespace

std::vector<AllowedCall> AllowedCalls(int socket, int log_fd) {
  std::vector<AllowedCall> calls = ChannelCalls(socket);
  host::Append(&calls, ReadingCalls());
  host::Append(&calls, ChangingCalls());
  host::Append(&calls, host::CommonCalls(log_fd));
  return calls;
}

}  // namespace redoubt::gofer
