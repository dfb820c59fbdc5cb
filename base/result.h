// SPDX-License-Identifier: Apache-2.0
//
// Result<T>: a value or a Linux errno, and TRY, which passes the errno on.
//
// Used wherever a guest sees the outcome: no text, no heap. Set-up and control paths, whose errors
// a person reads, use absl::Status instead.
//
//   Result<size_t> CountLines(FdNumber fd) {
//     if (fd < 0) return Errno(EBADF);
//     RefPtr<FileDescription> file = TRY(table.Get(fd));
//     TRY(file->Rewind());                       // A Result<void>.
//     ...
//   }
//
// TRY stands alone on the right of `=`, after `return`-less statements, never inside a braced
// initialiser (gcc 12 leaks the parts already built).
#ifndef BASE_RESULT_H_
#define BASE_RESULT_H_

#include <cerrno>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include "base/check.h"

namespace redoubt {

// A Linux error number, always positive. Values above 511 are the kernel-internal restart codes of
// sentry/kernel/restart.h and never reach a guest.
class Errno {
 public:
  constexpr explicit Errno(int value) : value_(value) {}
  constexpr int value() const { return value_; }
  friend constexpr bool operator==(Errno, Errno) = default;

 private:
  int value_;
};

template <typename T>
class [[nodiscard]] Result {
 public:
  using value_type = T;
  Result(Errno error) : state_(std::in_place_index<1>, error) {}  // NOLINT(runtime/explicit)
  template <typename U = T>
  requires(std::is_convertible_v<U&&, T> && !std::is_same_v<std::remove_cvref_t<U>, Result> &&
           !std::is_same_v<std::remove_cvref_t<U>, Errno>)
      Result(U&& value)  // NOLINT(runtime/explicit)
      : state_(std::in_place_index<0>, std::forward<U>(value)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }
  // The error; only when !ok().
  Errno error() const {
    CHECK(!ok());
    return *std::get_if<1>(&state_);
  }
  // True when this failed with `value`.
  bool Is(int value) const { return !ok() && error().value() == value; }

  T& value() & {
    CHECK(ok());
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    CHECK(ok());
    return *std::get_if<0>(&state_);
  }
  T&& value() && {
    CHECK(ok());
    return std::move(*std::get_if<0>(&state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  T value_or(T other) const& { return ok() ? *std::get_if<0>(&state_) : std::move(other); }

 private:
  std::variant<T, Errno> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  using value_type = void;
  Result() = default;
  Result(Errno error) : error_(error.value()) {}  // NOLINT(runtime/explicit)
  bool ok() const { return error_ == 0; }
  explicit operator bool() const { return ok(); }
  Errno error() const {
    CHECK(!ok());
    return Errno(error_);
  }
  bool Is(int value) const { return error_ == value && error_ != 0; }
  void value() const { CHECK(ok()); }

 private:
  int error_ = 0;
};

// What a system-call handler gives: the value for %rax, or an errno.
using SyscallResult = Result<unsigned long>;

namespace internal {
template <typename T>
T TakeValue(Result<T>& result) {
  if constexpr (!std::is_void_v<T>) return std::move(result).value();
}
}  // namespace internal

// Evaluates to the value of a Result, or returns its error from the enclosing function.
#define TRY(expression)                                 \
  ({                                                    \
    auto redoubt_try_result = (expression);             \
    if (!redoubt_try_result.ok()) [[unlikely]]          \
      return redoubt_try_result.error();                \
    ::redoubt::internal::TakeValue(redoubt_try_result); \
  })

}  // namespace redoubt

#endif  // BASE_RESULT_H_
