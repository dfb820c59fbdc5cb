// SPDX-License-Identifier: Apache-2.0
//
// For tests that mount: each works in a child, in a namespace of mounts of its own.
#ifndef TEST_SYSCALLS_MOUNT_FIXTURE_H_
#define TEST_SYSCALLS_MOUNT_FIXTURE_H_

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "test/util/fork.h"
#include "test/util/temp_path.h"

namespace redoubt::test {

inline bool Exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

// A namespace of mounts of its own, from which nothing gets out.
inline void EnterNamespace() {
  CHILD_CHECK(unshare(CLONE_NEWNS) == 0);
  CHILD_CHECK(mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0);
}

class MountTest : public ::testing::Test {
 protected:
  void SetUp() override {
    int status = InForkedProcess([] {
      if (unshare(CLONE_NEWNS) != 0) _exit(1);
    });
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) GTEST_SKIP() << "may not unshare mounts";
  }
  TempDir dir_;
};

}  // namespace redoubt::test

#endif  // TEST_SYSCALLS_MOUNT_FIXTURE_H_
