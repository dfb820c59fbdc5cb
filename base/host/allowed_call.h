// SPDX-License-Identifier: Apache-2.0
//
// One line of a seccomp allow-list, with its reason. The sentry's and the gofer's filters are lists
// of these; base/host/filter.h turns a list into a libseccomp filter.
#ifndef BASE_HOST_ALLOWED_CALL_H_
#define BASE_HOST_ALLOWED_CALL_H_

#include <cstdint>
#include <vector>

namespace redoubt::host {

// Holds when (argument & mask) == value.
struct ArgumentRule {
  unsigned index = 0;
  uint64_t value = 0;
  uint64_t mask = ~uint64_t{0};
};

struct AllowedCall {
  long number = 0;
  const char* reason = "";
  // All must hold. Several AllowedCalls with one number are alternatives.
  std::vector<ArgumentRule> arguments;
};

}  // namespace redoubt::host

#endif  // BASE_HOST_ALLOWED_CALL_H_
