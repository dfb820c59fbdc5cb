// SPDX-License-Identifier: Apache-2.0
//
// RawTerminal: while it lives, the terminal on standard input (if there is one) passes every key on
// as it is: the guest's pty has the line discipline.
#ifndef RUNSC_SANDBOX_RAW_TERMINAL_H_
#define RUNSC_SANDBOX_RAW_TERMINAL_H_

#include <termios.h>

#include <optional>

namespace redoubt::runsc {

class RawTerminal {
 public:
  explicit RawTerminal(bool wanted) {
    termios settings;
    if (!wanted || tcgetattr(0, &settings) != 0) return;
    saved_ = settings;
    cfmakeraw(&settings);
    (void)tcsetattr(0, TCSADRAIN, &settings);
  }
  ~RawTerminal() {
    if (saved_.has_value()) (void)tcsetattr(0, TCSADRAIN, &*saved_);
  }
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;

 private:
  std::optional<termios> saved_;
};

}  // namespace redoubt::runsc

#endif  // RUNSC_SANDBOX_RAW_TERMINAL_H_
