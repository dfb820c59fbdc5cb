// SPDX-License-Identifier: Apache-2.0
#include "sentry/loader/map_image.h"

#include <sys/mman.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace redoubt::loader {

namespace {

using mm::PageDown;
using mm::PageUp;

Result<void> CheckSegments(const ElfImage& image, uint64_t limit) {
  if (image.segments.empty()) return Errno(EINVAL);
  for (const ElfSegment& segment : image.segments) {
    if (segment.file_size > segment.memory_size) return Errno(EINVAL);
    if (segment.memory_size > limit || segment.address > limit - segment.memory_size) {
      return Errno(EINVAL);
    }
    // The page offset in the file and in memory must agree, or the host cannot map it.
    if ((segment.address - segment.file_offset) % mm::kPageSize != 0 && segment.file_size != 0) {
      return Errno(EINVAL);
    }
    if (segment.file_offset > INT64_MAX - segment.file_size) return Errno(EINVAL);
  }
  return {};
}

// A free range for a position-independent image, reserved by an inaccessible mapping.
Result<uint64_t> Reserve(platform::Context& context, mm::MemoryMap& memory, const ElfImage& image,
                         uint64_t preferred_base) {
  uint64_t size = PageUp(image.highest()) - image.lowest();
  uint64_t slack = image.alignment > mm::kPageSize ? image.alignment : 0;
  if (size + slack < size) return Errno(EINVAL);
  mm::MapRequest request;
  request.address = preferred_base;
  request.length = size + slack;
  request.protection = PROT_NONE;
  request.flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  uint64_t start = TRY(memory.Map(context, request));
  if (slack == 0) return start;
  uint64_t aligned = (start + image.alignment - 1) & ~(image.alignment - 1);
  if (aligned > start) TRY(memory.Unmap(context, start, aligned - start));
  uint64_t tail = start + size + slack - (aligned + size);
  if (tail > 0) TRY(memory.Unmap(context, aligned + size, tail));
  return aligned;
}

// Zeroes from the end of a segment's file content to the end of that page.
Result<void> ZeroTail(platform::Context& context, uint64_t address, bool writable) {
  uint64_t size = PageUp(address) - address;
  if (size == 0) return {};
  std::vector<std::byte> zeros(size);
  auto copied = context.CopyOut(address, zeros);
  // In a read-only segment the rest of the file's page shows, as on Linux.
  if (writable && (!copied.ok() || *copied != size)) return Errno(EFAULT);
  return {};
}

mm::MapRequest FileRequest(const RefPtr<vfs::FileDescription>& file, const ElfSegment& segment,
                           uint64_t address, uint64_t length, int fixed) {
  return {.address = address,
          .length = length,
          .protection = segment.protection,
          .flags = MAP_PRIVATE | fixed,
          .file = file,
          .offset = segment.file_offset - (segment.address - PageDown(segment.address))};
}

// The common case: the first segment's file content is mapped over the whole image, which finds
// and reserves the range in one call (Linux's elf_map() with a total size). Segments in odd order
// or with large alignment are Reserve's.
bool FirstCanReserve(const ElfImage& image) {
  const ElfSegment& first = image.segments.front();
  return first.file_size != 0 && PageDown(first.address) == image.lowest() &&
         image.alignment <= mm::kPageSize;
}

// `is_mapped`: its file content is there already.
Result<void> MapSegment(platform::Context& context, mm::MemoryMap& memory,
                        const RefPtr<vfs::FileDescription>& file, const ElfSegment& segment,
                        uint64_t bias, int fixed, bool is_mapped) {
  uint64_t start = PageDown(segment.address + bias);
  uint64_t file_end = segment.address + bias + segment.file_size;
  uint64_t memory_end = segment.address + bias + segment.memory_size;
  if (segment.file_size != 0) {
    if (!is_mapped) {
      uint64_t length = PageUp(file_end) - start;
      TRY(memory.Map(context, FileRequest(file, segment, start, length, fixed)));
    }
    if (segment.memory_size > segment.file_size) {
      TRY(ZeroTail(context, file_end, (segment.protection & PROT_WRITE) != 0));
    }
    start = PageUp(file_end);
  }
  if (PageUp(memory_end) <= start) return {};
  mm::MapRequest request;
  request.protection = segment.protection;
  request.address = start;
  request.length = PageUp(memory_end) - start;
  request.flags = MAP_PRIVATE | MAP_ANONYMOUS | fixed;
  TRY(memory.Map(context, request));
  return {};
}

// What the reservation holds between segments is given back.
Result<void> UnmapGaps(platform::Context& context, mm::MemoryMap& memory, const ElfImage& image,
                       uint64_t bias) {
  std::vector<ElfSegment> segments = image.segments;
  std::sort(segments.begin(), segments.end(),
            [](const ElfSegment& a, const ElfSegment& b) { return a.address < b.address; });
  uint64_t end = 0;
  for (const ElfSegment& segment : segments) {
    uint64_t start = PageDown(segment.address + bias);
    if (end != 0 && start > end) TRY(memory.Unmap(context, end, start - end));
    end = std::max(end, PageUp(segment.address + bias + segment.memory_size));
  }
  return {};
}

}  // namespace

Result<MappedImage> MapImage(platform::Context& context, mm::MemoryMap& memory,
                             const RefPtr<vfs::FileDescription>& file, const ElfImage& image,
                             uint64_t preferred_base) {
  TRY(CheckSegments(image, memory.policy().guest_range.end));
  MappedImage mapped;
  int fixed = MAP_FIXED_NOREPLACE;
  bool first_is_mapped = false;
  if (image.position_independent) {
    uint64_t base = 0;
    first_is_mapped = FirstCanReserve(image);
    if (first_is_mapped) {
      uint64_t length = PageUp(image.highest()) - image.lowest();
      base = TRY(memory.Map(
          context, FileRequest(file, image.segments.front(), preferred_base, length, 0)));
    } else {
      base = TRY(Reserve(context, memory, image, preferred_base));
    }
    mapped.bias = base - image.lowest();
    fixed = MAP_FIXED;
  }
  for (const ElfSegment& segment : image.segments) {
    bool is_mapped = std::exchange(first_is_mapped, false);
    TRY(MapSegment(context, memory, file, segment, mapped.bias, fixed, is_mapped));
    // Segments of a fixed image may share a page; only its first mapping must find free space.
    fixed = MAP_FIXED;
  }
  if (image.position_independent) TRY(UnmapGaps(context, memory, image, mapped.bias));
  mapped.end = image.highest() + mapped.bias;
  return mapped;
}

}  // namespace redoubt::loader
