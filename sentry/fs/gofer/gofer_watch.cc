// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/gofer/gofer_watch.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>

#include "base/host/syscall.h"
#include "sentry/fs/gofer/gofer_inode.h"
#include "sentry/vfs/current_call.h"

namespace redoubt::gofer_fs {
namespace {

constexpr int64_t kNsPerSecond = 1'000'000'000;
// Three ticks of the slowest clock there is (CONFIG_HZ=100).
constexpr int64_t kSettleNs = 30'000'000;
constexpr uint64_t kXfsMagic = 0x58465342;
// How often the gofer is asked about a file before a descriptor pays.
constexpr uint8_t kTripsToDonate = 2;
constexpr uint8_t kNeverDonate = 0xff;

vfs::FileTime ToFileTime(const timespec& time) {
  return {.seconds = time.tv_sec, .nanoseconds = static_cast<uint32_t>(time.tv_nsec)};
}

}  // namespace

int64_t MonotonicNow() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return now.tv_sec * kNsPerSecond + now.tv_nsec;
}

bool IsSettled(const vfs::FileTime& time) {
  vfs::FileTime now = vfs::Now();
  int64_t seconds = now.seconds - time.seconds;
  if (seconds < 0 || seconds > 1) return seconds > 1;
  int64_t age = seconds * kNsPerSecond + now.nanoseconds - int64_t{time.nanoseconds};
  return age > kSettleNs;
}

bool KeepsTimes(uint64_t magic) {
  switch (magic) {
    case EXT4_SUPER_MAGIC:
    case BTRFS_SUPER_MAGIC:
    case TMPFS_MAGIC:
    case OVERLAYFS_SUPER_MAGIC:
    case F2FS_SUPER_MAGIC:
    case kXfsMagic:
      return true;
    default:
      return false;
  }
}

uint64_t DirectoryWatch::Saw(const vfs::FileTime& change_time, const vfs::FileTime& modify_time) {
  static std::atomic<uint64_t> last_epoch{0};
  if (epoch == 0 || change != change_time || modify != modify_time) {
    change = change_time;
    modify = modify_time;
    epoch = last_epoch.fetch_add(1, std::memory_order_relaxed) + 1;
    settled = false;
  }
  if (!settled) settled = IsSettled(change);
  return settled ? epoch : 0;
}

void TrustedOwner::Told(const vfs::FileTime& change_time) {
  change = change_time;
  settled = IsSettled(change_time);
  until_ns = MonotonicNow() + kMostTrustNs;
}

bool TrustedOwner::Holds(const vfs::FileTime& change_time) const {
  return change == change_time && (settled || MonotonicNow() < until_ns);
}

void SharedState::Told(const vfs::FileTime& change_time) {
  told_in = vfs::CurrentCall();
  owner.Told(change_time);
}

bool SharedState::ToldInThisCall() const { return told_in != 0 && told_in == vfs::CurrentCall(); }

void RememberCheck(uint64_t epoch, vfs::NameCheck* check) {
  check->call.store(vfs::CurrentCall(), std::memory_order_relaxed);
  check->until_ns.store(MonotonicNow() + kMostTrustNs, std::memory_order_relaxed);
  check->epoch.store(epoch, std::memory_order_release);
}

bool GoferInode::StillHolds(const vfs::NameCheck& check) {
  uint64_t epoch = check.epoch.load(std::memory_order_acquire);
  if (epoch == 0 || MonotonicNow() >= check.until_ns.load(std::memory_order_relaxed)) return false;
  return epoch == Epoch();
}

uint64_t GoferInode::Epoch() {
  MutexLock lock(&mu_);
  return EpochLocked();
}

uint64_t GoferInode::EpochLocked() {
  int fd = watch_->file.Acquire();
  if (fd < 0) return 0;
  HostFileUse use(&watch_->file, fd);
  struct stat stat;
  if (!host::Call([&] { return syscall(SYS_fstat, fd, &stat); }).ok()) return 0;
  return watch_->names.Saw(ToFileTime(stat.st_ctim), ToFileTime(stat.st_mtim));
}

void GoferInode::CountTrip() {
  MutexLock lock(&mu_);
  CountTripLocked();
}

void GoferInode::CountTripLocked() {
  if (!watch_ || watch_->trips == kNeverDonate || !(IsDirectory() || IsRegular())) return;
  if (++watch_->trips < kTripsToDonate) return;
  watch_->trips = 0;
  int fd = watch_->file.Acquire();
  if (fd >= 0) {
    watch_->file.Release();
  } else {
    DonateNameLocked();
  }
}

void GoferInode::DonateNameLocked() {
  watch_->trips = kNeverDonate;
  if (!gofer_.pool().MakeRoom().ok()) return;
  gofer::Exchange exchange;
  exchange.request.mutable_open()->set_handle(handle());
  exchange.request.mutable_open()->set_access(O_PATH);
  if (!gofer_.channel().Call(&exchange).ok() || !exchange.fd.valid()) return;
  if (!KeepsTimes(exchange.response.status().magic())) return;
  watch_->trips = 0;
  (void)gofer_.pool().Open(&watch_->file, std::move(exchange.fd));
}

}  // namespace redoubt::gofer_fs
