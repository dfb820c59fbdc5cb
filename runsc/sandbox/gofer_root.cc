// SPDX-License-Identifier: Apache-2.0
#include "runsc/sandbox/gofer_root.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/host/syscall.h"

namespace redoubt::runsc {

namespace {

absl::Status Failed(std::string_view what, Errno error) {
  return absl::InternalError(absl::StrCat(std::string(what), ": ", strerror(error.value())));
}

template <typename F>
absl::Status Step(std::string_view what, F&& call) {
  auto result = host::Call(call);
  return result.ok() ? absl::OkStatus() : Failed(what, result.error());
}

// Detached copies of the sources' mounts: taken before anything covers the paths they lie under.
absl::StatusOr<std::vector<OwnedFd>> CopyTrees(const std::vector<GoferSource>& sources) {
  std::vector<OwnedFd> trees;
  for (const GoferSource& source : sources) {
    unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC;
    if (source.recursive) flags |= AT_RECURSIVE;
    OwnedFd tree(open_tree(AT_FDCWD, source.host_path.c_str(), flags));
    if (!tree.valid()) return Failed(source.host_path, Errno(errno));
    if (source.read_only) {
      // The gofer refuses changes itself; where the kernel knows how, the mount does so too.
      struct mount_attr attributes = {};
      attributes.attr_set = MOUNT_ATTR_RDONLY;
      (void)mount_setattr(tree.get(), "", AT_EMPTY_PATH | AT_RECURSIVE, &attributes,
                          sizeof(attributes));
    }
    trees.push_back(std::move(tree));
  }
  return trees;
}

// Mounts an empty tmpfs on a directory that every machine has, and makes it the working directory.
absl::Status MountStage() {
  constexpr const char* kPlaces[] = {"/tmp", "/mnt", "/usr", "/dev", "/proc"};
  absl::Status status;
  for (const char* place : kPlaces) {
    status = Step("mounting the gofer's root", [&] {
      return mount("none", place, "tmpfs", MS_NOSUID | MS_NODEV, "size=256k,mode=0755");
    });
    if (status.ok()) return Step("entering the gofer's root", [&] { return chdir(place); });
  }
  return status;
}

absl::Status AttachTree(const OwnedFd& tree, const std::string& name) {
  struct stat status;
  if (fstat(tree.get(), &status) != 0) return Failed("looking at a mount", Errno(errno));
  bool is_directory = S_ISDIR(status.st_mode);
  absl::Status made = Step("making a mount point", [&] {
    return is_directory ? mkdir(name.c_str(), 0755) : mknod(name.c_str(), S_IFREG | 0600, 0);
  });
  if (!made.ok()) return made;
  return Step("moving a mount", [&] {
    return move_mount(tree.get(), "", AT_FDCWD, name.c_str(), MOVE_MOUNT_F_EMPTY_PATH);
  });
}

bool IsKernelFilesystem(std::string_view type) {
  constexpr std::array<std::string_view, 22> kTypes = {
      "autofs",     "binfmt_misc", "bpf",      "cgroup",   "cgroup2", "configfs",
      "debugfs",    "devpts",      "devtmpfs", "efivarfs", "fusectl", "hugetlbfs",
      "mqueue",     "nfsd",        "nsfs",     "proc",     "pstore",  "resctrl",
      "rpc_pipefs", "securityfs",  "sysfs",    "tracefs"};
  return std::find(kTypes.begin(), kTypes.end(), type) != kTypes.end();
}

// mountinfo writes blanks and backslashes as octal (proc(5)).
std::string Unescape(const std::string& text) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size()) {
      result.push_back(static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 +
                                         (text[i + 3] - '0')));
      i += 3;
    } else {
      result.push_back(text[i]);
    }
  }
  return result;
}

// Where kernel file systems are mounted below `stage`.
std::vector<std::string> KernelMountsBelow(const std::string& stage) {
  std::vector<std::string> places;
  std::ifstream mountinfo("/proc/self/mountinfo");
  std::string line;
  while (std::getline(mountinfo, line)) {
    std::istringstream fields(line);
    std::string id, parent, device, root, where, field, type;
    fields >> id >> parent >> device >> root >> where;
    while (fields >> field && field != "-") continue;
    fields >> type;
    where = Unescape(where);
    if (where.starts_with(stage + "/") && IsKernelFilesystem(type)) places.push_back(where);
  }
  return places;
}

absl::Status CoverKernelMounts(const std::string& stage) {
  for (const std::string& place : KernelMountsBelow(stage)) {
    struct stat status;
    // Below one that is covered already.
    if (lstat(place.c_str(), &status) != 0) continue;
    absl::Status covered;
    if (S_ISDIR(status.st_mode)) {
      covered = Step(absl::StrCat("covering ", place), [&] {
        return mount("none", place.c_str(), "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC,
                     "size=4k,nr_inodes=2,mode=0555");
      });
    } else {
      covered = Step(absl::StrCat("covering ", place), [&] {
        return mount("/proc/self/uid_map", place.c_str(), nullptr, MS_BIND, nullptr);
      });
    }
    if (!covered.ok()) return covered;
  }
  return absl::OkStatus();
}

absl::Status EnterStage() {
  absl::Status status = Step("pivot_root", [] { return syscall(SYS_pivot_root, ".", "."); });
  if (!status.ok()) return status;
  status = Step("leaving the old root", [] { return umount2(".", MNT_DETACH); });
  if (!status.ok()) return status;
  return Step("entering the new root", [] { return chdir("/"); });
}

}  // namespace

absl::StatusOr<std::vector<OwnedFd>> EnterGoferRoot(const std::vector<GoferSource>& sources) {
  absl::Status status = Step("making mounts private", [] {
    // Slave, not private: what the host unmounts must not stay busy because of us.
    return mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr);
  });
  if (!status.ok()) return status;
  absl::StatusOr<std::vector<OwnedFd>> trees = CopyTrees(sources);
  if (!trees.ok()) return trees.status();
  if (status = MountStage(); !status.ok()) return status;
  for (size_t i = 0; i < trees->size(); ++i) {
    status = AttachTree((*trees)[i], std::to_string(i));
    if (!status.ok()) return status;
  }
  char stage[PATH_MAX];
  if (getcwd(stage, sizeof(stage)) == nullptr) return Failed("getcwd", Errno(errno));
  if (status = CoverKernelMounts(stage); !status.ok()) return status;
  if (status = EnterStage(); !status.ok()) return status;
  std::vector<OwnedFd> roots;
  for (size_t i = 0; i < sources.size(); ++i) {
    OwnedFd root(open(absl::StrCat("/", i).c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (!root.valid()) return Failed("opening an attach point", Errno(errno));
    roots.push_back(std::move(root));
  }
  return roots;
}

}  // namespace redoubt::runsc
