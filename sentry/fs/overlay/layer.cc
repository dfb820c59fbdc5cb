// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/overlay/layer.h"

#include <fcntl.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "sentry/vfs/file_description.h"

namespace redoubt::overlay {

namespace {

constexpr std::string_view kOpaque = "trusted.overlay.opaque";
constexpr std::string_view kOrigin = "trusted.overlay.origin";
constexpr size_t kCopyBuffer = 128 << 10;
constexpr unsigned kLayerShift = 56;

bool IsZero(std::span<const std::byte> bytes) {
  return bytes.empty() ||
         (bytes[0] == std::byte{0} && std::memcmp(&bytes[0], &bytes[1], bytes.size() - 1) == 0);
}

// Xattrs that the upper layer refuses are left behind, as Linux does for those it may not copy.
Result<void> CopyXattrs(vfs::Inode& from, vfs::Inode& to) {
  auto names = from.ListXattrs();
  if (!names.ok()) return {};
  for (const std::string& name : *names) {
    if (IsOwnXattr(name)) continue;
    auto value = from.GetXattr(name);
    if (!value.ok()) continue;
    auto set = to.SetXattr(name, *value, 0);
    if (set.Is(ENOSPC)) return set.error();
  }
  return {};
}

}  // namespace

bool IsWhiteout(vfs::Inode& inode) {
  if (inode.type() != S_IFCHR) return false;
  auto attributes = inode.GetAttributes();
  return attributes.ok() && attributes->special_device == 0;
}

bool IsOpaque(vfs::Inode& directory) {
  auto value = directory.GetXattr(kOpaque);
  return value.ok() && *value == "y";
}

Result<void> MarkOpaque(vfs::Inode& directory) { return directory.SetXattr(kOpaque, "y", 0); }

Result<void> MakeWhiteout(vfs::Inode& upper_directory, std::string_view name) {
  TRY(upper_directory.Create(name, vfs::CreateRequest{.mode = S_IFCHR}));
  return {};
}

Result<bool> RemoveWhiteout(vfs::Inode& upper_directory, std::string_view name) {
  auto found = upper_directory.Lookup(name);
  if (found.Is(ENOENT)) return false;
  RefPtr<vfs::Inode> inode = TRY(std::move(found));
  if (!IsWhiteout(*inode)) return false;
  TRY(upper_directory.Unlink(name, *inode));
  return true;
}

uint64_t EncodeNumber(unsigned layer, uint64_t number) {
  constexpr uint64_t kMask = (uint64_t{1} << kLayerShift) - 1;
  return uint64_t{layer} << kLayerShift | (number & kMask);
}

std::optional<uint64_t> Origin(vfs::Inode& upper) {
  auto value = upper.GetXattr(kOrigin);
  uint64_t number;
  if (!value.ok() || value->size() != sizeof(number)) return std::nullopt;
  std::memcpy(&number, value->data(), sizeof(number));
  return number;
}

Result<void> SetOrigin(vfs::Inode& upper, uint64_t number) {
  std::string_view value(reinterpret_cast<const char*>(&number), sizeof(number));
  return upper.SetXattr(kOrigin, value, 0);
}

Result<uint64_t> NumberOf(const Stack& stack) {
  if (stack.upper) {
    if (auto origin = Origin(*stack.upper)) return *origin;
  }
  if (!stack.lowers.empty()) {
    const LowerInode& lower = stack.lowers.front();
    vfs::Attributes attributes = TRY(lower.inode->GetAttributes());
    return EncodeNumber(lower.layer, attributes.inode_number);
  }
  vfs::Attributes attributes = TRY(stack.upper->GetAttributes());
  return EncodeNumber(0, attributes.inode_number);
}

Result<void> CopyMetadata(vfs::Inode& from, vfs::Inode& to) {
  TRY(CopyXattrs(from, to));
  vfs::Attributes attributes = TRY(from.GetAttributes());
  vfs::AttributeChange change;
  change.mode = attributes.mode & 07777;
  change.uid = attributes.uid;
  change.gid = attributes.gid;
  change.access_time = attributes.access_time;
  change.modify_time = attributes.modify_time;
  return to.SetAttributes(change);
}

Result<void> CopyData(const RefPtr<vfs::Inode>& from, const RefPtr<vfs::Inode>& to,
                      uint64_t limit) {
  vfs::Attributes attributes = TRY(from->GetAttributes());
  uint64_t size = std::min(attributes.size, limit);
  if (size == 0) return {};
  const RefPtr<vfs::Mount>& mount = vfs::Mount::Anonymous();
  auto source = TRY(from->Open(PathOf(from, mount), O_RDONLY | O_NOATIME, SelfCaller()));
  auto target = TRY(to->Open(PathOf(to, mount), O_WRONLY, SelfCaller()));
  size_t capacity = std::min<uint64_t>(size, kCopyBuffer);
  auto buffer = std::make_unique<std::byte[]>(capacity);
  uint64_t offset = 0;
  while (offset < size) {
    size_t want = std::min<uint64_t>(capacity, size - offset);
    size_t got = TRY(source->PRead({buffer.get(), want}, offset));
    if (got == 0) break;
    std::span<const std::byte> data(buffer.get(), got);
    if (!IsZero(data)) {
      for (size_t done = 0; done < got;) {
        done += TRY(target->PWrite(data.subspan(done), offset + done, SelfCaller()));
      }
    }
    offset += got;
  }
  vfs::AttributeChange change;
  change.size = offset;
  return to->SetAttributes(change);
}

const vfs::Caller& SelfCaller() {
  static const auto* caller = [] {
    auto* self = new vfs::Caller();
    self->capabilities = ~uint64_t{0};
    return self;
  }();
  return *caller;
}

vfs::Path PathOf(const RefPtr<vfs::Inode>& inode, const RefPtr<vfs::Mount>& mount) {
  return vfs::Path{mount, vfs::Dentry::CreateAnonymous("overlay", inode)};
}

}  // namespace redoubt::overlay
