// SPDX-License-Identifier: Apache-2.0
#include "sentry/boot/terminal_bridge.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <thread>
#include <utility>

#include "base/host/syscall.h"
#include "base/sync/parker.h"
#include "base/sync/wait_queue.h"
#include "sentry/boot/local_argument.h"

namespace redoubt::boot {

namespace {

constexpr size_t kBufferSize = 4096;

// Unparks its thread.
class ParkingEntry final : public WaitEntry {
 public:
  void Notify(EventMask) override { parker.Unpark(); }
  Parker parker;
};

// Runs `operation` until it gives something else than EAGAIN.
template <typename Operation>
Result<size_t> BlockOn(vfs::FileDescription& file, EventMask events, Operation operation) {
  ParkingEntry entry;
  file.wait_queue()->Add(&entry, events);
  Result<size_t> result = operation();
  while (result.Is(EAGAIN)) {
    entry.parker.Park(std::nullopt);
    result = operation();
  }
  file.wait_queue()->Remove(&entry);
  return result;
}

bool WriteAll(int fd, std::span<const std::byte> data) {
  while (!data.empty()) {
    auto written = host::Call([&] { return write(fd, data.data(), data.size()); });
    if (!written.ok()) return false;
    data = data.subspan(*written);
  }
  return true;
}

}  // namespace

std::shared_ptr<TerminalBridge> TerminalBridge::Start(OwnedFd input, OwnedFd output,
                                                      RefPtr<vfs::FileDescription> master,
                                                      vfs::Caller caller) {
  std::shared_ptr<TerminalBridge> bridge(new TerminalBridge(std::move(input), std::move(output),
                                                            std::move(master), std::move(caller)));
  bridge->UpdateWindowSize();
  std::thread([bridge] { bridge->CopyInput(); }).detach();
  std::thread([bridge] { bridge->CopyOutput(); }).detach();
  return bridge;
}

TerminalBridge::TerminalBridge(OwnedFd input, OwnedFd output, RefPtr<vfs::FileDescription> master,
                               vfs::Caller caller)
    : input_(std::move(input)),
      output_(std::move(output)),
      master_(std::move(master)),
      caller_(std::move(caller)) {}

void TerminalBridge::CopyInput() {
  std::array<std::byte, kBufferSize> buffer;
  while (true) {
    auto got = host::Call([&] { return read(input_.get(), buffer.data(), buffer.size()); });
    std::span<const std::byte> data(buffer.data(), got.value_or(0));
    // The end of the input is what a person would type for it.
    const std::byte end_of_file{4};
    bool last = data.empty();
    if (last) data = std::span(&end_of_file, 1);
    while (!data.empty()) {
      Result<size_t> written =
          BlockOn(*master_, kWritableEvents, [&] { return master_->Write(data, caller_); });
      if (!written.ok()) return;
      data = data.subspan(*written);
    }
    if (last) return;
  }
}

void TerminalBridge::CopyOutput() {
  std::array<std::byte, kBufferSize> buffer;
  while (true) {
    Result<size_t> got = BlockOn(*master_, kReadableEvents, [&] { return master_->Read(buffer); });
    // EIO: every descriptor of the slave is closed.
    if (!got.ok() || *got == 0) break;
    if (!WriteAll(output_.get(), std::span(buffer).first(*got))) break;
  }
  output_done_.Notify();
}

void TerminalBridge::UpdateWindowSize() {
  winsize size;
  if (ioctl(input_.get(), TIOCGWINSZ, &size) != 0) return;
  LocalArgument argument(std::as_writable_bytes(std::span(&size, 1)));
  (void)master_->Ioctl(
      {.command = TIOCSWINSZ, .argument = 0, .memory = argument, .caller = caller_});
}

void TerminalBridge::Drain() { output_done_.WaitForNotificationWithTimeout(absl::Seconds(1)); }

}  // namespace redoubt::boot
