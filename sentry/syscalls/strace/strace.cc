// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/strace/strace.h"

#include <string.h>
#include <unistd.h>

#include <cstdio>

#include "base/host/syscall.h"
#include "base/log.h"
#include "sentry/syscalls/strace/format.h"

namespace redoubt::syscalls::strace {

namespace {

bool IsOutput(ArgumentKind kind) {
  switch (kind) {
    case ArgumentKind::kBytesOut:
    case ArgumentKind::kStructOut:
    case ArgumentKind::kArrayOut:
    case ArgumentKind::kArrayInOut:
    case ArgumentKind::kIovecOut:
      return true;
    default:
      return false;
  }
}

const char* RestartName(int code) {
  switch (code) {
    case 512:
      return "ERESTARTSYS";
    case 513:
      return "ERESTARTNOINTR";
    case 514:
      return "ERESTARTNOHAND";
    case 516:
      return "ERESTART_RESTARTBLOCK";
  }
  return nullptr;
}

std::string FormatResult(const SyscallResult& result) {
  if (result.ok()) {
    uint64_t value = *result;
    return value < 0x10000000 ? std::to_string(value) : Hex(value);
  }
  int error = result.error().value();
  if (const char* restart = RestartName(error)) return std::string("? ") + restart;
  const char* name = strerrorname_np(error);
  const char* text = strerrordesc_np(error);
  if (name == nullptr) return "-" + std::to_string(error);
  return std::string("-1 ") + name + " (" + (text != nullptr ? text : "") + ")";
}

}  // namespace

Tracer::Tracer(vfs::UserMemory& memory, int tid, const Call& call)
    : memory_(memory), tid_(tid), call_(call) {
  for (size_t i = 0; i < count(); ++i) {
    if (call_.shapes.empty()) {
      texts_[i] = Hex(call_.arguments[i]);
    } else if (!IsOutput(call_.shapes[i].kind)) {
      uint64_t next = i + 1 < 6 ? call_.arguments[i + 1] : 0;
      texts_[i] = FormatArgument(memory_, call_.shapes[i], call_.arguments[i], next);
    } else {
      texts_[i] = Hex(call_.arguments[i]);  // Stays so when the call fails.
    }
  }
}

std::string Tracer::Begin() const {
  char prefix[64];
  if (call_.name != nullptr) {
    snprintf(prefix, sizeof(prefix), "[%5d] %s(", tid_, call_.name);
  } else {
    snprintf(prefix, sizeof(prefix), "[%5d] syscall_0x%x(", tid_, call_.number);
  }
  std::string line = prefix;
  for (size_t i = 0; i < count(); ++i) {
    if (i != 0) line += ", ";
    line += texts_[i];
  }
  return line;
}

std::string Tracer::NeverReturns() const { return Begin() + ") = ?"; }

std::string Tracer::Finished(const SyscallResult& result) {
  for (size_t i = 0; i < call_.shapes.size() && result.ok(); ++i) {
    const ArgumentShape& shape = call_.shapes[i];
    if (!IsOutput(shape.kind)) continue;
    uint64_t next = i + 1 < 6 ? call_.arguments[i + 1] : 0;
    // What was filled is what the call gave, not what it was offered.
    bool counted = shape.kind == ArgumentKind::kBytesOut || shape.kind == ArgumentKind::kArrayOut;
    if (counted && *result < next) next = *result;
    texts_[i] = FormatArgument(memory_, shape, call_.arguments[i], next);
  }
  return Begin() + ") = " + FormatResult(result);
}

void WriteLine(std::string line) {
  int fd = LogFd();
  if (fd < 0) return;
  line += '\n';
  // A log that cannot be written must not disturb the guest.
  (void)host::Call([&] { return write(fd, line.data(), line.size()); });
}

}  // namespace redoubt::syscalls::strace
