// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/gofer/gofer_superblock.h"

#include <sys/syscall.h>

#include <algorithm>

#include "sentry/fs/gofer/gofer_inode.h"

namespace redoubt::gofer_fs {
namespace {

constexpr int kDeviceShift = 56;
constexpr uint64_t kInodeMask = (uint64_t{1} << kDeviceShift) - 1;

vfs::FileTime Time(int64_t seconds, uint32_t nanoseconds) {
  return {.seconds = seconds, .nanoseconds = nanoseconds};
}

}  // namespace

GoferSuperblock::GoferSuperblock(std::shared_ptr<gofer::Channel> channel,
                                 std::shared_ptr<HostFilePool> pool, GoferOptions options)
    : vfs::Superblock(options.type),
      channel_(std::move(channel)),
      pool_(std::move(pool)),
      options_(std::move(options)) {}

GoferSuperblock::~GoferSuperblock() = default;

Result<RefPtr<GoferInode>> GoferSuperblock::Attach(std::shared_ptr<gofer::Channel> channel,
                                                   std::shared_ptr<HostFilePool> pool,
                                                   GoferOptions options) {
  gofer::Exchange exchange;
  exchange.request.mutable_attach()->set_attach_point(options.attach_point);
  auto superblock =
      MakeRef<GoferSuperblock>(std::move(channel), std::move(pool), std::move(options));
  TRY(superblock->channel().Call(&exchange));
  if (exchange.response.nodes_size() != 1) return Errno(EIO);
  superblock->root_handle_ = exchange.response.nodes(0).handle();
  return superblock->InodeFor(exchange.response.nodes(0));
}

Result<vfs::FilesystemStatus> GoferSuperblock::Status() {
  gofer::Exchange exchange;
  exchange.request.mutable_status()->set_handle(root_handle_);
  TRY(channel_->Call(&exchange));
  const gofer::FilesystemStatus& status = exchange.response.status();
  return vfs::FilesystemStatus{.magic = status.magic(),
                               .block_size = status.block_size(),
                               .blocks = status.blocks(),
                               .blocks_free = status.blocks_free(),
                               .blocks_available = status.blocks_available(),
                               .files = status.files(),
                               .files_free = status.files_free(),
                               .name_length = status.name_length()};
}

Result<void> GoferSuperblock::Sync() {
  gofer::Exchange exchange;
  exchange.request.mutable_sync()->set_handle(root_handle_);
  exchange.request.mutable_sync()->set_filesystem(true);
  return channel_->Call(&exchange);
}

Result<RefPtr<GoferInode>> GoferSuperblock::InodeFor(const gofer::FileNode& node) {
  uint32_t type = node.attributes().mode() & S_IFMT;
  if (type == 0) {
    channel_->Release(node.handle());
    return Errno(EIO);
  }
  HostKey key{node.attributes().device(), node.attributes().inode()};
  vfs::Attributes attributes = Translate(node.attributes());
  RefPtr<GoferInode> found;
  {
    MutexLock lock(&mu_);
    GoferInode*& slot = inodes_[key];
    if (slot == nullptr || slot->type() != type || !slot->TryRef()) {
      auto fresh = MakeRef<GoferInode>(RefPtr<GoferSuperblock>(this), key, node, attributes);
      slot = fresh.get();
      return fresh;
    }
    found = RefPtr<GoferInode>::Adopt(slot);
  }
  found->FoundAgain(node, attributes);
  return found;
}

void GoferSuperblock::Forget(GoferInode* inode) {
  MutexLock lock(&mu_);
  auto found = inodes_.find(inode->key());
  if (found != inodes_.end() && found->second == inode) inodes_.erase(found);
}

uint64_t GoferSuperblock::InodeNumber(uint64_t device, uint64_t inode) {
  MutexLock lock(&mu_);
  auto found = std::find(devices_.begin(), devices_.end(), device);
  auto index = static_cast<uint64_t>(found - devices_.begin());
  if (found == devices_.end()) devices_.push_back(device);
  if (index == 0) return inode;
  return (inode & kInodeMask) ^ (index << kDeviceShift);
}

vfs::Attributes GoferSuperblock::Translate(const gofer::Attributes& host) {
  vfs::Attributes attributes;
  attributes.inode_number = InodeNumber(host.device(), host.inode());
  attributes.device = device();
  attributes.mode = host.mode();
  attributes.links = host.links();
  attributes.uid = options_.users.ToGuest(host.uid());
  attributes.gid = options_.groups.ToGuest(host.gid());
  attributes.special_device = host.special_device();
  attributes.size = host.size();
  attributes.blocks = host.blocks();
  attributes.block_size = host.block_size();
  attributes.access_time = Time(host.access_seconds(), host.access_nanoseconds());
  attributes.modify_time = Time(host.modify_seconds(), host.modify_nanoseconds());
  attributes.change_time = Time(host.change_seconds(), host.change_nanoseconds());
  attributes.birth_time = Time(host.birth_seconds(), host.birth_nanoseconds());
  return attributes;
}

std::vector<host::AllowedCall> GoferFileCalls(int channel_socket) {
  auto channel = static_cast<uint64_t>(channel_socket);
  return {
      {SYS_sendmsg, "asks the gofer", {{0, channel, 0xffffffff}}},
      {SYS_recvmsg, "the gofer's answers", {{0, channel, 0xffffffff}}},
      {SYS_pread64, "reads a donated file", {}},
      {SYS_pwrite64, "writes a donated file", {}},
      {SYS_pwritev2, "appends to a donated file, or writes it through", {}},
      {SYS_fstat, "attributes of a donated file", {}},
      {SYS_ftruncate, "sets the size of a donated file", {}},
      {SYS_fallocate, "space of a donated file", {}},
      {SYS_fsync, "makes a guest's fsync true", {}},
      {SYS_fdatasync, "makes a guest's fdatasync true", {}},
      {SYS_lseek, "finds data and holes of a donated file", {}},
  };
}

}  // namespace redoubt::gofer_fs
