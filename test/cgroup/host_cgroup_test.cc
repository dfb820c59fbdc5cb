// SPDX-License-Identifier: Apache-2.0
//
// The cgroup library against the kernel of this machine: cgroups of its own, gone afterwards.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <functional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "nlohmann/json.hpp"
#include "runsc/cgroup/cgroup.h"
#include "runsc/cgroup/device_program.h"
#include "runsc/cgroup/device_rules.h"
#include "runsc/cgroup/oom_watch.h"

namespace redoubt::cgroup {
namespace {

oci::LinuxResources Resources(const char* json) { return *oci::ParseResourcesText(json); }

std::string FirstLine(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// A child that starts in `group` before it does anything.
class Child {
 public:
  Child(Cgroup& group, const std::function<void()>& body) {
    int gate[2];
    EXPECT_EQ(pipe(gate), 0);
    pid_ = fork();
    if (pid_ == 0) {
      char go;
      close(gate[1]);
      (void)!read(gate[0], &go, 1);
      body();
      _exit(0);
    }
    close(gate[0]);
    absl::Status status = group.Enter(pid_);
    EXPECT_TRUE(status.ok()) << status;
    close(gate[1]);
  }
  ~Child() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    Wait();
  }
  pid_t pid() const { return pid_; }
  int Wait() {
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = -1;
    return status;
  }
  bool HasEnded() {
    int status;
    if (waitpid(pid_, &status, WNOHANG) != pid_) return false;
    pid_ = -1;
    return true;
  }

 private:
  pid_t pid_;
};

class HostCgroup : public ::testing::Test {
 protected:
  void SetUp() override {
    auto group = Cgroup::Resolve(
        {.cgroups_path = absl::StrCat("redoubt-test-", getpid(), "/inner"), .container_id = "t"});
    if (!group.ok()) GTEST_SKIP() << group.status();
    group_ = *std::move(group);
    absl::Status made = group_->Create();
    if (!made.ok()) {
      group_.reset();
      GTEST_SKIP() << "no cgroup can be made here: " << made;
    }
  }
  void TearDown() override {
    if (!group_) return;
    EXPECT_TRUE(group_->Signal(SIGKILL).ok());
    absl::Status gone = group_->Delete();
    EXPECT_TRUE(gone.ok()) << gone;
    for (const auto& [controller, path] : group_->paths()) {
      rmdir(path.substr(0, path.rfind('/')).c_str());
    }
  }
  bool Has(const char* controller) const { return !group_->PathOf(controller).empty(); }
  std::unique_ptr<Cgroup> group_;
};

TEST_F(HostCgroup, AProcessEntersEveryHierarchy) {
  Child child(*group_, [] { pause(); });
  for (const auto& [controller, path] : group_->paths()) {
    EXPECT_EQ(FirstLine(path + "/cgroup.procs"), std::to_string(child.pid())) << controller;
  }
  auto pids = group_->Processes();
  ASSERT_TRUE(pids.ok());
  EXPECT_EQ(*pids, std::vector<pid_t>{child.pid()});
}

TEST_F(HostCgroup, PidsLimitStopsFork) {
  if (!Has("pids")) GTEST_SKIP() << "no pids controller";
  ASSERT_TRUE(group_->Apply(Resources(R"({"pids":{"limit":1}})")).ok());
  Child child(*group_, [] {
    pid_t pid = fork();
    _exit(pid < 0 ? errno : 0);
  });
  EXPECT_EQ(WEXITSTATUS(child.Wait()), EAGAIN);
}

TEST_F(HostCgroup, MemoryLimitIsInForceAndCanBeRaisedAndLowered) {
  if (!Has("memory")) GTEST_SKIP() << "no memory controller";
  absl::Status status;
  for (const char* limits : {R"({"memory":{"limit":67108864,"swap":134217728}})",
                             R"({"memory":{"limit":268435456,"swap":536870912}})",
                             R"({"memory":{"limit":33554432,"swap":33554432}})",
                             R"({"memory":{"limit":-1}})", R"({"memory":{"limit":16777216}})"}) {
    status = group_->Apply(Resources(limits));
    EXPECT_TRUE(status.ok()) << limits << ": " << status;
  }
  EXPECT_EQ(group_->MemoryLimit(), 16777216u);
}

TEST_F(HostCgroup, CpuLimitsAreInForce) {
  if (!Has("cpu")) GTEST_SKIP() << "no cpu controller";
  absl::Status status =
      group_->Apply(Resources(R"({"cpu":{"shares":512,"quota":20000,"period":50000}})"));
  ASSERT_TRUE(status.ok()) << status;
  status = group_->Apply(Resources(R"({"cpu":{"quota":200000,"period":100000}})"));
  ASSERT_TRUE(status.ok()) << status;
  if (!group_->is_v2()) {
    EXPECT_EQ(FirstLine(group_->PathOf("cpu") + "/cpu.shares"), "512");
    EXPECT_EQ(FirstLine(group_->PathOf("cpu") + "/cpu.cfs_quota_us"), "200000");
  }
}

TEST_F(HostCgroup, TheKernelsRefusalIsOneLine) {
  if (!Has("cpuset")) GTEST_SKIP() << "no cpuset controller";
  absl::Status status = group_->Apply(Resources(R"({"cpu":{"cpus":"9999"}})"));
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.message().find("cpuset.cpus"), absl::string_view::npos) << status;
}

TEST_F(HostCgroup, DeviceRulesHold) {
  if (geteuid() != 0) GTEST_SKIP() << "not root";
  if (group_->is_v2() || !Has("devices")) GTEST_SKIP() << "no devices controller";
  absl::Status status = group_->Apply(Resources(R"({"devices":[{"allow":false}]})"));
  if (!status.ok()) GTEST_SKIP() << status;
  Child child(*group_, [] {
    bool null_works = open("/dev/null", O_RDWR) >= 0;
    bool kmsg_fails = open("/dev/kmsg", O_RDONLY) < 0 && errno == EPERM;
    _exit(null_works && kmsg_fails ? 0 : 1);
  });
  EXPECT_EQ(child.Wait(), 0);
}

TEST_F(HostCgroup, FrozenProcessesStandStillAndCanBeKilled) {
  if (!group_->is_v2() && !Has("freezer")) GTEST_SKIP() << "no freezer";
  auto* counter = static_cast<volatile uint64_t*>(
      mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  Child child(*group_, [&] {
    while (true) *counter = *counter + 1;
  });
  while (*counter == 0) absl::SleepFor(absl::Milliseconds(1));
  ASSERT_TRUE(group_->Freeze().ok());
  EXPECT_TRUE(*group_->IsFrozen());
  uint64_t before = *counter;
  absl::SleepFor(absl::Milliseconds(20));
  EXPECT_EQ(*counter, before);
  ASSERT_TRUE(group_->Thaw().ok());
  EXPECT_FALSE(*group_->IsFrozen());
  while (*counter == before) absl::SleepFor(absl::Milliseconds(1));
  ASSERT_TRUE(group_->Freeze().ok());
  ASSERT_TRUE(group_->Signal(SIGKILL).ok());
  EXPECT_EQ(child.Wait() & 0x7f, SIGKILL);
  munmap(const_cast<uint64_t*>(counter), 4096);
}

TEST_F(HostCgroup, DeleteWaitsForTheDying) {
  Child child(*group_, [] { pause(); });
  EXPECT_FALSE(group_->Delete(absl::Milliseconds(20)).ok());
  ASSERT_TRUE(group_->Signal(SIGKILL).ok());
  child.Wait();
  EXPECT_TRUE(group_->Delete().ok());
  EXPECT_FALSE(group_->Exists());
}

TEST_F(HostCgroup, StatsCountWhatRuns) {
  Child child(*group_, [] {
    volatile uint64_t sum = 0;
    for (uint64_t i = 0; i < 20000000; ++i) {
      uint64_t next = sum + i;
      sum = next;
    }
    pause();
  });
  absl::SleepFor(absl::Milliseconds(50));
  auto stats = group_->Stats();
  ASSERT_TRUE(stats.ok());
  auto number = [&](const char* pointer) {
    return stats->value(nlohmann::json::json_pointer(pointer), uint64_t{0});
  };
  EXPECT_EQ(number("/pids/current"), Has("pids") ? 1u : 0u);
  EXPECT_EQ(number("/cpu/usage/total") > 0, Has("cpuacct"));
  EXPECT_EQ(number("/memory/usage/limit") > 0, Has("memory"));
}

TEST_F(HostCgroup, AnOomKillIsTold) {
  if (!Has("memory")) GTEST_SKIP() << "no memory controller";
  ASSERT_TRUE(group_->Apply(Resources(R"({"memory":{"limit":33554432}})")).ok());
  auto watch = OomWatch::Start(*group_);
  ASSERT_TRUE(watch.ok()) << watch.status();
  EXPECT_FALSE(watch->Take());
  Child child(*group_, [] {
    constexpr size_t kSize = 256 << 20;
    void* memory = mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(memory, 1, kSize);
  });
  EXPECT_EQ(child.Wait() & 0x7f, SIGKILL);
  pollfd ready = {watch->fd(), POLLIN, 0};
  EXPECT_EQ(poll(&ready, 1, 5000), 1);
  EXPECT_TRUE(watch->Take());
  EXPECT_FALSE(watch->Take());
  EXPECT_EQ(*group_->OomKills(), 1u);
}

// The unified hierarchy of a hybrid host has no controllers, but takes device programs and freezes.
class UnifiedCgroup : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string root = access("/sys/fs/cgroup/unified/cgroup.procs", F_OK) == 0
                           ? "/sys/fs/cgroup/unified"
                           : "/sys/fs/cgroup";
    if (access((root + "/cgroup.controllers").c_str(), F_OK) != 0) GTEST_SKIP() << "no cgroup2";
    group_ = *Cgroup::FromPaths({{"", absl::StrCat(root, "/redoubt-test-v2-", getpid())}});
    if (!group_->Create().ok()) {
      group_.reset();
      GTEST_SKIP() << "no cgroup can be made under " << root;
    }
  }
  void TearDown() override {
    if (!group_) return;
    EXPECT_TRUE(group_->Delete().ok());
  }
  std::unique_ptr<Cgroup> group_;
};

