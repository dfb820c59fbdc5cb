// SPDX-License-Identifier: Apache-2.0
#include "platform/seccomp_trap/captured_memory.h"

#include <algorithm>
#include <cstring>

namespace redoubt::platform::seccomp_trap {
namespace {

bool IsSound(const Capture::Span& span) {
  if (span.size > kCaptureSize || GuestPart(span.address, span.size) != span.size) return false;
  return span.offset == kNotFetched ||
         (span.offset <= kCaptureSize && span.size <= kCaptureSize - span.offset);
}

}  // namespace

void CapturedMemory::Take(const Slot& slot, std::byte* window) {
  window_ = window;
  writes_ = results_ = 0;
  uint32_t count = __atomic_load_n(&slot.capture.count, __ATOMIC_RELAXED);
  count_ = std::min(count, CallCapture::kMaxArguments);
  std::memcpy(spans_, slot.capture.spans, count_ * sizeof(spans_[0]));
  asm volatile("" : : : "memory");
  for (uint32_t i = 0; i < count_; ++i) {
    if (!IsSound(spans_[i])) count_ = i;
  }
}

std::optional<size_t> CapturedMemory::Read(uint64_t address, std::span<std::byte> buffer) const {
  for (uint32_t i = 0; i < count_; ++i) {
    const Capture::Span& span = spans_[i];
    if (span.offset == kNotFetched || address < span.address) continue;
    uint64_t skip = address - span.address;
    if (skip >= span.size) continue;
    size_t size = std::min<size_t>(buffer.size(), span.size - skip);
    const std::byte* from = window_ + span.offset + skip;
    // Only a string may be asked for beyond its end.
    if (size < buffer.size() && (span.writable || from[size - 1] != std::byte{0}))
      return std::nullopt;
    std::memcpy(buffer.data(), from, size);
    return size;
  }
  return std::nullopt;
}

bool CapturedMemory::MayWrite(uint64_t address, size_t size) const {
  if (writes_ == kMaxWrites || size > kCaptureSize - results_) return false;
  return std::any_of(spans_, spans_ + count_, [&](const Capture::Span& span) {
    uint64_t skip = address - span.address;
    return span.writable && skip <= span.size && size <= span.size - skip;
  });
}

std::span<std::byte> CapturedMemory::Reserve(uint64_t address, size_t size) {
  if (!MayWrite(address, size)) return {};
  return {window_ + kResultsOffset + results_, size};
}

bool CapturedMemory::Write(Slot& slot, uint64_t address, std::span<const std::byte> data) {
  std::span<std::byte> to = Reserve(address, data.size());
  if (to.empty()) return data.empty();
  if (to.data() != data.data()) std::memcpy(to.data(), data.data(), data.size());
  pending_[writes_] = {address, static_cast<uint32_t>(data.size()), results_};
  slot.capture.writes[writes_] = pending_[writes_];
  ++writes_;
  results_ += static_cast<uint32_t>(data.size());
  return true;
}

void CapturedMemory::Post(Slot& slot) {
  slot.capture.write_count = writes_;
  Clear();
}

}  // namespace redoubt::platform::seccomp_trap
