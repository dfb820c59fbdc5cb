// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/host/host_inode.h"

#include <sys/stat.h>

#include <atomic>
#include <string>
#include <utility>

#include "base/host/syscall.h"

namespace redoubt::fs {

namespace {

class HostSuperblock : public vfs::Superblock {
 public:
  HostSuperblock() : Superblock("hostfs") {}
  Result<vfs::FilesystemStatus> Status() override {
    vfs::FilesystemStatus status;
    status.magic = 0x09041934;  // ANON_INODE_FS_MAGIC.
    return status;
  }
};

const RefPtr<vfs::Superblock>& HostfsSuperblock() {
  static auto* superblock = new RefPtr<vfs::Superblock>(MakeRef<HostSuperblock>());
  return *superblock;
}

vfs::FileTime ToFileTime(const timespec& time) {
  return {time.tv_sec, static_cast<uint32_t>(time.tv_nsec)};
}

class HostInode : public vfs::Inode {
 public:
  explicit HostInode(RefPtr<HostObject> object)
      : Inode(HostfsSuperblock(), object->type()), object_(std::move(object)) {
    static std::atomic<uint64_t> next_number{1};
    number_ = next_number.fetch_add(1, std::memory_order_relaxed);
  }

  uint64_t number() const { return number_; }

  Result<vfs::Attributes> GetAttributes() override {
    struct stat host {};
    TRY(host::Call([&] { return fstat(object_->fd(), &host); }));
    vfs::Attributes attributes;
    attributes.inode_number = number_;
    attributes.device = superblock()->device();
    attributes.mode = host.st_mode;
    attributes.uid = uid_.load(std::memory_order_relaxed);
    attributes.gid = gid_.load(std::memory_order_relaxed);
    attributes.special_device = host.st_rdev;
    attributes.size = static_cast<uint64_t>(host.st_size);
    attributes.blocks = static_cast<uint64_t>(host.st_blocks);
    attributes.access_time = ToFileTime(host.st_atim);
    attributes.modify_time = ToFileTime(host.st_mtim);
    attributes.change_time = attributes.birth_time = ToFileTime(host.st_ctim);
    return attributes;
  }

  // chown(2) of a container's terminal by its login tools: kept here, not done on the host.
  Result<void> SetAttributes(const vfs::AttributeChange& change) override {
    if (change.mode || change.size) return Errno(EPERM);
    if (change.uid) uid_.store(*change.uid, std::memory_order_relaxed);
    if (change.gid) gid_.store(*change.gid, std::memory_order_relaxed);
    return {};
  }

  // /proc/self/fd/N, /dev/stdout: shares the host's open file, offset and all.
  Result<RefPtr<vfs::FileDescription>> Open(const vfs::Path& path, uint32_t flags,
                                            const vfs::Caller& caller) override {
    if (type() == S_IFSOCK) return Errno(ENXIO);
    return object_->OpenAgain(path, flags);
  }

 private:
  const RefPtr<HostObject> object_;
  uint64_t number_ = 0;
  std::atomic<uint32_t> uid_{0};
  std::atomic<uint32_t> gid_{0};
};

std::string NameOf(const HostObject& object, uint64_t number) {
  const std::string suffix = "[" + std::to_string(number) + "]";
  if (object.is_terminal()) return "/dev/console";
  switch (object.type()) {
    case S_IFIFO:
      return "pipe:" + suffix;
    case S_IFSOCK:
      return "socket:" + suffix;
    default:
      return "host:" + suffix;
  }
}

}  // namespace

Result<vfs::Path> MakeHostPath(const RefPtr<HostObject>& object) {
  auto inode = MakeRef<HostInode>(object);
  std::string name = NameOf(*object, inode->number());
  return vfs::Path{vfs::Mount::Anonymous(),
                   vfs::Dentry::CreateAnonymous(std::move(name), std::move(inode))};
}

}  // namespace redoubt::fs
