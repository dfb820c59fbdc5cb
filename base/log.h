// SPDX-License-Identifier: Apache-2.0
//
// The log: one line per event to one descriptor. Its core is async-signal-safe (no heap, no locks,
// one write), so that crash paths and threads without a run-time can use it.
//
//   LOG(Warning, "gofer answered %zu bytes, %s expected", n, what);   // printf-style.
//   VLOG("walk %s", path);                                            // Only with --debug-log.
#ifndef BASE_LOG_H_
#define BASE_LOG_H_

#include <atomic>

namespace redoubt {

enum class LogLevel { kDebug, kInfo, kWarning, kError, kFatal };

// Lines below this level are dropped before they are formatted. Default: kWarning.
extern std::atomic<LogLevel> g_log_level;

// Directs the log to `fd` (default 2; not owned). -1 drops everything but fatal lines.
void SetLogFd(int fd);
int LogFd();
// Put before each line, e.g. "sentry". The string must live for ever.
void SetLogName(const char* name);

// Writes `text` as one line; longer than 1 KiB is cut.
void Log(LogLevel level, const char* file, int line, const char* text);
// The same with printf formatting (not async-signal-safe).
[[gnu::format(printf, 4, 5)]] void LogFormat(LogLevel level, const char* file, int line,
                                             const char* format, ...);

}  // namespace redoubt

#define LOG(level, ...)                                                                          \
  do {                                                                                           \
    if (::redoubt::LogLevel::k##level >= ::redoubt::g_log_level.load(std::memory_order_relaxed)) \
      ::redoubt::LogFormat(::redoubt::LogLevel::k##level, __FILE__, __LINE__, __VA_ARGS__);      \
  } while (false)

#define VLOG(...) LOG(Debug, __VA_ARGS__)

#endif  // BASE_LOG_H_
