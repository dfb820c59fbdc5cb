// SPDX-License-Identifier: Apache-2.0
//
// System V shared memory (shmget(2), Linux's ipc/shm.c). A segment is an internal file that guests
// map natively; each attachment is kept by the address space it is in (mm::Attachment), so that
// fork, exec and exit count by themselves.
#ifndef SENTRY_IPC_SHARED_MEMORY_H_
#define SENTRY_IPC_SHARED_MEMORY_H_

#include <sys/shm.h>

#include "sentry/ipc/object.h"
#include "sentry/mm/memory_map.h"
#include "sentry/vfs/file_description.h"

namespace redoubt::ipc {

inline constexpr int kMaxSegments = 4096;                              // SHMMNI
inline constexpr uint64_t kMaxSegmentBytes = 18446744073692774399ULL;  // SHMMAX
inline constexpr uint64_t kMaxSegmentPages = 18446744073692774399ULL;  // SHMALL

// References are held by the registry, by attachments and by calls.
class Segment : public Object, public RefCounted<Segment> {
 public:
  Segment(int32_t key, const vfs::Caller& creator, uint32_t mode, uint64_t size, int pid,
          RefPtr<vfs::FileDescription> file);

  uint64_t size() const { return size_; }
  const RefPtr<vfs::FileDescription>& file() const { return file_; }
  int attached();
  void Attached(int pid);
  // True when it was the last one of a segment that is to go.
  bool Detached(int pid);
  // IPC_RMID: true when nobody has it attached, so that it goes at once.
  bool MarkForRemoval();
  void Changed();
  void DescribeSegment(struct shmid_ds& status);

 private:
  const uint64_t size_;
  const int creator_pid_;
  const RefPtr<vfs::FileDescription> file_;
  Mutex<LockRank::kLeaf> mu_;
  int attached_ ABSL_GUARDED_BY(mu_) = 0;
  bool doomed_ ABSL_GUARDED_BY(mu_) = false;
  int last_pid_ ABSL_GUARDED_BY(mu_) = 0;
  int64_t attach_time_ ABSL_GUARDED_BY(mu_) = 0, detach_time_ ABSL_GUARDED_BY(mu_) = 0;
  int64_t change_time_ ABSL_GUARDED_BY(mu_);
};

// One shmat(2), in one address space.
class SegmentAttachment : public mm::Attachment {
 public:
  SegmentAttachment(Registry<Segment>& segments, RefPtr<Segment> segment, int pid);
  ~SegmentAttachment() override;
  RefPtr<mm::Attachment> ForFork() override;

 private:
  Registry<Segment>& segments_;
  const RefPtr<Segment> segment_;
  const int pid_;
};

}  // namespace redoubt::ipc

#endif  // SENTRY_IPC_SHARED_MEMORY_H_
