// SPDX-License-Identifier: Apache-2.0
//
// LineDiscipline: what stands between a terminal's keyboard side and its reader (Linux's n_tty.c):
// canonical mode and editing, echo, signals from keys, translation of CR and NL. It is a pure state
// machine under its owner's lock; what must be told to others comes out in Effects.
#ifndef SENTRY_FS_TTY_LINE_DISCIPLINE_H_
#define SENTRY_FS_TTY_LINE_DISCIPLINE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "abi/linux/termios.h"
#include "base/result.h"

namespace redoubt::fs {

// The settings of a fresh terminal (Linux's tty_std_termios).
abi::Termios DefaultTermios();

class LineDiscipline {
 public:
  static constexpr size_t kInputLimit = 4095;    // Bytes in an unread line (N_TTY_BUF_SIZE - 1).
  static constexpr size_t kOutputLimit = 65536;  // Bytes on their way to the display side.

  struct Effects {
    std::vector<int> signals;      // SIGINT, SIGQUIT, SIGTSTP for the foreground group, in order.
    bool readable = false;         // The reader may have got something.
    bool output = false;           // Echo went to output().
    bool stopped_changed = false;  // XON or XOFF came.
  };

  // Keys: bytes from the keyboard side. Takes them all; what does not fit is dropped (a bell is
  // echoed with IMAXBEL). InputRoom() says how many do.
  Effects Input(std::span<const std::byte> keys);
  size_t InputRoom() const;

  // The reader's side. EAGAIN when there is nothing to give yet. 0 is an end of file (EOF key).
  Result<size_t> Read(std::span<std::byte> buffer);
  bool CanRead() const;
  size_t BytesReadable() const;  // FIONREAD (TIOCINQ).

  // The writer's side: appends to output() with OPOST processing. Gives the bytes of `text` taken,
  // 0 when output is stopped or full.
  size_t Write(std::span<const std::byte> text);
  bool CanWrite() const;
  std::deque<std::byte>& output() { return output_; }
  const std::deque<std::byte>& output() const { return output_; }

  const abi::Termios& termios() const { return termios_; }
  void SetTermios(const abi::Termios& termios);
  void FlushInput();
  void FlushOutput() { output_.clear(); }
  bool stopped() const { return stopped_; }
  void set_stopped(bool stopped) { stopped_ = stopped; }

 private:
  bool Canonical() const { return (termios_.local_flags & ICANON) != 0; }
  bool Is(uint8_t c, int index) const { return c == termios_.control_characters[index] && c != 0; }
  void InputByte(uint8_t c, Effects& effects);
  bool FlowKey(uint8_t c, Effects& effects);
  bool SignalKey(uint8_t c, Effects& effects);
  bool EditKey(uint8_t c, Effects& effects);
  bool EndsLine(uint8_t c) const;
  void Erase(Effects& effects);
  void EraseLine(Effects& effects);
  void EraseWord(Effects& effects);
  void RemoveLast(Effects& effects);
  void Reprint(Effects& effects);
  void Accept(uint8_t c, Effects& effects);
  void CommitLine(Effects& effects);
  void Echo(uint8_t c, Effects& effects);
  void EchoRaw(uint8_t c, Effects& effects);
  void Emit(uint8_t c);  // One byte of output with OPOST processing.

  abi::Termios termios_ = DefaultTermios();
  // Canonical: bytes of the line being edited, and finished lines. An EOF key ends a line without a
  // byte of its own; line_lengths_ says where lines end.
  std::vector<uint8_t> editing_;
  std::deque<uint8_t> input_;
  std::deque<size_t> line_lengths_;
  std::deque<std::byte> output_;
  unsigned column_ = 0;
  bool stopped_ = false;
  bool literal_next_ = false;
};

}  // namespace redoubt::fs

#endif  // SENTRY_FS_TTY_LINE_DISCIPLINE_H_
