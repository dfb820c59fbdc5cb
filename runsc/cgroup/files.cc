// SPDX-License-Identifier: Apache-2.0
#include "runsc/cgroup/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/host/syscall.h"
#include "base/owned_fd.h"

namespace redoubt::cgroup {

namespace {

absl::StatusCode CodeOf(Errno error) {
  switch (error.value()) {
    case EACCES:
    case EPERM:
    case EROFS:
      return absl::StatusCode::kPermissionDenied;
    case ENOENT:
      return absl::StatusCode::kNotFound;
    case EINVAL:
    case ERANGE:
      return absl::StatusCode::kInvalidArgument;
    default:
      return absl::StatusCode::kFailedPrecondition;
  }
}

}  // namespace

std::string Join(const std::string& directory, const std::string& name) {
  if (name.empty()) return directory;
  bool slash = !directory.empty() && directory.back() == '/';
  return absl::StrCat(directory, slash || name.front() == '/' ? "" : "/", name);
}

bool Exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

Result<std::string> ReadFile(const std::string& path) {
  OwnedFd fd(
      static_cast<int>(TRY(host::Call([&] { return open(path.c_str(), O_RDONLY | O_CLOEXEC); }))));
  std::string text;
  char buffer[4096];
  while (true) {
    size_t n = TRY(host::Call([&] { return read(fd.get(), buffer, sizeof(buffer)); }));
    if (n == 0) return text;
    text.append(buffer, n);
  }
}

Result<void> WriteFile(const std::string& path, const std::string& value) {
  OwnedFd fd(static_cast<int>(
      TRY(host::Call([&] { return open(path.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC); }))));
  size_t n = TRY(host::Call([&] { return write(fd.get(), value.data(), value.size()); }));
  if (n != value.size()) return Errno(EIO);
  return {};
}

absl::Status FileError(const char* what, const std::string& path, Errno error) {
  return absl::Status(CodeOf(error),
                      absl::StrCat("cannot ", what, " ", path, ": ", strerror(error.value())));
}

absl::Status SetFile(const std::string& directory, const std::string& name,
                     const std::string& value) {
  std::string path = Join(directory, name);
  Result<void> written = WriteFile(path, value);
  if (written.ok()) return absl::OkStatus();
  return FileError(absl::StrCat("write \"", value, "\" to").c_str(), path, written.error());
}

Result<uint64_t> ReadNumber(const std::string& directory, const std::string& name) {
  std::string text = TRY(ReadFile(Join(directory, name)));
  absl::StripAsciiWhitespace(&text);
  if (text == "max" || text == "-1") return UINT64_MAX;
  uint64_t number;
  if (!absl::SimpleAtoi(text, &number)) return Errno(EINVAL);
  return number;
}

std::map<std::string, uint64_t> ReadKeyed(const std::string& directory, const std::string& name) {
  std::map<std::string, uint64_t> values;
  Result<std::string> text = ReadFile(Join(directory, name));
  if (!text.ok()) return values;
  for (absl::string_view line : absl::StrSplit(*text, '\n')) {
    std::vector<std::string> words = absl::StrSplit(line, ' ');
    uint64_t number;
    if (words.size() != 2) continue;
    if (words[1] == "max") {
      values[words[0]] = UINT64_MAX;
    } else if (absl::SimpleAtoi(words[1], &number)) {
      values[words[0]] = number;
    }
  }
  return values;
}

std::vector<uint64_t> ReadNumbers(const std::string& directory, const std::string& name) {
  std::vector<uint64_t> numbers;
  Result<std::string> text = ReadFile(Join(directory, name));
  if (!text.ok()) return numbers;
  for (absl::string_view word : absl::StrSplit(*text, absl::ByAnyChar(" \n"), absl::SkipEmpty())) {
    uint64_t number;
    if (absl::SimpleAtoi(word, &number)) numbers.push_back(number);
  }
  return numbers;
}

std::vector<std::string> Subdirectories(const std::string& directory) {
  std::vector<std::string> names;
  std::unique_ptr<DIR, int (*)(DIR*)> stream(opendir(directory.c_str()), &closedir);
  if (stream == nullptr) return names;
  while (const dirent* entry = readdir(stream.get())) {
    std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    struct stat status;
    std::string path = Join(directory, name);
    if (lstat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) names.push_back(path);
  }
  return names;
}

Result<void> MakeDirectories(const std::string& path, std::vector<std::string>& made) {
  for (size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    std::string part = path.substr(0, end);
    auto result = host::Call([&] { return mkdir(part.c_str(), 0755); });
    if (result.ok()) {
      made.push_back(part);
    } else if (!Exists(part)) {
      return result.error();
    }
    if (end == std::string::npos) return {};
  }
}

}  // namespace redoubt::cgroup
