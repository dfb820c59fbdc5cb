// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/sys_fsmount.h"

#include <fcntl.h>
#include <sys/mount.h>

#include "sentry/syscalls/filesystem_context.h"
#include "sentry/syscalls/install_file.h"
#include "sentry/syscalls/mount_attributes.h"
#include "sentry/syscalls/path_lookup.h"

namespace redoubt::syscalls {

namespace {

constexpr size_t kNameLimit = 255;

bool MayMount(Task& task) { return task.credentials()->HasCapability(CAP_SYS_ADMIN); }

struct ContextRef {
  FileRef file;
  FilesystemContext* context = nullptr;
};

Result<ContextRef> GetContext(Task& task, int fd) {
  ContextRef found;
  found.file = TRY(task.fd_table()->GetForIo(fd));
  found.context = dynamic_cast<FilesystemContext*>(found.file.get());
  if (found.context == nullptr) return Errno(EINVAL);
  return found;
}

// Which arguments each command takes: the switch at the top of fsconfig().
Result<void> CheckArguments(uint32_t command, bool has_key, bool has_value, int32_t aux) {
  bool fits = false;
  switch (command) {
    case FSCONFIG_SET_FLAG:
      fits = has_key && !has_value && aux == 0;
      break;
    case FSCONFIG_SET_STRING:
      fits = has_key && has_value && aux == 0;
      break;
    case FSCONFIG_SET_BINARY:
      fits = has_key && has_value && aux > 0 && aux <= (1 << 20);
      break;
    case FSCONFIG_SET_PATH:
    case FSCONFIG_SET_PATH_EMPTY:
      fits = has_key && has_value && (aux == AT_FDCWD || aux >= 0);
      break;
    case FSCONFIG_SET_FD:
      fits = has_key && !has_value && aux >= 0;
      break;
    case FSCONFIG_CMD_CREATE:
    case FSCONFIG_CMD_RECONFIGURE:
      fits = !has_key && !has_value && aux == 0;
      break;
    default:
      return Errno(EOPNOTSUPP);
  }
  if (!fits) return Errno(EINVAL);
  return {};
}

}  // namespace

SyscallResult SysFsopen(Task& task, UserString user_type, uint32_t flags) {
  if (!MayMount(task)) return Errno(EPERM);
  if ((flags & ~uint32_t{FSOPEN_CLOEXEC}) != 0) return Errno(EINVAL);
  std::string type = TRY(user_type.Read(task, 4095, EINVAL));
  if (!IsFilesystemType(type)) return Errno(ENODEV);
  return InstallResult(task, FilesystemContext::Create(std::move(type)),
                       (flags & FSOPEN_CLOEXEC) != 0);
}

SyscallResult SysFsconfig(Task& task, FdNumber fd, uint32_t command, UserString user_key,
                          UserAddress value, int32_t aux) {
  if (fd < 0) return Errno(EINVAL);
  TRY(CheckArguments(command, static_cast<bool>(user_key), static_cast<bool>(value), aux));
  ContextRef found = TRY(GetContext(task, fd));
  if (command == FSCONFIG_CMD_CREATE || command == FSCONFIG_CMD_RECONFIGURE) {
    if (!MayMount(task)) return Errno(EPERM);
    TRY(command == FSCONFIG_CMD_CREATE ? found.context->MakeFilesystem(task)
                                       : found.context->Reconfigure());
    return 0UL;
  }
  std::string key = TRY(user_key.Read(task, kNameLimit, EINVAL));
  if (command == FSCONFIG_SET_FLAG) {
    TRY(found.context->SetParameter(key, nullptr));
    return 0UL;
  }
  // No file system here has a parameter that is a file or bytes.
  if (command != FSCONFIG_SET_STRING) return Errno(EOPNOTSUPP);
  std::string text = TRY(task.CopyInString(value.address(), kNameLimit, EINVAL));
  TRY(found.context->SetParameter(key, &text));
  return 0UL;
}

SyscallResult SysFsmount(Task& task, FdNumber fd, uint32_t flags, uint32_t attributes) {
  if (!MayMount(task)) return Errno(EPERM);
  if ((flags & ~uint32_t{FSMOUNT_CLOEXEC}) != 0) return Errno(EINVAL);
  if ((attributes & ~kMountAttributes) != 0) return Errno(EINVAL);
  unsigned long access_times = TRY(AccessTimeFlagsOf(attributes));
  ContextRef found = TRY(GetContext(task, fd));
  RefPtr<vfs::Mount> made = TRY(found.context->TakeMount());
  unsigned long from_context = made->flags() & (MS_RDONLY | MS_SYNCHRONOUS);
  auto mount =
      MakeRef<vfs::Mount>(made->superblock(), made->root(),
                          from_context | SimpleFlagsOf(attributes) | access_times, made->source());
  return InstallResult(task, OpenDetached(MakeRef<vfs::MountNamespace>(std::move(mount), true)),
                       (flags & FSMOUNT_CLOEXEC) != 0);
}

SyscallResult SysFspick(Task& task, DirFd dirfd, UserPath user_path, uint32_t flags) {
  if (!MayMount(task)) return Errno(EPERM);
  constexpr uint32_t kKnown =
      FSPICK_CLOEXEC | FSPICK_SYMLINK_NOFOLLOW | FSPICK_NO_AUTOMOUNT | FSPICK_EMPTY_PATH;
  if ((flags & ~kKnown) != 0) return Errno(EINVAL);
  std::string path = TRY(user_path.Read(task));
  int walk = (flags & FSPICK_SYMLINK_NOFOLLOW) != 0 ? AT_SYMLINK_NOFOLLOW : 0;
  if ((flags & FSPICK_EMPTY_PATH) != 0) walk |= AT_EMPTY_PATH;
  vfs::Path target = TRY(LookupAt(task, task.MakeCaller(), dirfd, path, walk));
  if (!IsMountRoot(target)) return Errno(EINVAL);
  return InstallResult(task, FilesystemContext::CreateFor(target.mount),
                       (flags & FSPICK_CLOEXEC) != 0);
}

}  // namespace redoubt::syscalls
