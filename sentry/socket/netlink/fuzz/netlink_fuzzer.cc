// SPDX-License-Identifier: Apache-2.0
//
// The entry for libFuzzer. clang has it, gcc does not, so it is built by hand, from the sources
// that :netlink_fuzz needs:
//   clang++ -std=c++20 -fsanitize=fuzzer,address,undefined ... netlink_fuzzer.cc
#include "sentry/socket/netlink/fuzz/netlink_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  redoubt::netlink::FuzzDatagram(std::as_bytes(std::span(data, size)));
  return 0;
}
