// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/sys_fanotify.h"

#include <fcntl.h>
#include <sys/fanotify.h>

#include "sentry/syscalls/fanotify_group.h"
#include "sentry/syscalls/install_file.h"
#include "sentry/syscalls/path_lookup.h"
#include "sentry/vfs/path_walk.h"
#include "sentry/vfs/permission.h"

namespace redoubt::syscalls {

namespace {

constexpr uint32_t kLargeFile = 0100000;  // O_LARGEFILE; libc defines it as 0 on amd64.
constexpr uint64_t kFileEvents = FAN_ACCESS | FAN_MODIFY | FAN_CLOSE | FAN_OPEN | FAN_OPEN_EXEC;
// What would need file handles or names in the events.
constexpr uint64_t kNameEvents =
    FAN_ATTRIB | FAN_MOVE | FAN_CREATE | FAN_DELETE | FAN_DELETE_SELF | FAN_MOVE_SELF;
constexpr uint64_t kEventFlags = FAN_EVENT_ON_CHILD | FAN_ONDIR;

struct GroupRef {
  FileRef file;
  FanotifyGroup* group = nullptr;
};

Result<GroupRef> GetGroup(Task& task, int fd) {
  GroupRef found;
  found.file = TRY(task.fd_table()->GetForIo(fd));
  auto* file = dynamic_cast<FanotifyFile*>(found.file.get());
  if (file == nullptr) return Errno(EINVAL);
  found.group = &file->group();
  return found;
}

// The kind of object that the flags mean; EINVAL for two.
Result<FanotifyGroup::Kind> KindOf(uint32_t flags) {
  switch (flags & (FAN_MARK_MOUNT | FAN_MARK_FILESYSTEM)) {
    case 0:
      return FanotifyGroup::Kind::kInode;
    case FAN_MARK_MOUNT:
      return FanotifyGroup::Kind::kMount;
    case FAN_MARK_FILESYSTEM:
      return FanotifyGroup::Kind::kFilesystem;
    default:
      return Errno(EINVAL);
  }
}

Result<void> CheckMark(uint32_t flags, uint64_t mask) {
  constexpr uint32_t kKnown = FAN_MARK_ADD | FAN_MARK_REMOVE | FAN_MARK_DONT_FOLLOW |
                              FAN_MARK_ONLYDIR | FAN_MARK_MOUNT | FAN_MARK_FILESYSTEM |
                              FAN_MARK_IGNORED_MASK | FAN_MARK_IGNORED_SURV_MODIFY | FAN_MARK_FLUSH;
  if (mask >> 32 != 0 || (flags & ~kKnown) != 0) return Errno(EINVAL);
  constexpr uint32_t kKinds = FAN_MARK_MOUNT | FAN_MARK_FILESYSTEM;
  switch (flags & (FAN_MARK_ADD | FAN_MARK_REMOVE | FAN_MARK_FLUSH)) {
    case FAN_MARK_ADD:
    case FAN_MARK_REMOVE:
      if (mask == 0) return Errno(EINVAL);
      break;
    case FAN_MARK_FLUSH:
      if ((flags & ~(kKinds | FAN_MARK_FLUSH)) != 0) return Errno(EINVAL);
      break;
    default:
      return Errno(EINVAL);
  }
  if ((mask & ~(kFileEvents | kNameEvents | kEventFlags)) != 0) return Errno(EINVAL);
  return {};
}

// fanotify_find_path(): without a path the descriptor itself.
Result<vfs::Path> FindPlace(Task& task, uint32_t flags, int dirfd, UserPath user_path) {
  vfs::Caller caller = task.MakeCaller();
  vfs::Path place;
  bool only_directory = (flags & FAN_MARK_ONLYDIR) != 0;
  if (!user_path) {
    FileRef file = TRY(task.fd_table()->Get(dirfd));
    place = file->path();
    if (only_directory && !place.dentry->inode()->IsDirectory()) return Errno(ENOTDIR);
  } else {
    std::string path = TRY(user_path.Read(task));
    vfs::Path start = TRY(StartOf(task, caller, dirfd, path));
    place = TRY(vfs::Walk(caller, start, path,
                          {.follow_final = (flags & FAN_MARK_DONT_FOLLOW) == 0,
                           .must_be_directory = only_directory}));
  }
  TRY(vfs::CheckPermission(caller, place, R_OK));
  return place;
}

}  // namespace

SyscallResult SysFanotifyInit(Task& task, uint32_t flags, uint32_t file_flags) {
  if (!task.credentials()->HasCapability(CAP_SYS_ADMIN)) return Errno(EPERM);
  constexpr uint32_t kClasses = FAN_CLASS_CONTENT | FAN_CLASS_PRE_CONTENT;
  constexpr uint32_t kKnown = FAN_CLOEXEC | FAN_NONBLOCK | kClasses | FAN_UNLIMITED_QUEUE |
                              FAN_UNLIMITED_MARKS | FAN_REPORT_TID;
  if ((flags & ~kKnown) != 0 || (flags & kClasses) == kClasses) return Errno(EINVAL);
  constexpr uint32_t kFileFlags =
      O_ACCMODE | O_APPEND | O_NONBLOCK | O_SYNC | O_CLOEXEC | O_NOATIME | kLargeFile;
  if ((file_flags & ~kFileFlags) != 0 || (file_flags & O_ACCMODE) == O_ACCMODE) {
    return Errno(EINVAL);
  }
  FanotifyGroup::Options options{
      .file_flags = file_flags & ~(uint32_t{O_CLOEXEC} | kLargeFile),
      .close_on_exec = (file_flags & O_CLOEXEC) != 0,
      .unlimited_queue = (flags & FAN_UNLIMITED_QUEUE) != 0,
      .unlimited_marks = (flags & FAN_UNLIMITED_MARKS) != 0,
      .report_tid = (flags & FAN_REPORT_TID) != 0,
  };
  uint32_t own_flags = (flags & FAN_NONBLOCK) != 0 ? O_NONBLOCK : 0;
  return InstallResult(task, FanotifyFile::Create(options, own_flags), (flags & FAN_CLOEXEC) != 0);
}

SyscallResult SysFanotifyMark(Task& task, FdNumber fd, uint32_t flags, uint64_t mask, DirFd dirfd,
                              UserPath path) {
  TRY(CheckMark(flags, mask));
  FanotifyGroup::Kind kind = TRY(KindOf(flags));
  GroupRef found = TRY(GetGroup(task, fd));
  if ((mask & kNameEvents) != 0) return Errno(EINVAL);
  if ((flags & FAN_MARK_FLUSH) != 0) {
    found.group->RemoveAll(kind);
    return 0UL;
  }
  vfs::Path place = TRY(FindPlace(task, flags, dirfd, path));
  auto target = FanotifyGroup::Target::Of(kind, place);
  bool ignored = (flags & FAN_MARK_IGNORED_MASK) != 0;
  if ((flags & FAN_MARK_ADD) != 0) {
    bool survives = (flags & FAN_MARK_IGNORED_SURV_MODIFY) != 0;
    TRY(found.group->AddMark(target, mask, ignored, survives));
  } else {
    TRY(found.group->RemoveMark(target, mask, ignored));
  }
  return 0UL;
}

}  // namespace redoubt::syscalls
