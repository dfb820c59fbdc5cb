// SPDX-License-Identifier: Apache-2.0
//
// FIFOs and devices: any file system may hold one, but what opening it means is fs/pipe's and
// fs/dev's business. They register an opener at boot; a file system's Inode::Open calls
// OpenSpecialFile for every type that is neither regular nor a directory.
//
//   vfs::RegisterSpecialFileOpener(S_IFIFO, &pipe::OpenFifo);
//
// A FIFO's pipe hangs on the inode (Inode::Attach). An opener does not wait for the other end: see
// FileDescription::FinishOpen.
#ifndef SENTRY_VFS_SPECIAL_FILES_H_
#define SENTRY_VFS_SPECIAL_FILES_H_

#include <cstdint>

#include "base/result.h"
#include "sentry/vfs/caller.h"
#include "sentry/vfs/file_description.h"

namespace redoubt::vfs {

// `device` is the st_rdev of a device file.
using SpecialFileOpener = Result<RefPtr<FileDescription>> (*)(const Path& path, Inode& inode,
                                                              uint64_t device, uint32_t flags,
                                                              const Caller& caller);

// `type` is S_IFIFO, S_IFCHR or S_IFBLK. Call before the first guest runs.
void RegisterSpecialFileOpener(uint32_t type, SpecialFileOpener opener);

// ENXIO for sockets and for types that nobody registered.
Result<RefPtr<FileDescription>> OpenSpecialFile(const Path& path, Inode& inode, uint32_t flags,
                                                const Caller& caller);

}  // namespace redoubt::vfs

#endif  // SENTRY_VFS_SPECIAL_FILES_H_
