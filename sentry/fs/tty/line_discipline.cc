// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/tty/line_discipline.h"

#include <signal.h>

#include <algorithm>

namespace redoubt::fs {

namespace {

constexpr uint8_t kBell = 7;
constexpr unsigned kTabWidth = 8;

bool IsControl(uint8_t c) { return c < 0x20 || c == 0x7f; }
// A byte of UTF-8 after the first: shares the column of that one.
bool IsContinuation(uint8_t c) { return (c & 0xc0) == 0x80; }
bool IsWordByte(uint8_t c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         c >= 0x80;
}

}  // namespace

abi::Termios DefaultTermios() {
  abi::Termios termios;
  termios.input_flags = ICRNL | IXON;
  termios.output_flags = OPOST | ONLCR;
  termios.control_flags = B38400 | CS8 | CREAD | HUPCL;
  termios.local_flags = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN;
  uint8_t* keys = termios.control_characters;
  keys[VINTR] = 3;     // ^C
  keys[VQUIT] = 28;    // ^\.
  keys[VERASE] = 127;  // DEL
  keys[VKILL] = 21;    // ^U
  keys[VEOF] = 4;      // ^D
  keys[VMIN] = 1;
  keys[VSTART] = 17;    // ^Q
  keys[VSTOP] = 19;     // ^S
  keys[VSUSP] = 26;     // ^Z
  keys[VREPRINT] = 18;  // ^R
  keys[VDISCARD] = 15;  // ^O
  keys[VWERASE] = 23;   // ^W
  keys[VLNEXT] = 22;    // ^V
  return termios;
}

void LineDiscipline::SetTermios(const abi::Termios& termios) {
  const bool was_canonical = Canonical();
  termios_ = termios;
  if (was_canonical && !Canonical()) {
    // What is being edited becomes readable as it is.
    input_.insert(input_.end(), editing_.begin(), editing_.end());
    editing_.clear();
    line_lengths_.clear();
  } else if (!was_canonical && Canonical() && !input_.empty()) {
    line_lengths_.assign(1, input_.size());
  }
  if ((termios_.input_flags & IXON) == 0) stopped_ = false;
  literal_next_ = false;
}

void LineDiscipline::FlushInput() {
  editing_.clear();
  input_.clear();
  line_lengths_.clear();
}

// ---- Keys.

size_t LineDiscipline::InputRoom() const {
  const size_t used = input_.size() + editing_.size();
  const size_t room = used >= kInputLimit ? 0 : kInputLimit - used;
  if (line_lengths_.size() >= kInputLimit) return 0;  // Lines may be empty (EOF keys).
  // A line without an end that fills the buffer is taken and dropped, or no key could end it; but
  // finished lines wait for their reader.
  if (room == 0 && Canonical() && line_lengths_.empty()) return 1;
  return room;
}

LineDiscipline::Effects LineDiscipline::Input(std::span<const std::byte> keys) {
  Effects effects;
  for (std::byte key : keys) InputByte(static_cast<uint8_t>(key), effects);
  return effects;
}

void LineDiscipline::InputByte(uint8_t c, Effects& effects) {
  const uint32_t input_flags = termios_.input_flags;
  if ((input_flags & ISTRIP) != 0) c &= 0x7f;
  if (literal_next_) {
    literal_next_ = false;
    Accept(c, effects);
    return;
  }
  if ((termios_.local_flags & EXTPROC) == 0) {
    if ((input_flags & IUCLC) != 0 && (termios_.local_flags & IEXTEN) != 0 && c >= 'A' &&
        c <= 'Z') {
      c += 'a' - 'A';
    }
    if ((input_flags & IXON) != 0 && FlowKey(c, effects)) return;
    if ((termios_.local_flags & ISIG) != 0 && SignalKey(c, effects)) return;
  }
  if (stopped_ && (input_flags & IXANY) != 0 && (input_flags & IXON) != 0) {
    stopped_ = false;
    effects.stopped_changed = true;
  }
  if (c == '\r') {
    if ((input_flags & IGNCR) != 0) return;
    if ((input_flags & ICRNL) != 0) c = '\n';
  } else if (c == '\n' && (input_flags & INLCR) != 0) {
    c = '\r';
  }
  if (Canonical() && EditKey(c, effects)) return;
  Accept(c, effects);
}

bool LineDiscipline::FlowKey(uint8_t c, Effects& effects) {
  const bool start = Is(c, VSTART), stop = Is(c, VSTOP);
  if (!start && !stop) return false;
  stopped_ = !start;  // One key may be both: it starts.
  effects.stopped_changed = true;
  return true;
}

bool LineDiscipline::SignalKey(uint8_t c, Effects& effects) {
  int signal = 0;
  if (Is(c, VINTR)) signal = SIGINT;
  if (Is(c, VQUIT)) signal = SIGQUIT;
  if (Is(c, VSUSP)) signal = SIGTSTP;
  if (signal == 0) return false;
  if ((termios_.local_flags & NOFLSH) == 0) {
    FlushInput();
    FlushOutput();
  }
  if (stopped_) {
    stopped_ = false;
    effects.stopped_changed = true;
  }
  Echo(c, effects);
  effects.signals.push_back(signal);
  return true;
}

bool LineDiscipline::EndsLine(uint8_t c) const {
  return c == '\n' || Is(c, VEOL) || (Is(c, VEOL2) && (termios_.local_flags & IEXTEN) != 0);
}

// Keys that mean something in canonical mode. True: served.
bool LineDiscipline::EditKey(uint8_t c, Effects& effects) {
  const bool extended = (termios_.local_flags & IEXTEN) != 0;
  if (Is(c, VERASE)) {
    Erase(effects);
  } else if (Is(c, VWERASE) && extended) {
    EraseWord(effects);
  } else if (Is(c, VKILL)) {
    EraseLine(effects);
  } else if (Is(c, VLNEXT) && extended) {
    literal_next_ = true;
    if ((termios_.local_flags & (ECHO | ECHOCTL)) == (ECHO | ECHOCTL)) {
      EchoRaw('^', effects);
      EchoRaw('\b', effects);
    }
  } else if (Is(c, VREPRINT) && extended && (termios_.local_flags & ECHO) != 0) {
    Reprint(effects);
  } else if (Is(c, VEOF)) {
    CommitLine(effects);
  } else if (EndsLine(c)) {
    if (c == '\n') {
      if ((termios_.local_flags & (ECHO | ECHONL)) != 0) EchoRaw('\n', effects);
    } else {
      Echo(c, effects);
    }
    if (input_.size() + editing_.size() < kInputLimit) editing_.push_back(c);
    CommitLine(effects);
  } else {
    return false;
  }
  return true;
}

void LineDiscipline::Accept(uint8_t c, Effects& effects) {
  // In canonical mode one place is kept for the byte that ends the line.
  const size_t limit = Canonical() ? kInputLimit - 1 : kInputLimit;
  if (input_.size() + editing_.size() >= limit) {
    if ((termios_.input_flags & IMAXBEL) != 0) EchoRaw(kBell, effects);
    return;
  }
  if (c == '\n') {
    if ((termios_.local_flags & ECHO) != 0) EchoRaw('\n', effects);
  } else {
    Echo(c, effects);
  }
  if (Canonical()) {
    editing_.push_back(c);
    return;
  }
  input_.push_back(c);
  effects.readable = true;
}

void LineDiscipline::CommitLine(Effects& effects) {
  if (line_lengths_.size() >= kInputLimit) return;
  line_lengths_.push_back(editing_.size());
  input_.insert(input_.end(), editing_.begin(), editing_.end());
  editing_.clear();
  effects.readable = true;
}

// ---- Editing.

// Takes the last character of the line away, all bytes of it, and from the screen.
void LineDiscipline::RemoveLast(Effects& effects) {
  uint8_t c = editing_.back();
  editing_.pop_back();
  while ((termios_.input_flags & IUTF8) != 0 && IsContinuation(c) && !editing_.empty()) {
    c = editing_.back();
    editing_.pop_back();
  }
  if ((termios_.local_flags & ECHO) == 0) return;
  if ((termios_.local_flags & ECHOE) == 0) {
    Echo(termios_.control_characters[VERASE], effects);
    return;
  }
  int width = 1;
  if (c == '\t') {
    // Where the tab began is not remembered: write the line again.
    Reprint(effects);
    return;
  }
  if (IsControl(c)) width = (termios_.local_flags & ECHOCTL) != 0 ? 2 : 0;
  for (; width > 0; --width) {
    for (uint8_t each : {'\b', ' ', '\b'}) EchoRaw(each, effects);
  }
}

void LineDiscipline::Erase(Effects& effects) {
  if (!editing_.empty()) RemoveLast(effects);
}

void LineDiscipline::EraseWord(Effects& effects) {
  bool seen = false;
  while (!editing_.empty()) {
    const bool word = IsWordByte(editing_.back());
    if (seen && !word) return;
    seen = seen || word;
    RemoveLast(effects);
  }
}

void LineDiscipline::EraseLine(Effects& effects) {
  constexpr uint32_t kErasing = ECHO | ECHOE | ECHOK | ECHOKE;
  if ((termios_.local_flags & kErasing) == kErasing) {
    while (!editing_.empty()) RemoveLast(effects);
    return;
  }
  editing_.clear();
  Echo(termios_.control_characters[VKILL], effects);
  if ((termios_.local_flags & (ECHO | ECHOK)) == (ECHO | ECHOK)) EchoRaw('\n', effects);
}

void LineDiscipline::Reprint(Effects& effects) {
  Echo(termios_.control_characters[VREPRINT], effects);
  EchoRaw('\n', effects);
  for (uint8_t c : editing_) Echo(c, effects);
}

// A control character shows as ^X with ECHOCTL.
void LineDiscipline::Echo(uint8_t c, Effects& effects) {
  if ((termios_.local_flags & ECHO) == 0) return;
  if ((termios_.local_flags & ECHOCTL) != 0 && IsControl(c) && c != '\t') {
    EchoRaw('^', effects);
    EchoRaw(c ^ 0x40, effects);
    return;
  }
  EchoRaw(c, effects);
}

void LineDiscipline::EchoRaw(uint8_t c, Effects& effects) {
  if (output_.size() >= kOutputLimit) return;  // Nobody looks; echo is not worth waiting for.
  Emit(c);
  effects.output = true;
}

// ---- The reader.

bool LineDiscipline::CanRead() const {
  if (Canonical()) return !line_lengths_.empty();
  const size_t least = std::max<size_t>(
      1, termios_.control_characters[VTIME] != 0 ? 1 : termios_.control_characters[VMIN]);
  return input_.size() >= least;
}

size_t LineDiscipline::BytesReadable() const {
  if (!Canonical()) return input_.size();
  size_t bytes = 0;
  for (size_t length : line_lengths_) bytes += length;
  return bytes;
}

Result<size_t> LineDiscipline::Read(std::span<std::byte> buffer) {
  if (buffer.empty()) return size_t{0};
  size_t available = input_.size();
  if (Canonical()) {
    if (line_lengths_.empty()) return Errno(EAGAIN);
    available = line_lengths_.front();
  } else {
    // VMIN 0: what is there, at once. VTIME is not kept: with VMIN 0 a read of nothing gives 0
    // without its wait, with VMIN > 0 it waits for VMIN however long the pauses are.
    const size_t minimum = termios_.control_characters[VMIN];
    if (minimum == 0 && input_.empty()) return size_t{0};
    if (input_.size() < std::min(std::max<size_t>(minimum, 1), buffer.size())) {
      return Errno(EAGAIN);
    }
  }
  const size_t take = std::min(available, buffer.size());
  for (size_t i = 0; i < take; ++i) buffer[i] = std::byte{input_[i]};
  input_.erase(input_.begin(), input_.begin() + static_cast<std::ptrdiff_t>(take));
  if (Canonical()) {
    line_lengths_.front() -= take;
    if (line_lengths_.front() == 0) line_lengths_.pop_front();
  }
  return take;
}

// ---- The writer.

bool LineDiscipline::CanWrite() const { return !stopped_ && output_.size() < kOutputLimit; }

size_t LineDiscipline::Write(std::span<const std::byte> text) {
  size_t done = 0;
  while (done < text.size() && CanWrite()) Emit(static_cast<uint8_t>(text[done++]));
  return done;
}

void LineDiscipline::Emit(uint8_t c) {
  const auto put = [this](uint8_t byte) { output_.push_back(std::byte{byte}); };
  const uint32_t flags = termios_.output_flags;
  if ((flags & OPOST) == 0) {
    put(c);
    return;
  }
  switch (c) {
    case '\n':
      if ((flags & ONLCR) != 0) put('\r');
      if ((flags & (ONLCR | ONLRET)) != 0) column_ = 0;
      put('\n');
      return;
    case '\r':
      if ((flags & ONOCR) != 0 && column_ == 0) return;
      column_ = 0;
      put((flags & OCRNL) != 0 ? '\n' : '\r');
      return;
    case '\t': {
      const unsigned spaces = kTabWidth - column_ % kTabWidth;
      column_ += spaces;
      if ((flags & TABDLY) == XTABS) {
        for (unsigned i = 0; i < spaces; ++i) put(' ');
      } else {
        put('\t');
      }
      return;
    }
    case '\b':
      if (column_ > 0) --column_;
      break;
    default:
      if ((flags & OLCUC) != 0 && c >= 'a' && c <= 'z') c -= 'a' - 'A';
      if (!IsControl(c) && !IsContinuation(c)) ++column_;
  }
  put(c);
}

}  // namespace redoubt::fs
