// SPDX-License-Identifier: Apache-2.0
#include "runsc/container/root_view.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/owned_fd.h"

namespace redoubt::runsc {

namespace {

absl::Status Failed(const std::string& what) {
  return absl::InternalError(absl::StrCat(what, ": ", strerror(errno)));
}

OwnedFd CopyTree(const GoferSource& source) {
  unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC;
  if (source.recursive) flags |= AT_RECURSIVE;
  return OwnedFd(open_tree(AT_FDCWD, source.host_path.c_str(), flags));
}

// A name in the container, which may be full of symlinks.
OwnedFd OpenBelow(int root, const std::string& path) {
  open_how how = {};
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  return OwnedFd(static_cast<int>(syscall(SYS_openat2, root, path.c_str(), &how, sizeof(how))));
}

}  // namespace

absl::Status EnterRootView(const SandboxSpec& spec) {
  std::vector<OwnedFd> trees;
  for (const GoferSource& source : spec.sources) {
    trees.push_back(CopyTree(source));
    if (!trees.back().valid()) return Failed(source.host_path);
  }
  if (unshare(CLONE_NEWNS) != 0) return Failed("unshare");
  if (mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0) return Failed("mount");
  const char* place = spec.sources[0].host_path.c_str();
  if (move_mount(trees[0].get(), "", AT_FDCWD, place, MOVE_MOUNT_F_EMPTY_PATH) != 0) {
    return Failed(place);
  }
  OwnedFd root(open(place, O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root.valid()) return Failed(place);
  for (const boot::MountConfig& mount : spec.mounts) {
    if (mount.kind != boot::MountKind::kGofer || mount.guest_path == "/") continue;
    // A place that exists only in the sentry's memory has none here.
    OwnedFd where = OpenBelow(root.get(), mount.guest_path);
    if (!where.valid()) continue;
    (void)move_mount(trees[mount.attach_point].get(), "", where.get(), "",
                     MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
  }
  if (fchdir(root.get()) != 0 || syscall(SYS_pivot_root, ".", ".") != 0) {
    return Failed("pivot_root");
  }
  if (umount2(".", MNT_DETACH) != 0 || chdir("/") != 0) return Failed("leaving the old root");
  return absl::OkStatus();
}

}  // namespace redoubt::runsc
