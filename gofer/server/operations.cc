// SPDX-License-Identifier: Apache-2.0
#include "gofer/server/operations.h"

namespace redoubt::gofer {

Operations::Operations(NodeTable* nodes) : nodes_(*nodes) {}

void Operations::AddRoot(uint32_t attach_point, Node* root) { roots_[attach_point] = root; }

OwnedFd Operations::Handle(const Request& request, Response* response) {
  for (uint64_t handle : request.released()) nodes_.Release(handle);
  OwnedFd fd;
  Result<void> result = Dispatch(request, response, &fd);
  if (!result.ok()) {
    response->Clear();
    response->set_error(static_cast<uint32_t>(result.error().value()));
    fd.Reset();
  }
  response->set_sequence(request.sequence());
  return fd;
}

Result<void> Operations::Dispatch(const Request& request, Response* response, OwnedFd* fd) {
  switch (request.operation_case()) {
    case Request::kAttach:
      return Attach(request.attach(), response);
    case Request::kWalk:
      return Walk(request.walk(), response);
    case Request::kCheck:
      return Check(request.check(), response);
    case Request::kGetAttributes:
      return GetAttributes(request.get_attributes(), response);
    case Request::kSetAttributes:
      return SetAttributes(request.set_attributes(), response);
    case Request::kOpen:
      return Open(request.open(), response, fd);
    case Request::kCreate:
      return Create(request.create(), response, fd);
    case Request::kLink:
      return Link(request.link(), response);
    case Request::kUnlink:
      return Unlink(request.unlink(), response);
    case Request::kRename:
      return Rename(request.rename(), response);
    case Request::kReadDirectory:
      return ReadDirectory(request.read_directory(), response);
    case Request::kStatus:
      return Status(request.status(), response);
    case Request::kSync:
      return Sync(request.sync());
    case Request::kGetXattr:
      return GetXattr(request.get_xattr(), response);
    case Request::kSetXattr:
      return SetXattr(request.set_xattr());
    case Request::kRemoveXattr:
      return RemoveXattr(request.remove_xattr());
    case Request::kListXattrs:
      return ListXattrs(request.list_xattrs(), response);
    case Request::OPERATION_NOT_SET:
      break;
  }
  return Errno(EBADMSG);
}

Result<Node*> Operations::FindDirectory(uint64_t handle) {
  Node* node = TRY(nodes_.Find(handle));
  if (!node->IsDirectory()) return Errno(ENOTDIR);
  return node;
}

Result<Node*> Operations::FindWritable(uint64_t handle) {
  Node* node = TRY(nodes_.Find(handle));
  if (node->read_only) return Errno(EROFS);
  return node;
}

Result<Node*> Operations::FindWritableDirectory(uint64_t handle) {
  Node* node = TRY(FindWritable(handle));
  if (!node->IsDirectory()) return Errno(ENOTDIR);
  return node;
}

Result<void> Operations::FillDirectory(int fd, Attributes* attributes) {
  FillAttributes(TRY(StatFd(fd)), attributes);
  return {};
}

}  // namespace redoubt::gofer
