// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/sys_inotify.h"

#include <fcntl.h>
#include <sys/inotify.h>

#include "sentry/fs/inotify/inotify.h"
#include "sentry/syscalls/install_file.h"
#include "sentry/syscalls/path_lookup.h"
#include "sentry/vfs/path_walk.h"

namespace redoubt::syscalls {

namespace {

// ALL_INOTIFY_BITS.
constexpr uint32_t kKnownBits = IN_ALL_EVENTS | IN_ONESHOT | IN_Q_OVERFLOW | IN_UNMOUNT |
                                IN_IGNORED | IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK |
                                IN_MASK_ADD | IN_MASK_CREATE | IN_ISDIR;

struct Instance {
  FileRef file;
  fs::Inotify* inotify = nullptr;
};

Result<Instance> GetInstance(Task& task, int fd) {
  Instance instance;
  instance.file = TRY(task.fd_table()->GetForIo(fd));
  instance.inotify = dynamic_cast<fs::Inotify*>(instance.file.get());
  return instance;
}

}  // namespace

SyscallResult SysInotifyInit(Task& task) { return SysInotifyInit1(task, 0); }

SyscallResult SysInotifyInit1(Task& task, uint32_t flags) {
  if ((flags & ~uint32_t{IN_CLOEXEC | IN_NONBLOCK}) != 0) return Errno(EINVAL);
  FileRef file = TRY(fs::Inotify::Create(flags, task.credentials()->euid));
  return InstallResult(task, std::move(file), (flags & IN_CLOEXEC) != 0);
}

SyscallResult SysInotifyAddWatch(Task& task, FdNumber fd, UserPath user_path, uint32_t mask) {
  if ((mask & kKnownBits) == 0) return Errno(EINVAL);
  Instance instance = TRY(GetInstance(task, fd));
  if ((mask & IN_MASK_ADD) != 0 && (mask & IN_MASK_CREATE) != 0) return Errno(EINVAL);
  if (instance.inotify == nullptr) return Errno(EINVAL);
  std::string path = TRY(user_path.Read(task));
  vfs::Caller caller = task.MakeCaller();
  vfs::Path start = TRY(StartOf(task, caller, AT_FDCWD, path));
  vfs::Path place = TRY(vfs::Walk(caller, start, path,
                                  {.follow_final = (mask & IN_DONT_FOLLOW) == 0,
                                   .must_be_directory = (mask & IN_ONLYDIR) != 0}));
  TRY(vfs::CheckPermission(caller, place, R_OK));
  int wd = TRY(instance.inotify->AddWatch(place.dentry->inode(), mask));
  return static_cast<uint64_t>(wd);
}

SyscallResult SysInotifyRmWatch(Task& task, FdNumber fd, int32_t wd) {
  Instance instance = TRY(GetInstance(task, fd));
  if (instance.inotify == nullptr) return Errno(EINVAL);
  TRY(instance.inotify->RemoveWatch(wd));
  return 0UL;
}

}  // namespace redoubt::syscalls
