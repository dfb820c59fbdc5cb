// SPDX-License-Identifier: Apache-2.0
//
// Operations: what the gofer does for one request. One function per operation, by topic in
// operations_{walk,create,change,data,xattr}.cc.
//
// Rules that every function keeps:
//   - requests were validated (gofer/protocol/validate.h), handles are looked up, never trusted;
//   - only single names are given to the host, below a descriptor, and no symlink is followed;
//   - devices, sockets and FIFOs are never opened; devices are never made;
//   - an attach point that is read-only refuses every change with EROFS, here, whatever the mount
//     that the sentry shows says.
#ifndef GOFER_SERVER_OPERATIONS_H_
#define GOFER_SERVER_OPERATIONS_H_

#include <string>

#include "absl/container/flat_hash_map.h"
#include "base/owned_fd.h"
#include "base/result.h"
#include "gofer/protocol/gofer.pb.h"
#include "gofer/server/node_table.h"

namespace redoubt::gofer {

class Operations {
 public:
  explicit Operations(NodeTable* nodes);
  // Offers an attach point to AttachRequest.
  void AddRoot(uint32_t attach_point, Node* root);

  // Serves `request`: fills `response` (its error too) and gives a descriptor to send with it, or
  // an invalid one.
  OwnedFd Handle(const Request& request, Response* response);

 private:
  Result<void> Dispatch(const Request& request, Response* response, OwnedFd* fd);

  // operations_walk.cc
  Result<void> Attach(const AttachRequest& request, Response* response);
  Result<void> Walk(const WalkRequest& request, Response* response);
  Result<void> Check(const CheckRequest& request, Response* response);
  Result<void> CheckOne(uint64_t directory, const CheckStep& step, Attributes* attributes);
  Result<void> GetAttributes(const GetAttributesRequest& request, Response* response);
  Result<Node*> WalkOne(Node* directory, const std::string& name, bool is_last, Response* response);

  // operations_create.cc
  Result<void> Create(const CreateRequest& request, Response* response, OwnedFd* fd);
  Result<void> CreateNameless(const CreateRequest& request, Node* directory, Response* response,
                              OwnedFd* fd);
  Result<void> Link(const LinkRequest& request, Response* response);

  // operations_change.cc
  Result<void> SetAttributes(const SetAttributesRequest& request, Response* response);
  Result<void> Unlink(const UnlinkRequest& request, Response* response);
  Result<void> Rename(const RenameRequest& request, Response* response);
  void PinIfKnown(uint64_t handle);
  void MovedAfterRename(const RenameRequest& request, Node* from, Node* to);

  // operations_data.cc
  Result<void> Open(const OpenRequest& request, Response* response, OwnedFd* fd);
  Result<void> FillStatus(int fd, FilesystemStatus* answer);
  Result<void> ReadDirectory(const ReadDirectoryRequest& request, Response* response);
  Result<void> Status(const StatusRequest& request, Response* response);
  Result<void> Sync(const SyncRequest& request);

  // operations_xattr.cc
  Result<void> GetXattr(const GetXattrRequest& request, Response* response);
  Result<void> SetXattr(const SetXattrRequest& request);
  Result<void> RemoveXattr(const RemoveXattrRequest& request);
  Result<void> ListXattrs(const ListXattrsRequest& request, Response* response);

  // ENOTDIR unless the handle is a directory's.
  Result<Node*> FindDirectory(uint64_t handle);
  // The same for one that will be changed: EROFS.
  Result<Node*> FindWritableDirectory(uint64_t handle);
  Result<Node*> FindWritable(uint64_t handle);
  Result<void> FillDirectory(int fd, Attributes* attributes);

  NodeTable& nodes_;
  absl::flat_hash_map<uint32_t, Node*> roots_;
};

// Opens the regular file or directory that the O_PATH descriptor `fd` names.
Result<OwnedFd> Reopen(int fd, int flags);

}  // namespace redoubt::gofer

#endif  // GOFER_SERVER_OPERATIONS_H_
