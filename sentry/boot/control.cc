// SPDX-License-Identifier: Apache-2.0
#include "sentry/boot/control.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/host/syscall.h"
#include "base/host/unix_socket.h"

namespace redoubt::boot {

namespace {

constexpr size_t kMostBytes = 64 * 1024;
constexpr size_t kMostSpecBytes = size_t{8} << 20;

static_assert(kMostControlDescriptors <= host::kMostDescriptors);

template <typename Message>
Result<Message> Parse(const std::string& bytes) {
  Message message;
  if (!message.ParseFromString(bytes)) return Errno(EBADMSG);
  return message;
}

}  // namespace

Result<void> ControlSocket::SendBytes(const std::string& bytes, std::span<const int> fds) {
  // An empty message would look like the end of the connection.
  if (bytes.empty() || bytes.size() > kMostBytes) return Errno(EMSGSIZE);
  if (fds.size() > kMostControlDescriptors) return Errno(EMSGSIZE);
  return host::SendMessage(socket_.get(), std::as_bytes(std::span(bytes)), fds);
}

Result<std::string> ControlSocket::ReceiveBytes(std::vector<OwnedFd>* fds) {
  std::string buffer(kMostBytes, '\0');
  host::ReceivedMessage message =
      TRY(host::ReceiveMessage(socket_.get(), std::as_writable_bytes(std::span(buffer)),
                               fds == nullptr ? 0 : kMostControlDescriptors));
  if (message.size == 0) return Errno(EPIPE);
  if (message.fds_lost) return Errno(EMFILE);
  for (size_t i = 0; i < message.fd_count; ++i) fds->push_back(std::move(message.fds[i]));
  buffer.resize(message.size);
  return buffer;
}

Result<ControlRequest> ControlSocket::ReceiveRequest(std::vector<OwnedFd>* fds) {
  std::string bytes = TRY(ReceiveBytes(fds));
  return Parse<ControlRequest>(bytes);
}

Result<ControlEvent> ControlSocket::ReceiveEvent() {
  std::string bytes = TRY(ReceiveBytes(nullptr));
  return Parse<ControlEvent>(bytes);
}

Result<OwnedFd> WriteProcessSpec(const ProcessSpec& spec) {
  std::string bytes = spec.SerializeAsString();
  if (bytes.size() > kMostSpecBytes) return Errno(E2BIG);
  unsigned number =
      TRY(host::Call([] { return memfd_create("process", MFD_CLOEXEC | MFD_ALLOW_SEALING); }));
  OwnedFd fd(static_cast<int>(number));
  for (size_t done = 0; done < bytes.size();) {
    done += TRY(host::Call([&] {
      return pwrite(fd.get(), bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
    }));
  }
  return fd;
}

Result<ProcessSpec> ReadProcessSpec(int fd) {
  struct stat status;
  TRY(host::Call([&] { return fstat(fd, &status); }));
  // Only a regular file is read without waiting for somebody.
  if (!S_ISREG(status.st_mode) || status.st_size < 0) return Errno(EBADMSG);
  if (static_cast<size_t>(status.st_size) > kMostSpecBytes) return Errno(E2BIG);
  std::string bytes(static_cast<size_t>(status.st_size), '\0');
  for (size_t done = 0; done < bytes.size();) {
    size_t got = TRY(host::Call([&] {
      return pread(fd, bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
    }));
    if (got == 0) return Errno(EBADMSG);
    done += got;
  }
  return Parse<ProcessSpec>(bytes);
}

}  // namespace redoubt::boot
