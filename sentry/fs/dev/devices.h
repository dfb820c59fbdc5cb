// SPDX-License-Identifier: Apache-2.0
//
// /dev: the character devices that every program expects (mem(4), random(4), tty(4)), and the
// function with which boot fills a tmpfs with them.
//
// A device is what opening a character-special inode with its number means, on whatever file system
// the inode is: the VFS asks OpenDevice. Numbers that are not here give ENXIO.
#ifndef SENTRY_FS_DEV_DEVICES_H_
#define SENTRY_FS_DEV_DEVICES_H_

#include <cstdint>
#include <functional>

#include "base/owned_fd.h"
#include "base/result.h"
#include "sentry/vfs/file_description.h"

namespace redoubt::fs {

// makedev(3) for small numbers.
constexpr uint64_t DeviceNumber(uint64_t major, uint64_t minor) { return major << 8 | minor; }
inline constexpr uint64_t kNullDevice = DeviceNumber(1, 3);
inline constexpr uint64_t kZeroDevice = DeviceNumber(1, 5);
inline constexpr uint64_t kFullDevice = DeviceNumber(1, 7);
inline constexpr uint64_t kRandomDevice = DeviceNumber(1, 8);
inline constexpr uint64_t kUrandomDevice = DeviceNumber(1, 9);
inline constexpr uint64_t kTtyDevice = DeviceNumber(5, 0);
inline constexpr uint64_t kConsoleDevice = DeviceNumber(5, 1);
inline constexpr uint64_t kPtmxDevice = DeviceNumber(5, 2);

// Opens the device `number` that the inode at `path` stands for.
Result<RefPtr<vfs::FileDescription>> OpenCharacterDevice(uint64_t number, const vfs::Path& path,
                                                         uint32_t flags, const vfs::Caller& caller);

// Registers all of the above, and FIFOs, with the VFS (special_files.h). Once, before the first
// open; later calls do nothing.
void RegisterSpecialFiles();

// /dev/console is this file's terminal (the container's terminal, when it has one).
void SetConsole(RefPtr<vfs::FileDescription> console);

// Whether `file` is /dev/zero: mmap(2) of it, private or shared, is an anonymous mapping.
bool IsZeroDevice(vfs::FileDescription& file);

// Fills the directory `dev` (a fresh tmpfs mounted at /dev; `caller` is root there) with the nodes
// and the links fd, stdin, stdout, stderr, core, ptmx and the empty directories shm, pts, mqueue.
// What exists already is left alone. `console`: whether there is a /dev/console.
Result<void> PopulateDev(const vfs::Caller& caller, const vfs::Path& dev, bool console);

}  // namespace redoubt::fs

#endif  // SENTRY_FS_DEV_DEVICES_H_
