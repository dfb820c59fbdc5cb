// SPDX-License-Identifier: Apache-2.0
//
// Life, attributes and opening of an inode. Directories: gofer_directory.cc; host descriptors:
// gofer_data.cc; extended attributes: gofer_xattr.cc.
#include "sentry/fs/gofer/gofer_inode.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/host/syscall.h"
#include "sentry/fs/gofer/gofer_file.h"
#include "sentry/vfs/special_files.h"

namespace redoubt::gofer_fs {
namespace {

constexpr int64_t kDay = 24 * 60 * 60;

bool Before(const vfs::FileTime& a, const vfs::FileTime& b) {
  return a.seconds != b.seconds ? a.seconds < b.seconds : a.nanoseconds <= b.nanoseconds;
}

// relatime, as the host most likely mounts: an access time that is newer than all changes and
// younger than a day stays.
bool ReadsMoveAccessTime(const vfs::Attributes& attributes) {
  return Before(attributes.access_time, attributes.modify_time) ||
         Before(attributes.access_time, attributes.change_time) ||
         vfs::Now().seconds - attributes.access_time.seconds >= kDay;
}

vfs::FileTime FromHost(const timespec& time) {
  return {.seconds = time.tv_sec, .nanoseconds = static_cast<uint32_t>(time.tv_nsec)};
}

void SetTime(const vfs::FileTime& time, gofer::FileTime* host) {
  host->set_seconds(time.seconds);
  host->set_nanoseconds(time.nanoseconds);
}

}  // namespace

GoferInode::GoferInode(RefPtr<GoferSuperblock> superblock, HostKey key, const gofer::FileNode& node,
                       const vfs::Attributes& attributes)
    : vfs::Inode(superblock, attributes.mode & S_IFMT),
      gofer_(*superblock),
      key_(key),
      handle_(node.handle()),
      attributes_(attributes),
      watch_(superblock->shared() ? std::make_unique<SharedState>() : nullptr),
      link_target_(node.link_target()) {
  reads_show_.store(ReadsMoveAccessTime(attributes), std::memory_order_relaxed);
  if (watch_) watch_->Told(attributes.change_time);
}

GoferInode::~GoferInode() {
  gofer_.Forget(this);
  for (HostFile& file : files_) gofer_.pool().CloseUnused(&file);
  if (watch_) gofer_.pool().CloseUnused(&watch_->file);
  gofer_.channel().Release(handle());
}

void GoferInode::FoundAgain(const gofer::FileNode& node, const vfs::Attributes& attributes) {
  uint64_t unused = node.handle();
  MutexLock lock(&mu_);
  if (gofer_.shared()) {
    // The old handle knows where the file was; the host may have moved it since.
    unused = handle_.exchange(unused, std::memory_order_relaxed);
    if (IsSymlink()) link_target_ = node.link_target();
  }
  // A root's handle is the same each time, and stays.
  if (unused != handle()) gofer_.channel().Release(unused);
  StoreToldLocked(attributes);
}

// The inode number and the type are this inode's for life, whatever an overlay below does.
void GoferInode::StoreLocked(const vfs::Attributes& attributes) {
  uint64_t number = attributes_.inode_number;
  attributes_ = attributes;
  attributes_.inode_number = number;
  attributes_.mode = (attributes.mode & 07777) | type();
  reads_show_.store(ReadsMoveAccessTime(attributes_), std::memory_order_relaxed);
}

void GoferInode::Store(const gofer::Attributes& host) {
  vfs::Attributes attributes = gofer_.Translate(host);
  MutexLock lock(&mu_);
  StoreToldLocked(attributes);
}

void GoferInode::StoreToldLocked(const vfs::Attributes& attributes) {
  StoreLocked(attributes);
  if (watch_) watch_->Told(attributes.change_time);
}

Result<vfs::Attributes> GoferInode::GetAttributes() {
  MutexLock lock(&mu_);
  bool stale =
      stale_.load(std::memory_order_relaxed) || always_stale_.load(std::memory_order_relaxed);
  // In a shared tree only what this very call was told, by its walk.
  bool trusted = !watch_ || watch_->ToldInThisCall();
  if (trusted && !stale) return attributes_;
  return RefreshLocked();
}

Result<bool> GoferInode::RefreshHereLocked() {
  // Cleared first: a write that comes between makes the next call ask again.
  bool changed_here = stale_.exchange(false, std::memory_order_relaxed) ||
                      always_stale_.load(std::memory_order_relaxed);
  for (HostFile* file : {&files_[0], &files_[1], watch_ ? &watch_->file : nullptr}) {
    int fd = file != nullptr ? file->Acquire() : -1;
    if (fd < 0) continue;
    HostFileUse use(file, fd);
    TRY(StatLocked(fd));
    // The owner is not in it, but a change of the owner would show.
    return !watch_ || changed_here || watch_->owner.Holds(attributes_.change_time);
  }
  return false;
}

Result<vfs::Attributes> GoferInode::RefreshLocked() {
  if (TRY(RefreshHereLocked())) return attributes_;
  gofer::Exchange exchange;
  exchange.request.mutable_get_attributes()->set_handle(handle());
  Result<void> asked = gofer_.channel().Call(&exchange);
  if (!asked.ok()) {
    MarkStale();
    return asked.error();
  }
  StoreToldLocked(gofer_.Translate(exchange.response.attributes()));
  CountTripLocked();
  return attributes_;
}

// The raw call: the C library's fstat is a newfstatat, which could look at paths too and is not in
// the sentry's filter.
Result<void> GoferInode::StatLocked(int fd) {
  struct stat stat;
  TRY(host::Call([&] { return syscall(SYS_fstat, fd, &stat); }));
  if ((stat.st_mode & S_IFMT) != type()) return Errno(EIO);
  vfs::Attributes attributes = attributes_;
  attributes.mode = stat.st_mode;
  attributes.links = static_cast<uint32_t>(stat.st_nlink);
  // Not the owner: in the sentry's user namespace all are nobody. The gofer told it, and a change
  // by the guest goes through the gofer too.
  attributes.size = static_cast<uint64_t>(stat.st_size);
  attributes.blocks = static_cast<uint64_t>(stat.st_blocks);
  attributes.access_time = FromHost(stat.st_atim);
  attributes.modify_time = FromHost(stat.st_mtim);
  attributes.change_time = FromHost(stat.st_ctim);
  StoreLocked(attributes);
  return {};
}

Result<void> GoferInode::SetAttributes(const vfs::AttributeChange& change) {
  bool size_done = change.size.has_value() && TruncateHere(*change.size);
  gofer::Exchange exchange;
  gofer::SetAttributesRequest* request = exchange.request.mutable_set_attributes();
  request->set_handle(handle());
  if (change.mode) request->set_mode(*change.mode & 07777);
  if (change.uid) request->set_uid(gofer_.options().users.ToHost(*change.uid));
  if (change.gid) request->set_gid(gofer_.options().groups.ToHost(*change.gid));
  if (change.size && !size_done) request->set_size(*change.size);
  if (change.access_time) SetTime(*change.access_time, request->mutable_access_time());
  if (change.modify_time) SetTime(*change.modify_time, request->mutable_modify_time());
  bool nothing_left = !request->has_mode() && !request->has_uid() && !request->has_gid() &&
                      !request->has_size() && !request->has_access_time() &&
                      !request->has_modify_time();
  if (nothing_left) return {};
  Result<void> asked = gofer_.channel().Call(&exchange);
  // It may have got half way.
  if (!asked.ok()) {
    MarkStale();
    return asked;
  }
  Store(exchange.response.attributes());
  return {};
}

Result<std::string> GoferInode::ReadLink() {
  if (!IsSymlink()) return Errno(EINVAL);
  MutexLock lock(&mu_);
  if (link_target_.empty()) return Errno(EIO);
  return link_target_;
}

Result<RefPtr<vfs::FileDescription>> GoferInode::Open(const vfs::Path& path, uint32_t flags,
                                                      const vfs::Caller& caller) {
  if (IsDirectory()) return RefPtr<vfs::FileDescription>(MakeRef<GoferDirectory>(path, flags));
  if (!IsRegular()) return vfs::OpenSpecialFile(path, *this, flags, caller);
  // Now, so that an error is open's.
  uint32_t access = flags & O_ACCMODE;
  if (access != O_WRONLY) TRY(Use(Access::kRead));
  if (access != O_RDONLY) TRY(Use(Access::kWrite));
  return RefPtr<vfs::FileDescription>(MakeRef<GoferFile>(path, flags));
}

}  // namespace redoubt::gofer_fs
