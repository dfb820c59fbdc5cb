// SPDX-License-Identifier: Apache-2.0
//
// The file system whose files are the host's, served by a gofer.
//
//   auto channel = std::make_shared<gofer::Channel>(std::move(socket));
//   auto pool = std::make_shared<HostFilePool>();                    // One for the whole sentry.
//   RefPtr<GoferInode> root = TRY(GoferSuperblock::Attach(channel, pool, {.attach_point = 0}));
//   auto dentry = MakeRef<vfs::Dentry>(root->superblock(), nullptr, "", root);
//
// Two modes. Exclusive: nobody else changes the tree, so attributes and dentries are trusted until
// the guest changes them. Shared: the host may change it, so each step of a walk is checked and
// attributes are asked for each time; gofer_watch.h tells how without asking the gofer.
//
// One host file is one GoferInode, however many names it has: the superblock finds inodes by host
// device and inode number.
#ifndef SENTRY_FS_GOFER_GOFER_SUPERBLOCK_H_
#define SENTRY_FS_GOFER_GOFER_SUPERBLOCK_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/host/allowed_call.h"
#include "gofer/protocol/channel.h"
#include "sentry/fs/gofer/host_file.h"
#include "sentry/fs/gofer/owner_map.h"
#include "sentry/vfs/inode.h"

namespace redoubt::gofer_fs {

class GoferInode;

struct GoferOptions {
  uint32_t attach_point = 0;
  bool shared = false;
  std::string type = "gofer";  // As /proc/mounts shows it.
  OwnerMap users = {};
  OwnerMap groups = {};
};

// A host file: device and inode number.
using HostKey = std::pair<uint64_t, uint64_t>;

class GoferSuperblock final : public vfs::Superblock {
 public:
  // Gives the root. ENOENT: the gofer has no such attach point.
  static Result<RefPtr<GoferInode>> Attach(std::shared_ptr<gofer::Channel> channel,
                                           std::shared_ptr<HostFilePool> pool,
                                           GoferOptions options);

  GoferSuperblock(std::shared_ptr<gofer::Channel> channel, std::shared_ptr<HostFilePool> pool,
                  GoferOptions options);
  ~GoferSuperblock() override;

  Result<vfs::FilesystemStatus> Status() override;
  bool NeedsRevalidation() const override { return options_.shared; }
  bool ChecksNames() const override { return options_.shared; }
  Result<void> Sync() override;

  bool shared() const { return options_.shared; }
  const GoferOptions& options() const { return options_; }
  gofer::Channel& channel() const { return *channel_; }
  HostFilePool& pool() const { return *pool_; }

  // The inode of a file that the gofer just gave a handle of; takes the handle over. EIO when the
  // answer makes no sense.
  Result<RefPtr<GoferInode>> InodeFor(const gofer::FileNode& node);
  // `inode` is no longer what its key names: it is being destroyed, or lost its last name.
  void Forget(GoferInode* inode);

  // The guest's inode number: the host's own for the first device, with the device mixed in for
  // others (mounts below the attach point). Stable while the superblock lives.
  uint64_t InodeNumber(uint64_t device, uint64_t inode);
  // Host attributes as the guest sees them.
  vfs::Attributes Translate(const gofer::Attributes& host);

 private:
  const std::shared_ptr<gofer::Channel> channel_;
  const std::shared_ptr<HostFilePool> pool_;
  const GoferOptions options_;
  uint64_t root_handle_ = 0;

  Mutex<LockRank::kLeaf> mu_;
  // Does not own: an inode takes itself out when it goes.
  absl::flat_hash_map<HostKey, GoferInode*> inodes_ ABSL_GUARDED_BY(mu_);
  std::vector<uint64_t> devices_ ABSL_GUARDED_BY(mu_);
};

// The host calls that file data takes, for the sentry's filter.
std::vector<host::AllowedCall> GoferFileCalls(int channel_socket);

}  // namespace redoubt::gofer_fs

#endif  // SENTRY_FS_GOFER_GOFER_SUPERBLOCK_H_
