// SPDX-License-Identifier: Apache-2.0

#include "test/util/temp_path.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "test/util/file_descriptor.h"

namespace redoubt::test {
namespace {

[[noreturn]] void Die(const char* what) {
  perror(what);
  abort();
}

}  // namespace

TempDir::TempDir() {
  const char* base = getenv("TEST_TMPDIR");
  path_ = std::string(base != nullptr && *base != '\0' ? base : "/tmp") + "/redoubt_test_XXXXXX";
  if (mkdtemp(path_.data()) == nullptr) Die("mkdtemp");
  // Tests that drop their privileges still have to get in.
  if (chmod(path_.c_str(), 0755) != 0) Die("chmod");
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string TempDir::Path(std::string_view name) const { return path_ + "/" + std::string(name); }

std::string TempDir::File(std::string_view name, std::string_view contents, mode_t mode) const {
  std::string path = Path(name);
  WriteFile(path, contents, mode);
  return path;
}

std::string TempDir::Dir(std::string_view name, mode_t mode) const {
  std::string path = Path(name);
  if (mkdir(path.c_str(), mode) != 0 || chmod(path.c_str(), mode) != 0) Die("mkdir");
  return path;
}

void WriteFile(const std::string& path, std::string_view contents, mode_t mode) {
  FileDescriptor file(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!file.valid()) Die(path.c_str());
  while (!contents.empty()) {
    const ssize_t done = write(file.get(), contents.data(), contents.size());
    if (done <= 0) Die("write");
    contents.remove_prefix(done);
  }
  if (fchmod(file.get(), mode) != 0) Die("fchmod");
}

std::string ReadFile(const std::string& path) {
  FileDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string contents;
  char buffer[4096];
  ssize_t got;
  while ((got = read(file.get(), buffer, sizeof(buffer))) > 0) contents.append(buffer, got);
  return contents;
}

}  // namespace redoubt::test
