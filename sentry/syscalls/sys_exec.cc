// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/sys_exec.h"

#include <fcntl.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sentry/kernel/exec.h"
#include "sentry/kernel/thread_group.h"

namespace redoubt::syscalls {

namespace {

constexpr size_t kStringLimit = 131072 - 1;                     // MAX_ARG_STRLEN without the NUL.
constexpr uint64_t kMostStringBytes = 8 * 1024 * 1024 / 4 * 3;  // 3/4 of _STK_LIM.
constexpr uint64_t kLeastStringBytes = 131072;                  // ARG_MAX.

// What both lists may take together, pointers included: a guest cannot make the sentry hold more.
class StringBudget {
 public:
  explicit StringBudget(uint64_t stack_limit)
      : left_(std::clamp(stack_limit / 4, kLeastStringBytes, kMostStringBytes)) {}
  Result<void> Take(uint64_t bytes) {
    if (bytes > left_) return Errno(E2BIG);
    left_ -= bytes;
    return {};
  }

 private:
  uint64_t left_;
};

// Reads what lies close together with few copies: the strings of an environment do.
class PageReader {
 public:
  explicit PageReader(Task& task) : task_(task) {}

  Result<uint64_t> Word(uint64_t address) {
    std::string_view bytes = Bytes(address);
    if (bytes.size() < sizeof(uint64_t)) return task_.CopyIn<uint64_t>(address);
    uint64_t word;
    std::memcpy(&word, bytes.data(), sizeof(word));
    return word;
  }
  Result<std::string> String(uint64_t address) {
    std::string_view bytes = Bytes(address);
    size_t length = bytes.find('\0');
    if (length != bytes.npos) return std::string(bytes.substr(0, length));
    return task_.CopyInString(address, kStringLimit, E2BIG);
  }

 private:
  // From `address` to the end of its page; less, or nothing, where that cannot be read.
  std::string_view Bytes(uint64_t address) {
    if (address - start_ >= size_) {
      start_ = address - address % mm::kPageSize;
      auto room = std::as_writable_bytes(std::span(page_));
      size_ = task_.memory()->space()->CopyIn(start_, room).value_or(0);
    }
    uint64_t skip = std::min<uint64_t>(address - start_, size_);
    return std::string_view(page_.data() + skip, size_ - skip);
  }

  Task& task_;
  uint64_t start_ = 0;
  size_t size_ = 0;
  std::array<char, mm::kPageSize> page_;
};

// A null list is an empty one, as in Linux.
Result<std::vector<std::string>> CopyInList(Task& task, uint64_t address, StringBudget& budget) {
  std::vector<std::string> list;
  PageReader pointers(task), strings(task);
  while (address != 0) {
    uint64_t item = TRY(pointers.Word(address));
    if (item == 0) break;
    std::string text = TRY(strings.String(item));
    TRY(budget.Take(text.size() + 1 + sizeof(uint64_t)));
    list.push_back(std::move(text));
    address += sizeof(uint64_t);
  }
  return list;
}

// Names a file that was given by descriptor, for scripts' interpreters and AT_EXECFN.
std::string NameByDescriptor(int dirfd, const std::string& path) {
  std::string name = "/dev/fd/" + std::to_string(dirfd);
  if (!path.empty()) name += "/" + path;
  return name;
}

SyscallResult Execute(Task& task, int dirfd, UserPath user_path, UserStringList arguments,
                      UserStringList environment, int flags) {
  std::string path = TRY(user_path.Read(task));
  if (path.empty() && (flags & AT_EMPTY_PATH) == 0) return Errno(ENOENT);
  kernel::ExecRequest request;
  request.name = path;
  vfs::Caller caller = task.MakeCaller();
  vfs::Path start = caller.working_directory;
  if (!path.starts_with('/') && dirfd != AT_FDCWD) {
    start = TRY(task.StartPath(dirfd));
    request.name = NameByDescriptor(dirfd, path);
    request.close_on_exec_fd = TRY(task.fd_table()->GetCloseOnExec(dirfd));
  }
  request.file = TRY(kernel::OpenExecutable(caller, start, path, flags));
  StringBudget budget(task.group()->limit(RLIMIT_STACK).current);
  request.arguments = TRY(CopyInList(task, arguments.address(), budget));
  request.environment = TRY(CopyInList(task, environment.address(), budget));
  // Since 5.18 a program always has an argv[0].
  if (request.arguments.empty()) request.arguments.emplace_back();
  return kernel::Exec(task, std::move(request));
}

}  // namespace

SyscallResult SysExecve(Task& task, UserPath path, UserStringList arguments,
                        UserStringList environment) {
  return Execute(task, AT_FDCWD, path, arguments, environment, 0);
}

SyscallResult SysExecveat(Task& task, DirFd dirfd, UserPath path, UserStringList arguments,
                          UserStringList environment, int32_t flags) {
  if ((flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW)) != 0) return Errno(EINVAL);
  return Execute(task, dirfd, path, arguments, environment, flags);
}

}  // namespace redoubt::syscalls
