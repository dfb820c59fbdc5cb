// SPDX-License-Identifier: Apache-2.0
//
// fanotify(7), notification class: a group hears what is done through open files, by marks on
// files, directories, mounts and whole file systems, and read(2) opens the file that each event is
// about. Linux: fs/notify/fanotify.
//
//   RefPtr<FanotifyFile> file = FanotifyFile::Create({...});
//   TRY(file->group().AddMark(FanotifyGroup::Target::Of(kind, place), mask, ignored));
//
// It hears the VFS as a vfs::FileListener. Files that it opens itself tell nobody.
#ifndef SENTRY_SYSCALLS_FANOTIFY_GROUP_H_
#define SENTRY_SYSCALLS_FANOTIFY_GROUP_H_

#include <sys/fanotify.h>

#include <deque>
#include <map>
#include <utility>

#include "base/sync/mutex.h"
#include "base/sync/wait_queue.h"
#include "sentry/vfs/file_description.h"
#include "sentry/vfs/notify.h"

namespace redoubt::syscalls {

// References are held by the open file and by the VFS's list of listeners.
class FanotifyGroup final : public vfs::FileListener {
 public:
  struct Options {
    uint32_t file_flags = 0;     // Of the files that read(2) opens.
    bool close_on_exec = false;  // The same.
    bool unlimited_queue = false;
    bool unlimited_marks = false;
    bool report_tid = false;
  };
  enum class Kind : uint8_t { kInode, kMount, kFilesystem };
  // What a mark hangs on: an inode, a mount's id or a superblock, as a number, and what keeps that
  // number from meaning something else. (A mount's id is never given again; a reference would make
  // the mount busy.)
  struct Target {
    Kind kind;
    uint64_t number;
    RefPtr<vfs::Dentry> dentry;
    RefPtr<vfs::Superblock> superblock;
    static Target Of(Kind kind, const vfs::Path& place);
  };

  explicit FanotifyGroup(const Options& options) : options_(options) {}

  // ENOSPC for too many. `ignored`: the mask is of events not to be told; `survives`: also after a
  // change (FAN_MARK_IGNORED_SURV_MODIFY).
  Result<void> AddMark(const Target& target, uint64_t mask, bool ignored, bool survives);
  // ENOENT when there is none.
  Result<void> RemoveMark(const Target& target, uint64_t mask, bool ignored);
  void RemoveAll(Kind kind);

  void OnFileEvent(vfs::FileDescription& file, uint32_t mask) override;

  bool HasEvents();
  // Whole events; EAGAIN, EINVAL when the first one does not fit. Opens files in the current task.
  Result<size_t> Read(std::span<std::byte> buffer);
  WaitQueue& wait_queue() { return wait_queue_; }

 private:
  struct Mark {
    uint64_t mask = 0;
    uint64_t ignored = 0;
    bool survives = false;
    RefPtr<vfs::Dentry> dentry;
    RefPtr<vfs::Superblock> superblock;
  };
  struct Event {
    uint64_t mask = 0;
    vfs::Path path;  // Not valid: events were lost.
    int pid = 0;
  };
  using Key = std::pair<Kind, uint64_t>;

  // Which bits of `event` the marks want.
  uint64_t WantedLocked(const vfs::FileDescription& file, const vfs::Inode* directory,
                        uint64_t event) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool MergeLocked(const Event& event) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  Result<int> OpenFor(const Event& event) const;

  const Options options_;
  WaitQueue wait_queue_;
  Mutex<LockRank::kPipe> mu_;
  std::map<Key, Mark> marks_ ABSL_GUARDED_BY(mu_);
  std::deque<Event> events_ ABSL_GUARDED_BY(mu_);
};

class FanotifyFile final : public vfs::FileDescription {
 public:
  static RefPtr<FanotifyFile> Create(const FanotifyGroup::Options& options, uint32_t flags);
  FanotifyFile(vfs::Path path, uint32_t flags, RefPtr<FanotifyGroup> group);
  ~FanotifyFile() override;

  FanotifyGroup& group() { return *group_; }
  Result<size_t> Read(std::span<std::byte> buffer) override { return group_->Read(buffer); }
  // Answers to permission events, of which there are none.
  Result<size_t> Write(std::span<const std::byte>, const vfs::Caller&) override {
    return Errno(EINVAL);
  }
  EventMask Readiness(EventMask mask) override;
  WaitQueue* wait_queue() override { return &group_->wait_queue(); }

 private:
  const RefPtr<FanotifyGroup> group_;
};

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_FANOTIFY_GROUP_H_
