// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/devpts/pty.h"

#include <signal.h>

#include <algorithm>
#include <utility>

#include "sentry/vfs/caller.h"

namespace redoubt::fs {

namespace {

constexpr uint64_t kSlaveMajor = 136;
constexpr EventMask kIn = EPOLLIN | EPOLLRDNORM;
constexpr EventMask kOut = EPOLLOUT | EPOLLWRNORM;

// The control bytes of packet mode (TIOCPKT_*).
constexpr uint8_t kPacketFlushRead = 1, kPacketFlushWrite = 2, kPacketStop = 4, kPacketStart = 8;

}  // namespace

uint64_t Pty::device() const {
  const auto number = static_cast<uint64_t>(number_);
  return (kSlaveMajor + (number >> 8)) << 8 | (number & 0xff);
}

void Pty::Deliver(const LineDiscipline::Effects& effects) {
  if (effects.readable) slave_queue_.Wake(kIn);
  if (effects.output) master_queue_.Wake(kIn);
  if (effects.stopped_changed) {
    slave_queue_.Wake(kOut);
    master_queue_.Wake(kIn | EPOLLPRI);
  }
  for (int signal : effects.signals) {
    CurrentJobControl().SignalForeground(*this, signal);
    // The key may have flushed both directions.
    slave_queue_.Wake(kOut);
    master_queue_.Wake(kOut);
  }
}

void Pty::AddPacketStatus(uint8_t status) {
  if (packet_mode_) packet_status_ |= status;
}

// ---- The master.

Result<size_t> Pty::MasterRead(std::span<std::byte> buffer) {
  if (buffer.empty()) return size_t{0};
  size_t taken = 0;
  size_t header = 0;
  {
    MutexLock lock(&mu_);
    if (packet_mode_ && packet_status_ != 0) {
      buffer[0] = std::byte{std::exchange(packet_status_, uint8_t{0})};
      return size_t{1};
    }
    std::deque<std::byte>& output = line_.output();
    if (output.empty()) {
      // All programs have left: the end of a terminal is an error, not an end of file.
      if (slave_seen_ && slaves_ == 0) return Errno(EIO);
      return Errno(EAGAIN);
    }
    if (packet_mode_) buffer[header++] = std::byte{0};
    taken = std::min(buffer.size() - header, output.size());
    const auto end = output.begin() + static_cast<std::ptrdiff_t>(taken);
    std::copy(output.begin(), end, buffer.begin() + static_cast<std::ptrdiff_t>(header));
    output.erase(output.begin(), end);
  }
  slave_queue_.Wake(kOut);
  return header + taken;
}

Result<size_t> Pty::MasterWrite(std::span<const std::byte> keys) {
  LineDiscipline::Effects effects;
  size_t done = 0;
  {
    MutexLock lock(&mu_);
    const bool was_stopped = line_.stopped();
    // The room changes with every key: echo and editing keys take none, one that ends a line does.
    while (done < keys.size()) {
      const size_t room = std::min(line_.InputRoom(), keys.size() - done);
      if (room == 0) break;
      LineDiscipline::Effects more = line_.Input(keys.subspan(done, room));
      done += room;
      effects.readable |= more.readable;
      effects.output |= more.output;
      effects.stopped_changed |= more.stopped_changed;
      effects.signals.insert(effects.signals.end(), more.signals.begin(), more.signals.end());
    }
    if (was_stopped != line_.stopped()) {
      AddPacketStatus(line_.stopped() ? kPacketStop : kPacketStart);
    }
    if (!effects.signals.empty()) AddPacketStatus(kPacketFlushRead | kPacketFlushWrite);
  }
  Deliver(effects);
  if (done == 0 && !keys.empty()) return Errno(EAGAIN);
  return done;
}

EventMask Pty::MasterReadiness() {
  MutexLock lock(&mu_);
  EventMask events = 0;
  if (!line_.output().empty()) events |= kIn;
  if (packet_mode_ && packet_status_ != 0) events |= kIn | EPOLLPRI;
  if (line_.InputRoom() > 0) events |= kOut;
  if (slave_seen_ && slaves_ == 0) events |= EPOLLHUP;
  return events;
}

void Pty::MasterClosed() {
  {
    MutexLock lock(&mu_);
    master_closed_ = true;
    line_.FlushInput();
    line_.FlushOutput();
  }
  slave_queue_.Wake(kIn | kOut | EPOLLHUP | EPOLLERR);
  CurrentJobControl().HangUp(*this);
}

void Pty::SetLocked(bool locked) {
  MutexLock lock(&mu_);
  locked_ = locked;
}

bool Pty::locked() {
  MutexLock lock(&mu_);
  return locked_;
}

void Pty::SetPacketMode(bool on) {
  MutexLock lock(&mu_);
  if (on && !packet_mode_) packet_status_ = 0;
  packet_mode_ = on;
}

bool Pty::packet_mode() {
  MutexLock lock(&mu_);
  return packet_mode_;
}

// ---- The slaves.

void Pty::SlaveOpened() {
  MutexLock lock(&mu_);
  ++slaves_;
  slave_seen_ = true;
}

void Pty::SlaveClosed() {
  {
    MutexLock lock(&mu_);
    if (--slaves_ > 0) return;
  }
  master_queue_.Wake(kIn | EPOLLHUP);
}

Result<size_t> Pty::SlaveRead(std::span<std::byte> buffer) {
  Result<size_t> done = size_t{0};
  {
    MutexLock lock(&mu_);
    if (master_closed_) return size_t{0};
    done = line_.Read(buffer);
  }
  if (done.ok()) master_queue_.Wake(kOut);
  return done;
}

Result<size_t> Pty::SlaveWrite(std::span<const std::byte> text) {
  size_t done = 0;
  {
    MutexLock lock(&mu_);
    if (master_closed_) return Errno(EIO);
    done = line_.Write(text);
  }
  if (done > 0) master_queue_.Wake(kIn);
  if (done == 0 && !text.empty()) return Errno(EAGAIN);
  return done;
}

EventMask Pty::SlaveReadiness() {
  MutexLock lock(&mu_);
  if (master_closed_) return kIn | kOut | EPOLLHUP | EPOLLERR;
  EventMask events = 0;
  if (line_.CanRead()) events |= kIn;
  if (line_.CanWrite()) events |= kOut;
  return events;
}

bool Pty::HungUp() {
  MutexLock lock(&mu_);
  return master_closed_;
}

// ---- Settings.

abi::Termios Pty::GetTermios() {
  MutexLock lock(&mu_);
  return line_.termios();
}

void Pty::SetTermios(const abi::Termios& termios, bool flush_input) {
  {
    MutexLock lock(&mu_);
    if (flush_input) line_.FlushInput();
    line_.SetTermios(termios);
  }
  slave_queue_.Wake(kIn | kOut);
  master_queue_.Wake(kOut);
}

abi::WindowSize Pty::GetWindowSize() {
  MutexLock lock(&mu_);
  return size_;
}

void Pty::SetWindowSize(const abi::WindowSize& size) {
  {
    MutexLock lock(&mu_);
    if (size_ == size) return;
    size_ = size;
  }
  CurrentJobControl().SignalForeground(*this, SIGWINCH);
}

Result<void> Pty::Flush(int queue) {
  if (queue != TCIFLUSH && queue != TCOFLUSH && queue != TCIOFLUSH) return Errno(EINVAL);
  {
    MutexLock lock(&mu_);
    if (queue != TCOFLUSH) {
      line_.FlushInput();
      AddPacketStatus(kPacketFlushRead);
    }
    if (queue != TCIFLUSH) {
      line_.FlushOutput();
      AddPacketStatus(kPacketFlushWrite);
    }
  }
  slave_queue_.Wake(kOut);
  master_queue_.Wake(kOut | kIn);
  return {};
}

Result<void> Pty::Flow(int action) {
  LineDiscipline::Effects effects;
  {
    MutexLock lock(&mu_);
    switch (action) {
      case TCOOFF:
      case TCOON:
        effects.stopped_changed = line_.stopped() != (action == TCOOFF);
        line_.set_stopped(action == TCOOFF);
        if (effects.stopped_changed) AddPacketStatus(action == TCOOFF ? kPacketStop : kPacketStart);
        break;
      case TCIOFF:  // Would send a STOP or START character to the keyboard.
      case TCION: {
        const uint8_t key = line_.termios().control_characters[action == TCIOFF ? VSTOP : VSTART];
        if (key != 0 && line_.output().size() < LineDiscipline::kOutputLimit) {
          line_.output().push_back(std::byte{key});
        }
        effects.output = true;
        break;
      }
      default:
        return Errno(EINVAL);
    }
  }
  Deliver(effects);
  return {};
}

size_t Pty::InputBytes() {
  MutexLock lock(&mu_);
  return line_.BytesReadable();
}

size_t Pty::OutputBytes() {
  MutexLock lock(&mu_);
  return line_.output().size();
}

}  // namespace redoubt::fs
