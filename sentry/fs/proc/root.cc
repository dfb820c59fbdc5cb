// SPDX-License-Identifier: Apache-2.0
//
// The root directory: fixed entries, then processes in ascending order.
#include <dirent.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "sentry/fs/proc/procfs.h"
#include "sentry/fs/proc/system_files.h"
#include "sentry/fs/proc/task_entries.h"
#include "sentry/fs/proc/task_inode.h"

namespace redoubt::proc {

namespace {

constexpr uint64_t kProcMagic = 0x9fa0;
// Where processes begin among the directory's offsets; fixed entries are fewer.
constexpr int64_t kFirstProcess = 256;

// self and thread-self: ordinary symlinks whose text depends on the reader.
class SelfLink : public fs::TreeInode {
 public:
  SelfLink(RefPtr<vfs::Superblock> superblock, uint64_t number, bool thread)
      : TreeInode(std::move(superblock), S_IFLNK | 0777, number), thread_(thread) {}

  Result<std::string> ReadLink() override { return Errno(ENOENT); }  // Nobody's own.
  Result<std::string> ReadLinkFor(const vfs::Caller& caller) override {
    if (caller.tgid == 0) return Errno(ENOENT);
    std::string text = std::to_string(caller.tgid);
    if (thread_) text += "/task/" + std::to_string(caller.tid);
    return text;
  }

 private:
  const bool thread_;
};

class RootDirectory : public fs::TreeDirectory {
 public:
  RootDirectory(RefPtr<vfs::Superblock> superblock, kernel::Kernel& kernel)
      : TreeDirectory(std::move(superblock), 0555, fs::TextTree::kRootNumber), kernel_(kernel) {}

  Result<vfs::Attributes> GetAttributes() override {
    vfs::Attributes attributes = TRY(TreeDirectory::GetAttributes());
    attributes.links += static_cast<uint32_t>(kernel_.tasks().task_count());
    return attributes;
  }

  // Threads are found here too, although only processes are listed.
  Result<RefPtr<vfs::Inode>> Lookup(std::string_view name) override {
    std::optional<int> tid = ParseNumber(name);
    if (!tid) return TreeDirectory::Lookup(name);
    Result<RefPtr<kernel::Task>> task = kernel_.tasks().Find(*tid);
    if (!task.ok()) return Errno(ENOENT);
    return RefPtr<vfs::Inode>(NewTaskDirectory(superblock(), TaskId::Of(**task, true)));
  }

  bool Revalidate(std::string_view name, vfs::Inode* child) override {
    std::optional<int> tid = ParseNumber(name);
    if (!tid) return true;
    if (child == nullptr) return !kernel_.tasks().Find(*tid).ok();
    return static_cast<TaskInode*>(child)->id().Find().ok();
  }

  Result<int64_t> ReadDirectory(int64_t offset, vfs::DirectorySink& sink) override {
    if (offset < kFirstProcess) {
      offset = TRY(TreeDirectory::ReadDirectory(offset, sink));
      if (offset < EndOffset()) return offset;
      offset = kFirstProcess;
    }
    for (const RefPtr<kernel::ThreadGroup>& group : kernel_.tasks().Groups()) {
      int64_t here = kFirstProcess + group->tgid();
      if (here < offset) continue;
      std::string name = std::to_string(group->tgid());
      TaskId id{.tid = group->tgid()};
      vfs::DirectoryEntry entry{.name = name,
                                .inode_number = NumberSpace::Base(id),
                                .type = DT_DIR,
                                .next_offset = here + 1};
      if (!sink.Add(entry)) return here;
      offset = here + 1;
    }
    return offset;
  }

 private:
  kernel::Kernel& kernel_;
};

}  // namespace

RefPtr<vfs::Inode> NewRoot(kernel::Kernel& kernel) {
  auto superblock = MakeRef<fs::TreeSuperblock>("proc", kProcMagic, true);
  fs::TextTree tree(MakeRef<RootDirectory>(superblock, kernel));
  tree.AddInode("self", MakeRef<SelfLink>(superblock, tree.NextNumber(), false));
  tree.AddInode("thread-self", MakeRef<SelfLink>(superblock, tree.NextNumber(), true));
  AddSystemFiles(tree, kernel);
  return tree.root();
}

}  // namespace redoubt::proc
