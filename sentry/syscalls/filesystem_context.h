// SPDX-License-Identifier: Apache-2.0
//
// FilesystemContext: what fsopen(2) and fspick(2) open (Linux's struct fs_context). fsconfig(2)
// collects parameters in it, then makes the file system or changes it; fsmount(2) takes the mount.
// read(2) gives what went wrong, a line a call.
#ifndef SENTRY_SYSCALLS_FILESYSTEM_CONTEXT_H_
#define SENTRY_SYSCALLS_FILESYSTEM_CONTEXT_H_

#include <deque>
#include <string>

#include "sentry/syscalls/mount_tree.h"
#include "sentry/vfs/file_description.h"

namespace redoubt::syscalls {

class FilesystemContext final : public vfs::FileDescription {
 public:
  // For a new file system.
  static RefPtr<FilesystemContext> Create(std::string type);
  // For the one that is mounted as `mount`.
  static RefPtr<FilesystemContext> CreateFor(RefPtr<vfs::Mount> mount);
  FilesystemContext(vfs::Path path, std::string type, RefPtr<vfs::Mount> mount);

  // EBUSY when it is not the time for parameters; EINVAL, with a line to read, for one that the
  // file system does not know. `value` is null for a flag.
  Result<void> SetParameter(std::string_view key, const std::string* value);
  // FSCONFIG_CMD_CREATE and FSCONFIG_CMD_RECONFIGURE.
  Result<void> MakeFilesystem(kernel::Task& task);
  Result<void> Reconfigure();
  // What fsmount(2) mounts, once: EINVAL before it is made, EBUSY afterwards.
  Result<RefPtr<vfs::Mount>> TakeMount();

  // ENODATA when there is nothing to tell.
  Result<size_t> Read(std::span<std::byte> buffer) override;
  Result<size_t> Write(std::span<const std::byte>, const vfs::Caller&) override {
    return Errno(EINVAL);
  }

 private:
  enum class Phase : uint8_t {
    kCreateParameters,
    kAwaitingMount,
    kReconfigureParameters,
    kFailed,
  };
  Result<void> TryParameterLocked(std::string_view key, const std::string* value)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(context_mu_);
  void ComplainLocked(std::string text) ABSL_EXCLUSIVE_LOCKS_REQUIRED(context_mu_);

  Mutex<LockRank::kFile> context_mu_;
  FilesystemRequest request_ ABSL_GUARDED_BY(context_mu_);
  Phase phase_ ABSL_GUARDED_BY(context_mu_);
  RefPtr<vfs::Mount> mount_ ABSL_GUARDED_BY(context_mu_);
  std::deque<std::string> log_ ABSL_GUARDED_BY(context_mu_);  // As Linux: the last eight lines.
};

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_FILESYSTEM_CONTEXT_H_
