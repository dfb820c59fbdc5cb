// SPDX-License-Identifier: Apache-2.0
//
// The types of system-call arguments. A handler's signature is its documentation: decoding,
// capturing and tracing follow from it (adapter.h).
//
//   SyscallResult SysNanosleep(Task& task, UserIn<abi::Timespec> request,
//                              UserOut<abi::Timespec> remaining) {
//     auto delay = TRY(request.Read(task));           // One copy; then validate the copy.
//     if (!delay.IsValid()) return Errno(EINVAL);
//     ...
//     if (remaining) TRY(remaining.Write(task, left));
//   }
//
// Integers are taken at their declared width, as Linux does: an `int` parameter drops the upper
// half of its register. Declare flags as the Linux prototype does (int32_t, uint32_t, uint64_t).
//
// A pointer with a count is always followed by its count: `UserBytesOut buffer, uint64_t count`.
#ifndef SENTRY_SYSCALLS_ARGS_H_
#define SENTRY_SYSCALLS_ARGS_H_

#include <concepts>
#include <cstdint>
#include <string>

#include "abi/linux/signal.h"
#include "abi/linux/time.h"
#include "base/result.h"
#include "sentry/kernel/limits.h"
#include "sentry/kernel/task.h"
#include "sentry/syscalls/argument_shape.h"

namespace redoubt::syscalls {

using kernel::AbiSafe;
using kernel::FileRef;
using kernel::SyscallArguments;
using kernel::Task;

// An address in the guest. Never dereferenced; ordinary copies go through Task.
template <ArgumentKind kKind>
class UserPointer {
 public:
  constexpr explicit UserPointer(uint64_t address) : address_(address) {}
  constexpr uint64_t address() const { return address_; }
  constexpr explicit operator bool() const { return address_ != 0; }

