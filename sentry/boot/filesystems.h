// SPDX-License-Identifier: Apache-2.0
//
// The guest's first mount namespace: the gofer's files (under an overlay where asked), and the file
// systems that the sentry itself provides.
#ifndef SENTRY_BOOT_FILESYSTEMS_H_
#define SENTRY_BOOT_FILESYSTEMS_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/ref_counted.h"
#include "gofer/protocol/channel.h"
#include "sentry/boot/sentry_config.h"
#include "sentry/kernel/kernel.h"
#include "sentry/vfs/caller.h"
#include "sentry/vfs/mount.h"

namespace redoubt::boot {

// Makes the mounts of one container. The root comes first, for the kernel to be made with; the
// others after it, since /proc and /sys show what the kernel has.
class MountBuilder {
 public:
  explicit MountBuilder(std::shared_ptr<gofer::Channel> channel);
  ~MountBuilder();

  absl::StatusOr<RefPtr<vfs::MountNamespace>> BuildRoot(const MountConfig& mount);
  absl::Status Mount(kernel::Kernel& kernel, const MountConfig& mount);

 private:
  Result<RefPtr<vfs::Mount>> NewGoferMount(const MountConfig& mount);
  Result<RefPtr<vfs::Mount>> NewMountOf(kernel::Kernel& kernel, const MountConfig& mount);

  struct Gofer;
  const std::unique_ptr<Gofer> gofer_;
};

// Root with every capability at the root of `mounts`.
vfs::Caller RootCaller(const vfs::MountNamespace& mounts);

// The place of a mount; one that does not exist is made, as container runtimes do.
Result<vfs::Path> FindOrMake(const vfs::Caller& caller, const std::string& path, bool is_file);

// A directory of memory of its own: mounted read-only and empty, it hides what is below.
RefPtr<vfs::Mount> NewEmptyMount();

}  // namespace redoubt::boot

#endif  // SENTRY_BOOT_FILESYSTEMS_H_
