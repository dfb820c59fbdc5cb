// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/sys_open.h"

#include <fcntl.h>
#include <linux/openat2.h>

#include "sentry/syscalls/blocking.h"
#include "sentry/syscalls/extensible_struct.h"
#include "sentry/syscalls/install_file.h"
#include "sentry/syscalls/path_lookup.h"
#include "sentry/vfs/operations.h"

namespace redoubt::syscalls {

namespace {

constexpr uint32_t kLargeFile = 0100000;  // O_LARGEFILE; libc defines it as 0 on amd64.
// VALID_OPEN_FLAGS.
constexpr uint64_t kKnownFlags =
    O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | O_NONBLOCK | O_SYNC | O_ASYNC |
    O_DIRECT | kLargeFile | O_DIRECTORY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC | O_PATH | O_TMPFILE;
constexpr uint64_t kPathFlags = O_DIRECTORY | O_NOFOLLOW | O_PATH | O_CLOEXEC;
constexpr uint64_t kKnownResolve = RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS |
                                   RESOLVE_BENEATH | RESOLVE_IN_ROOT | RESOLVE_CACHED;
constexpr uint64_t kCreating = O_CREAT | (O_TMPFILE & ~O_DIRECTORY);

// struct open_how.
struct OpenHow {
  uint64_t flags = 0;
  uint64_t mode = 0;
  uint64_t resolve = 0;
};
static_assert(sizeof(OpenHow) == sizeof(open_how));
constexpr uint64_t kPageSize = 4096;

// A scoped walk stays below the descriptor, so that an absolute path does not make it moot.
Result<vfs::Path> StartOfOpen(Task& task, const vfs::Caller& caller, int dirfd,
                              const std::string& path, uint64_t resolve) {
  bool scoped = (resolve & (RESOLVE_IN_ROOT | RESOLVE_BENEATH)) != 0;
  if (scoped && path.starts_with('/')) return StartOf(task, caller, dirfd, ".");
  return StartOf(task, caller, dirfd, path);
}

SyscallResult OpenFile(Task& task, int dirfd, const std::string& path,
                       const vfs::OpenRequest& request) {
  vfs::Caller caller = task.MakeCaller();
  vfs::Path start = TRY(StartOfOpen(task, caller, dirfd, path, request.resolve));
  FileRef file = TRY(vfs::Open(caller, start, path, request));
  // A FIFO may have to wait for its other end.
  TRY(BlockUntil(task, *file, EPOLLIN | EPOLLOUT, kNoDeadline, false,
                 [&] { return file->FinishOpen(); }));
  return InstallResult(task, std::move(file), (request.flags & O_CLOEXEC) != 0);
}

SyscallResult OpenAt(Task& task, int dirfd, UserPath user_path, uint32_t flags, uint32_t mode) {
  vfs::OpenRequest request;
  // Unlike openat2, open ignores what it does not know; the file does not hear of O_LARGEFILE.
  request.flags = flags & static_cast<uint32_t>(kKnownFlags) & ~kLargeFile;
  if ((flags & kCreating) != 0) request.mode = mode & 07777;
  std::string path = TRY(user_path.Read(task));
  return OpenFile(task, dirfd, path, request);
}

// build_open_flags().
Result<void> CheckHow(const OpenHow& how) {
  if ((how.flags & ~kKnownFlags) != 0) return Errno(EINVAL);
  if ((how.resolve & ~kKnownResolve) != 0) return Errno(EINVAL);
  if ((how.resolve & RESOLVE_BENEATH) != 0 && (how.resolve & RESOLVE_IN_ROOT) != 0) {
    return Errno(EINVAL);
  }
  if ((how.mode & ~uint64_t{07777}) != 0) return Errno(EINVAL);
  if (how.mode != 0 && (how.flags & kCreating) == 0) return Errno(EINVAL);
  if ((how.flags & O_PATH) != 0 && (how.flags & ~kPathFlags) != 0) return Errno(EINVAL);
  // Nothing is ever known to be cached.
  if ((how.resolve & RESOLVE_CACHED) != 0) return Errno(EAGAIN);
  return {};
}

}  // namespace

SyscallResult SysOpen(Task& task, UserPath path, OpenFlags flags, FileMode mode) {
  return OpenAt(task, AT_FDCWD, path, flags, mode);
}

SyscallResult SysCreat(Task& task, UserPath path, FileMode mode) {
  return OpenAt(task, AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

SyscallResult SysOpenat(Task& task, DirFd dirfd, UserPath path, OpenFlags flags, FileMode mode) {
  return OpenAt(task, dirfd, path, flags, mode);
}

SyscallResult SysOpenat2(Task& task, DirFd dirfd, UserPath user_path, UserAddress user_how,
                         uint64_t size) {
  if (size < sizeof(OpenHow)) return Errno(EINVAL);
  if (size > kPageSize) return Errno(E2BIG);
  OpenHow how = TRY(CopyInExtensible<OpenHow>(task, user_how.address(), size));
  TRY(CheckHow(how));
  std::string path = TRY(user_path.Read(task));
  return OpenFile(task, dirfd, path,
                  {.flags = static_cast<uint32_t>(how.flags) & ~kLargeFile,
                   .mode = static_cast<uint32_t>(how.mode),
                   .resolve = how.resolve});
}

}  // namespace redoubt::syscalls
