// SPDX-License-Identifier: Apache-2.0
//
// The inodes below /proc/PID, driven by a table (task_entries.cc):
//
//   TextEntry("status", 0444, Access::kAnyone, &Status),
//   LinkEntry("exe", &Executable),
//   DirectoryEntry("net", 0555, kNetEntries),
//
// Each belongs to the effective user and group of its process, or to root when that is not
// dumpable.
#ifndef SENTRY_FS_PROC_TASK_INODE_H_
#define SENTRY_FS_PROC_TASK_INODE_H_

#include <span>
#include <string>
#include <string_view>

#include "sentry/fs/proc/subject.h"
#include "sentry/fs/text_tree/text_tree.h"
#include "sentry/vfs/path.h"

namespace redoubt::proc {

// Who may open a file or follow a link: kAnyone that the mode lets in, or whoever may inspect the
// process (see CheckInspection).
enum class Access : uint8_t { kAnyone, kInspectors };

// Where an entry is: in /proc/PID, in /proc/PID/task/TID, or in both.
enum class Level : uint8_t { kBoth, kProcess, kThread };

using TaskText = Result<std::string> (*)(const Subject& subject);
using TaskWrite = Result<void> (*)(const Subject& subject, std::string_view text,
                                   const vfs::Caller& caller);
// Where a magic link leads. ENOENT when nowhere (a zombie's exe).
using TaskPlace = Result<vfs::Path> (*)(const Subject& subject);

// How inode numbers are made, the same for the same file each time: task and level in the upper
// half; in the lower one the way of table indexes (a byte each) or a descriptor.
struct NumberSpace {
  static uint64_t Base(const TaskId& id) {
    return (static_cast<uint64_t>(id.tid) << 1 | (id.whole_process ? 1 : 0)) << 32;
  }
  // Of the entry `index` of a table directory.
  static uint64_t Child(uint64_t directory, size_t index) {
    uint64_t way = directory & 0xff'ffff;
    return (directory >> 32 << 32) + (way << 8) + 1 + index;
  }
  static constexpr uint64_t kFd = uint64_t{1} << 30;      // Plus the descriptor.
  static constexpr uint64_t kFdinfo = uint64_t{2} << 30;  // Plus the descriptor.
};

class TaskInode : public fs::TreeInode {
 public:
  TaskInode(RefPtr<vfs::Superblock> superblock, uint32_t mode, uint64_t number, TaskId id,
            Access access);
  const TaskId& id() const { return id_; }
  Result<vfs::Attributes> GetAttributes() override;
  Result<void> CheckAccess(const vfs::Caller& caller, uint32_t may) override;

 protected:
  // The task and its process, for one question of `caller`'s: EACCES, ESRCH.
  Result<Subject> Inspect(const vfs::Caller& caller);

 private:
  const TaskId id_;
  const Access access_;
};

class TaskTextInode : public TaskInode {
 public:
  TaskTextInode(RefPtr<vfs::Superblock> superblock, uint32_t permissions, uint64_t number,
                TaskId id, Access access, TaskText read, TaskWrite write);
  Result<RefPtr<vfs::FileDescription>> Open(const vfs::Path& path, uint32_t flags,
                                            const vfs::Caller& caller) override;

 private:
  const TaskText read_;
  const TaskWrite write_;  // May be null.
};

// A magic link.
class TaskLinkInode : public TaskInode {
 public:
  TaskLinkInode(RefPtr<vfs::Superblock> superblock, uint64_t number, TaskId id, TaskPlace place);
  Result<std::string> ReadLinkFor(const vfs::Caller& caller) override;
  bool IsMagicLink() const override { return true; }
  Result<vfs::Path> FollowMagicLink(const vfs::Caller& caller) override;

 private:
  const TaskPlace place_;
};

struct TaskEntry;

// A directory with the entries of a table.
class TaskDirectory : public TaskInode {
 public:
  TaskDirectory(RefPtr<vfs::Superblock> superblock, uint32_t permissions, uint64_t number,
                TaskId id, std::span<const TaskEntry> entries, Access access = Access::kAnyone);
  Result<RefPtr<vfs::Inode>> Lookup(std::string_view name) override;
  bool Revalidate(std::string_view name, vfs::Inode* child) override;
  Result<int64_t> ReadDirectory(int64_t offset, vfs::DirectorySink& sink) override;

 private:
  const std::span<const TaskEntry> entries_;
};

// One line of a table. `make` builds the inode; the other fields are what it needs.
struct TaskEntry {
  using Make = RefPtr<TaskInode> (*)(const TaskEntry& entry, RefPtr<vfs::Superblock> superblock,
                                     uint64_t number, const TaskId& id);
  std::string_view name;
  uint32_t mode = 0;  // With type.
  Make make = nullptr;
  Level level = Level::kBoth;
  Access access = Access::kAnyone;
  TaskText read = nullptr;
  TaskWrite write = nullptr;
  TaskPlace place = nullptr;
  std::span<const TaskEntry> entries = {};
};

// What the lines of the tables make.
RefPtr<TaskInode> MakeText(const TaskEntry& entry, RefPtr<vfs::Superblock> superblock,
                           uint64_t number, const TaskId& id);
RefPtr<TaskInode> MakeLink(const TaskEntry& entry, RefPtr<vfs::Superblock> superblock,
                           uint64_t number, const TaskId& id);
RefPtr<TaskInode> MakeDirectory(const TaskEntry& entry, RefPtr<vfs::Superblock> superblock,
                                uint64_t number, const TaskId& id);

// The lines of the tables.
constexpr TaskEntry TextEntry(std::string_view name, uint32_t permissions, Access access,
                              TaskText read, TaskWrite write = nullptr,
                              Level level = Level::kBoth) {
  return {.name = name,
          .mode = S_IFREG | permissions,
          .make = &MakeText,
          .level = level,
          .access = access,
          .read = read,
          .write = write};
}
constexpr TaskEntry LinkEntry(std::string_view name, TaskPlace place) {
  return {.name = name, .mode = S_IFLNK | 0777, .make = &MakeLink, .place = place};
}
constexpr TaskEntry DirectoryEntry(std::string_view name, uint32_t permissions,
                                   std::span<const TaskEntry> entries) {
  return {.name = name, .mode = S_IFDIR | permissions, .make = &MakeDirectory, .entries = entries};
}
// A directory of a class of its own.
constexpr TaskEntry SpecialEntry(std::string_view name, uint32_t permissions, TaskEntry::Make make,
                                 Level level = Level::kBoth) {
  return {.name = name, .mode = S_IFDIR | permissions, .make = make, .level = level};
}

}  // namespace redoubt::proc

#endif  // SENTRY_FS_PROC_TASK_INODE_H_
