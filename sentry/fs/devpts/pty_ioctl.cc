// SPDX-License-Identifier: Apache-2.0
//
// ioctl_tty(2), one function a command or group.
#include <algorithm>
#include <cstring>

#include "sentry/fs/devpts/pty.h"
#include "sentry/vfs/caller.h"

namespace redoubt::fs {

namespace {

using vfs::IoctlRequest;

template <typename T>
Result<uint64_t> Put(const IoctlRequest& request, const T& value) {
  TRY(request.memory.CopyOut(request.argument, std::as_bytes(std::span(&value, 1))));
  return uint64_t{0};
}
template <typename T>
Result<T> Get(const IoctlRequest& request) {
  T value;
  TRY(request.memory.CopyIn(request.argument, std::as_writable_bytes(std::span(&value, 1))));
  return value;
}

// A background caller is stopped before it changes the terminal.
Result<void> CheckChange(Pty& pty, bool master) {
  if (master) return {};
  return CurrentJobControl().CheckWrite(pty, /*change_settings=*/true);
}

Result<uint64_t> SetTermios(Pty& pty, bool master, const IoctlRequest& request, bool flush) {
  TRY(CheckChange(pty, master));
  pty.SetTermios(TRY(Get<abi::Termios>(request)), flush);
  return uint64_t{0};
}

Result<uint64_t> SetTermios2(Pty& pty, bool master, const IoctlRequest& request, bool flush) {
  TRY(CheckChange(pty, master));
  const abi::Termios2 termios = TRY(Get<abi::Termios2>(request));
  pty.SetTermios(termios.base, flush);  // A pty has no speed but the one in the flags.
  return uint64_t{0};
}

abi::Termios2 GetTermios2(Pty& pty) {
  constexpr uint32_t kSpeed = 38400;
  return {.base = pty.GetTermios(), .input_speed = kSpeed, .output_speed = kSpeed};
}

Result<uint64_t> SetWindowSize(Pty& pty, const IoctlRequest& request) {
  pty.SetWindowSize(TRY(Get<abi::WindowSize>(request)));
  return uint64_t{0};
}

Result<uint64_t> Done(Result<void> result) {
  TRY(result);
  return uint64_t{0};
}

Result<uint64_t> Flush(Pty& pty, bool master, const IoctlRequest& request) {
  TRY(CheckChange(pty, master));
  return Done(pty.Flush(static_cast<int>(request.argument)));
}

Result<uint64_t> Flow(Pty& pty, bool master, const IoctlRequest& request) {
  TRY(CheckChange(pty, master));
  return Done(pty.Flow(static_cast<int>(request.argument)));
}

// TIOCSETD: N_TTY is all there is.
Result<uint64_t> SetDiscipline(const IoctlRequest& request) {
  if (TRY(Get<int32_t>(request)) != 0) return Errno(EINVAL);
  return uint64_t{0};
}

Result<uint64_t> SetLocked(Pty& pty, const IoctlRequest& request) {
  pty.SetLocked(TRY(Get<int32_t>(request)) != 0);
  return uint64_t{0};
}

Result<uint64_t> SetPacketMode(Pty& pty, const IoctlRequest& request) {
  pty.SetPacketMode(TRY(Get<int32_t>(request)) != 0);
  return uint64_t{0};
}

// TIOCSIG: a key's signal without the key.
Result<uint64_t> SendSignal(Pty& pty, const IoctlRequest& request) {
  const int signal = static_cast<int>(request.argument);
  if (signal < 1 || signal > 64) return Errno(EINVAL);
  CurrentJobControl().SignalForeground(pty, signal);
  return uint64_t{0};
}

Result<uint64_t> MasterIoctl(Pty& pty, const IoctlRequest& request) {
  switch (request.command) {
    case TIOCGPTN:
      return Put(request, static_cast<uint32_t>(pty.number()));
    case TIOCSPTLCK:
      return SetLocked(pty, request);
    case TIOCGPTLCK:
      return Put(request, int32_t{pty.locked()});
    case TIOCPKT:
      return SetPacketMode(pty, request);
    case TIOCGPKT:
      return Put(request, int32_t{pty.packet_mode()});
    case TIOCSIG:
      return SendSignal(pty, request);
    case TIOCGPGRP:
      return Put(request, int32_t{CurrentJobControl().ForegroundGroupOf(pty)});
    case TIOCGSID:
      return Put(request, int32_t{CurrentJobControl().SessionOf(pty)});
    case FIONREAD:
      return Put(request, static_cast<int32_t>(pty.OutputBytes()));
    case TIOCOUTQ:
      return Put(request, static_cast<int32_t>(pty.InputBytes()));
    default:
      return Errno(ENOTTY);
  }
}

Result<uint64_t> SlaveIoctl(Pty& pty, const IoctlRequest& request) {
  JobControlAnswer answer = JobControlIoctl(pty, request);
  if (answer.handled) return answer.result;
  switch (request.command) {
    case FIONREAD:
      return Put(request, static_cast<int32_t>(pty.InputBytes()));
    case TIOCOUTQ:
      return Put(request, static_cast<int32_t>(pty.OutputBytes()));
    default:
      return Errno(ENOTTY);
  }
}

}  // namespace

Result<uint64_t> PtyIoctl(Pty& pty, bool master, const vfs::IoctlRequest& request) {
  switch (request.command) {
    case TCGETS:
      return Put(request, pty.GetTermios());
    case TCGETS2:
      return Put(request, GetTermios2(pty));
    // Output goes straight to the master, so there is nothing to drain for the W forms.
    case TCSETS:
    case TCSETSW:
      return SetTermios(pty, master, request, /*flush=*/false);
    case TCSETSF:
      return SetTermios(pty, master, request, /*flush=*/true);
    case TCSETS2:
    case TCSETSW2:
      return SetTermios2(pty, master, request, /*flush=*/false);
    case TCSETSF2:
      return SetTermios2(pty, master, request, /*flush=*/true);
    case TIOCGWINSZ:
      return Put(request, pty.GetWindowSize());
    case TIOCSWINSZ:
      return SetWindowSize(pty, request);
    case TCFLSH:
      return Flush(pty, master, request);
    case TCXONC:
      return Flow(pty, master, request);
    case TCSBRK:
    case TCSBRKP:
      return Done(CheckChange(pty, master));
    case TIOCGETD:
      return Put(request, int32_t{0});
    case TIOCSETD:
      return SetDiscipline(request);
    default:
      return master ? MasterIoctl(pty, request) : SlaveIoctl(pty, request);
  }
}

}  // namespace redoubt::fs
