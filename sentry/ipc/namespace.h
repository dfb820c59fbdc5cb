// SPDX-License-Identifier: Apache-2.0
//
// IpcNamespace: the System V objects and POSIX message queues that a set of tasks shares
// (ipc_namespaces(7)).
#ifndef SENTRY_IPC_NAMESPACE_H_
#define SENTRY_IPC_NAMESPACE_H_

#include "sentry/ipc/message_queue.h"
#include "sentry/ipc/semaphore.h"
#include "sentry/ipc/shared_memory.h"
#include "sentry/vfs/mount.h"

namespace redoubt::ipc {

// Outlives all tasks and address spaces of the sandbox.
struct IpcNamespace {
  Registry<Segment> segments{kMaxSegments};
  Registry<SemaphoreSet> semaphores{kMaxSemaphoreSets};
  Registry<MessageQueue> queues{kMaxMessageQueues};
  // Where mq_open(2) finds its names: fs/mqueue makes it at the first use.
  RefPtr<vfs::Mount> message_queue_mount;
};

}  // namespace redoubt::ipc

#endif  // SENTRY_IPC_NAMESPACE_H_
