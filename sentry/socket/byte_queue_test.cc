// SPDX-License-Identifier: Apache-2.0
#include "sentry/socket/byte_queue.h"

#include <algorithm>
#include <random>
#include <string>
#include <utility>

#include "gtest/gtest.h"

namespace redoubt::sockets {
namespace {

std::span<const std::byte> Bytes(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

std::string Text(const ByteQueue& queue, size_t offset = 0) {
  std::string text(queue.size(), '\0');
  text.resize(queue.CopyTo(offset, std::as_writable_bytes(std::span(text.data(), text.size()))));
  return text;
}

TEST(ByteQueue, StartsEmpty) {
  ByteQueue queue;
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.Take(10).size(), 0u);
  queue.Drop(0);
  queue.Clear();
}

TEST(ByteQueue, SmallPiecesShareAChunk) {
  ByteQueue queue;
  queue.Append(Bytes("abc"));
  ByteQueue more;
  more.Append(Bytes("def"));
  queue.Splice(more);
  EXPECT_TRUE(more.empty());
  EXPECT_EQ(Text(queue), "abcdef");
  EXPECT_EQ(Text(queue, 4), "ef");
}

TEST(ByteQueue, PrependGoesFirst) {
  ByteQueue queue;
  queue.Prepend(Bytes("b"));
  queue.Append(Bytes("c"));
  queue.Prepend(Bytes("a"));
  queue.Prepend({});
  EXPECT_EQ(Text(queue), "abc");
}

TEST(ByteQueue, TakeSplitsAChunk) {
  ByteQueue queue;
  queue.Append(Bytes("abcdef"));
  EXPECT_EQ(Text(queue.Take(2)), "ab");
  queue.Drop(1);
  EXPECT_EQ(Text(queue), "def");
  EXPECT_EQ(Text(queue.Take(100)), "def");
  EXPECT_TRUE(queue.empty());
}

TEST(ByteQueue, BehavesLikeAString) {
  std::mt19937 random(1);
  ByteQueue queue;
  std::string model;
  for (int step = 0; step < 3000; ++step) {
    const size_t length = random() % (random() % 8 == 0 ? 200'000 : 3000);
    std::string text(length, '\0');
    for (char& c : text) c = static_cast<char>(random());
    switch (random() % 5) {
      case 0:
        queue.Append(Bytes(text));
        model += text;
        break;
      case 1: {
        ByteQueue staged;
        staged.Append(Bytes(text));
        queue.Splice(staged);
        model += text;
        break;
      }
      case 2:
        text.resize(std::min<size_t>(length, 100));
        queue.Prepend(Bytes(text));
        model = text + model;
        break;
      case 3: {
        const std::string expected = model.substr(0, length);
        model.erase(0, expected.size());
        ASSERT_EQ(Text(queue.Take(length)), expected);
        break;
      }
      default:
        queue.Drop(length);
        model.erase(0, std::min(length, model.size()));
    }
    ASSERT_EQ(queue.size(), model.size());
  }
  EXPECT_EQ(Text(queue), model);
  ByteQueue moved = std::move(queue);
  EXPECT_EQ(Text(moved), model);
}

}  // namespace
}  // namespace redoubt::sockets
