// SPDX-License-Identifier: Apache-2.0
//
// FakeTree: a directory that looks like a host's cgroup file systems, for tests. Files hold what
// was last written; the kernel's own behaviour is not there (see test/cgroup for that).
#ifndef RUNSC_CGROUP_FAKE_TREE_H_
#define RUNSC_CGROUP_FAKE_TREE_H_

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "runsc/cgroup/cgroup.h"

namespace redoubt::cgroup {

class FakeTree {
 public:
  FakeTree() {
    std::string pattern = std::filesystem::temp_directory_path() / "cgroup-XXXXXX";
    root_ = mkdtemp(pattern.data());
  }
  ~FakeTree() { std::filesystem::remove_all(root_); }

  const std::string& root() const { return root_; }
  std::string Path(const std::string& name) const { return root_ + "/" + name; }
  void Write(const std::string& name, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(Path(name)).parent_path());
    std::ofstream(Path(name)) << text;
  }
  std::string Read(const std::string& name) const {
    std::ifstream file(Path(name));
    return std::string(std::istreambuf_iterator<char>(file), {});
  }

  // A host that mounts `controllers` (one hierarchy each) under the root, with us in /own.
  void AddV1(std::initializer_list<const char*> controllers) {
    for (const char* name : controllers) {
      std::filesystem::create_directories(Path(name) + std::string("/own"));
      mounts_ += std::string("30 20 0:9 / ") + Path(name) +
                 " rw,nosuid shared:5 - cgroup cgroup rw," + name + "\n";
      own_ += std::string("5:") + name + ":/own\n";
    }
  }
  void AddV2() {
    std::filesystem::create_directories(Path("unified/own/shell"));
    mounts_ += "31 20 0:9 / " + Path("unified") + " rw - cgroup2 cgroup rw\n";
    own_ += "0::/own/shell\n";
  }
  HostView View() {
    Write("mountinfo", mounts_);
    Write("own", own_);
    return {.mountinfo = Path("mountinfo"), .own_cgroups = Path("own"), .systemd = Path("none")};
  }

 private:
  std::string root_, mounts_ = "20 1 8:1 / / rw - ext4 /dev/sda1 rw\n", own_;
};

}  // namespace redoubt::cgroup

#endif  // RUNSC_CGROUP_FAKE_TREE_H_
