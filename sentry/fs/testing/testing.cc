// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/testing/testing.h"

#include <chrono>
#include <cstring>

namespace redoubt::fs {

const vfs::Caller& RootCaller() {
  static const auto* caller = [] {
    auto* root = new vfs::Caller;
    root->capabilities = ~uint64_t{0};
    root->tgid = root->tid = 7;
    return root;
  }();
  return *caller;
}

std::span<const std::byte> Bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

Result<std::string> ReadText(vfs::FileDescription& file, size_t size) {
  std::string text(size, '\0');
  text.resize(TRY(file.Read(std::as_writable_bytes(std::span(text.data(), text.size())))));
  return text;
}

Result<size_t> WriteText(vfs::FileDescription& file, std::string_view text) {
  return file.Write(Bytes(text), RootCaller());
}

Result<void> FakeMemory::CopyIn(uint64_t address, std::span<std::byte> buffer) {
  if (address < kAddress || address + buffer.size() > kAddress + sizeof(page_)) {
    return Errno(EFAULT);
  }
  std::memcpy(buffer.data(), page_ + (address - kAddress), buffer.size());
  return {};
}

Result<void> FakeMemory::CopyOut(uint64_t address, std::span<const std::byte> buffer) {
  if (address < kAddress || address + buffer.size() > kAddress + sizeof(page_)) {
    return Errno(EFAULT);
  }
  std::memcpy(page_ + (address - kAddress), buffer.data(), buffer.size());
  return {};
}

Result<uint64_t> IoctlValue(vfs::FileDescription& file, uint32_t command, uint64_t argument) {
  FakeMemory memory;
  return file.Ioctl({command, argument, memory, RootCaller()});
}

void Waiter::Notify(EventMask events) {
  std::lock_guard lock(mu_);
  ++count_;
  seen_ |= events;
  changed_.notify_all();
}

int Waiter::count() const {
  std::lock_guard lock(mu_);
  return count_;
}

EventMask Waiter::seen() const {
  std::lock_guard lock(mu_);
  return seen_;
}

bool Waiter::WaitFor(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  int before = -1;
  while (true) {
    {
      std::unique_lock lock(mu_);
      if (!changed_.wait_until(lock, deadline, [&] { return count_ != before || before < 0; })) {
        break;
      }
      before = count_;
    }
    if (condition()) return true;
  }
  return condition();
}

bool WaitReady(vfs::FileDescription& file, EventMask mask) {
  Waiter waiter(file.wait_queue(), mask);
  return waiter.WaitFor([&] { return file.Readiness(mask) != 0; });
}

}  // namespace redoubt::fs
