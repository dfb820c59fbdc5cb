// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/sys_ioctl.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

#include "sentry/fs/devpts/devpts.h"
#include "sentry/kernel/kernel.h"
#include "sentry/syscalls/install_file.h"

namespace redoubt::syscalls {

namespace {

// FIONBIO, FIOASYNC: a status flag, by the int at `argument`.
SyscallResult SetFlag(Task& task, vfs::FileDescription& file, uint32_t flag, uint64_t argument) {
  int32_t on = TRY(task.CopyIn<int32_t>(argument));
  TRY(file.SetStatusFlags(on != 0 ? file.flags() | flag : file.flags() & ~flag));
  return 0UL;
}

// FIOASYNC: the same, for files that become ready; ENOTTY for others.
SyscallResult SetAsync(Task& task, vfs::FileDescription& file, int fd, uint64_t argument) {
  int32_t on = TRY(task.CopyIn<int32_t>(argument));
  kernel::AsyncSignals& signals = task.kernel().async_signals();
  if (on == 0) {
    if ((file.flags() & O_ASYNC) != 0) signals.Disable(file);
  } else if (!signals.Enable(file, fd)) {
    return Errno(ENOTTY);
  }
  TRY(file.SetStatusFlags(on != 0 ? file.flags() | O_ASYNC : file.flags() & ~uint32_t{O_ASYNC}));
  return 0UL;
}

// FIONREAD of a regular file: what lies behind the position.
SyscallResult BytesLeft(Task& task, vfs::FileDescription& file, uint64_t argument) {
  vfs::Attributes attributes = TRY(file.GetAttributes());
  int64_t position = TRY(file.Seek(0, SEEK_CUR));
  int64_t left = static_cast<int64_t>(attributes.size) - position;
  TRY(task.CopyOut(argument, static_cast<int32_t>(std::min<int64_t>(left, INT32_MAX))));
  return 0UL;
}

// FIOQSIZE.
SyscallResult FileSize(Task& task, vfs::FileDescription& file, uint64_t argument) {
  uint32_t type = file.inode()->type();
  if (type != S_IFDIR && type != S_IFREG && type != S_IFLNK) return Errno(ENOTTY);
  vfs::Attributes attributes = TRY(file.GetAttributes());
  TRY(task.CopyOut(argument, static_cast<int64_t>(attributes.size)));
  return 0UL;
}

// TIOCGPTPEER: the slave of a master, whatever lies at its name.
SyscallResult OpenPeer(Task& task, vfs::FileDescription& file, uint64_t argument) {
  auto flags = static_cast<uint32_t>(argument);
  vfs::Caller caller = task.MakeCaller();
  FileRef peer = TRY(fs::OpenPtyPeer(file, flags & ~uint32_t{O_CLOEXEC}, caller));
  return InstallResult(task, std::move(peer), (flags & O_CLOEXEC) != 0);
}

SyscallResult AskFile(Task& task, vfs::FileDescription& file, uint32_t command, uint64_t argument) {
  vfs::Caller caller = task.MakeCaller();
  return file.Ioctl({.command = command, .argument = argument, .memory = task, .caller = caller});
}

}  // namespace

SyscallResult SysIoctl(Task& task, FdNumber fd, uint32_t command, uint64_t argument) {
  FileRef file = TRY(task.fd_table()->GetForIo(fd));
  switch (command) {
    case FIOCLEX:
    case FIONCLEX:
      TRY(task.fd_table()->SetCloseOnExec(fd, command == FIOCLEX));
      return 0UL;
    case FIONBIO:
      return SetFlag(task, *file, O_NONBLOCK, argument);
    case FIOASYNC:
      return SetAsync(task, *file, fd, argument);
    case TIOCGPTPEER:
      return OpenPeer(task, *file, argument);
    case FIOQSIZE:
      return FileSize(task, *file, argument);
    case FIONREAD:
      if (file->inode()->IsRegular()) return BytesLeft(task, *file, argument);
      break;
    default:
      break;
  }
  return AskFile(task, *file, command, argument);
}

}  // namespace redoubt::syscalls
