// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/sys_capability.h"

#include "sentry/kernel/kernel.h"
#include "sentry/syscalls/credentials_change.h"

namespace redoubt::syscalls {

namespace {

using kernel::Credentials;
using Header = __user_cap_header_struct;
using Words = __user_cap_data_struct;  // 32 capabilities of each set.

// How many Words a version has. An unknown one is answered with ours, and EINVAL.
Result<size_t> WordCount(Task& task, UserInOut<Header> user, Header header) {
  switch (header.version) {
    case _LINUX_CAPABILITY_VERSION_1:
      return size_t{1};
    case _LINUX_CAPABILITY_VERSION_2:
    case _LINUX_CAPABILITY_VERSION_3:
      return size_t{2};
  }
  header.version = _LINUX_CAPABILITY_VERSION_3;
  TRY(user.Write(task, header));
  return Errno(EINVAL);
}

uint64_t Join(uint32_t low, uint32_t high) {
  return (low | uint64_t{high} << 32) & kernel::kAllCapabilities;
}

// cap_capset().
Result<void> CheckChange(const Credentials& old, uint64_t effective, uint64_t permitted,
                         uint64_t inheritable) {
  bool may_inherit_any = old.HasCapability(CAP_SETPCAP);
  if (!may_inherit_any && (inheritable & ~(old.inheritable | old.permitted)) != 0) {
    return Errno(EPERM);
  }
  if ((inheritable & ~(old.inheritable | old.bounding)) != 0) return Errno(EPERM);
  if ((permitted & ~old.permitted) != 0) return Errno(EPERM);
  if ((effective & ~permitted) != 0) return Errno(EPERM);
  return {};
}

}  // namespace

SyscallResult SysCapget(Task& task, UserInOut<Header> user, UserAddress data) {
  Header header = TRY(user.Read(task));
  Result<size_t> count = WordCount(task, user, header);
  if (!count.ok()) {
    if (count.Is(EINVAL) && !data) return 0UL;  // A mere question for the version.
    return count.error();
  }
  if (header.pid < 0) return Errno(EINVAL);
  RefPtr<Task> target =
      header.pid == 0 ? RefPtr<Task>(&task) : TRY(task.kernel().tasks().Find(header.pid));
  if (!data) return 0UL;
  RefPtr<Credentials> credentials = target->credentials();
  Words words[2];
  for (int i = 0; i < 2; ++i) {
    words[i].effective = static_cast<uint32_t>(credentials->effective >> (32 * i));
    words[i].permitted = static_cast<uint32_t>(credentials->permitted >> (32 * i));
    words[i].inheritable = static_cast<uint32_t>(credentials->inheritable >> (32 * i));
  }
  TRY(task.CopyOut(data.address(), std::as_bytes(std::span(words).first(*count))));
  return 0UL;
}

SyscallResult SysCapset(Task& task, UserInOut<Header> user, UserAddress data) {
  Header header = TRY(user.Read(task));
  size_t count = TRY(WordCount(task, user, header));
  if (header.pid != 0 && header.pid != task.tid()) return Errno(EPERM);
  Words words[2] = {};
  TRY(task.CopyIn(data.address(), std::as_writable_bytes(std::span(words).first(count))));
  uint64_t effective = Join(words[0].effective, words[1].effective);
  uint64_t permitted = Join(words[0].permitted, words[1].permitted);
  uint64_t inheritable = Join(words[0].inheritable, words[1].inheritable);
  RefPtr<Credentials> old = task.credentials();
  TRY(CheckChange(*old, effective, permitted, inheritable));
  RefPtr<Credentials> next = old->Copy();
  next->effective = effective;
  next->permitted = permitted;
  next->inheritable = inheritable;
  next->ambient &= permitted & inheritable;
  CommitCredentials(task, *old, std::move(next));
  return 0UL;
}

}  // namespace redoubt::syscalls
