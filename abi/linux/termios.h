// SPDX-License-Identifier: Apache-2.0
//
// Terminals (ioctl_tty(2), termios(3)) as the kernel sees them: libc's struct termios is another.
#ifndef ABI_LINUX_TERMIOS_H_
#define ABI_LINUX_TERMIOS_H_

#include <asm/termbits.h>
#include <asm/ioctls.h>

#include <cstddef>
#include <cstdint>

namespace redoubt::abi {

inline constexpr size_t kControlCharacters = 19;

// The kernel's struct termios: TCGETS, TCSETS.
struct Termios {
  uint32_t input_flags = 0;
  uint32_t output_flags = 0;
  uint32_t control_flags = 0;
  uint32_t local_flags = 0;
  uint8_t line = 0;
  uint8_t control_characters[kControlCharacters] = {};
};
static_assert(sizeof(Termios) == sizeof(termios));
static_assert(offsetof(Termios, control_characters) == offsetof(termios, c_cc));

// struct termios2: TCGETS2, TCSETS2.
struct Termios2 {
  Termios base;
  uint32_t input_speed = 0;
  uint32_t output_speed = 0;
};
static_assert(sizeof(Termios2) == sizeof(termios2));
static_assert(offsetof(Termios2, input_speed) == offsetof(termios2, c_ispeed));

// struct winsize: TIOCGWINSZ, TIOCSWINSZ.
struct WindowSize {
  uint16_t rows = 0;
  uint16_t columns = 0;
  uint16_t x_pixels = 0;
  uint16_t y_pixels = 0;
  friend bool operator==(const WindowSize&, const WindowSize&) = default;
};
static_assert(sizeof(WindowSize) == 8);

}  // namespace redoubt::abi

#endif  // ABI_LINUX_TERMIOS_H_
