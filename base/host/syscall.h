// SPDX-License-Identifier: Apache-2.0
//
// The only place that reads ::errno: turns a libc-style return value into a Result.
//
//   size_t n = TRY(host::Call([&] { return pread(fd, data, size, offset); }));
//
// Call() restarts on EINTR; CallOnce() gives EINTR to the caller.
#ifndef BASE_HOST_SYSCALL_H_
#define BASE_HOST_SYSCALL_H_

#include <cerrno>
#include <type_traits>

#include "base/result.h"

namespace redoubt::host {

template <typename F>
auto CallOnce(F&& f) -> Result<std::make_unsigned_t<decltype(f())>> {
  auto value = f();
  if (value < 0) return Errno(errno);
  return static_cast<std::make_unsigned_t<decltype(value)>>(value);
}

template <typename F>
auto Call(F&& f) -> Result<std::make_unsigned_t<decltype(f())>> {
  while (true) {
    auto result = CallOnce(f);
    if (!result.Is(EINTR)) return result;
  }
}

}  // namespace redoubt::host

#endif  // BASE_HOST_SYSCALL_H_
