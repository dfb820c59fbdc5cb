// SPDX-License-Identifier: Apache-2.0
//
// For unit tests of open files: short ways to read, write, wait and call ioctl.
#ifndef SENTRY_FS_TESTING_TESTING_H_
#define SENTRY_FS_TESTING_TESTING_H_

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <string_view>

#include "base/sync/wait_queue.h"
#include "sentry/vfs/caller.h"
#include "sentry/vfs/file_description.h"

namespace redoubt::fs {

// uid 0 with all capabilities.
const vfs::Caller& RootCaller();

std::span<const std::byte> Bytes(std::string_view text);
// What one Read of at most `size` gives.
Result<std::string> ReadText(vfs::FileDescription& file, size_t size = 65536);
Result<size_t> WriteText(vfs::FileDescription& file, std::string_view text);

// Guest memory of one page at address 0x1000.
class FakeMemory : public vfs::UserMemory {
 public:
  static constexpr uint64_t kAddress = 0x1000;
  Result<void> CopyIn(uint64_t address, std::span<std::byte> buffer) override;
  Result<void> CopyOut(uint64_t address, std::span<const std::byte> buffer) override;

  template <typename T>
  T Get() const {
    T value;
    __builtin_memcpy(&value, page_, sizeof(value));
    return value;
  }
  template <typename T>
  void Put(const T& value) {
    __builtin_memcpy(page_, &value, sizeof(value));
  }

 private:
  std::byte page_[4096] = {};
};

// ioctl(2) with a pointer argument: `value` goes in, and what is in memory afterwards comes out.
Result<uint64_t> IoctlValue(vfs::FileDescription& file, uint32_t command, uint64_t argument);
template <typename T>
Result<T> IoctlPointer(vfs::FileDescription& file, uint32_t command, const T& value = T{}) {
  FakeMemory memory;
  memory.Put(value);
  TRY(file.Ioctl({command, FakeMemory::kAddress, memory, RootCaller()}));
  return memory.Get<T>();
}

// Sits in a queue and counts.
class Waiter : public WaitEntry {
 public:
  Waiter(WaitQueue* queue, EventMask mask) : queue_(queue) { queue_->Add(this, mask); }
  ~Waiter() override { queue_->Remove(this); }
  void Notify(EventMask events) override;
  int count() const;
  EventMask seen() const;
  // Until `condition` holds, asked after each notification; false after five seconds.
  bool WaitFor(const std::function<bool()>& condition);

 private:
  WaitQueue* const queue_;
  mutable std::mutex mu_;
  std::condition_variable changed_;
  int count_ = 0;
  EventMask seen_ = 0;
};

// Waits as a blocked task does until `file` is ready for one of `mask`; false after five seconds.
bool WaitReady(vfs::FileDescription& file, EventMask mask);

}  // namespace redoubt::fs

#endif  // SENTRY_FS_TESTING_TESTING_H_
