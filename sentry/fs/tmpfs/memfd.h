// SPDX-License-Identifier: Apache-2.0
//
// memfd_create(2): nameless tmpfs files with seals.
#ifndef SENTRY_FS_TMPFS_MEMFD_H_
#define SENTRY_FS_TMPFS_MEMFD_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "sentry/vfs/caller.h"
#include "sentry/vfs/file_description.h"

namespace redoubt::tmpfs {

// `flags`: MFD_*. MFD_CLOEXEC is the caller's business. MFD_HUGETLB is EINVAL.
Result<RefPtr<vfs::FileDescription>> CreateMemfd(std::string_view name, uint32_t flags,
                                                 const vfs::Caller& caller);

// A file of the kernel's own, without seals, as readable and writable: `text` is what /proc shows
// ("/SYSV00000000 (deleted)").
Result<RefPtr<vfs::FileDescription>> CreateInternalFile(std::string text, uint32_t permissions,
                                                        const vfs::Caller& caller);

// fcntl(F_ADD_SEALS) and F_GET_SEALS; EINVAL for files that cannot be sealed.
Result<void> AddSeals(vfs::FileDescription& file, uint32_t seals);
Result<uint32_t> GetSeals(vfs::FileDescription& file);

}  // namespace redoubt::tmpfs

#endif  // SENTRY_FS_TMPFS_MEMFD_H_
