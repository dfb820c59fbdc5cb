// SPDX-License-Identifier: Apache-2.0
//
// The platforms this build can run guests on. Only runsc links concrete ones: each is registered
// in runsc/sandbox, so that the sentry depends on platform.h alone.
#ifndef PLATFORM_REGISTRY_H_
#define PLATFORM_REGISTRY_H_

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/host/allowed_call.h"
#include "platform/call_capture.h"
#include "platform/platform.h"

namespace redoubt::platform {

struct PlatformOptions {
  // Each memory call of a guest becomes an event, even where the platform could leave it to the
  // host: for those who want to see all calls.
  bool report_memory_calls = false;
  // By system call number; empty: nothing is captured. Read only while the platform is created.
  std::span<const CallCapture> captures;
};

struct PlatformType {
  std::string_view name;         // As --platform takes it.
  std::string_view description;  // One line for `runsc help platforms`.
  // OK when this machine's kernel has what it needs; else a sentence that says what is missing.
  absl::Status (*supported)();
  // Starts it: called once in the sentry, as the first process of its PID namespace, while it is
  // single-threaded and before its seccomp filter.
  absl::StatusOr<std::unique_ptr<Platform>> (*create)(const PlatformOptions& options);
  // What Platform::RequiredHostCalls will say, without starting one: for `runsc help filters`.
  std::vector<host::AllowedCall> (*required_calls)();
};

}  // namespace redoubt::platform

#endif  // PLATFORM_REGISTRY_H_
