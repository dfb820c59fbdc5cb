// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/host/host_ioctl.h"

#include <signal.h>
#include <sys/ioctl.h>

#include <array>

#include "abi/linux/termios.h"
#include "base/host/syscall.h"

namespace redoubt::fs {

namespace {

enum class Direction { kNone, kOut, kIn };

struct Passed {
  uint32_t command;
  Direction direction;  // Of the argument, as the guest sees it: kOut is given to the guest.
  size_t size;
  bool changes_settings;  // A background caller gets SIGTTOU.
};

constexpr std::array<Passed, 14> kTerminalCommands = {{
    {TCGETS, Direction::kOut, sizeof(abi::Termios), false},
    {TCSETS, Direction::kIn, sizeof(abi::Termios), true},
    {TCSETSW, Direction::kIn, sizeof(abi::Termios), true},
    {TCSETSF, Direction::kIn, sizeof(abi::Termios), true},
    {TCGETS2, Direction::kOut, sizeof(abi::Termios2), false},
    {TCSETS2, Direction::kIn, sizeof(abi::Termios2), true},
    {TCSETSW2, Direction::kIn, sizeof(abi::Termios2), true},
    {TCSETSF2, Direction::kIn, sizeof(abi::Termios2), true},
    {TIOCGWINSZ, Direction::kOut, sizeof(abi::WindowSize), false},
    {TIOCSWINSZ, Direction::kIn, sizeof(abi::WindowSize), false},
    {TIOCOUTQ, Direction::kOut, sizeof(int32_t), false},
    {TCSBRK, Direction::kNone, 0, true},
    {TCXONC, Direction::kNone, 0, true},
    {TCFLSH, Direction::kNone, 0, true},
}};

Result<uint64_t> Pass(HostObject& object, const vfs::IoctlRequest& request, const Passed& passed) {
  if (passed.changes_settings) TRY(CurrentJobControl().CheckWrite(object, true));
  std::array<std::byte, 64> buffer{};
  const std::span<std::byte> argument(buffer.data(), passed.size);
  unsigned long host_argument = reinterpret_cast<unsigned long>(buffer.data());
  if (passed.direction == Direction::kNone) host_argument = static_cast<int>(request.argument);
  if (passed.direction == Direction::kIn) TRY(request.memory.CopyIn(request.argument, argument));
  const uint64_t result =
      TRY(host::Call([&] { return ioctl(object.fd(), request.command, host_argument); }));
  if (passed.direction == Direction::kOut) TRY(request.memory.CopyOut(request.argument, argument));
  // The host tells the processes of its own foreground group, not the guest's.
  if (request.command == TIOCSWINSZ) CurrentJobControl().SignalForeground(object, SIGWINCH);
  return result;
}

}  // namespace

Result<uint64_t> HostIoctl(HostObject& object, const vfs::IoctlRequest& request) {
  if (request.command == FIONREAD) {
    return Pass(object, request, {FIONREAD, Direction::kOut, sizeof(int32_t), false});
  }
  if (!object.is_terminal()) return Errno(ENOTTY);
  JobControlAnswer answer = JobControlIoctl(object, request);
  if (answer.handled) return answer.result;
  for (const Passed& passed : kTerminalCommands) {
    if (passed.command == request.command) return Pass(object, request, passed);
  }
  return Errno(ENOTTY);
}

}  // namespace redoubt::fs
