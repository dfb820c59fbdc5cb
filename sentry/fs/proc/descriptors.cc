// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/proc/descriptors.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_format.h"
#include "sentry/fs/proc/task_entries.h"
#include "sentry/vfs/path_walk.h"

namespace redoubt::proc {

namespace {

// The open file itself may be dropped by whoever gets it, so never under a tree's lock.
Result<RefPtr<vfs::FileDescription>> FindFile(const TaskId& id, int fd) {
  RefPtr<kernel::Task> task = TRY(id.Find());
  RefPtr<kernel::FdTable> table = task->fd_table();
  if (!table) return Errno(ENOENT);
  Result<RefPtr<vfs::FileDescription>> file = table->Get(fd);
  if (!file.ok()) return Errno(ENOENT);
  return file;
}

// May be asked under a tree's lock.
Result<bool> IsCloseOnExec(const TaskId& id, int fd) {
  RefPtr<kernel::Task> task = TRY(id.Find());
  RefPtr<kernel::FdTable> table = task->fd_table();
  if (!table) return Errno(ENOENT);
  return table->GetCloseOnExec(fd);
}

// /proc/PID/fd/N.
class FdLink : public TaskInode {
 public:
  FdLink(RefPtr<vfs::Superblock> superblock, uint64_t number, TaskId id, int fd)
      : TaskInode(std::move(superblock), S_IFLNK | 0700, number, id, Access::kAnyone), fd_(fd) {}

  // Its mode tells how the file is open.
  Result<vfs::Attributes> GetAttributes() override {
    vfs::Attributes attributes = TRY(TaskInode::GetAttributes());
    attributes.size = 64;
    Result<RefPtr<vfs::FileDescription>> file = FindFile(id(), fd_);
    if (!file.ok()) return attributes;
    attributes.mode = S_IFLNK | 0100;
    if ((*file)->readable()) attributes.mode |= 0400;
    if ((*file)->writable()) attributes.mode |= 0200;
    return attributes;
  }
  Result<std::string> ReadLinkFor(const vfs::Caller& caller) override {
    return vfs::PathText(caller, TRY(FollowMagicLink(caller)));
  }
  bool IsMagicLink() const override { return true; }
  Result<vfs::Path> FollowMagicLink(const vfs::Caller& caller) override {
    TRY(Inspect(caller));
    RefPtr<vfs::FileDescription> file = TRY(FindFile(id(), fd_));
    return file->path();
  }

 private:
  const int fd_;
};

std::string FdinfoText(vfs::FileDescription& file, bool close_on_exec) {
  uint32_t flags = file.flags() | (close_on_exec ? O_CLOEXEC : 0);
  Result<vfs::Attributes> attributes = file.GetAttributes();
  return absl::StrFormat("pos:\t%d\nflags:\t0%o\nmnt_id:\t%d\nino:\t%d\n",
                         file.Seek(0, SEEK_CUR).value_or(0), flags, file.path().mount->id(),
                         attributes.ok() ? attributes->inode_number : 0) +
         file.DescribeState();
}

// /proc/PID/fdinfo/N. The text is made when it is opened: a read holds the lock of its own open
// file, and must not take the lock of the one it tells about.
class FdinfoFile : public TaskInode {
 public:
  FdinfoFile(RefPtr<vfs::Superblock> superblock, uint64_t number, TaskId id, int fd)
      : TaskInode(std::move(superblock), S_IFREG | 0444, number, id, Access::kInspectors),
        fd_(fd) {}
  Result<RefPtr<vfs::FileDescription>> Open(const vfs::Path& path, uint32_t flags,
                                            const vfs::Caller& caller) override {
    RefPtr<vfs::FileDescription> file = TRY(FindFile(id(), fd_));
    bool close_on_exec = IsCloseOnExec(id(), fd_).value_or(false);
    auto read = [text = FdinfoText(*file, close_on_exec)]() -> Result<std::string> { return text; };
    return MakeRef<fs::TextFile>(path, flags, std::move(read), nullptr);
  }

 private:
  const int fd_;
};

class FdDirectory : public TaskInode {
 public:
  FdDirectory(RefPtr<vfs::Superblock> superblock, uint64_t number, TaskId id, bool info)
      : TaskInode(std::move(superblock), S_IFDIR | (info ? 0555 : 0500), number, id,
                  info ? Access::kInspectors : Access::kAnyone),
        info_(info) {}

  // A process sees its own files even after it gave up its user id.
  bool AllowsDespiteMode(const vfs::Caller& caller) override { return caller.tgid == id().tgid; }

  Result<RefPtr<vfs::Inode>> Lookup(std::string_view name) override {
    std::optional<int> fd = ParseNumber(name);
    if (!fd || !IsCloseOnExec(id(), *fd).ok()) return Errno(ENOENT);
    uint64_t number = Number(*fd);
    if (info_) return RefPtr<vfs::Inode>(MakeRef<FdinfoFile>(superblock(), number, id(), *fd));
    return RefPtr<vfs::Inode>(MakeRef<FdLink>(superblock(), number, id(), *fd));
  }

  bool Revalidate(std::string_view name, vfs::Inode* child) override {
    std::optional<int> fd = ParseNumber(name);
    if (!fd) return true;
    return IsCloseOnExec(id(), *fd).ok() == (child != nullptr);
  }

  Result<int64_t> ReadDirectory(int64_t offset, vfs::DirectorySink& sink) override {
    constexpr int64_t kFirst = 3;
    Result<RefPtr<kernel::Task>> task = id().Find();
    if (!task.ok()) return Errno(ENOENT);
    RefPtr<kernel::FdTable> table = (*task)->fd_table();
    std::vector<int> open;
    if (table) open = table->List();
    offset = std::max(offset, kFirst);
    auto fd = std::lower_bound(open.begin(), open.end(), offset - kFirst);
    for (; fd != open.end(); ++fd) {
      std::string name = std::to_string(*fd);
      vfs::DirectoryEntry entry{.name = name,
                                .inode_number = Number(*fd),
                                .type = static_cast<uint8_t>(info_ ? DT_REG : DT_LNK),
                                .next_offset = kFirst + *fd + 1};
      if (!sink.Add(entry)) return kFirst + *fd;
      offset = kFirst + *fd + 1;
    }
    return offset;
  }

 private:
  uint64_t Number(int fd) const {
    uint64_t space = info_ ? NumberSpace::kFdinfo : NumberSpace::kFd;
    return NumberSpace::Base(id()) + space + static_cast<uint64_t>(fd);
  }

  const bool info_;
};

}  // namespace

RefPtr<TaskInode> MakeFdDirectory(const TaskEntry& entry, RefPtr<vfs::Superblock> superblock,
                                  uint64_t number, const TaskId& id) {
  return MakeRef<FdDirectory>(std::move(superblock), number, id, false);
}

RefPtr<TaskInode> MakeFdinfoDirectory(const TaskEntry& entry, RefPtr<vfs::Superblock> superblock,
                                      uint64_t number, const TaskId& id) {
  return MakeRef<FdDirectory>(std::move(superblock), number, id, true);
}

}  // namespace redoubt::proc
