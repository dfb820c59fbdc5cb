// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/control_message.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "sentry/syscalls/install_file.h"

namespace redoubt::syscalls {

using kernel::Task;
using sockets::ControlData;

namespace {

using Header = abi::ControlMessageHeader;

constexpr uint64_t kControlLimit = 20480;  // net.core.optmem_max.

constexpr size_t Aligned(size_t size) { return (size + 7) & ~size_t{7}; }

Result<void> TakeRights(Task& task, std::span<const std::byte> data, ControlData& control) {
  size_t count = data.size() / sizeof(int32_t);
  if (count > abi::kScmMaximumFds - control.rights.size()) return Errno(EINVAL);
  RefPtr<kernel::FdTable> table = task.fd_table();
  for (size_t i = 0; i < count; ++i) {
    int32_t fd;
    std::memcpy(&fd, data.data() + i * sizeof(fd), sizeof(fd));
    control.rights.push_back(TRY(table->Get(fd)));
  }
  return {};
}

Result<void> TakeCredentials(std::span<const std::byte> data, ControlData& control) {
  abi::SocketCredentials credentials;
  if (data.size() != sizeof(credentials)) return Errno(EINVAL);
  std::memcpy(&credentials, data.data(), sizeof(credentials));
  control.credentials = credentials;
  return {};
}

// __scm_send(): other levels belong to the protocol.
Result<void> TakeMessage(Task& task, const Header& header, std::span<const std::byte> whole,
                         ControlData& control) {
  std::span<const std::byte> data = whole.subspan(sizeof(Header));
  if (header.level != SOL_SOCKET) {
    control.other.insert(control.other.end(), whole.begin(), whole.end());
    control.other.resize(Aligned(control.other.size()));
    return {};
  }
  switch (header.type) {
    case SCM_RIGHTS:
      return TakeRights(task, data, control);
    case SCM_CREDENTIALS:
      return TakeCredentials(data, control);
    default:
      return Errno(EINVAL);
  }
}

// Fills the guest's control buffer from its beginning.
class Writer {
 public:
  explicit Writer(uint64_t capacity) : capacity_(std::min(capacity, kMostBytes)) {}

  // put_cmsg(): cuts what does not fit.
  void Put(int32_t level, int32_t type, std::span<const std::byte> data) {
    uint64_t room = capacity_ - out_.bytes;
    if (room < sizeof(Header)) {
      out_.truncated = true;
      return;
    }
    size_t length = sizeof(Header) + data.size();
    if (length > room) {
      out_.truncated = true;
      length = room;
    }
    Header header{.length = length, .level = level, .type = type};
    Append(std::as_bytes(std::span(&header, 1)));
    Append(data.first(length - sizeof(Header)));
    Pad();
  }
  // Messages of a protocol, each cut by itself.
  void PutAll(std::span<const std::byte> messages) {
    while (messages.size() >= sizeof(Header)) {
      Header header;
      std::memcpy(&header, messages.data(), sizeof(header));
      Put(header.level, header.type,
          messages.subspan(sizeof(Header), header.length - sizeof(Header)));
      messages = messages.subspan(std::min(Aligned(header.length), messages.size()));
    }
  }
  // How many descriptors a SCM_RIGHTS message may still have.
  size_t RightsThatFit() const {
    uint64_t room = capacity_ - out_.bytes;
    return room < sizeof(Header) ? 0 : (room - sizeof(Header)) / sizeof(int32_t);
  }
  void NoteTruncated() { out_.truncated = true; }

  std::span<const std::byte> bytes() const { return buffer_; }
  ControlOut out() const { return out_; }

 private:
  // More than any socket gives.
  static constexpr uint64_t kMostBytes = 64 * 1024;

  void Append(std::span<const std::byte> data) {
    buffer_.insert(buffer_.end(), data.begin(), data.end());
    out_.bytes = buffer_.size();
  }
  void Pad() {
    buffer_.resize(std::min<uint64_t>(Aligned(buffer_.size()), capacity_));
    out_.bytes = buffer_.size();
  }

  const uint64_t capacity_;
  std::vector<std::byte> buffer_;
  ControlOut out_;
};

// scm_detach_fds(): as many as fit get numbers.
std::vector<int32_t> InstallRights(Task& task, std::vector<kernel::FileRef> files, Writer& writer,
                                   bool close_on_exec) {
  std::vector<int32_t> numbers;
  size_t fits = writer.RightsThatFit();
  for (kernel::FileRef& file : files) {
    if (numbers.size() == fits) break;
    Result<int> fd = InstallFile(task, std::move(file), close_on_exec);
    if (!fd.ok()) break;
    numbers.push_back(*fd);
  }
  if (numbers.size() < files.size()) writer.NoteTruncated();
  return numbers;
}

}  // namespace

Result<ControlData> ReadControl(Task& task, uint64_t address, uint64_t length) {
  ControlData control;
  if (length == 0) return control;
  if (length > kControlLimit) return Errno(ENOBUFS);
  std::vector<std::byte> buffer(length);
  TRY(task.CopyIn(address, buffer));
  std::span<const std::byte> rest = buffer;
  while (rest.size() >= sizeof(Header)) {
    Header header;
    std::memcpy(&header, rest.data(), sizeof(header));
    if (header.length < sizeof(Header) || header.length > rest.size()) return Errno(EINVAL);
    TRY(TakeMessage(task, header, rest.first(header.length), control));
    rest = rest.subspan(std::min(Aligned(header.length), rest.size()));
  }
  return control;
}

Result<ControlOut> WriteControl(Task& task, ControlData control, uint64_t address,
                                uint64_t capacity, bool close_on_exec) {
  Writer writer(capacity);
  writer.PutAll(control.other);
  if (control.credentials) {
    writer.Put(SOL_SOCKET, SCM_CREDENTIALS, std::as_bytes(std::span(&*control.credentials, 1)));
  }
  std::vector<int32_t> numbers;
  if (!control.rights.empty()) {
    numbers = InstallRights(task, std::move(control.rights), writer, close_on_exec);
    if (!numbers.empty()) {
      writer.Put(SOL_SOCKET, SCM_RIGHTS, std::as_bytes(std::span(numbers)));
    }
  }
  Result<void> copied = task.CopyOut(address, writer.bytes());
  if (!copied.ok()) {
    // Nobody was told of them.
    for (int32_t fd : numbers) (void)task.fd_table()->Close(fd, task.tgid());
    return copied.error();
  }
  return writer.out();
}

}  // namespace redoubt::syscalls
