// SPDX-License-Identifier: Apache-2.0
//
// What a guest may send to the kernel's side of netlink, as one function, for libFuzzer
// (netlink_fuzzer.cc) and for the test with mutated requests (netlink_fuzz_test.cc).
#ifndef SENTRY_SOCKET_NETLINK_FUZZ_NETLINK_FUZZ_H_
#define SENTRY_SOCKET_NETLINK_FUZZ_NETLINK_FUZZ_H_

#include <vector>

#include "sentry/socket/netlink/message.h"

namespace redoubt::netlink {

// The first byte chooses the protocol and the options, the rest is one datagram, sent to a fresh
// network namespace. All answers are read and their framing is CHECKed.
void FuzzDatagram(ByteSpan input);

// Requests that are right, in the form of inputs: what ip(8), ss(8) and libc send.
std::vector<Bytes> FuzzCorpus();

}  // namespace redoubt::netlink

#endif  // SENTRY_SOCKET_NETLINK_FUZZ_NETLINK_FUZZ_H_