 protected:
  uint64_t address_;
};

using UserAddress = UserPointer<ArgumentKind::kAddress>;
using UserBytesIn = UserPointer<ArgumentKind::kBytesIn>;
using UserBytesOut = UserPointer<ArgumentKind::kBytesOut>;
using UserIovecIn = UserPointer<ArgumentKind::kIovecIn>;
using UserIovecOut = UserPointer<ArgumentKind::kIovecOut>;
using UserStringList = UserPointer<ArgumentKind::kStringList>;

// A path: ENAMETOOLONG beyond PATH_MAX - 1 bytes. An empty one is the handler's business.
class UserPath : public UserPointer<ArgumentKind::kPath> {
 public:
  using UserPointer::UserPointer;
  Result<std::string> Read(Task& task) const { return task.CopyInPath(address_); }
};

class UserString : public UserPointer<ArgumentKind::kString> {
 public:
  using UserPointer::UserPointer;
  // At most `limit` bytes without the NUL; else errno `too_long`.
  Result<std::string> Read(Task& task, size_t limit, int too_long) const {
    return task.CopyInString(address_, limit, too_long);
  }
};

template <AbiSafe T>
class UserIn : public UserPointer<ArgumentKind::kStructIn> {
 public:
  using Value = T;
  using UserPointer::UserPointer;
  Result<T> Read(Task& task) const { return task.CopyIn<T>(address_); }
};

template <AbiSafe T>
class UserOut : public UserPointer<ArgumentKind::kStructOut> {
 public:
  using Value = T;
  using UserPointer::UserPointer;
  Result<void> Write(Task& task, const T& value) const { return task.CopyOut(address_, value); }
  // For the many out-arguments that may be null.
  Result<void> WriteIfSet(Task& task, const T& value) const {
    if (address_ == 0) return {};
    return Write(task, value);
  }
};

template <AbiSafe T>
class UserInOut : public UserPointer<ArgumentKind::kStructInOut> {
 public:
  using Value = T;
  using UserPointer::UserPointer;
  Result<T> Read(Task& task) const { return task.CopyIn<T>(address_); }
  Result<void> Write(Task& task, const T& value) const { return task.CopyOut(address_, value); }
};

// Arrays whose number of elements is the next argument. The handler bounds it before it copies.
template <AbiSafe T, ArgumentKind kKind>
class UserArray : public UserPointer<kKind> {
 public:
  using Value = T;
  using UserPointer<kKind>::UserPointer;
  Result<T> ReadAt(Task& task, size_t index) const {
    return task.CopyIn<T>(this->address_ + index * sizeof(T));
  }
  Result<void> WriteAt(Task& task, size_t index, const T& value) const {
    return task.CopyOut(this->address_ + index * sizeof(T), value);
  }
};
template <typename T>
using UserArrayIn = UserArray<T, ArgumentKind::kArrayIn>;
template <typename T>
using UserArrayOut = UserArray<T, ArgumentKind::kArrayOut>;
template <typename T>
using UserArrayInOut = UserArray<T, ArgumentKind::kArrayInOut>;

// Numbers that strace shows by name; used as the plain number otherwise.
template <ArgumentKind kKind, std::integral Base>
struct Named {
  Base value;
  constexpr operator Base() const { return value; }  // NOLINT(runtime/explicit)
};
using FdNumber = Named<ArgumentKind::kFd, int32_t>;
using DirFd = Named<ArgumentKind::kDirFd, int32_t>;
using OpenFlags = Named<ArgumentKind::kOpenFlags, uint32_t>;
using FileMode = Named<ArgumentKind::kMode, uint32_t>;
using Protection = Named<ArgumentKind::kProtection, uint64_t>;
using MapFlags = Named<ArgumentKind::kMapFlags, uint64_t>;
using Advice = Named<ArgumentKind::kAdvice, int32_t>;
using CloneFlags = Named<ArgumentKind::kCloneFlags, uint64_t>;
using SignalNumber = Named<ArgumentKind::kSignal, int32_t>;
using ClockId = Named<ArgumentKind::kClockId, int32_t>;
using FutexOperation = Named<ArgumentKind::kFutexOperation, int32_t>;
using MaskHow = Named<ArgumentKind::kMaskHow, int32_t>;
using Resource = Named<ArgumentKind::kResource, uint32_t>;

// How strace shows what a typed pointer points at.
template <typename T>
inline constexpr StructKind kStructKind = StructKind::kOther;
template <>
inline constexpr StructKind kStructKind<int32_t> = StructKind::kInt32;
template <>
inline constexpr StructKind kStructKind<uint32_t> = StructKind::kUint32;
template <>
inline constexpr StructKind kStructKind<uint64_t> = StructKind::kUint64;
template <>
inline constexpr StructKind kStructKind<abi::Timespec> = StructKind::kTimespec;
template <>
inline constexpr StructKind kStructKind<abi::Timeval> = StructKind::kTimeval;
template <>
inline constexpr StructKind kStructKind<abi::IntervalTimerValue> = StructKind::kIntervalTimerValue;
template <>
inline constexpr StructKind kStructKind<abi::IntervalTimerSpec> = StructKind::kIntervalTimerSpec;
template <>
inline constexpr StructKind kStructKind<abi::SignalSet> = StructKind::kSignalSet;
template <>
inline constexpr StructKind kStructKind<abi::SignalAction> = StructKind::kSignalAction;
template <>
inline constexpr StructKind kStructKind<kernel::Limit> = StructKind::kLimit;

// ArgumentTraits<T>: how an argument type is decoded, and its shape.
template <typename T>
struct ArgumentTraits;

template <std::integral T>
struct ArgumentTraits<T> {
  static constexpr T Decode(uint64_t value) { return static_cast<T>(value); }
  static constexpr ArgumentShape kShape = {
      .kind = std::is_signed_v<T> ? ArgumentKind::kSigned : ArgumentKind::kUnsigned,
      .size = sizeof(T)};
};
template <ArgumentKind kKind, typename Base>
struct ArgumentTraits<Named<kKind, Base>> {
  static constexpr Named<kKind, Base> Decode(uint64_t value) { return {static_cast<Base>(value)}; }
  static constexpr ArgumentShape kShape = {.kind = kKind, .size = sizeof(Base)};
};

namespace internal {
template <ArgumentKind kKind>
constexpr ArgumentKind KindOf(const UserPointer<kKind>*) {
  return kKind;
}
}  // namespace internal

template <typename T>
requires requires(T* pointer) { internal::KindOf(pointer); }
struct ArgumentTraits<T> {
  static constexpr T Decode(uint64_t value) { return T(value); }
  static constexpr ArgumentShape Shape() {
    ArgumentShape shape{.kind = internal::KindOf(static_cast<T*>(nullptr))};
    if constexpr (requires { typename T::Value; }) {
      shape.structure = kStructKind<typename T::Value>;
      shape.size = sizeof(typename T::Value);
    }
    return shape;
  }
  static constexpr ArgumentShape kShape = Shape();
};

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_ARGS_H_
