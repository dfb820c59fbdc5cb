// SPDX-License-Identifier: Apache-2.0
//
// Changes of attributes and of names.
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/host/syscall.h"
#include "gofer/server/operations.h"
#include "gofer/server/own_descriptors.h"

namespace redoubt::gofer {
namespace {

constexpr uint32_t kRenameFlags = RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT;
constexpr uint32_t kKeep = ~uint32_t{0};

timespec TimeOrOmit(bool is_set, const FileTime& time) {
  if (!is_set) return {0, UTIME_OMIT};
  return {time.seconds(), static_cast<long>(time.nanoseconds())};
}

Result<void> ChangeTimes(const char* path, const SetAttributesRequest& request) {
  timespec times[2] = {TimeOrOmit(request.has_access_time(), request.access_time()),
                       TimeOrOmit(request.has_modify_time(), request.modify_time())};
  TRY(host::Call([&] { return utimensat(AT_FDCWD, path, times, 0); }));
  return {};
}

// Size first (its side effects on mode and times may be overridden), owner before mode (chown
// clears set-id bits), times last.
Result<void> Change(int fd, const Node& node, const SetAttributesRequest& request) {
  DescriptorPath path(fd);
  if (request.has_size()) {
    if (!node.IsRegular()) return Errno(node.IsDirectory() ? EISDIR : EINVAL);
    TRY(host::Call([&] { return truncate(path.get(), static_cast<off_t>(request.size())); }));
  }
  if (request.has_uid() || request.has_gid()) {
    TRY(host::Call([&] {
      return fchownat(fd, "", request.has_uid() ? request.uid() : kKeep,
                      request.has_gid() ? request.gid() : kKeep,
                      AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW);
    }));
  }
  if (request.has_mode()) {
    if (node.type == S_IFLNK) return Errno(EOPNOTSUPP);
    TRY(host::Call([&] { return chmod(path.get(), request.mode()); }));
  }
  if (request.has_access_time() || request.has_modify_time()) TRY(ChangeTimes(path.get(), request));
  return {};
}

}  // namespace

Result<void> Operations::SetAttributes(const SetAttributesRequest& request, Response* response) {
  Node* node = TRY(FindWritable(request.handle()));
  int fd = TRY(nodes_.Fd(node));
  TRY(Change(fd, *node, request));
  HostStat stat = TRY(StatFd(fd));
  // An overlay may have copied the file up, and given it another number.
  node->identity = IdentityOf(stat);
  FillAttributes(stat, response->mutable_attributes());
  return {};
}

void Operations::PinIfKnown(uint64_t handle) {
  Result<Node*> node = nodes_.Find(handle);
  if (node.ok()) nodes_.Pin(*node);
}

Result<void> Operations::Unlink(const UnlinkRequest& request, Response* response) {
  Node* directory = TRY(FindWritableDirectory(request.directory()));
  int directory_fd = TRY(nodes_.Fd(directory));
  if (request.check()) {
    Node* child = TRY(nodes_.Find(request.child()));
    HostStat stat = TRY(StatAt(directory_fd, request.name().c_str()));
    if (IdentityOf(stat) != child->identity || TypeOf(stat) != child->type) return Errno(ESTALE);
  }
  PinIfKnown(request.child());
  TRY(host::Call([&] {
    return unlinkat(directory_fd, request.name().c_str(),
                    request.is_directory() ? AT_REMOVEDIR : 0);
  }));
  Result<Node*> child = nodes_.Find(request.child());
  if (child.ok()) nodes_.Forget(*child, directory, request.name());
  return FillDirectory(directory_fd, response->mutable_directory());
}

Result<void> Operations::Rename(const RenameRequest& request, Response* response) {
  Node* from = TRY(FindWritableDirectory(request.directory()));
  Node* to = TRY(FindWritableDirectory(request.new_directory()));
  if (from->attach_point != to->attach_point) return Errno(EXDEV);
  if ((request.flags() & ~kRenameFlags) != 0) return Errno(EINVAL);
  PinIfKnown(request.replaced());
  int from_fd = TRY(nodes_.Fd(from));
  int to_fd = TRY(nodes_.Fd(to));
  // The raw call: without flags, the C library's would be an older one, which the filter kills.
  TRY(host::Call([&] {
    return syscall(SYS_renameat2, from_fd, request.name().c_str(), to_fd,
                   request.new_name().c_str(), request.flags());
  }));
  TRY(FillDirectory(from_fd, response->mutable_directory()));
  TRY(FillDirectory(to_fd, response->mutable_new_directory()));
  MovedAfterRename(request, from, to);
  // The moved file's change time is new, and the sentry is likely to want it next.
  Result<HostStat> moved = StatAt(to_fd, request.new_name().c_str());
  if (moved.ok()) FillAttributes(*moved, response->mutable_attributes());
  return {};
}

void Operations::MovedAfterRename(const RenameRequest& request, Node* from, Node* to) {
  Result<Node*> replaced = nodes_.Find(request.replaced());
  if (replaced.ok()) {
    if ((request.flags() & RENAME_EXCHANGE) != 0) {
      nodes_.Relocate(*replaced, from, request.name());
    } else {
      nodes_.Forget(*replaced, to, request.new_name());
    }
  }
  Result<Node*> child = nodes_.Find(request.child());
  if (child.ok()) nodes_.Relocate(*child, to, request.new_name());
}

}  // namespace redoubt::gofer
