// SPDX-License-Identifier: Apache-2.0
#include "gofer/server/own_descriptors.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <charconv>

#include "base/host/syscall.h"

namespace redoubt::gofer {

Result<OwnedFd> OpenOwnDescriptors() {
  constexpr const char* kPath = "/proc/self/fd";
  auto detached = host::Call(
      [&] { return syscall(SYS_open_tree, AT_FDCWD, kPath, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC); });
  if (detached.ok()) return OwnedFd(static_cast<int>(*detached));
  unsigned fd = TRY(host::Call([&] { return open(kPath, O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
  return OwnedFd(static_cast<int>(fd));
}

Result<void> EnterOwnDescriptors(const OwnedFd& directory) {
  TRY(host::Call([&] { return fchdir(directory.get()); }));
  return {};
}

DescriptorPath::DescriptorPath(int fd) {
  *std::to_chars(text_, text_ + sizeof(text_) - 1, fd).ptr = '\0';
}

}  // namespace redoubt::gofer
