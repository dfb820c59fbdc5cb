// SPDX-License-Identifier: Apache-2.0
//
// Reading whole pieces of an executable.
#ifndef SENTRY_LOADER_READ_FILE_H_
#define SENTRY_LOADER_READ_FILE_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.h"
#include "sentry/vfs/file_description.h"

namespace redoubt::loader {

// As many bytes as there are, at most buffer.size().
inline Result<size_t> ReadUpTo(vfs::FileDescription& file, uint64_t offset,
                               std::span<std::byte> buffer) {
  size_t done = 0;
  while (done < buffer.size()) {
    size_t got = TRY(file.PRead(buffer.subspan(done), offset + done));
    if (got == 0) break;
    done += got;
  }
  return done;
}

// All of `buffer`, or the error `too_short`.
inline Result<void> ReadExactly(vfs::FileDescription& file, uint64_t offset,
                                std::span<std::byte> buffer, int too_short) {
  if (offset > INT64_MAX - buffer.size()) return Errno(too_short);
  size_t got = TRY(ReadUpTo(file, offset, buffer));
  if (got != buffer.size()) return Errno(too_short);
  return {};
}

}  // namespace redoubt::loader

#endif  // SENTRY_LOADER_READ_FILE_H_