TEST_F(UnifiedCgroup, FreezesAndKills) {
  Child child(*group_, [] { pause(); });
  ASSERT_TRUE(group_->Freeze().ok());
  EXPECT_TRUE(*group_->IsFrozen());
  ASSERT_TRUE(group_->Signal(SIGKILL).ok());
  EXPECT_EQ(child.Wait() & 0x7f, SIGKILL);
}

TEST_F(UnifiedCgroup, TheDeviceProgramDecides) {
  std::vector<oci::DeviceRule> rules = WithStandardDevices({{.allow = false, .type = 'a'}});
  absl::Status status = AttachDeviceProgram(group_->PathOf(""), CompileDeviceProgram(rules));
  if (!status.ok()) GTEST_SKIP() << status;
  auto can_open = [&](const char* device, int mode) {
    Child child(*group_, [&] { _exit(open(device, mode) >= 0 ? 0 : errno); });
    return WEXITSTATUS(child.Wait());
  };
  EXPECT_EQ(can_open("/dev/null", O_RDWR), 0);
  EXPECT_EQ(can_open("/dev/kmsg", O_RDONLY), EPERM);
  // Another program replaces the first.
  rules = {{.allow = true, .type = 'a'},
           {.allow = false, .type = 'c', .major = 1, .minor = 3, .access = "w"}};
  status = AttachDeviceProgram(group_->PathOf(""), CompileDeviceProgram(rules));
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(can_open("/dev/kmsg", O_RDONLY), 0);
  EXPECT_EQ(can_open("/dev/null", O_RDONLY), 0);
  EXPECT_EQ(can_open("/dev/null", O_RDWR), EPERM);
}

}  // namespace
}  // namespace redoubt::cgroup
