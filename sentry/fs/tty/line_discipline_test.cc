// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/tty/line_discipline.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <string>
#include <string_view>
#include <vector>

namespace redoubt::fs {
namespace {

class LineTest : public testing::Test {
 protected:
  LineDiscipline::Effects Type(std::string_view keys) {
    return line_.Input(std::as_bytes(std::span(keys.data(), keys.size())));
  }
  // What a read gives; "EAGAIN" when it would wait.
  std::string Read(size_t size = 4096) {
    std::string text(size, '\0');
    Result<size_t> n = line_.Read(std::as_writable_bytes(std::span(text.data(), size)));
    if (!n.ok()) return "EAGAIN";
    text.resize(*n);
    return text;
  }
  // What the screen has got.
  std::string Screen() {
    std::string text;
    for (std::byte byte : line_.output()) text.push_back(static_cast<char>(byte));
    line_.output().clear();
    return text;
  }
  void Print(std::string_view text) {
    line_.Write(std::as_bytes(std::span(text.data(), text.size())));
  }
  void Change(uint32_t abi::Termios::*flags, uint32_t off, uint32_t on = 0) {
    abi::Termios termios = line_.termios();
    termios.*flags = (termios.*flags & ~off) | on;
    line_.SetTermios(termios);
  }
  void Raw(uint8_t minimum = 1) {
    abi::Termios termios = line_.termios();
    termios.local_flags &= ~(ICANON | ECHO | ISIG | IEXTEN);
    termios.input_flags &= ~(ICRNL | IXON);
    termios.output_flags &= ~OPOST;
    termios.control_characters[VMIN] = minimum;
    line_.SetTermios(termios);
  }
  LineDiscipline line_;
};

TEST_F(LineTest, ALineIsReadWhenItIsFinished) {
  Type("abc");
  EXPECT_EQ(Read(), "EAGAIN");
  EXPECT_FALSE(line_.CanRead());
  EXPECT_TRUE(Type("d\r").readable);
  EXPECT_EQ(line_.BytesReadable(), 5U);
  EXPECT_EQ(Read(), "abcd\n");
  EXPECT_EQ(Screen(), "abcd\r\n");
}

TEST_F(LineTest, OneReadGivesOneLine) {
  Type("one\ntwo\n");
  EXPECT_EQ(Read(2), "on");
  EXPECT_EQ(Read(), "e\n");
  EXPECT_EQ(Read(), "two\n");
}

TEST_F(LineTest, EraseWordAndKillKeys) {
  Type("abx\x7f\x7f\x63\n");
  EXPECT_EQ(Read(), "ac\n");
  EXPECT_EQ(Screen(), "abx\b \b\b \bc\r\n");
  Type("one two\x17three\n");
  EXPECT_EQ(Read(), "one three\n");
  Type("gone\x15kept\n");
  EXPECT_EQ(Read(), "kept\n");
  Type("\x7f\x7fx\n");
  EXPECT_EQ(Read(), "x\n");
}

TEST_F(LineTest, EraseTakesWholeUtf8Characters) {
  Change(&abi::Termios::input_flags, 0, IUTF8);
  Type("a\xc3\xa4\x7f\n");
  EXPECT_EQ(Read(), "a\n");
}

TEST_F(LineTest, EofEndsALineWithoutAByte) {
  Type("abc\x04");
  EXPECT_EQ(Read(), "abc");
  Type("\x04");
  EXPECT_TRUE(line_.CanRead());
  EXPECT_EQ(Read(), "");
  EXPECT_EQ(Read(), "EAGAIN");
}

TEST_F(LineTest, LiteralNextTakesAKeyAsItIs) {
  Type("\x16\x03\n");
  EXPECT_EQ(Read(), "\x03\n");
}

TEST_F(LineTest, SignalKeysFlushAndEcho) {
  Type("half");
  Screen();
  EXPECT_EQ(Type("\x03").signals, std::vector<int>{SIGINT});
  EXPECT_EQ(Screen(), "^C");
  EXPECT_EQ(Type("\x1c\x1a").signals, (std::vector<int>{SIGQUIT, SIGTSTP}));
  Type("\n");
  EXPECT_EQ(Read(), "\n");
  Change(&abi::Termios::local_flags, ISIG);
  EXPECT_TRUE(Type("\x03\n").signals.empty());
  EXPECT_EQ(Read(), "\x03\n");
}

TEST_F(LineTest, NoEchoButEchonl) {
  Change(&abi::Termios::local_flags, ECHO, ECHONL);
  Type("secret\n");
  EXPECT_EQ(Screen(), "\r\n");
  EXPECT_EQ(Read(), "secret\n");
}

TEST_F(LineTest, StopAndStartKeysHoldOutput) {
  EXPECT_TRUE(Type("\x13").stopped_changed);
  EXPECT_FALSE(line_.CanWrite());
  Print("held");
  EXPECT_EQ(Screen(), "");
  Type("\x11");
  Print("free");
  EXPECT_EQ(Screen(), "free");
}

TEST_F(LineTest, OutputProcessing) {
  Print("a\nb\tc\n");
  EXPECT_EQ(Screen(), "a\r\nb\tc\r\n");
  Change(&abi::Termios::output_flags, 0, XTABS);
  Print("ab\tc");
  EXPECT_EQ(Screen(), "ab      c");
  Change(&abi::Termios::output_flags, OPOST);
  Print("a\n");
  EXPECT_EQ(Screen(), "a\n");
}

TEST_F(LineTest, RawModeGivesBytesAtOnce) {
  Raw();
  Type("a\r\x03");
  EXPECT_EQ(Read(), "a\r\x03");
  EXPECT_EQ(Screen(), "");
  EXPECT_EQ(Read(), "EAGAIN");
}

TEST_F(LineTest, MinimumHoldsReadsBack) {
  Raw(3);
  Type("ab");
  EXPECT_EQ(Read(), "EAGAIN");
  EXPECT_FALSE(line_.CanRead());
  EXPECT_EQ(Read(2), "ab");  // Asks for less than the minimum.
  Type("cde");
  EXPECT_EQ(Read(), "cde");
  Raw(0);
  EXPECT_EQ(Read(), "");
}

TEST_F(LineTest, LeavingCanonicalModeKeepsWhatWasTyped) {
  Type("half");
  Raw();
  EXPECT_EQ(Read(), "half");
}

TEST_F(LineTest, MemoryIsBounded) {
  Type(std::string(100000, 'x'));
  EXPECT_EQ(line_.InputRoom(), 1U);  // Keys are still taken, so that a line can end.
  Type("\n");
  EXPECT_EQ(line_.InputRoom(), 0U);
  EXPECT_EQ(Read(100000).size(), 4095U);
  Type(std::string(100000, '\x04'));
  EXPECT_EQ(line_.InputRoom(), 0U);
  Screen();
  while (line_.CanWrite()) Print("x");
  EXPECT_LE(Screen().size(), LineDiscipline::kOutputLimit + 8);
}

}  // namespace
}  // namespace redoubt::fs
