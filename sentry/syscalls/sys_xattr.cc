// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/sys_xattr.h"

#include <fcntl.h>
#include <linux/limits.h>
#include <sys/xattr.h>

#include "sentry/syscalls/path_lookup.h"
#include "sentry/vfs/operations.h"

namespace redoubt::syscalls {

namespace {

// Which file: a path, followed or not, or a descriptor.
struct Target {
  vfs::Caller caller;
  vfs::Path place;
};

Result<Target> ByPath(Task& task, UserPath user_path, int flags) {
  std::string path = TRY(user_path.Read(task));
  Target target;
  target.caller = task.MakeCaller();
  target.place = TRY(LookupAt(task, target.caller, AT_FDCWD, path, flags));
  return target;
}

Result<Target> ByDescriptor(Task& task, int fd) {
  FileRef file = TRY(task.fd_table()->GetForIo(fd));
  Target target;
  target.caller = task.MakeCaller();
  target.place = file->path();
  return target;
}

Result<std::string> ReadName(Task& task, UserString user) {
  std::string name = TRY(user.Read(task, XATTR_NAME_MAX, ERANGE));
  if (name.empty()) return Errno(ERANGE);
  return name;
}

// What a set brings along; read before the file is looked for, as Linux does since 5.17.
struct NewValue {
  std::string name;
  std::string value;
  int flags = 0;
};

Result<NewValue> ReadNewValue(Task& task, UserString name, UserBytesIn value, uint64_t size,
                              int32_t flags) {
  if ((flags & ~(XATTR_CREATE | XATTR_REPLACE)) != 0) return Errno(EINVAL);
  NewValue result;
  result.flags = flags;
  result.name = TRY(ReadName(task, name));
  if (size > XATTR_SIZE_MAX) return Errno(E2BIG);
  result.value.resize(size);
  TRY(task.CopyIn(value.address(), std::as_writable_bytes(std::span(result.value))));
  return result;
}

SyscallResult Set(const Result<Target>& target, const NewValue& value) {
  if (!target.ok()) return target.error();
  TRY(vfs::SetXattr(target->caller, target->place, value.name, value.value, value.flags));
  return 0UL;
}

// Size 0 asks how long it is.
SyscallResult GiveBytes(Task& task, UserBytesOut user, uint64_t size, const std::string& bytes) {
  if (size == 0) return bytes.size();
  if (size < bytes.size()) return Errno(ERANGE);
  TRY(task.CopyOut(user.address(), std::as_bytes(std::span(bytes))));
  return bytes.size();
}

SyscallResult Get(Task& task, const Result<Target>& target, UserString user_name,
                  UserBytesOut value, uint64_t size) {
  if (!target.ok()) return target.error();
  std::string name = TRY(ReadName(task, user_name));
  std::string bytes = TRY(vfs::GetXattr(target->caller, target->place, name));
  return GiveBytes(task, value, size, bytes);
}

SyscallResult List(Task& task, const Result<Target>& target, UserBytesOut list, uint64_t size) {
  if (!target.ok()) return target.error();
  std::vector<std::string> names = TRY(vfs::ListXattrs(target->caller, target->place));
  std::string text;
  for (const std::string& name : names) {
    text += name;
    text += '\0';
  }
  if (text.size() > XATTR_LIST_MAX) return Errno(E2BIG);
  return GiveBytes(task, list, size, text);
}

SyscallResult Remove(Task& task, const Result<Target>& target, UserString user_name) {
  if (!target.ok()) return target.error();
  std::string name = TRY(ReadName(task, user_name));
  TRY(vfs::RemoveXattr(target->caller, target->place, name));
  return 0UL;
}

}  // namespace

SyscallResult SysSetxattr(Task& task, UserPath path, UserString name, UserBytesIn value,
                          uint64_t size, int32_t flags) {
  NewValue given = TRY(ReadNewValue(task, name, value, size, flags));
  return Set(ByPath(task, path, 0), given);
}

SyscallResult SysLsetxattr(Task& task, UserPath path, UserString name, UserBytesIn value,
                           uint64_t size, int32_t flags) {
  NewValue given = TRY(ReadNewValue(task, name, value, size, flags));
  return Set(ByPath(task, path, AT_SYMLINK_NOFOLLOW), given);
}

SyscallResult SysFsetxattr(Task& task, FdNumber fd, UserString name, UserBytesIn value,
                           uint64_t size, int32_t flags) {
  Target target = TRY(ByDescriptor(task, fd));
  NewValue given = TRY(ReadNewValue(task, name, value, size, flags));
  return Set(target, given);
}

SyscallResult SysGetxattr(Task& task, UserPath path, UserString name, UserBytesOut value,
                          uint64_t size) {
  return Get(task, ByPath(task, path, 0), name, value, size);
}

SyscallResult SysLgetxattr(Task& task, UserPath path, UserString name, UserBytesOut value,
                           uint64_t size) {
  return Get(task, ByPath(task, path, AT_SYMLINK_NOFOLLOW), name, value, size);
}

SyscallResult SysFgetxattr(Task& task, FdNumber fd, UserString name, UserBytesOut value,
                           uint64_t size) {
  return Get(task, ByDescriptor(task, fd), name, value, size);
}

SyscallResult SysListxattr(Task& task, UserPath path, UserBytesOut list, uint64_t size) {
  return List(task, ByPath(task, path, 0), list, size);
}

SyscallResult SysLlistxattr(Task& task, UserPath path, UserBytesOut list, uint64_t size) {
  return List(task, ByPath(task, path, AT_SYMLINK_NOFOLLOW), list, size);
}

SyscallResult SysFlistxattr(Task& task, FdNumber fd, UserBytesOut list, uint64_t size) {
  return List(task, ByDescriptor(task, fd), list, size);
}

SyscallResult SysRemovexattr(Task& task, UserPath path, UserString name) {
  return Remove(task, ByPath(task, path, 0), name);
}

SyscallResult SysLremovexattr(Task& task, UserPath path, UserString name) {
  return Remove(task, ByPath(task, path, AT_SYMLINK_NOFOLLOW), name);
}

SyscallResult SysFremovexattr(Task& task, FdNumber fd, UserString name) {
  return Remove(task, ByDescriptor(task, fd), name);
}

}  // namespace redoubt::syscalls
