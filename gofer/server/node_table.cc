// SPDX-License-Identifier: Apache-2.0
#include "gofer/server/node_table.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/check.h"

namespace redoubt::gofer {

NodeTable::NodeTable(size_t most_nodes, size_t most_descriptors)
    : most_nodes_(most_nodes), most_descriptors_(std::max(most_descriptors, kFewestDescriptors)) {}

namespace {

std::unique_ptr<Node> NewNode(const HostStat& stat, uint32_t attach_point, bool read_only) {
  auto node = std::make_unique<Node>();
  node->identity = IdentityOf(stat);
  node->type = TypeOf(stat);
  node->attach_point = attach_point;
  node->read_only = read_only;
  return node;
}

}  // namespace

Result<Node*> NodeTable::Insert(std::unique_ptr<Node> node) {
  if (nodes_.size() >= most_nodes_) return Errno(ENFILE);
  Node* result = node.get();
  result->handle = ++last_handle_;
  nodes_.emplace(result->handle, std::move(node));
  return result;
}

Node* NodeTable::AddRoot(uint32_t attach_point, bool read_only, OwnedFd fd, const HostStat& stat) {
  std::unique_ptr<Node> node = NewNode(stat, attach_point, read_only);
  node->is_root = true;
  node->pinned = true;
  node->fd = std::move(fd);
  Result<Node*> added = Insert(std::move(node));
  CHECK(added.ok());
  return *added;
}

Result<Node*> NodeTable::Add(Node* directory, std::string_view name, const HostStat& stat,
                             OwnedFd fd) {
  Node* node = TRY(Insert(NewNode(stat, directory->attach_point, directory->read_only)));
  SetDirectory(node, directory, name);
  if (fd.valid()) Cache(node, std::move(fd));
  return node;
}

Result<Node*> NodeTable::AddNameless(const Node& directory, const HostStat& stat, OwnedFd fd) {
  if (pinned_ >= most_descriptors_ / 2) return Errno(ENFILE);
  Node* node = TRY(Insert(NewNode(stat, directory.attach_point, directory.read_only)));
  MakeRoom();
  node->fd = std::move(fd);
  node->pinned = true;
  ++pinned_;
  return node;
}

Result<Node*> NodeTable::Find(uint64_t handle) {
  auto found = nodes_.find(handle);
  if (found == nodes_.end() || !found->second->held) return Errno(ESTALE);
  return found->second.get();
}

void NodeTable::Release(uint64_t handle) {
  Result<Node*> node = Find(handle);
  if (!node.ok() || (*node)->is_root) return;
  (*node)->held = false;
  DropUnused(*node);
}

// A loop, not a recursion: the guest decides how deep a tree is.
void NodeTable::DropUnused(Node* node) {
  while (node != nullptr && !node->held && node->children == 0) {
    Node* directory = std::exchange(node->directory, nullptr);
    Unpin(node);
    if (node->fd.valid()) recent_.erase(node->recent);
    nodes_.erase(node->handle);
    if (directory != nullptr) --directory->children;
    node = directory;
  }
}

// The descriptor becomes one that may be closed.
void NodeTable::Unpin(Node* node) {
  if (!node->pinned || node->is_root) return;
  node->pinned = false;
  --pinned_;
  recent_.push_front(node);
  node->recent = recent_.begin();
}

void NodeTable::Cache(Node* node, OwnedFd fd) {
  MakeRoom();
  node->fd = std::move(fd);
  recent_.push_front(node);
  node->recent = recent_.begin();
}

void NodeTable::MakeRoom() {
  while (open_descriptors() >= most_descriptors_ && !recent_.empty()) {
    recent_.back()->fd.Reset();
    recent_.pop_back();
  }
}

Result<OwnedFd> NodeTable::OpenChecked(int directory_fd, const Node& node) {
  Result<int> opened = OpenComponent(directory_fd, node.name.c_str());
  if (opened.Is(ENOENT) || opened.Is(ENOTDIR)) return Errno(ESTALE);
  OwnedFd fd(TRY(std::move(opened)));
  HostStat stat = TRY(StatFd(fd.get()));
  if (IdentityOf(stat) != node.identity || TypeOf(stat) != node.type) return Errno(ESTALE);
  return fd;
}

Result<int> NodeTable::Fd(Node* node) {
  if (node->fd.valid()) {
    if (!node->pinned) recent_.splice(recent_.begin(), recent_, node->recent);
    return node->fd.get();
  }
  // From the nearest directory that is open down to the node.
  std::vector<Node*> closed;
  Node* start = node;
  for (; !start->fd.valid(); start = start->directory) {
    closed.push_back(start);
    // A chain longer than the table is a ring, which a host that moves directories could make.
    if (start->directory == nullptr || closed.size() > nodes_.size()) return Errno(ESTALE);
  }
  if (!start->pinned) recent_.splice(recent_.begin(), recent_, start->recent);
  // Of the directories between, only the last one's descriptor is kept: its siblings come next.
  OwnedFd passing;
  int directory_fd = start->fd.get();
  while (!closed.empty()) {
    Node* next = closed.back();
    closed.pop_back();
    OwnedFd fd = TRY(OpenChecked(directory_fd, *next));
    directory_fd = fd.get();
    if (closed.size() > 1) {
      passing = std::move(fd);
    } else {
      Cache(next, std::move(fd));
    }
  }
  return directory_fd;
}

void NodeTable::Pin(Node* node) {
  if (node->pinned || pinned_ >= most_descriptors_ / 2 || !Fd(node).ok()) return;
  recent_.erase(node->recent);
  node->pinned = true;
  ++pinned_;
}

void NodeTable::SetDirectory(Node* node, Node* directory, std::string_view name) {
  Node* old = std::exchange(node->directory, directory);
  node->name = name;
  if (directory != nullptr) ++directory->children;
  if (old != nullptr) {
    --old->children;
    DropUnused(old);
  }
}

void NodeTable::Forget(Node* node, const Node* directory, std::string_view name) {
  if (node->is_root || node->directory != directory || node->name != name) return;
  SetDirectory(node, nullptr, "");
}

bool NodeTable::MayContain(const Node* ancestor, const Node* node) const {
  size_t steps = 0;
  for (; node != nullptr; node = node->directory) {
    if (node == ancestor || ++steps > nodes_.size()) return true;
  }
  return false;
}

void NodeTable::Relocate(Node* node, Node* directory, std::string_view name) {
  // A directory that the sentry claims to have moved into itself keeps its old place.
  if (node->is_root || (node->IsDirectory() && MayContain(node, directory))) return;
  SetDirectory(node, directory, name);
  Unpin(node);
}

}  // namespace redoubt::gofer
