// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/proc/threads.h"

#include <dirent.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sentry/fs/proc/task_entries.h"

namespace redoubt::proc {

namespace {

class ThreadsDirectory : public TaskInode {
 public:
  ThreadsDirectory(RefPtr<vfs::Superblock> superblock, uint64_t number, TaskId id)
      : TaskInode(std::move(superblock), S_IFDIR | 0555, number, id, Access::kAnyone) {}

  Result<vfs::Attributes> GetAttributes() override {
    vfs::Attributes attributes = TRY(TaskInode::GetAttributes());
    attributes.links = 2 + static_cast<uint32_t>(Threads().size());
    return attributes;
  }

  Result<RefPtr<vfs::Inode>> Lookup(std::string_view name) override {
    std::optional<int> tid = ParseNumber(name);
    if (!tid) return Errno(ENOENT);
    Result<RefPtr<kernel::Task>> task = id().kernel->tasks().Find(*tid);
    if (!task.ok() || !IsMember(**task)) return Errno(ENOENT);
    return RefPtr<vfs::Inode>(NewTaskDirectory(superblock(), TaskId::Of(**task, false)));
  }

  bool Revalidate(std::string_view name, vfs::Inode* child) override {
    if (child != nullptr) return static_cast<TaskInode*>(child)->id().Find().ok();
    std::optional<int> tid = ParseNumber(name);
    if (!tid) return true;
    Result<RefPtr<kernel::Task>> task = id().kernel->tasks().Find(*tid);
    return !task.ok() || !IsMember(**task);
  }

  Result<int64_t> ReadDirectory(int64_t offset, vfs::DirectorySink& sink) override {
    constexpr int64_t kFirst = 3;
    offset = std::max(offset, kFirst);
    std::vector<int> tids = Threads();
    if (tids.empty()) return Errno(ENOENT);
    for (int tid : tids) {
      if (kFirst + tid < offset) continue;
      std::string name = std::to_string(tid);
      TaskId thread{.tid = tid, .whole_process = false};
      vfs::DirectoryEntry entry{.name = name,
                                .inode_number = NumberSpace::Base(thread),
                                .type = DT_DIR,
                                .next_offset = kFirst + tid + 1};
      if (!sink.Add(entry)) return kFirst + tid;
      offset = kFirst + tid + 1;
    }
    return offset;
  }

 private:
  bool IsMember(const kernel::Task& task) const {
    return task.tgid() == id().tgid && task.group()->start_time_ns == id().start_time_ns;
  }

  // In ascending order; of a zombie its leader, which stays until it is reaped.
  std::vector<int> Threads() const {
    std::vector<int> tids;
    Result<RefPtr<kernel::Task>> task = id().Find();
    if (!task.ok()) return tids;
    RefPtr<kernel::ThreadGroup> group = (*task)->group();
    {
      MutexLock lock(&id().kernel->tasks().mu_);
      for (const RefPtr<kernel::Task>& member : group->tasks) tids.push_back(member->tid());
      if (group->leader) tids.push_back(group->leader->tid());
    }
    std::sort(tids.begin(), tids.end());
    tids.erase(std::unique(tids.begin(), tids.end()), tids.end());
    return tids;
  }
};

}  // namespace

RefPtr<TaskInode> MakeThreadsDirectory(const TaskEntry& entry, RefPtr<vfs::Superblock> superblock,
                                       uint64_t number, const TaskId& id) {
  return MakeRef<ThreadsDirectory>(std::move(superblock), number, id);
}

Result<std::string> Children(const Subject& subject) {
  std::string text;
  if (subject.task->tid() != subject.group->tgid()) return text;  // The leader stands for all.
  MutexLock lock(&subject.kernel.tasks().mu_);
  for (const RefPtr<kernel::ThreadGroup>& child : subject.group->children) {
    text += std::to_string(child->tgid()) + " ";
  }
  return text;
}

}  // namespace redoubt::proc
