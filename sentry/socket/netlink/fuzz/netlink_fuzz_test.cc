// SPDX-License-Identifier: Apache-2.0
//
// Requests that are right, then changed at random (always the same way): nothing but an answer may
// come of them.
#include "sentry/socket/netlink/fuzz/netlink_fuzz.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace redoubt::netlink {
namespace {

TEST(NetlinkFuzz, TheCorpusIsServed) {
  for (const Bytes& input : FuzzCorpus()) FuzzDatagram(input);
}

TEST(NetlinkFuzz, EveryTruncation) {
  for (const Bytes& input : FuzzCorpus()) {
    for (size_t size = 0; size < input.size(); ++size) {
      Bytes cut(input.begin(), input.begin() + static_cast<ptrdiff_t>(size));
      // The header says what there is, so that the rest is looked at.
      uint32_t length = static_cast<uint32_t>(size > 0 ? size - 1 : 0);
      if (size >= 5) std::memcpy(cut.data() + 1, &length, sizeof(length));
      FuzzDatagram(cut);
    }
  }
}

class Mutator {
 public:
  explicit Mutator(uint32_t seed) : random_(seed) {}
  void Mutate(Bytes& bytes) {
    size_t changes = 1 + Below(6);
    for (size_t i = 0; i < changes && !bytes.empty(); ++i) {
      size_t at = Below(bytes.size());
      switch (Below(5)) {
        case 0:
          bytes[at] = std::byte(random_());
          break;
        case 1:
          bytes[at] = std::byte(kEdges[Below(std::size(kEdges))]);
          break;
        case 2:
          bytes[at] ^= std::byte(1u << Below(8));
          break;
        case 3:
          bytes.insert(bytes.begin() + static_cast<ptrdiff_t>(at), Below(9), std::byte{0xff});
          break;
        default:
          bytes.resize(at + Below(bytes.size() - at + 1));
          break;
      }
    }
    uint32_t length = static_cast<uint32_t>(bytes.size() - std::min<size_t>(bytes.size(), 1));
    if (bytes.size() > 4 && Below(4) != 0) std::memcpy(bytes.data() + 1, &length, sizeof(length));
  }
  size_t Below(size_t bound) { return random_() % bound; }

 private:
  static constexpr uint8_t kEdges[] = {0, 1, 3, 4, 5, 7, 8, 0x7f, 0x80, 0xfe, 0xff};
  std::minstd_rand random_;
};

TEST(NetlinkFuzz, MutatedRequests) {
  const std::vector<Bytes> corpus = FuzzCorpus();
  Mutator mutator(4711);
  for (int round = 0; round < 100'000; ++round) {
    Bytes input = corpus[mutator.Below(corpus.size())];
    // Two requests in one datagram, now and then.
    if (mutator.Below(8) == 0) {
      const Bytes& other = corpus[mutator.Below(corpus.size())];
      input.insert(input.end(), other.begin() + 1, other.end());
    }
    mutator.Mutate(input);
    FuzzDatagram(input);
  }
}

}  // namespace
}  // namespace redoubt::netlink
