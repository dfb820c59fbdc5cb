// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/proc/task_inode.h"

#include <dirent.h>

#include <algorithm>
#include <utility>

#include "sentry/vfs/path_walk.h"

namespace redoubt::proc {

namespace {

Result<Subject> Find(const TaskId& id) {
  RefPtr<kernel::Task> task = TRY(id.Find());
  RefPtr<kernel::ThreadGroup> group = task->group();
  return Subject{.kernel = *id.kernel,
                 .task = std::move(task),
                 .group = std::move(group),
                 .whole_process = id.whole_process};
}

bool IsAt(const TaskEntry& entry, const TaskId& id) {
  if (entry.level == Level::kBoth) return true;
  return (entry.level == Level::kProcess) == id.whole_process;
}

}  // namespace

TaskInode::TaskInode(RefPtr<vfs::Superblock> superblock, uint32_t mode, uint64_t number, TaskId id,
                     Access access)
    : TreeInode(std::move(superblock), mode, number), id_(id), access_(access) {}

Result<vfs::Attributes> TaskInode::GetAttributes() {
  vfs::Attributes attributes = TRY(TreeInode::GetAttributes());
  if (IsDirectory()) attributes.links = 2;
  // Of a process that is gone everything is root's.
  Result<RefPtr<kernel::Task>> task = id_.Find();
  if (!task.ok()) return attributes;
  // What may be listed by all says nothing that dumpability protects (task_dump_owner()).
  bool open_directory = IsDirectory() && (mode() & 0777) == 0555;
  if (open_directory || (*task)->group()->dumpable.load()) {
    RefPtr<kernel::Credentials> credentials = (*task)->credentials();
    attributes.uid = credentials->euid;
    attributes.gid = credentials->egid;
  }
  return attributes;
}

Result<void> TaskInode::CheckAccess(const vfs::Caller& caller, uint32_t may) {
  TRY(TreeInode::CheckAccess(caller, may));
  if (access_ == Access::kAnyone) return {};
  RefPtr<kernel::Task> task = TRY(id_.Find());
  return CheckInspection(caller, *task);
}

Result<Subject> TaskInode::Inspect(const vfs::Caller& caller) {
  Subject subject = TRY(Find(id_));
  TRY(CheckInspection(caller, *subject.task));
  return subject;
}

TaskTextInode::TaskTextInode(RefPtr<vfs::Superblock> superblock, uint32_t permissions,
                             uint64_t number, TaskId id, Access access, TaskText read,
                             TaskWrite write)
    : TaskInode(std::move(superblock), S_IFREG | permissions, number, id, access),
      read_(read),
      write_(write) {}

Result<RefPtr<vfs::FileDescription>> TaskTextInode::Open(const vfs::Path& path, uint32_t flags,
                                                         const vfs::Caller& caller) {
  bool may_inspect = Inspect(caller).ok();
  fs::ReadText read = [id = id(), read = read_, may_inspect]() -> Result<std::string> {
    Subject subject = TRY(Find(id));
    subject.may_inspect = may_inspect;
    return read(subject);
  };
  fs::WriteText write;
  if (write_ != nullptr) {
    write = [id = id(), write = write_](std::string_view text,
                                        const vfs::Caller& writer) -> Result<void> {
      Subject subject = TRY(Find(id));
      return write(subject, text, writer);
    };
  }
  return MakeRef<fs::TextFile>(path, flags, std::move(read), std::move(write));
}

TaskLinkInode::TaskLinkInode(RefPtr<vfs::Superblock> superblock, uint64_t number, TaskId id,
                             TaskPlace place)
    : TaskInode(std::move(superblock), S_IFLNK | 0777, number, id, Access::kAnyone),
      place_(place) {}

Result<std::string> TaskLinkInode::ReadLinkFor(const vfs::Caller& caller) {
  return vfs::PathText(caller, TRY(FollowMagicLink(caller)));
}

Result<vfs::Path> TaskLinkInode::FollowMagicLink(const vfs::Caller& caller) {
  Subject subject = TRY(Inspect(caller));
  return place_(subject);
}

TaskDirectory::TaskDirectory(RefPtr<vfs::Superblock> superblock, uint32_t permissions,
                             uint64_t number, TaskId id, std::span<const TaskEntry> entries,
                             Access access)
    : TaskInode(std::move(superblock), S_IFDIR | permissions, number, id, access),
      entries_(entries) {}

Result<RefPtr<vfs::Inode>> TaskDirectory::Lookup(std::string_view name) {
  if (!id().Find().ok()) return Errno(ENOENT);
  for (size_t i = 0; i < entries_.size(); ++i) {
    const TaskEntry& entry = entries_[i];
    if (entry.name != name || !IsAt(entry, id())) continue;
    uint64_t child = NumberSpace::Child(number(), i);
    return RefPtr<vfs::Inode>(entry.make(entry, superblock(), child, id()));
  }
  return Errno(ENOENT);
}

bool TaskDirectory::Revalidate(std::string_view name, vfs::Inode* child) {
  return child == nullptr || id().Find().ok();
}

Result<int64_t> TaskDirectory::ReadDirectory(int64_t offset, vfs::DirectorySink& sink) {
  if (!id().Find().ok()) return Errno(ENOENT);
  offset = std::max<int64_t>(offset, 3);
  for (; static_cast<size_t>(offset - 3) < entries_.size(); ++offset) {
    size_t index = static_cast<size_t>(offset - 3);
    const TaskEntry& entry = entries_[index];
    if (!IsAt(entry, id())) continue;
    vfs::DirectoryEntry found{.name = entry.name,
                              .inode_number = NumberSpace::Child(number(), index),
                              .type = static_cast<uint8_t>(IFTODT(entry.mode)),
                              .next_offset = offset + 1};
    if (!sink.Add(found)) break;
  }
  return offset;
}

RefPtr<TaskInode> MakeText(const TaskEntry& entry, RefPtr<vfs::Superblock> superblock,
                           uint64_t number, const TaskId& id) {
  return MakeRef<TaskTextInode>(std::move(superblock), entry.mode & 0777, number, id, entry.access,
                                entry.read, entry.write);
}

RefPtr<TaskInode> MakeLink(const TaskEntry& entry, RefPtr<vfs::Superblock> superblock,
                           uint64_t number, const TaskId& id) {
  return MakeRef<TaskLinkInode>(std::move(superblock), number, id, entry.place);
}

RefPtr<TaskInode> MakeDirectory(const TaskEntry& entry, RefPtr<vfs::Superblock> superblock,
                                uint64_t number, const TaskId& id) {
  return MakeRef<TaskDirectory>(std::move(superblock), entry.mode & 0777, number, id, entry.entries,
                                entry.access);
}

}  // namespace redoubt::proc
