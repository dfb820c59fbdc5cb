// SPDX-License-Identifier: Apache-2.0
#include "runsc/cmd/signal_name.h"

#include <signal.h>
#include <string.h>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"

namespace redoubt::runsc {

namespace {

constexpr int kLastSignal = 64;
constexpr int kFirstRealTime = 34;  // glibc's SIGRTMIN, which kill(1) counts from.

// "RTMIN", "RTMIN+3", "RTMAX-1".
std::optional<int> ParseRealTime(const std::string& name) {
  bool from_end = name.starts_with("RTMAX");
  if (!from_end && !name.starts_with("RTMIN")) return std::nullopt;
  int offset = 0;
  std::string rest = name.substr(5);
  if (!rest.empty() && !absl::SimpleAtoi(rest, &offset)) return std::nullopt;
  int number = (from_end ? kLastSignal : kFirstRealTime) + offset;
  if (number < kFirstRealTime || number > kLastSignal) return std::nullopt;
  return number;
}

}  // namespace

std::optional<int> ParseSignal(const std::string& text) {
  int number = 0;
  if (absl::SimpleAtoi(text, &number)) {
    if (number < 0 || number > kLastSignal) return std::nullopt;
    return number;
  }
  std::string name = absl::AsciiStrToUpper(text);
  if (name.starts_with("SIG")) name = name.substr(3);
  for (int signal = 1; signal < kFirstRealTime; ++signal) {
    const char* known = sigabbrev_np(signal);
    if (known != nullptr && name == known) return signal;
  }
  if (name == "IOT") return SIGABRT;
  if (name == "CLD") return SIGCHLD;
  if (name == "POLL") return SIGIO;
  return ParseRealTime(name);
}

}  // namespace redoubt::runsc
