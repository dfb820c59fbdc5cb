// SPDX-License-Identifier: Apache-2.0
//
// What a container's configuration says of its files beside mounts: devices, paths that are masked
// or closed for writing, kernel settings.
#ifndef SENTRY_BOOT_CONTAINER_FILES_H_
#define SENTRY_BOOT_CONTAINER_FILES_H_

#include "absl/status/status.h"
#include "sentry/boot/sentry_config.h"
#include "sentry/kernel/kernel.h"

namespace redoubt::boot {

// After config.mounts are mounted, in this order: /dev, devices, settings, masked and read-only
// paths, the read-only root. A path to be masked that does not exist is no error.
absl::Status PrepareContainerFiles(kernel::Kernel& kernel, const SentryConfig& config);

}  // namespace redoubt::boot

#endif  // SENTRY_BOOT_CONTAINER_FILES_H_
