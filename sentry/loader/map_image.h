// SPDX-License-Identifier: Apache-2.0
//
// Maps the segments of one ELF image (elf_map() and friends of fs/binfmt_elf.c).
#ifndef SENTRY_LOADER_MAP_IMAGE_H_
#define SENTRY_LOADER_MAP_IMAGE_H_

#include <cstdint>

#include "base/result.h"
#include "platform/platform.h"
#include "sentry/loader/elf.h"
#include "sentry/mm/memory_map.h"

namespace redoubt::loader {

struct MappedImage {
  uint64_t bias = 0;  // Added to every address of the file.
  uint64_t end = 0;   // Past the last byte of the last segment.
};

// A position-independent image goes to `preferred_base` (0: anywhere the host likes). EINVAL for
// segments that make no sense, ENOMEM, EEXIST when a fixed image does not fit.
Result<MappedImage> MapImage(platform::Context& context, mm::MemoryMap& memory,
                             const RefPtr<vfs::FileDescription>& file, const ElfImage& image,
                             uint64_t preferred_base);

}  // namespace redoubt::loader

#endif  // SENTRY_LOADER_MAP_IMAGE_H_
