// SPDX-License-Identifier: Apache-2.0
//
// TempDir makes an empty directory of its own for a test and removes it, with all it holds, at the
// end. It lies under $TEST_TMPDIR, or /tmp when that is not set.
//
//   TempDir dir;
//   const std::string path = dir.File("a", "contents");   // Makes the file, returns its path.
//   EXPECT_THAT(link(path.c_str(), dir.Path("b").c_str()), SyscallSucceeds());
//   EXPECT_EQ(ReadFile(dir.Path("b")), "contents");
//
// The functions abort when the set-up itself fails (a full disk), since no test can go on from
// there.

#ifndef REDOUBT_TEST_UTIL_TEMP_PATH_H_
#define REDOUBT_TEST_UTIL_TEMP_PATH_H_

#include <sys/types.h>

#include <string>
#include <string_view>

namespace redoubt::test {

class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::string& path() const { return path_; }
  const char* c_str() const { return path_.c_str(); }

  // The path of `name` inside; nothing is made.
  std::string Path(std::string_view name) const;

  // Makes a regular file, or a directory, inside and returns its path.
  std::string File(std::string_view name, std::string_view contents = "", mode_t mode = 0644) const;
  std::string Dir(std::string_view name, mode_t mode = 0755) const;

 private:
  std::string path_;
};

// Makes (or empties) a file with these contents and exactly this mode, whatever the umask.
void WriteFile(const std::string& path, std::string_view contents, mode_t mode = 0644);

// The whole contents of a file, also of one in /proc; empty when it cannot be read.
std::string ReadFile(const std::string& path);

}  // namespace redoubt::test

#endif  // REDOUBT_TEST_UTIL_TEMP_PATH_H_
