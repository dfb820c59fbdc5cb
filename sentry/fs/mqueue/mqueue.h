// SPDX-License-Identifier: Apache-2.0
//
// POSIX message queues (mq_overview(7), Linux's ipc/mqueue.c): a file system whose files are
// queues. mq_open(2) looks a name up in its root; mounted on /dev/mqueue it can be listed.
//
//   RefPtr<vfs::Mount> mount = mqueue::MountIn(ipc.message_queue_mount);
//   QueueFile* file = mqueue::AsQueue(*description);            // Null: no queue.
//   TRY(file->queue().Send({.priority = 3, .text = "x"}));       // EAGAIN while full
//
// Nothing here blocks. A registration for mq_notify(2) is handed back to who sends the message that
// fires it: signals are the kernel's business.
#ifndef SENTRY_FS_MQUEUE_MQUEUE_H_
#define SENTRY_FS_MQUEUE_MQUEUE_H_

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>

#include "base/sync/wait_queue.h"
#include "sentry/vfs/file_description.h"
#include "sentry/vfs/inode.h"
#include "sentry/vfs/mount.h"

namespace redoubt::mqueue {

// /proc/sys/fs/mqueue.
inline constexpr int64_t kMaxMessages = 10, kDefaultMessages = 10;
inline constexpr int64_t kMaxMessageSize = 8192, kDefaultMessageSize = 8192;
inline constexpr int64_t kHardMaxMessages = 65536, kHardMaxMessageSize = 16 << 20;
inline constexpr size_t kMaxQueues = 256;
inline constexpr uint32_t kPriorities = 32768;

struct Message {
  uint32_t priority = 0;
  std::string text;
};

struct Limits {
  int64_t messages = kDefaultMessages;
  int64_t message_size = kDefaultMessageSize;
};

// Who wants to hear of a message in an empty queue.
struct Registration {
  int tgid = 0;
  int32_t signal = 0;  // 0: SIGEV_NONE.
  uint64_t value = 0;
};

class QueueInode : public vfs::Inode {
 public:
  QueueInode(RefPtr<vfs::Superblock> superblock, const vfs::CreateRequest& request,
             uint64_t number);
  ~QueueInode() override;

  Limits limits() const;
  // Before anybody uses it. EMFILE when all queues of its owner together could take more than
  // `most` bytes (RLIMIT_MSGQUEUE): that much is set aside until it goes, as on Linux.
  Result<void> SetLimits(const Limits& limits, uint64_t most);
  int64_t messages() const;

  // EAGAIN while it is full. What is to be told because of it, if anything.
  Result<std::optional<Registration>> Send(Message message);
  // The oldest of the highest priority; EAGAIN when it is empty.
  Result<Message> Receive();
  // A receiver that waits takes a message before a registration hears of it.
  void AddReceiver(int change);
  // EBUSY when another process has registered.
  Result<void> Register(const Registration& registration);
  void Unregister(int tgid);

  // "QSIZE:... NOTIFY:... SIGNO:... NOTIFY_PID:...", as reading the file shows it.
  std::string Describe() const;
  WaitQueue& wait_queue() { return wait_queue_; }
  EventMask Readiness() const;

  Result<vfs::Attributes> GetAttributes() override;
  Result<void> SetAttributes(const vfs::AttributeChange& change) override;
  Result<RefPtr<vfs::FileDescription>> Open(const vfs::Path& path, uint32_t flags,
                                            const vfs::Caller& caller) override;
  void DropName();

 private:
  const uint32_t owner_;   // Whose bytes they are: who made it.
  uint64_t reserved_ = 0;  // Set once, by SetLimits.
  WaitQueue wait_queue_;
  mutable Mutex<LockRank::kInode> mu_;
  vfs::Attributes attributes_ ABSL_GUARDED_BY(mu_);
  Limits limits_ ABSL_GUARDED_BY(mu_);
  std::map<uint32_t, std::deque<std::string>, std::greater<>> messages_ ABSL_GUARDED_BY(mu_);
  int64_t count_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t bytes_ ABSL_GUARDED_BY(mu_) = 0;
  int receivers_ ABSL_GUARDED_BY(mu_) = 0;
  std::optional<Registration> registration_ ABSL_GUARDED_BY(mu_);
};

// An open queue. read(2) gives its description, as a file's.
class QueueFile : public vfs::GeneratedFile {
 public:
  using GeneratedFile::GeneratedFile;
  QueueInode& queue() { return static_cast<QueueInode&>(*inode()); }
  EventMask Readiness(EventMask mask) override;
  WaitQueue* wait_queue() override { return &queue().wait_queue(); }
  void OnDescriptorClosed(int tgid) override;

 protected:
  Result<std::string> Generate() override { return queue().Describe(); }
};

// The open queue, or null.
QueueFile* AsQueue(vfs::FileDescription& file);

// The file system of queues that `slot` (an IPC namespace's) keeps; made, empty, when it has none
// yet. Any thread.
RefPtr<vfs::Mount> MountIn(RefPtr<vfs::Mount>& slot);
// Another mount of it.
RefPtr<vfs::Mount> MountAgain(RefPtr<vfs::Mount>& slot, unsigned long flags, std::string source);

}  // namespace redoubt::mqueue

#endif  // SENTRY_FS_MQUEUE_MQUEUE_H_
