// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/sys_shm.h"

#include <sys/mman.h>
#include <sys/shm.h>

#include "absl/strings/str_format.h"
#include "sentry/fs/tmpfs/memfd.h"
#include "sentry/ipc/shared_memory.h"
#include "sentry/kernel/kernel.h"
#include "sentry/syscalls/ipc_caller.h"

namespace redoubt::syscalls {

namespace {

using ipc::Segment;

Result<RefPtr<Segment>> MakeSegment(Task& task, const vfs::Caller& caller, int32_t key,
                                    uint64_t size, int32_t flags) {
  if (size == 0) return Errno(EINVAL);
  // The host's largest file.
  constexpr uint64_t kMost = uint64_t{1} << 46;
  if (size > kMost) return Errno(ENOMEM);
  RefPtr<vfs::FileDescription> file = TRY(tmpfs::CreateInternalFile(
      absl::StrFormat("/SYSV%08x (deleted)", static_cast<uint32_t>(key)), 0777, caller));
  vfs::AttributeChange change;
  change.size = mm::PageUp(size);
  TRY(file->SetAttributes(change));
  return MakeRef<Segment>(key, caller, static_cast<uint32_t>(flags), size, task.tgid(),
                          std::move(file));
}

struct ShmRequest {
  Task& task;
  int32_t id;
  int32_t command;
  uint64_t buffer;
  vfs::Caller caller;
};

// IPC_STAT finds by id, SHM_STAT by slot and gives the id.
SyscallResult Stat(const ShmRequest& request) {
  ipc::Registry<Segment>& segments = request.task.kernel().ipc().segments;
  bool by_slot = request.command != IPC_STAT;
  RefPtr<Segment> segment = TRY(by_slot ? segments.AtSlot(request.id) : segments.Find(request.id));
  if (request.command != SHM_STAT_ANY) {
    TRY(segment->CheckAccess(request.caller, ipc::kMayRead));
  }
  shmid_ds status{};
  segment->DescribeSegment(status);
  TRY(request.task.CopyOut(request.buffer, status));
  return by_slot ? static_cast<uint64_t>(segment->id()) : 0UL;
}

SyscallResult Info(const ShmRequest& request) {
  ipc::Registry<Segment>& segments = request.task.kernel().ipc().segments;
  shminfo info{};
  info.shmmax = ipc::kMaxSegmentBytes;
  info.shmmin = 1;
  info.shmmni = info.shmseg = ipc::kMaxSegments;
  info.shmall = ipc::kMaxSegmentPages;
  TRY(request.task.CopyOut(request.buffer, info));
  return static_cast<uint64_t>(segments.HighestSlot());
}

SyscallResult Usage(const ShmRequest& request) {
  ipc::Registry<Segment>& segments = request.task.kernel().ipc().segments;
  shm_info info{};
  for (const RefPtr<Segment>& segment : segments.List()) {
    ++info.used_ids;
    info.shm_tot += mm::PageUp(segment->size()) / mm::kPageSize;
    auto attributes = segment->file()->GetAttributes();
    if (attributes.ok()) info.shm_rss += attributes->blocks / 8;
  }
  TRY(request.task.CopyOut(request.buffer, info));
  return static_cast<uint64_t>(segments.HighestSlot());
}

SyscallResult Set(const ShmRequest& request) {
  shmid_ds status = TRY(request.task.CopyIn<shmid_ds>(request.buffer));
  RefPtr<Segment> segment = TRY(request.task.kernel().ipc().segments.Find(request.id));
  TRY(segment->CheckOwner(request.caller));
  segment->SetOwnership(status.shm_perm.uid, status.shm_perm.gid, status.shm_perm.mode);
  segment->Changed();
  return 0UL;
}

SyscallResult Remove(const ShmRequest& request) {
  ipc::Registry<Segment>& segments = request.task.kernel().ipc().segments;
  RefPtr<Segment> segment = TRY(segments.Find(request.id));
  TRY(segment->CheckOwner(request.caller));
  if (segment->MarkForRemoval()) {
    segments.Remove(*segment);
  } else {
    segments.HideKey(*segment);
  }
  return 0UL;
}

// SHM_LOCK, SHM_UNLOCK: there is no swap to keep it from.
SyscallResult Lock(const ShmRequest& request) {
  RefPtr<Segment> segment = TRY(request.task.kernel().ipc().segments.Find(request.id));
  if (!request.caller.HasCapability(CAP_IPC_LOCK)) {
    if (!segment->CheckOwner(request.caller).ok()) return Errno(EPERM);
    uint64_t limit = request.task.group()->limit(RLIMIT_MEMLOCK).current;
    if (request.command == SHM_LOCK && limit == 0) return Errno(EPERM);
  }
  return 0UL;
}

}  // namespace

SyscallResult SysShmget(Task& task, int32_t key, uint64_t size, int32_t flags) {
  vfs::Caller caller = IpcCaller(task);
  if ((flags & SHM_HUGETLB) != 0) return Errno(ENOMEM);  // No huge pages are reserved.
  auto check = [&](Segment& segment) -> Result<void> {
    if (segment.size() < size) return Errno(EINVAL);
    return {};
  };
  auto make = [&] { return MakeSegment(task, caller, key, size, flags); };
  int id = TRY(task.kernel().ipc().segments.Get(caller, key, flags, check, make));
  return static_cast<uint64_t>(id);
}

SyscallResult SysShmat(Task& task, int32_t id, UserAddress user_address, int32_t flags) {
  ipc::Registry<Segment>& segments = task.kernel().ipc().segments;
  uint64_t address = user_address.address();
  if (id < 0) return Errno(EINVAL);
  if (address % SHMLBA != 0) {
    if ((flags & SHM_RND) == 0) return Errno(EINVAL);
    address -= address % SHMLBA;
  }
  if (address == 0 && (flags & SHM_REMAP) != 0) return Errno(EINVAL);
  mm::MapRequest request;
  request.protection = PROT_READ;
  uint32_t may = ipc::kMayRead;
  if ((flags & SHM_RDONLY) == 0) {
    request.protection |= PROT_WRITE;
    may |= ipc::kMayWrite;
  }
  if ((flags & SHM_EXEC) != 0) {
    request.protection |= PROT_EXEC;
    may |= 1;
  }
  RefPtr<Segment> segment = TRY(segments.Find(id));
  TRY(segment->CheckAccess(IpcCaller(task), may));
  if (!task.memory()->HasRoomForAttachment()) return Errno(ENOMEM);
  request.address = address;
  request.length = segment->size();
  request.flags = MAP_SHARED;
  if (address != 0) {
    request.flags |= (flags & SHM_REMAP) != 0 ? MAP_FIXED : MAP_FIXED_NOREPLACE;
  }
  request.file = segment->file();
  // Counted before it is mapped, so that a removal meanwhile waits.
  auto attachment = MakeRef<ipc::SegmentAttachment>(segments, segment, task.tgid());
  SyscallResult mapped = task.memory()->Map(task.context(), request);
  if (mapped.Is(EEXIST)) return Errno(EINVAL);
  uint64_t place = TRY(mapped);
  task.memory()->AddAttachment(place, mm::PageUp(segment->size()), std::move(attachment));
  return place;
}

SyscallResult SysShmdt(Task& task, UserAddress address) {
  if (address.address() % mm::kPageSize != 0) return Errno(EINVAL);
  auto found = task.memory()->FindAttachment(address.address());
  if (dynamic_cast<ipc::SegmentAttachment*>(found.attachment.get()) == nullptr) {
    return Errno(EINVAL);
  }
  auto taken = task.memory()->TakeAttachment(address.address());
  if (!taken.attachment) return Errno(EINVAL);
  TRY(task.memory()->Unmap(task.context(), address.address(), taken.length));
  return 0UL;
}

SyscallResult SysShmctl(Task& task, int32_t id, int32_t command, UserAddress buffer) {
  if (command < 0 || id < 0) return Errno(EINVAL);
  ShmRequest request{.task = task,
                     .id = id,
                     .command = command & ~kIpc64,
                     .buffer = buffer.address(),
                     .caller = IpcCaller(task)};
  switch (request.command) {
    case IPC_INFO:
      return Info(request);
    case SHM_INFO:
      return Usage(request);
    case IPC_STAT:
    case SHM_STAT:
    case SHM_STAT_ANY:
      return Stat(request);
    case IPC_SET:
      return Set(request);
    case IPC_RMID:
      return Remove(request);
    case SHM_LOCK:
    case SHM_UNLOCK:
      return Lock(request);
    default:
      return Errno(EINVAL);
  }
}

}  // namespace redoubt::syscalls
