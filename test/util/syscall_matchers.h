// SPDX-License-Identifier: Apache-2.0
//
// Matchers that say what a system call should have answered.
//
//   EXPECT_THAT(open(path, O_RDONLY), SyscallFailsWith(ENOENT));
//   ASSERT_THAT(close(fd), SyscallSucceeds());
//   EXPECT_THAT(write(fd, "abc", 3), SyscallSucceedsWithValue(3));
//   EXPECT_THAT(lseek(fd, 0, SEEK_END), SyscallSucceedsWithValue(Gt(100)));
//
// The convention is libc's: -1 (or MAP_FAILED, for pointers) means failure and errno says why. The
// matchers read errno, so nothing that may change it can stand between the call and the matcher:
// write the call inside EXPECT_THAT. For calls that return their error (pthread_*, posix_*,
// clock_nanosleep) compare the value itself.

#ifndef REDOUBT_TEST_UTIL_SYSCALL_MATCHERS_H_
#define REDOUBT_TEST_UTIL_SYSCALL_MATCHERS_H_

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <ostream>
#include <type_traits>
#include <utility>

namespace redoubt::test {
namespace internal {

template <typename T>
bool Failed(T result) {
  if constexpr (std::is_pointer_v<T>) {
    return reinterpret_cast<intptr_t>(result) == -1;
  } else {
    return result == static_cast<T>(-1);
  }
}

inline void DescribeErrno(int error, std::ostream* os) {
  *os << "errno " << error << " (" << strerrorname_np(error) << ")";
}

// Matches a result that is not a failure and that `value` matches.
template <typename Result, typename Value>
class SucceedsImpl : public ::testing::MatcherInterface<Result> {
 public:
  explicit SucceedsImpl(const Value& value) : value_(::testing::SafeMatcherCast<Result>(value)) {}

  bool MatchAndExplain(Result result, ::testing::MatchResultListener* listener) const override {
    const int error = errno;
    if (Failed(result)) {
      if (listener->stream() != nullptr) {
        *listener << "which failed with ";
        DescribeErrno(error, listener->stream());
      }
      return false;
    }
    return value_.MatchAndExplain(result, listener);
  }
  void DescribeTo(std::ostream* os) const override {
    *os << "succeeds with a value that ";
    value_.DescribeTo(os);
  }

 private:
  ::testing::Matcher<Result> value_;
};

template <typename Value>
class Succeeds {
 public:
  explicit Succeeds(Value value) : value_(std::move(value)) {}

  template <typename Result>
  operator ::testing::Matcher<Result>() const {  // NOLINT: a polymorphic matcher converts.
    return ::testing::MakeMatcher(new SucceedsImpl<Result, Value>(value_));
  }

 private:
  Value value_;
};

template <typename Result>
class FailsImpl : public ::testing::MatcherInterface<Result> {
 public:
  explicit FailsImpl(::testing::Matcher<int> expected) : expected_(std::move(expected)) {}

  bool MatchAndExplain(Result result, ::testing::MatchResultListener* listener) const override {
    const int error = errno;
    if (!Failed(result)) {
      *listener << "which succeeded";
      return false;
    }
    if (listener->stream() != nullptr) {
      *listener << "which failed with ";
      DescribeErrno(error, listener->stream());
    }
    return expected_.Matches(error);
  }
  void DescribeTo(std::ostream* os) const override {
    *os << "fails with an errno that ";
    expected_.DescribeTo(os);
  }

 private:
  ::testing::Matcher<int> expected_;
};

class Fails {
 public:
  explicit Fails(::testing::Matcher<int> expected) : expected_(std::move(expected)) {}

  template <typename Result>
  operator ::testing::Matcher<Result>() const {  // NOLINT: a polymorphic matcher converts.
    return ::testing::MakeMatcher(new FailsImpl<Result>(expected_));
  }

 private:
  ::testing::Matcher<int> expected_;
};

}  // namespace internal

// The call did not fail.
inline auto SyscallSucceeds() { return internal::Succeeds(::testing::_); }

// The call did not fail and its value equals, or is matched by, `value`.
template <typename Value>
auto SyscallSucceedsWithValue(Value value) {
  return internal::Succeeds<Value>(std::move(value));
}

// The call failed and errno equals, or is matched by, `error`: SyscallFailsWith(AnyOf(EPERM,
// EACCES)).
inline auto SyscallFailsWith(::testing::Matcher<int> error) {
  return internal::Fails(std::move(error));
}

}  // namespace redoubt::test

#endif  // REDOUBT_TEST_UTIL_SYSCALL_MATCHERS_H_
