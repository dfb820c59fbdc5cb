// SPDX-License-Identifier: Apache-2.0
//
// LocalArgument: lets the sentry itself call an ioctl handler.
#ifndef SENTRY_BOOT_LOCAL_ARGUMENT_H_
#define SENTRY_BOOT_LOCAL_ARGUMENT_H_

#include <cstddef>
#include <cstring>
#include <span>

#include "base/result.h"
#include "sentry/vfs/file_description.h"

namespace redoubt::boot {

// An ioctl's argument in the sentry's own memory, at "address" 0.
class LocalArgument final : public vfs::UserMemory {
 public:
  explicit LocalArgument(std::span<std::byte> bytes) : bytes_(bytes) {}
  Result<void> CopyIn(uint64_t address, std::span<std::byte> buffer) override {
    if (address > bytes_.size() || buffer.size() > bytes_.size() - address) return Errno(EFAULT);
    memcpy(buffer.data(), bytes_.data() + address, buffer.size());
    return {};
  }
  Result<void> CopyOut(uint64_t address, std::span<const std::byte> buffer) override {
    if (address > bytes_.size() || buffer.size() > bytes_.size() - address) return Errno(EFAULT);
    memcpy(bytes_.data() + address, buffer.data(), buffer.size());
    return {};
  }

 private:
  std::span<std::byte> bytes_;
};

}  // namespace redoubt::boot

#endif  // SENTRY_BOOT_LOCAL_ARGUMENT_H_
