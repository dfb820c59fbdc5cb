// SPDX-License-Identifier: Apache-2.0
//
// What lets a shared tree be walked without asking the gofer each time.
//
// The gofer donates a descriptor (O_PATH: good for fstat only) of a file that it is asked about
// again and again. The host changes a directory's time of change with each change of its names, and
// a file's with each change of its owner. So as long as fstat shows the time that it showed before
// the gofer was last asked, its answer still counts - with two reservations:
//
//   - The clock behind the times ticks every few milliseconds. A time that was younger than that
//     when it was read may hide a later change: it is not yet *settled*, and proves nothing.
//   - File systems of other machines, FUSE and FAT keep times as they like; only those that are
//     known to keep the rule are trusted, and none for longer than kMostTrustNs: mounts that the
//     host makes below the tree show in no time.
#ifndef SENTRY_FS_GOFER_GOFER_WATCH_H_
#define SENTRY_FS_GOFER_GOFER_WATCH_H_

#include <cstdint>

#include "sentry/fs/gofer/host_file.h"
#include "sentry/vfs/attributes.h"
#include "sentry/vfs/inode.h"

namespace redoubt::gofer_fs {

inline constexpr int64_t kMostTrustNs = 1'000'000'000;

int64_t MonotonicNow();
// Whether a change from now on gives another time than `time`.
bool IsSettled(const vfs::FileTime& time);
// Whether times on file systems of this kind (statfs(2)'s f_type) can be relied on.
bool KeepsTimes(uint64_t magic);

// The names in one directory.
struct DirectoryWatch {
  vfs::FileTime change, modify;
  uint64_t epoch = 0;  // Another one, of no other directory, whenever the times are others.
  bool settled = false;

  // fstat said this. Gives the epoch, or 0 while it proves nothing.
  uint64_t Saw(const vfs::FileTime& change_time, const vfs::FileTime& modify_time);
};

// The owner of a file, which only the gofer can tell (see GoferInode::StatLocked).
struct TrustedOwner {
  vfs::FileTime change;
  bool settled = false;
  int64_t until_ns = 0;

  void Told(const vfs::FileTime& change_time);
  // For a tick after a change it may be wrong (the host's chown would have to meet ours): the
  // change was the guest's own as a rule, and the file is asked about again soon.
  bool Holds(const vfs::FileTime& change_time) const;
};

// What an inode of a shared tree knows besides.
struct SharedState {
  HostFile file;         // O_PATH, for fstat.
  uint8_t trips = 0;     // To the gofer, since a descriptor was asked for.
  uint64_t told_in = 0;  // The call in which the gofer told the attributes.
  TrustedOwner owner;
  DirectoryWatch names;
  uint64_t listing_epoch = 0;  // Of what the listing shows.
  int64_t listing_until_ns = 0;

  // The gofer told the attributes, with this time of change.
  void Told(const vfs::FileTime& change_time);
  bool ToldInThisCall() const;
};

// A name was found to hold while its directory was in `epoch` (0: unknown), in the current call.
void RememberCheck(uint64_t epoch, vfs::NameCheck* check);

}  // namespace redoubt::gofer_fs

#endif  // SENTRY_FS_GOFER_GOFER_WATCH_H_
