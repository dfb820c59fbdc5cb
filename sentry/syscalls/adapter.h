// SPDX-License-Identifier: Apache-2.0
//
// Adapter<SysX>: makes of a typed handler what the table needs: a function that decodes up to six
// registers, and the shapes of its arguments.
//
//   SyscallResult SysKill(Task& task, int32_t pid, SignalNumber signal);
//   Adapter<SysKill>::Call(task, arguments);   // SysKill(task, {...}, {...})
#ifndef SENTRY_SYSCALLS_ADAPTER_H_
#define SENTRY_SYSCALLS_ADAPTER_H_

#include <array>
#include <cstddef>
#include <utility>

#include "sentry/syscalls/args.h"

namespace redoubt::syscalls {

template <auto kHandler>
struct Adapter;

template <typename... Args, SyscallResult (*kHandler)(Task&, Args...)>
struct Adapter<kHandler> {
  static_assert(sizeof...(Args) <= 6, "A system call has at most six arguments.");
  static constexpr size_t kArgumentCount = sizeof...(Args);

  static SyscallResult Call(Task& task, const SyscallArguments& arguments) {
    return Decode(task, arguments, std::index_sequence_for<Args...>());
  }
  static constexpr std::array<ArgumentShape, 6> Shapes() {
    return {ArgumentTraits<Args>::kShape...};
  }

 private:
  template <size_t... kIndex>
  static SyscallResult Decode(Task& task, [[maybe_unused]] const SyscallArguments& arguments,
                              std::index_sequence<kIndex...>) {
    return kHandler(task, ArgumentTraits<Args>::Decode(arguments[kIndex])...);
  }
};

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_ADAPTER_H_
