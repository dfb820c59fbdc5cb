// SPDX-License-Identifier: Apache-2.0
//
// What a platform may fetch with each call, and deliver after it: the system-call table's shapes in
// the platform's terms.
#ifndef SENTRY_SYSCALLS_CAPTURES_H_
#define SENTRY_SYSCALLS_CAPTURES_H_

#include <vector>

#include "platform/call_capture.h"

namespace redoubt::syscalls {

// By number.
std::vector<platform::CallCapture> CallCaptures();

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_CAPTURES_H_
