// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/proc/system_ipc.h"

#include "absl/strings/str_format.h"

namespace redoubt::proc {

Result<std::string> SharedMemorySegments(kernel::Kernel& kernel) {
  std::string text =
      "       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid "
      "     atime      dtime      ctime                   rss                  swap\n";
  for (const RefPtr<ipc::Segment>& segment : kernel.ipc().segments.List()) {
    shmid_ds status{};
    segment->DescribeSegment(status);
    auto attributes = segment->file()->GetAttributes();
    absl::StrAppendFormat(
        &text, "%10d %10d  %4o %21d %5d %5d  %5d %5d %5d %5d %5d %10d %10d %10d %21d %21d\n",
        status.shm_perm.__key, segment->id(), status.shm_perm.mode, status.shm_segsz,
        status.shm_cpid, status.shm_lpid, status.shm_nattch, status.shm_perm.uid,
        status.shm_perm.gid, status.shm_perm.cuid, status.shm_perm.cgid, status.shm_atime,
        status.shm_dtime, status.shm_ctime, attributes.ok() ? attributes->blocks * 512 : 0, 0);
  }
  return text;
}

Result<std::string> SemaphoreSets(kernel::Kernel& kernel) {
  std::string text =
      "       key      semid perms      nsems   uid   gid  cuid  cgid      otime      ctime\n";
  for (const RefPtr<ipc::SemaphoreSet>& set : kernel.ipc().semaphores.List()) {
    semid_ds status{};
    set->DescribeSet(status);
    absl::StrAppendFormat(&text, "%10d %10d  %4o %10d %5d %5d %5d %5d %10d %10d\n",
                          status.sem_perm.__key, set->id(), status.sem_perm.mode, set->count(),
                          status.sem_perm.uid, status.sem_perm.gid, status.sem_perm.cuid,
                          status.sem_perm.cgid, status.sem_otime, status.sem_ctime);
  }
  return text;
}

Result<std::string> MessageQueues(kernel::Kernel& kernel) {
  std::string text =
      "       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid  cgid      "
      "stime      rtime      ctime\n";
  for (const RefPtr<ipc::MessageQueue>& queue : kernel.ipc().queues.List()) {
    msqid_ds status{};
    queue->DescribeQueue(status);
    absl::StrAppendFormat(&text,
                          "%10d %10d  %4o  %10d %10d %5d %5d %5d %5d %5d %5d %10d %10d %10d\n",
                          status.msg_perm.__key, queue->id(), status.msg_perm.mode,
                          status.__msg_cbytes, status.msg_qnum, status.msg_lspid, status.msg_lrpid,
                          status.msg_perm.uid, status.msg_perm.gid, status.msg_perm.cuid,
                          status.msg_perm.cgid, status.msg_stime, status.msg_rtime,
                          status.msg_ctime);
  }
  return text;
}

}  // namespace redoubt::proc
