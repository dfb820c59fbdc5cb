// SPDX-License-Identifier: Apache-2.0
//
// What the gofer gives up before it reads the first request. (Namespaces and chroot are the work
// of its launcher.)
#ifndef GOFER_SERVER_SANDBOX_H_
#define GOFER_SERVER_SANDBOX_H_

#include <string>
#include <vector>

#include "base/host/allowed_call.h"
#include "base/result.h"

namespace redoubt::gofer {

// Closes every descriptor but `kept` and the log's, keeps only the capabilities that serving other
// users' files takes, and installs the filter below.
Result<void> Confine(std::vector<int> kept, int socket, bool log_breaches);

// The allow-list: file calls below descriptors, messages on `socket`, the log. No exec, no network,
// no other process.
std::vector<host::AllowedCall> AllowedCalls(int socket, int log_fd);
// The same as text, for `runsc` to show.
std::string DescribeAllowedCalls();

// Bits (1 << CAP_*) of the capabilities kept.
uint64_t KeptCapabilities();

}  // namespace redoubt::gofer

#endif  // GOFER_SERVER_SANDBOX_H_
