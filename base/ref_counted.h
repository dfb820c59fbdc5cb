// SPDX-License-Identifier: Apache-2.0
//
// Intrusive reference counting for objects that tasks share.
//
//   class Mount : public RefCounted<Mount> { ... };
//   RefPtr<Mount> mount = MakeRef<Mount>(args);
//
// Write at each class who holds references. An object that others find by a plain pointer (a table
// that does not own) uses TryRef() under the table's lock.
#ifndef BASE_REF_COUNTED_H_
#define BASE_REF_COUNTED_H_

#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/check.h"

namespace redoubt {

template <typename T>
class RefCounted {
 public:
  RefCounted(const RefCounted&) = delete;
  RefCounted& operator=(const RefCounted&) = delete;

  void Ref() const { count_.fetch_add(1, std::memory_order_relaxed); }
  // A class that must act while it is still whole (before the destructor of its most derived class)
  // defines OnRelease(): the dropping of the last reference calls it, then deletes. TryRef() fails
  // from then on.
  void Unref() const {
    if (count_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    if constexpr (requires(T * object) { object->OnRelease(); }) {
      const_cast<T*>(static_cast<const T*>(this))->OnRelease();
    }
    delete static_cast<const T*>(this);
  }
  // Takes a reference unless the last one is already gone.
  bool TryRef() const {
    int32_t count = count_.load(std::memory_order_relaxed);
    while (count > 0) {
      if (count_.compare_exchange_weak(count, count + 1, std::memory_order_relaxed)) return true;
    }
    return false;
  }
  // Exact only when the caller knows that nobody else can take or drop a reference.
  int32_t ref_count() const { return count_.load(std::memory_order_acquire); }

 protected:
  RefCounted() = default;
  ~RefCounted() = default;

 private:
  mutable std::atomic<int32_t> count_{1};
};

template <typename T>
class RefPtr {
 public:
  RefPtr() = default;
  RefPtr(std::nullptr_t) {}  // NOLINT(runtime/explicit)
  explicit RefPtr(T* object) : object_(object) {
    if (object_) object_->Ref();
  }
  RefPtr(const RefPtr& other) : RefPtr(other.object_) {}
  RefPtr(RefPtr&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  template <std::derived_from<T> U>
  RefPtr(RefPtr<U> other) : object_(other.Release()) {}  // NOLINT(runtime/explicit)
  RefPtr& operator=(RefPtr other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~RefPtr() {
    if (object_) object_->Unref();
  }

  // Takes over the reference that the caller holds.
  static RefPtr Adopt(T* object) {
    RefPtr result;
    result.object_ = object;
    return result;
  }
  // Gives the reference up to the caller.
  [[nodiscard]] T* Release() { return std::exchange(object_, nullptr); }

  T* get() const { return object_; }
  T* operator->() const { return object_; }
  T& operator*() const { return *object_; }
  explicit operator bool() const { return object_ != nullptr; }
  friend bool operator==(const RefPtr& a, const RefPtr& b) { return a.object_ == b.object_; }
  friend bool operator==(const RefPtr& a, const T* b) { return a.object_ == b; }
  friend bool operator==(const RefPtr& a, std::nullptr_t) { return a.object_ == nullptr; }

 private:
  T* object_ = nullptr;
};

template <typename T, typename... Args>
RefPtr<T> MakeRef(Args&&... args) {
  return RefPtr<T>::Adopt(new T(std::forward<Args>(args)...));
}

}  // namespace redoubt

#endif  // BASE_REF_COUNTED_H_
