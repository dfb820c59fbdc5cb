// SPDX-License-Identifier: Apache-2.0
//
// Files without a name on any file system: pipes, sockets, eventfds, epolls. Each kind has a
// superblock of its own (Linux's pipefs, sockfs, anon_inodefs) that is mounted nowhere.
//
//   Path path = fs::MakeAnonymousPath(AnonymousKind::kPipe, "", S_IFIFO | 0600, uid, gid);
//   path.dentry is named "pipe:[27]", as /proc/PID/fd shows it; fstat(2) works.
//   fs::MakeAnonymousPath(AnonymousKind::kAnonymous, "eventfd", 0600, 0, 0)  ->
//   "anon_inode:[eventfd]"
#ifndef SENTRY_FS_ANON_ANONYMOUS_INODE_H_
#define SENTRY_FS_ANON_ANONYMOUS_INODE_H_

#include <cstdint>
#include <string_view>

#include "base/sync/mutex.h"
#include "sentry/vfs/file_description.h"
#include "sentry/vfs/inode.h"
#include "sentry/vfs/path.h"

namespace redoubt::fs {

enum class AnonymousKind : uint8_t { kPipe, kSocket, kAnonymous };

// `name` only matters for kAnonymous. `mode` with its type; 0600 without one for kAnonymous, as on
// Linux.
vfs::Path MakeAnonymousPath(AnonymousKind kind, std::string_view name, uint32_t mode, uint32_t uid,
                            uint32_t gid);

class AnonymousInode : public vfs::Inode {
 public:
  AnonymousInode(AnonymousKind kind, uint32_t mode, uint32_t uid, uint32_t gid);
  Result<vfs::Attributes> GetAttributes() override;
  Result<void> SetAttributes(const vfs::AttributeChange& change) override;
  // ENXIO: /proc/self/fd/N of a socket or an anon_inode cannot be opened anew. (Pipes can: the pipe
  // registers itself, see fs/pipe.)
  Result<RefPtr<vfs::FileDescription>> Open(const vfs::Path& path, uint32_t flags,
                                            const vfs::Caller& caller) override;
  uint64_t number() const { return attributes_.inode_number; }

 private:
  Mutex<LockRank::kInode> mu_;
  vfs::Attributes attributes_;  // inode_number and device never change; the rest under mu_.
};

// The same for an inode of the caller's own class.
vfs::Path MakeAnonymousPath(AnonymousKind kind, std::string_view name,
                            RefPtr<AnonymousInode> inode);

}  // namespace redoubt::fs

#endif  // SENTRY_FS_ANON_ANONYMOUS_INODE_H_
