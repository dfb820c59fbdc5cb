// SPDX-License-Identifier: Apache-2.0
//
// The lock ladder, outermost first. A thread may take a lock only below every lock it holds; locks
// of one rank are never nested, except where the rank's comment says in what order.
#ifndef BASE_SYNC_LOCK_RANK_H_
#define BASE_SYNC_LOCK_RANK_H_

#include <cstdint>

namespace redoubt {

enum class LockRank : uint8_t {
  kFile = 5,             // FileDescription::mu_: position, directory cursor. Outermost, since it is
                         // held across the read or write that moves the position.
  kMountNamespace = 10,  // vfs::MountNamespace::mu_: the tree of mounts.
  kSuperblock = 20,      // vfs::Superblock::tree_mu_: dentries of one file system. Overlay's is
                         // held while its layers are called, whose inodes take no tree lock.
  kInode = 30,           // Per-inode state: sizes, extents, directory entries.
  kNetworkChange = 35,  // NetworkNamespace::change_mu_: one change and its notifications at a time.
  kEpoll = 40,      // EpollInstance::mu_. Nested epolls: outer before inner (checked for loops).
  kSocket = 45,     // One socket endpoint; pairs are taken in address order.
  kPipe = 50,       // Pipe::mu_.
  kTasks = 60,      // kernel::TaskSet::mu_: process tree, signals, exit states, job control.
  kFdTable = 65,    // FdTable::mu_: never held while a FileDescription is released.
  kMm = 70,         // mm::MemoryMap::mu_: brk and mapping names.
  kItimers = 73,    // kernel::IntervalTimers: never held while a signal is sent.
  kTimers = 75,     // time::TimerQueue::mu_.
  kWaitQueue = 80,  // WaitQueue::mu_: callbacks run under it and may only wake.
  kTask = 85,       // Task's own wake-up state.
  kPlatform = 90,   // Inside platforms.
  kChannel = 95,    // gofer channel.
  kLeaf = 100,      // Takes nothing below.
};

}  // namespace redoubt

#endif  // BASE_SYNC_LOCK_RANK_H_
