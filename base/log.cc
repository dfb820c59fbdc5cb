// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <unistd.h>

#include <cstdarg>
#include <cstdio>
#include <cstring>

namespace redoubt {

std::atomic<LogLevel> g_log_level{LogLevel::kWarning};

namespace {

std::atomic<int> g_log_fd{2};
std::atomic<const char*> g_log_name{"runsc"};

// Appends to a fixed buffer without the C library's locale machinery.
class LineBuffer {
 public:
  void Append(const char* text) {
    while (*text != '\0' && size_ < sizeof(data_) - 1) data_[size_++] = *text++;
  }
  void AppendNumber(int value) {
    char digits[12];
    size_t n = 0;
    do {
      digits[n++] = static_cast<char>('0' + value % 10);
      value /= 10;
    } while (value > 0 && n < sizeof(digits));
    while (n > 0 && size_ < sizeof(data_) - 1) data_[size_++] = digits[--n];
  }
  void WriteTo(int fd) {
    data_[size_++] = '\n';
    [[maybe_unused]] ssize_t written = write(fd, data_, size_);
  }

 private:
  char data_[1024];
  size_t size_ = 0;
};

constexpr const char* kLevelNames[] = {" D ", " I ", " W ", " E ", " F "};

}  // namespace

void SetLogFd(int fd) { g_log_fd.store(fd, std::memory_order_relaxed); }
int LogFd() { return g_log_fd.load(std::memory_order_relaxed); }
void SetLogName(const char* name) { g_log_name.store(name, std::memory_order_relaxed); }

void Log(LogLevel level, const char* file, int line, const char* text) {
  int fd = g_log_fd.load(std::memory_order_relaxed);
  if (fd < 0) {
    if (level != LogLevel::kFatal) return;
    fd = 2;
  }
  LineBuffer buffer;
  buffer.Append(g_log_name.load(std::memory_order_relaxed));
  buffer.Append(kLevelNames[static_cast<int>(level)]);
  buffer.Append(file);
  buffer.Append(":");
  buffer.AppendNumber(line);
  buffer.Append("] ");
  buffer.Append(text);
  buffer.WriteTo(fd);
}

void LogFormat(LogLevel level, const char* file, int line, const char* format, ...) {
  char text[900];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof(text), format, args);
  va_end(args);
  Log(level, file, line, text);
}

}  // namespace redoubt
