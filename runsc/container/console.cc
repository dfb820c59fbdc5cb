// SPDX-License-Identifier: Apache-2.0
#include "runsc/container/console.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "base/host/syscall.h"
#include "base/host/unix_socket.h"

namespace redoubt::runsc {

namespace {

absl::Status Failed(const std::string& what) {
  return absl::InternalError(absl::StrCat(what, ": ", strerror(errno)));
}

// With the path of its slave as the message, as runc sends it.
absl::Status SendMaster(const std::string& socket_path, int master, const std::string& name) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (socket_path.size() >= sizeof(address.sun_path)) {
    return absl::InvalidArgumentError("--console-socket: the path is too long");
  }
  memcpy(address.sun_path, socket_path.c_str(), socket_path.size() + 1);
  OwnedFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket.valid() || !host::Call([&] {
                            return connect(socket.get(), reinterpret_cast<sockaddr*>(&address),
                                           sizeof(address));
                          }).ok()) {
    return Failed(absl::StrCat("--console-socket ", socket_path));
  }
  Result<void> sent =
      host::SendMessage(socket.get(), std::as_bytes(std::span(name)), std::span(&master, 1));
  return sent.ok() ? absl::OkStatus() : absl::InternalError("sending the terminal failed");
}

}  // namespace

absl::StatusOr<OwnedFd> OpenConsole(const std::string& socket_path, const oci::ConsoleSize& size) {
  OwnedFd master(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  char name[64];
  if (!master.valid() || unlockpt(master.get()) != 0 ||
      ptsname_r(master.get(), name, sizeof(name)) != 0) {
    return Failed("making a terminal");
  }
  OwnedFd slave(open(name, O_RDWR | O_NOCTTY | O_CLOEXEC));
  termios settings;
  if (!slave.valid() || tcgetattr(slave.get(), &settings) != 0) return Failed(name);
  cfmakeraw(&settings);
  (void)tcsetattr(slave.get(), TCSANOW, &settings);
  if (size.height != 0 || size.width != 0) {
    winsize window = {.ws_row = size.height, .ws_col = size.width, .ws_xpixel = 0, .ws_ypixel = 0};
    (void)ioctl(slave.get(), TIOCSWINSZ, &window);
  }
  absl::Status sent = SendMaster(socket_path, master.get(), name);
  if (!sent.ok()) return sent;
  return slave;
}

void ControlConsole(int slave) { (void)ioctl(slave, TIOCSCTTY, 0); }

}  // namespace redoubt::runsc
