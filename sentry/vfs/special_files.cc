// SPDX-License-Identifier: Apache-2.0
#include "sentry/vfs/special_files.h"

#include <sys/stat.h>

#include <array>
#include <atomic>

#include "sentry/vfs/inode.h"

namespace redoubt::vfs {

namespace {

std::atomic<SpecialFileOpener>& OpenerFor(uint32_t type) {
  static std::array<std::atomic<SpecialFileOpener>, 16> openers{};
  return openers[(type & S_IFMT) >> 12];
}

}  // namespace

void RegisterSpecialFileOpener(uint32_t type, SpecialFileOpener opener) {
  OpenerFor(type).store(opener, std::memory_order_release);
}

Result<RefPtr<FileDescription>> OpenSpecialFile(const Path& path, Inode& inode, uint32_t flags,
                                                const Caller& caller) {
  SpecialFileOpener opener = OpenerFor(inode.type()).load(std::memory_order_acquire);
  if (!opener) return Errno(ENXIO);
  Attributes attributes = TRY(inode.GetAttributes());
  return opener(path, inode, attributes.special_device, flags, caller);
}

}  // namespace redoubt::vfs
