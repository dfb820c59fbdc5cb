// SPDX-License-Identifier: Apache-2.0
#include "sentry/ipc/shared_memory.h"

#include <utility>

#include "sentry/vfs/attributes.h"

namespace redoubt::ipc {

Segment::Segment(int32_t key, const vfs::Caller& creator, uint32_t mode, uint64_t size, int pid,
                 RefPtr<vfs::FileDescription> file)
    : Object(key, creator, mode),
      size_(size),
      creator_pid_(pid),
      file_(std::move(file)),
      change_time_(vfs::Now().seconds) {}

int Segment::attached() {
  MutexLock lock(&mu_);
  return attached_;
}

void Segment::Attached(int pid) {
  MutexLock lock(&mu_);
  ++attached_;
  last_pid_ = pid;
  attach_time_ = vfs::Now().seconds;
}

bool Segment::Detached(int pid) {
  MutexLock lock(&mu_);
  --attached_;
  last_pid_ = pid;
  detach_time_ = vfs::Now().seconds;
  return doomed_ && attached_ == 0;
}

bool Segment::MarkForRemoval() {
  AddModeBits(SHM_DEST);
  MutexLock lock(&mu_);
  doomed_ = true;
  return attached_ == 0;
}

void Segment::Changed() {
  MutexLock lock(&mu_);
  change_time_ = vfs::Now().seconds;
}

void Segment::DescribeSegment(shmid_ds& status) {
  Describe(status.shm_perm);
  MutexLock lock(&mu_);
  status.shm_segsz = size_;
  status.shm_atime = attach_time_;
  status.shm_dtime = detach_time_;
  status.shm_ctime = change_time_;
  status.shm_cpid = creator_pid_;
  status.shm_lpid = last_pid_;
  status.shm_nattch = static_cast<shmatt_t>(attached_);
}

SegmentAttachment::SegmentAttachment(Registry<Segment>& segments, RefPtr<Segment> segment, int pid)
    : segments_(segments), segment_(std::move(segment)), pid_(pid) {
  segment_->Attached(pid_);
}

SegmentAttachment::~SegmentAttachment() {
  if (segment_->Detached(pid_)) segments_.Remove(*segment_);
}

RefPtr<mm::Attachment> SegmentAttachment::ForFork() {
  return MakeRef<SegmentAttachment>(segments_, segment_, pid_);
}

}  // namespace redoubt::ipc
