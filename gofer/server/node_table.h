// SPDX-License-Identifier: Apache-2.0
//
// NodeTable: the files that the sentry holds handles of.
//
// A node knows what file it is (HostIdentity) and where it was last seen (directory node and name).
// Its O_PATH descriptor is only a cache: a tree of 100,000 files must fit into 20,000 descriptors,
// so the least recently used ones are closed and reopened when they are needed, from the nearest
// open directory down, one component at a time, never through a symlink. Every step is checked
// against the identity: a file that the host moved or replaced meanwhile gives ESTALE, never
// another file.
//
// A file without a name (unlinked through us, or born so) could not be found again: it is pinned,
// its descriptor stays. At most half of the descriptors may be pinned; a file beyond that becomes
// ESTALE once its descriptor is needed for another one.
//
// One thread uses a table. A Node* is valid until its handle is released; a descriptor that Fd()
// gave is valid for the request (see kFewestDescriptors).
#ifndef GOFER_SERVER_NODE_TABLE_H_
#define GOFER_SERVER_NODE_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "base/owned_fd.h"
#include "base/result.h"
#include "gofer/server/host_stat.h"

namespace redoubt::gofer {

struct Node {
  uint64_t handle = 0;
  HostIdentity identity;
  uint32_t type = 0;  // S_IFMT of its mode.
  uint32_t attach_point = 0;
  bool read_only = false;
  bool is_root = false;  // Never released, never closed.

  // Where it was last seen. Null: it is a root or has no name.
  Node* directory = nullptr;
  std::string name;

  OwnedFd fd;
  bool pinned = false;
  std::list<Node*>::iterator recent;  // In recent_, when fd is valid and it is not pinned.

  bool held = true;     // By the sentry.
  size_t children = 0;  // Nodes whose directory this is; they keep it.

  bool IsDirectory() const { return type == S_IFDIR; }
  bool IsRegular() const { return type == S_IFREG; }
};

class NodeTable {
 public:
  // A request takes at most four Fd() calls of two new descriptors each, and one for itself.
  static constexpr size_t kFewestDescriptors = 32;

  NodeTable(size_t most_nodes, size_t most_descriptors);

  Node* AddRoot(uint32_t attach_point, bool read_only, OwnedFd fd, const HostStat& stat);
  // A file just found or made as `name` in `directory`. `fd` may be invalid: opened when needed.
  // ENFILE when the table is full.
  Result<Node*> Add(Node* directory, std::string_view name, const HostStat& stat, OwnedFd fd);
  // A file that has no name. ENFILE also when too many are pinned.
  Result<Node*> AddNameless(const Node& directory, const HostStat& stat, OwnedFd fd);

  // ESTALE: no such handle.
  Result<Node*> Find(uint64_t handle);
  void Release(uint64_t handle);

  // Its O_PATH descriptor. ESTALE when it is no longer where it was.
  Result<int> Fd(Node* node);

  // Before `node` loses its name: keeps its descriptor as long as the node lives, if possible.
  void Pin(Node* node);
  // After that: `node`, if it was known as `name` in `directory`, has no name any more.
  void Forget(Node* node, const Node* directory, std::string_view name);
  // `node` is now also, or only, `name` in `directory`.
  void Relocate(Node* node, Node* directory, std::string_view name);

  size_t size() const { return nodes_.size(); }
  size_t open_descriptors() const { return recent_.size() + pinned_; }

 private:
  Result<Node*> Insert(std::unique_ptr<Node> node);
  void Cache(Node* node, OwnedFd fd);
  void MakeRoom();
  void Unpin(Node* node);
  void SetDirectory(Node* node, Node* directory, std::string_view name);
  void DropUnused(Node* node);
  // Whether `ancestor` is `node` or above it; true also when that cannot be told.
  bool MayContain(const Node* ancestor, const Node* node) const;
  Result<OwnedFd> OpenChecked(int directory_fd, const Node& node);

  const size_t most_nodes_;
  const size_t most_descriptors_;
  uint64_t last_handle_ = 0;
  absl::flat_hash_map<uint64_t, std::unique_ptr<Node>> nodes_;
  std::list<Node*> recent_;  // Nodes with a descriptor that may be closed, latest first.
  size_t pinned_ = 0;
};

}  // namespace redoubt::gofer

#endif  // GOFER_SERVER_NODE_TABLE_H_
