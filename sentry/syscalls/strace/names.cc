// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/strace/names.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>

#include <bit>
#include <cstdio>
#include <span>

namespace redoubt::syscalls::strace {

namespace {

struct Name {
  uint64_t value;
  const char* text;
};
#define NAME(symbol) \
  { static_cast<uint64_t>(symbol), #symbol }

// Masks of several bits stand before the bits they contain.
constexpr Name kOpenFlags[] = {
    NAME(O_CREAT),     NAME(O_EXCL),     NAME(O_NOCTTY),           NAME(O_TRUNC),
    NAME(O_APPEND),    NAME(O_NONBLOCK), {O_SYNC, "O_SYNC"},       NAME(O_DSYNC),
    NAME(O_ASYNC),     NAME(O_DIRECT),   {0100000, "O_LARGEFILE"}, NAME(O_TMPFILE),
    NAME(O_DIRECTORY), NAME(O_NOFOLLOW), NAME(O_NOATIME),          NAME(O_CLOEXEC),
    NAME(O_PATH),
};
constexpr Name kProtections[] = {NAME(PROT_READ), NAME(PROT_WRITE), NAME(PROT_EXEC),
                                 NAME(PROT_GROWSDOWN), NAME(PROT_GROWSUP)};
constexpr Name kMapFlags[] = {
    NAME(MAP_SHARED_VALIDATE), NAME(MAP_SHARED), NAME(MAP_PRIVATE),   NAME(MAP_FIXED),
    NAME(MAP_ANONYMOUS),       NAME(MAP_32BIT),  NAME(MAP_GROWSDOWN), NAME(MAP_DENYWRITE),
    NAME(MAP_EXECUTABLE),      NAME(MAP_LOCKED), NAME(MAP_NORESERVE), NAME(MAP_POPULATE),
    NAME(MAP_NONBLOCK),        NAME(MAP_STACK),  NAME(MAP_HUGETLB),   NAME(MAP_SYNC),
    NAME(MAP_FIXED_NOREPLACE)};
constexpr Name kCloneFlags[] = {NAME(CLONE_VM),
                                NAME(CLONE_FS),
                                NAME(CLONE_FILES),
                                NAME(CLONE_SIGHAND),
                                NAME(CLONE_PIDFD),
                                NAME(CLONE_PTRACE),
                                NAME(CLONE_VFORK),
                                NAME(CLONE_PARENT),
                                NAME(CLONE_THREAD),
                                NAME(CLONE_NEWNS),
                                NAME(CLONE_SYSVSEM),
                                NAME(CLONE_SETTLS),
                                NAME(CLONE_PARENT_SETTID),
                                NAME(CLONE_CHILD_CLEARTID),
                                NAME(CLONE_DETACHED),
                                NAME(CLONE_UNTRACED),
                                NAME(CLONE_CHILD_SETTID),
                                NAME(CLONE_NEWCGROUP),
                                NAME(CLONE_NEWUTS),
                                NAME(CLONE_NEWIPC),
                                NAME(CLONE_NEWUSER),
                                NAME(CLONE_NEWPID),
                                NAME(CLONE_NEWNET),
                                NAME(CLONE_IO)};
constexpr Name kClocks[] = {NAME(CLOCK_REALTIME),
                            NAME(CLOCK_MONOTONIC),
                            NAME(CLOCK_PROCESS_CPUTIME_ID),
                            NAME(CLOCK_THREAD_CPUTIME_ID),
                            NAME(CLOCK_MONOTONIC_RAW),
                            NAME(CLOCK_REALTIME_COARSE),
                            NAME(CLOCK_MONOTONIC_COARSE),
                            NAME(CLOCK_BOOTTIME),
                            NAME(CLOCK_REALTIME_ALARM),
                            NAME(CLOCK_BOOTTIME_ALARM),
                            NAME(CLOCK_TAI)};
constexpr Name kFutexOperations[] = {
    NAME(FUTEX_WAIT),           NAME(FUTEX_WAKE),        NAME(FUTEX_FD),
    NAME(FUTEX_REQUEUE),        NAME(FUTEX_CMP_REQUEUE), NAME(FUTEX_WAKE_OP),
    NAME(FUTEX_LOCK_PI),        NAME(FUTEX_UNLOCK_PI),   NAME(FUTEX_TRYLOCK_PI),
    NAME(FUTEX_WAIT_BITSET),    NAME(FUTEX_WAKE_BITSET), NAME(FUTEX_WAIT_REQUEUE_PI),
    NAME(FUTEX_CMP_REQUEUE_PI), NAME(FUTEX_LOCK_PI2)};
constexpr Name kMaskHows[] = {NAME(SIG_BLOCK), NAME(SIG_UNBLOCK), NAME(SIG_SETMASK)};
constexpr Name kAdvices[] = {
    NAME(MADV_NORMAL),   NAME(MADV_RANDOM),    NAME(MADV_SEQUENTIAL), NAME(MADV_WILLNEED),
    NAME(MADV_DONTNEED), NAME(MADV_FREE),      NAME(MADV_REMOVE),     NAME(MADV_DONTFORK),
    NAME(MADV_DOFORK),   NAME(MADV_MERGEABLE), NAME(MADV_HUGEPAGE),   NAME(MADV_NOHUGEPAGE),
    NAME(MADV_DONTDUMP), NAME(MADV_DODUMP),    NAME(MADV_WIPEONFORK), NAME(MADV_KEEPONFORK)};
constexpr Name kResources[] = {
    NAME(RLIMIT_CPU),      NAME(RLIMIT_FSIZE), NAME(RLIMIT_DATA),   NAME(RLIMIT_STACK),
    NAME(RLIMIT_CORE),     NAME(RLIMIT_RSS),   NAME(RLIMIT_NPROC),  NAME(RLIMIT_NOFILE),
    NAME(RLIMIT_MEMLOCK),  NAME(RLIMIT_AS),    NAME(RLIMIT_LOCKS),  NAME(RLIMIT_SIGPENDING),
    NAME(RLIMIT_MSGQUEUE), NAME(RLIMIT_NICE),  NAME(RLIMIT_RTPRIO), NAME(RLIMIT_RTTIME)};
#undef NAME

std::string HexNumber(uint64_t value) {
  char text[32];
  snprintf(text, sizeof(text), "0x%llx", static_cast<unsigned long long>(value));
  return text;
}

std::string Octal(uint64_t value) {
  char text[32];
  snprintf(text, sizeof(text), "%04llo", static_cast<unsigned long long>(value));
  return text;
}

std::string OneOf(std::span<const Name> names, uint64_t value) {
  for (const Name& name : names) {
    if (name.value == value) return name.text;
  }
  return HexNumber(value);
}

void AppendWord(std::string& text, const std::string& word) {
  if (!text.empty()) text += '|';
  text += word;
}

// Names of all bits set; what is left without a name in hex.
std::string Bits(std::span<const Name> names, uint64_t value, std::string text = "") {
  for (const Name& name : names) {
    if (name.value == 0 || (value & name.value) != name.value) continue;
    AppendWord(text, name.text);
    value &= ~name.value;
  }
  if (value != 0) AppendWord(text, HexNumber(value));
  return text.empty() ? "0" : text;
}

std::string OpenFlagsText(uint64_t value) {
  static constexpr const char* kModes[] = {"O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE"};
  return Bits(kOpenFlags, value & ~uint64_t{O_ACCMODE}, kModes[value & O_ACCMODE]);
}

std::string CloneFlagsText(uint64_t value) {
  int exit_signal = static_cast<int>(value & 0xff);
  std::string text;
  if ((value & ~uint64_t{0xff}) != 0) text = Bits(kCloneFlags, value & ~uint64_t{0xff});
  if (exit_signal != 0) AppendWord(text, SignalName(exit_signal));
  return text.empty() ? "0" : text;
}

std::string FutexText(uint64_t value) {
  constexpr uint64_t kOptions = FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME;
  std::string text = OneOf(kFutexOperations, value & ~kOptions);
  if ((value & FUTEX_PRIVATE_FLAG) != 0) text += "_PRIVATE";
  if ((value & FUTEX_CLOCK_REALTIME) != 0) text += "|FUTEX_CLOCK_REALTIME";
  return text;
}

std::string SignedText(uint64_t value) {
  return std::to_string(static_cast<int32_t>(static_cast<uint32_t>(value)));
}

}  // namespace

std::string FormatNamed(ArgumentKind kind, uint64_t value) {
  const uint32_t low = static_cast<uint32_t>(value);
  switch (kind) {
    case ArgumentKind::kDirFd:
      if (static_cast<int32_t>(low) == AT_FDCWD) return "AT_FDCWD";
      return SignedText(value);
    case ArgumentKind::kOpenFlags:
      return OpenFlagsText(low);
    case ArgumentKind::kMode:
      return Octal(low);
    case ArgumentKind::kProtection:
      return value == 0 ? "PROT_NONE" : Bits(kProtections, value);
    case ArgumentKind::kMapFlags:
      return Bits(kMapFlags, value);
    case ArgumentKind::kAdvice:
      return OneOf(kAdvices, low);
    case ArgumentKind::kCloneFlags:
      return CloneFlagsText(value);
    case ArgumentKind::kSignal:
      return SignalName(static_cast<int32_t>(low));
    case ArgumentKind::kClockId:
      return OneOf(kClocks, low);
    case ArgumentKind::kFutexOperation:
      return FutexText(low);
    case ArgumentKind::kMaskHow:
      return OneOf(kMaskHows, low);
    case ArgumentKind::kResource:
      return OneOf(kResources, low);
    default:
      return SignedText(value);
  }
}

std::string SignalName(int signal) {
  if (signal >= 32 && signal <= 64) return "SIGRT_" + std::to_string(signal - 32);
  const char* name = signal > 0 ? sigabbrev_np(signal) : nullptr;
  if (name == nullptr) return std::to_string(signal);
  return std::string("SIG") + name;
}

std::string SignalSetText(uint64_t bits) {
  std::string text = "[";
  if (std::popcount(bits) > 32) {
    bits = ~bits;
    text = "~[";
  }
  bool first = true;
  for (int signal = 1; signal <= 64; ++signal) {
    if ((bits >> (signal - 1) & 1) == 0) continue;
    if (!first) text += ' ';
    first = false;
    std::string name = SignalName(signal);
    text += name.starts_with("SIG") ? name.substr(3) : name;
  }
  return text + "]";
}

}  // namespace redoubt::syscalls::strace
