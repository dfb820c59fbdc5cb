// SPDX-License-Identifier: Apache-2.0
#include "sentry/mm/memory_map.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "base/host/syscall.h"
#include "sentry/mm/host_maps.h"

namespace redoubt::mm {

namespace {

constexpr int kProtections = PROT_READ | PROT_WRITE | PROT_EXEC;
// <asm-generic/mman-common.h>; no effect on amd64.
constexpr int kProtectionSemaphore = 0x8;
// Flags of mmap(2) that reach the host. Others are refused or, being hints, dropped.
constexpr int kPassedFlags = MAP_SHARED | MAP_PRIVATE | MAP_FIXED | MAP_FIXED_NOREPLACE |
                             MAP_ANONYMOUS | MAP_32BIT | MAP_GROWSDOWN | MAP_NORESERVE |
                             MAP_POPULATE | MAP_NONBLOCK | MAP_STACK;
constexpr int kHintFlags = MAP_LOCKED | MAP_DENYWRITE | MAP_EXECUTABLE;

bool IsFixed(int flags) { return (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) != 0; }

}  // namespace

MemoryMap::MemoryMap(const MemoryPolicy& policy, RefPtr<platform::AddressSpace> space)
    : policy_(policy), space_(std::move(space)) {}

MemoryMap::~MemoryMap() = default;

RefPtr<MemoryMap> MemoryMap::Fork(RefPtr<platform::AddressSpace> space) const {
  auto copy = MakeRef<MemoryMap>(policy_, std::move(space));
  CopyTo(*copy);
  return copy;
}

// `copy` is new: nobody else can see it yet, so its lock is not needed.
void MemoryMap::CopyTo(MemoryMap& copy) const ABSL_NO_THREAD_SAFETY_ANALYSIS {
  MutexLock lock(&mu_);
  copy.break_start_ = break_start_;
  copy.break_end_ = break_end_;
  copy.layout_ = layout_;
  copy.executable_ = executable_;
  copy.mapped_files_ = mapped_files_;
  for (const auto& [address, attached] : attachments_) {
    RefPtr<Attachment> forked = attached.attachment->ForFork();
    if (forked) copy.attachments_[address] = {attached.length, std::move(forked)};
  }
}

SyscallResult MemoryMap::Map(platform::Context& context, const MapRequest& request) {
  if (request.length == 0) return Errno(EINVAL);
  uint64_t length = PageUp(request.length);
  if (length == 0 || length > policy_.guest_range.end) return Errno(ENOMEM);
  if (request.offset % kPageSize != 0) return Errno(EINVAL);
  if (request.offset + length < request.offset) return Errno(EOVERFLOW);
  int type = request.flags & MAP_TYPE;
  bool shared = type == MAP_SHARED || type == MAP_SHARED_VALIDATE;
  if (!shared && type != MAP_PRIVATE) return Errno(EINVAL);
  int known = kPassedFlags | kHintFlags | MAP_TYPE;
  if (type == MAP_SHARED_VALIDATE && (request.flags & ~known) != 0) return Errno(EOPNOTSUPP);
  if ((request.flags & MAP_HUGETLB) != 0) return Errno(ENOMEM);  // No huge pages are reserved.
  int flags = (request.flags & kPassedFlags & ~MAP_TYPE) | (shared ? MAP_SHARED : MAP_PRIVATE);
  int protection = request.protection & kProtections;

  uint64_t address = request.address;
  if (IsFixed(flags)) {
    if (address % kPageSize != 0) return Errno(EINVAL);
    if (address > policy_.guest_range.end - length) return Errno(ENOMEM);
    if (!policy_.Allows(address, address + length)) return Errno(EPERM);
  } else {
    // A hint that the guest may not have is as good as none.
    address = PageDown(address);
    bool usable =
        address <= policy_.guest_range.end - length && policy_.Allows(address, address + length);
    if (!usable) address = 0;
  }
  if (!request.file) {
    flags |= MAP_ANONYMOUS;
    return context.HostCall({.number = SYS_mmap,
                             .arguments = {address, length, static_cast<uint64_t>(protection),
                                           static_cast<uint64_t>(flags), ~uint64_t{0}, 0}});
  }
  return MapFile(context, request, address, length, protection, flags & ~MAP_ANONYMOUS);
}

SyscallResult MemoryMap::MapFile(platform::Context& context, const MapRequest& request,
                                 uint64_t address, uint64_t length, int protection, int flags) {
  vfs::FileDescription& file = *request.file;
  bool shared = (flags & MAP_SHARED) != 0;
  if (!file.readable()) return Errno(EACCES);
  // A shared mapping of a file open for reading can never become writable.
  if (shared && (protection & PROT_WRITE) != 0 && !file.writable()) return Errno(EACCES);
  bool no_exec = (file.path().mount->flags() & MS_NOEXEC) != 0;
  if (no_exec && (protection & PROT_EXEC) != 0) return Errno(EPERM);
  vfs::HostMapping mapping = TRY(file.Map(shared && file.writable()));
  if (mapping.anonymous) {
    return context.HostCall(
        {.number = SYS_mmap,
         .arguments = {address, length, static_cast<uint64_t>(protection),
                       static_cast<uint64_t>(flags | MAP_ANONYMOUS), ~uint64_t{0}, 0}});
  }
  unsigned long result = TRY(context.MapFile(address, length, protection, flags, mapping.fd,
                                             request.offset + mapping.offset_bias));
  NameMappedFile(mapping.fd, file.path());
  return result;
}

void MemoryMap::NameMappedFile(int fd, const vfs::Path& path) {
  struct stat status;
  if (!host::Call([&] { return fstat(fd, &status); }).ok()) return;
  std::pair<uint64_t, uint64_t> key(status.st_dev, status.st_ino);
  constexpr size_t kMaxNames = 512;
  MutexLock lock(&mu_);
  // A program that maps and unmaps thousands of files would pin them all: start over; a mapping
  // whose name is forgotten shows up without one.
  if (mapped_files_.size() >= kMaxNames && !mapped_files_.contains(key)) mapped_files_.clear();
  mapped_files_.insert_or_assign(key, path);
}

SyscallResult MemoryMap::Unmap(platform::Context& context, uint64_t address, uint64_t length) {
  if (address % kPageSize != 0 || length == 0) return Errno(EINVAL);
  uint64_t size = PageUp(length);
  if (size == 0 || size > policy_.guest_range.end || address > policy_.guest_range.end - size) {
    return Errno(EINVAL);
  }
  if (!policy_.Allows(address, address + size)) return Errno(EPERM);
  unsigned long result =
      TRY(context.HostCall({.number = SYS_munmap, .arguments = {address, size, 0, 0, 0, 0}}));
  DropAttachments(address, address + size);
  return result;
}

void MemoryMap::AddAttachment(uint64_t address, uint64_t length, RefPtr<Attachment> attachment) {
  DropAttachments(address, address + length);
  Attached replaced{length, std::move(attachment)};  // What is left in it dies after the lock.
  MutexLock lock(&mu_);
  std::swap(attachments_[address], replaced);
}

bool MemoryMap::HasRoomForAttachment() const {
  constexpr size_t kMost = 65536;  // About as many as the host has mappings for a process.
  MutexLock lock(&mu_);
  return attachments_.size() < kMost;
}

MemoryMap::Attached MemoryMap::TakeAttachment(uint64_t address) {
  MutexLock lock(&mu_);
  auto found = attachments_.find(address);
  if (found == attachments_.end()) return {};
  Attached taken = std::move(found->second);
  attachments_.erase(found);
  return taken;
}

MemoryMap::Attached MemoryMap::FindAttachment(uint64_t address) const {
  MutexLock lock(&mu_);
  auto found = attachments_.find(address);
  return found == attachments_.end() ? Attached{} : found->second;
}

void MemoryMap::DropAttachments(uint64_t start, uint64_t end) {
  std::vector<Attached> dropped;  // Dies after the lock.
  MutexLock lock(&mu_);
  auto at = attachments_.lower_bound(start);
  while (at != attachments_.end() && at->first < end) {
    if (at->first + at->second.length > end) {
      ++at;
      continue;
    }
    dropped.push_back(std::move(at->second));
    at = attachments_.erase(at);
  }
}

SyscallResult MemoryMap::Protect(platform::Context& context, uint64_t address, uint64_t length,
                                 int protection) {
  constexpr int kGrows = PROT_GROWSDOWN | PROT_GROWSUP;
  if ((protection & kGrows) == kGrows) return Errno(EINVAL);
  if (address % kPageSize != 0) return Errno(EINVAL);
  if (length == 0) return 0UL;
  uint64_t size = PageUp(length);
  if (size == 0 || address + size <= address) return Errno(ENOMEM);
  if ((protection & ~(kProtections | kGrows | kProtectionSemaphore)) != 0) return Errno(EINVAL);
  if (address + size > policy_.guest_range.end) return Errno(ENOMEM);
  if (!policy_.Allows(address, address + size)) return Errno(EACCES);
  return context.HostCall(
      {.number = SYS_mprotect,
       .arguments = {address, size, static_cast<uint64_t>(protection & ~kProtectionSemaphore), 0, 0,
                     0}});
}

SyscallResult MemoryMap::Remap(platform::Context& context, uint64_t old_address,
                               uint64_t old_length, uint64_t new_length, int flags,
                               uint64_t new_address) {
  constexpr int kKnown = MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP;
  if ((flags & ~kKnown) != 0) return Errno(EINVAL);
  if ((flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) != 0 && (flags & MREMAP_MAYMOVE) == 0) {
    return Errno(EINVAL);
  }
  if (old_address % kPageSize != 0) return Errno(EINVAL);
  uint64_t old_size = PageUp(old_length), new_size = PageUp(new_length);
  if (new_size == 0) return Errno(EINVAL);
  uint64_t limit = policy_.guest_range.end;
  if (old_size > limit || old_address > limit - old_size) return Errno(EFAULT);
  // In place it may grow over what follows: that must not be the shim either.
  uint64_t reach = std::max(old_size, new_size);
  if (reach > limit || old_address > limit - reach) reach = old_size;
  if (!policy_.Allows(old_address, old_address + reach)) return Errno(EFAULT);
  if ((flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) != 0) {
    if (new_address % kPageSize != 0 || new_size > limit || new_address > limit - new_size) {
      return Errno(EINVAL);
    }
    if ((flags & MREMAP_FIXED) != 0 && !policy_.Allows(new_address, new_address + new_size)) {
      return Errno(EPERM);
    }
  }
  return context.HostCall({.number = SYS_mremap,
                           .arguments = {old_address, old_length, new_length,
                                         static_cast<uint64_t>(flags), new_address, 0}});
}

SyscallResult MemoryMap::Advise(platform::Context& context, uint64_t address, uint64_t length,
                                int advice) {
  switch (advice) {
    case MADV_NORMAL:
    case MADV_RANDOM:
    case MADV_SEQUENTIAL:
    case MADV_WILLNEED:
    case MADV_DONTNEED:
    case MADV_FREE:
    case MADV_REMOVE:
    case MADV_DONTFORK:
    case MADV_DOFORK:
    case MADV_HUGEPAGE:
    case MADV_NOHUGEPAGE:
    case MADV_DONTDUMP:
    case MADV_DODUMP:
    case MADV_WIPEONFORK:
    case MADV_KEEPONFORK:
    case MADV_COLD:
    case MADV_PAGEOUT:
    case MADV_POPULATE_READ:
    case MADV_POPULATE_WRITE:
      break;
    case MADV_MERGEABLE:
    case MADV_UNMERGEABLE:
      return 0UL;  // Sharing pages between guests would be a side channel.
    default:
      return Errno(EINVAL);
  }
  return RunVetted(context, SYS_madvise, address, length, static_cast<uint64_t>(advice));
}

SyscallResult MemoryMap::RunVetted(platform::Context& context, long number, uint64_t address,
                                   uint64_t length, uint64_t third) {
  if (address % kPageSize != 0 && number != SYS_mlock && number != SYS_munlock) {
    return Errno(EINVAL);
  }
  uint64_t start = PageDown(address);
  uint64_t end = PageUp(address + length);
  if (length != 0 && (end == 0 || end <= start))
    return Errno(number == SYS_mincore ? ENOMEM : EINVAL);
  if (length != 0 && !policy_.Allows(start, end)) return Errno(ENOMEM);
  return context.HostCall({.number = number, .arguments = {address, length, third, 0, 0, 0}});
}

void MemoryMap::InitializeBreak(uint64_t start) {
  MutexLock lock(&mu_);
  break_start_ = break_end_ = start;
}

uint64_t MemoryMap::break_start() const {
  MutexLock lock(&mu_);
  return break_start_;
}

uint64_t MemoryMap::SetBreak(platform::Context& context, uint64_t address, uint64_t data_limit) {
  uint64_t start, end;
  {
    MutexLock lock(&mu_);
    start = break_start_, end = break_end_;
  }
  if (address < start || address - start > data_limit) return end;
  uint64_t old_top = PageUp(end), new_top = PageUp(address);
  if (new_top == 0 || new_top > policy_.guest_range.end) return end;
  if (new_top > old_top) {
    // NOREPLACE: the heap never grows over another mapping.
    MapRequest request;
    request.address = old_top;
    request.length = new_top - old_top;
    request.protection = PROT_READ | PROT_WRITE;
    request.flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
    SyscallResult mapped = Map(context, request);
    if (!mapped.ok() || *mapped != old_top) return end;
  } else if (new_top < old_top) {
    if (!Unmap(context, new_top, old_top - new_top).ok()) return end;
  }
  MutexLock lock(&mu_);
  break_end_ = address;
  return address;
}

void MemoryMap::SetLayout(ImageLayout layout) {
  MutexLock lock(&mu_);
  std::swap(layout_, layout);
}

ImageLayout MemoryMap::layout() const {
  MutexLock lock(&mu_);
  return layout_;
}

void MemoryMap::SetExecutable(RefPtr<vfs::FileDescription> file) {
  MutexLock lock(&mu_);
  std::swap(executable_, file);
}

RefPtr<vfs::FileDescription> MemoryMap::executable() const {
  MutexLock lock(&mu_);
  return executable_;
}

Result<std::vector<Mapping>> MemoryMap::Mappings(const vfs::Caller& view) const {
  std::string maps = TRY(policy_.host_proc->Read(space_->host_pid(), "maps"));
  MapNames names{.view = view};
  {
    MutexLock lock(&mu_);
    names.break_start = break_start_;
    names.break_end = PageUp(break_end_);
    names.stack_low = layout_.stack_low;
    names.stack_high = layout_.stack_high;
    names.files = mapped_files_;
  }
  return ParseHostMaps(maps, policy_, names);
}

uint64_t MemoryMap::PeakResidentKib() const {
  Result<std::string> status = policy_.host_proc->Read(space_->host_pid(), "status");
  if (!status.ok()) return 0;
  constexpr std::string_view kLine = "\nVmHWM:";
  size_t at = status->find(kLine);
  if (at == std::string::npos) return 0;
  return strtoull(status->c_str() + at + kLine.size(), nullptr, 10);
}

Result<std::string> MemoryMap::Statm() const {
  return policy_.host_proc->Read(space_->host_pid(), "statm");
}

}  // namespace redoubt::mm
