// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "base/host/syscall.h"
#include "sentry/mm/memory_map.h"

namespace redoubt::mm {

bool MemoryPolicy::Allows(uint64_t start, uint64_t end) const {
  if (start < guest_range.start || end > guest_range.end || start > end) return false;
  return std::none_of(
      shim_ranges.begin(), shim_ranges.end(),
      [&](const platform::AddressRange& shim) { return shim.Overlaps(start, end); });
}

Result<std::string> HostProc::Read(int host_pid, std::string_view file) const {
  if (!procfs_.valid()) return Errno(ENOENT);
  std::string path = std::to_string(host_pid) + "/" + std::string(file);
  size_t fd_number = TRY(host::Call(
      [&] { return openat(procfs_.get(), path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW); }));
  OwnedFd fd(static_cast<int>(fd_number));
  // A stub has at most 65530 mappings of some 100 bytes each.
  constexpr size_t kMaxBytes = 16 << 20;
  std::string content;
  while (content.size() < kMaxBytes) {
    constexpr size_t kChunk = 32 * 1024;
    size_t old_size = content.size();
    content.resize(old_size + kChunk);
    auto got = host::Call([&] { return read(fd.get(), content.data() + old_size, kChunk); });
    content.resize(old_size + got.value_or(0));
    if (!got.ok()) return got.error();
    if (*got == 0) break;
  }
  return content;
}

}  // namespace redoubt::mm
