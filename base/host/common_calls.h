// SPDX-License-Identifier: Apache-2.0
//
// What any C++ process needs of the kernel, whatever it does: the start of every allow-list.
#ifndef BASE_HOST_COMMON_CALLS_H_
#define BASE_HOST_COMMON_CALLS_H_

#include <vector>

#include "base/host/allowed_call.h"
#include "base/host/filter.h"

namespace redoubt::host {

// Memory (never executable), locks, clocks, signal masks, exit; writing to the log's descriptor.
std::vector<AllowedCall> CommonCalls(int log_fd);

// Making and ending threads: clone(2) with exactly the flags of pthread_create(3).
std::vector<AllowedCall> ThreadCalls();

// Calls that the C library tries first and does without.
std::vector<RefusedCall> CommonRefusals();

// Adds `more` to the end of `calls`.
void Append(std::vector<AllowedCall>* calls, std::vector<AllowedCall> more);

}  // namespace redoubt::host

#endif  // BASE_HOST_COMMON_CALLS_H_
