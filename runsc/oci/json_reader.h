// SPDX-License-Identifier: Apache-2.0
//
// JsonReader: takes values out of a JSON object by name, each checked for its type. The first error
// is kept with the place where it was ("process.user.uid: want a whole number"); what follows it
// reads as empty, so that callers check once, at the end.
//
//   absl::Status status;
//   JsonReader root(json, "", &status);
//   root.Read("hostname", &spec.hostname);
//   JsonReader user = root.At("process").At("user");
//   user.Read("uid", &uid);
//   return status;
#ifndef RUNSC_OCI_JSON_READER_H_
#define RUNSC_OCI_JSON_READER_H_

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"

namespace redoubt::oci {

class JsonReader {
 public:
  JsonReader(const nlohmann::json& json, std::string path, absl::Status* status)
      : json_(&json), path_(std::move(path)), status_(status) {
    if (!json_->is_object() && !json_->is_null()) Fail("", "want an object");
  }

  // Absent and null are the same.
  bool Has(const char* key) const { return !Value(key).is_null(); }
  bool empty() const { return json_->is_null(); }
  JsonReader At(const char* key) const { return JsonReader(Value(key), Name(key), status_); }

  void Read(const char* key, std::string* out) const {
    const nlohmann::json& value = Value(key);
    if (value.is_null()) return;
    if (!value.is_string()) return Fail(key, "want a string");
    *out = value.get<std::string>();
    if (out->find('\0') != std::string::npos) Fail(key, "must not contain a null byte");
  }
  void Read(const char* key, bool* out) const {
    const nlohmann::json& value = Value(key);
    if (value.is_null()) return;
    if (!value.is_boolean()) return Fail(key, "want true or false");
    *out = value.get<bool>();
  }
  template <typename T>
  requires(std::is_integral_v<T> && !std::is_same_v<T, bool>) void Read(const char* key,
                                                                        T* out) const {
    if (const nlohmann::json& value = Value(key); !value.is_null()) ReadNumber(key, value, out);
  }
  template <typename T>
  void Read(const char* key, std::optional<T>* out) const {
    if (!Has(key)) return;
    T value{};
    Read(key, &value);
    *out = value;
  }
  void Read(const char* key, std::vector<std::string>* out) const {
    ForEach(key, [&](const nlohmann::json& value, const std::string& path) {
      if (!value.is_string()) return FailAt(path, "want a string");
      out->push_back(value.get<std::string>());
      if (out->back().find('\0') != std::string::npos) {
        FailAt(path, "must not contain a null byte");
      }
    });
  }
  void Read(const char* key, std::vector<uint32_t>* out) const {
    ForEach(key, [&](const nlohmann::json& value, const std::string& path) {
      if (!value.is_number_unsigned() || value.get<uint64_t>() > 0xffffffff) {
        return FailAt(path, "want a whole number from 0 to 4294967295");
      }
      out->push_back(value.get<uint32_t>());
    });
  }
  // Each member of an object of strings, in its order.
  void ReadMap(const char* key,
               const std::function<void(const std::string&, const std::string&)>& add) const {
    const nlohmann::json& value = Value(key);
    if (value.is_null()) return;
    if (!value.is_object()) return Fail(key, "want an object");
    for (const auto& [name, text] : value.items()) {
      if (!text.is_string()) return FailAt(absl::StrCat(Name(key), ".", name), "want a string");
      add(name, text.get<std::string>());
    }
  }
  void ForEachObject(const char* key, const std::function<void(const JsonReader&)>& take) const {
    ForEach(key, [&](const nlohmann::json& value, const std::string& path) {
      take(JsonReader(value, path, status_));
    });
  }

  void Fail(const char* key, const std::string& what) const { FailAt(Name(key), what); }
  bool ok() const { return status_->ok(); }

 private:
  static const nlohmann::json& Null() {
    static const auto* null = new nlohmann::json();
    return *null;
  }
  const nlohmann::json& Value(const char* key) const {
    if (!json_->is_object()) return Null();
    auto found = json_->find(key);
    return found == json_->end() ? Null() : *found;
  }
  std::string Name(const char* key) const {
    if (*key == '\0') return path_;
    return path_.empty() ? key : absl::StrCat(path_, ".", key);
  }
  void FailAt(const std::string& path, const std::string& what) const {
    if (!status_->ok()) return;
    *status_ = absl::InvalidArgumentError(path.empty() ? what : absl::StrCat(path, ": ", what));
  }
  template <typename T>
  void ReadNumber(const char* key, const nlohmann::json& value, T* out) const {
    bool fits = false;
    if (value.is_number_unsigned()) {
      uint64_t number = value.get<uint64_t>();
      fits = number <= static_cast<uint64_t>(std::numeric_limits<T>::max());
    } else if (value.is_number_integer()) {
      int64_t number = value.get<int64_t>();
      fits = std::is_signed_v<T> && number >= static_cast<int64_t>(std::numeric_limits<T>::min());
    }
    if (!fits) {
      return Fail(key, absl::StrCat("want a whole number from ", std::numeric_limits<T>::min(),
                                    " to ", std::numeric_limits<T>::max()));
    }
    *out = value.get<T>();
  }
  void ForEach(const char* key,
               const std::function<void(const nlohmann::json&, const std::string&)>& take) const {
    const nlohmann::json& value = Value(key);
    if (value.is_null()) return;
    if (!value.is_array()) return Fail(key, "want a list");
    for (size_t i = 0; i < value.size() && status_->ok(); ++i) {
      take(value[i], absl::StrCat(Name(key), "[", i, "]"));
    }
  }

  const nlohmann::json* json_;
  std::string path_;
  absl::Status* status_;
};

}  // namespace redoubt::oci

#endif  // RUNSC_OCI_JSON_READER_H_
