// SPDX-License-Identifier: Apache-2.0
#include "runsc/cgroup/cgroup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "nlohmann/json.hpp"
#include "runsc/cgroup/conversion.h"
#include "runsc/cgroup/device_program.h"
#include "runsc/cgroup/device_rules.h"
#include "runsc/cgroup/fake_tree.h"
#include "runsc/cgroup/hierarchy.h"

namespace redoubt::cgroup {
namespace {

using ::testing::HasSubstr;

std::string Message(const absl::Status& status) { return std::string(status.message()); }

oci::LinuxResources Resources(const char* json) {
  auto resources = oci::ParseResourcesText(json);
  EXPECT_TRUE(resources.ok()) << resources.status();
  return resources.value_or(oci::LinuxResources{});
}

std::unique_ptr<Cgroup> Resolve(FakeTree& tree, Request request) {
  auto group = Cgroup::Resolve(request, tree.View());
  EXPECT_TRUE(group.ok()) << group.status();
  return group.ok() ? *std::move(group) : nullptr;
}

TEST(Paths, AbsoluteStartsAtTheMountPoint) {
  FakeTree tree;
  tree.AddV1({"memory", "cpu"});
  auto group = Resolve(tree, {.cgroups_path = "/engine/c1", .container_id = "c1"});
  EXPECT_EQ(group->PathOf("memory"), tree.Path("memory/engine/c1"));
  EXPECT_EQ(group->PathOf("cpu"), tree.Path("cpu/engine/c1"));
  EXPECT_EQ(group->PathOf("pids"), "");
  EXPECT_FALSE(group->is_v2());
}

TEST(Paths, RelativeAndDefaultStartAtOurOwn) {
  FakeTree tree;
  tree.AddV1({"memory"});
  EXPECT_EQ(Resolve(tree, {.cgroups_path = "x/c1"})->PathOf("memory"),
            tree.Path("memory/own/x/c1"));
  EXPECT_EQ(Resolve(tree, {.container_id = "c1"})->PathOf("memory"), tree.Path("memory/own/c1"));
}

TEST(Paths, CannotLeaveTheTree) {
  FakeTree tree;
  tree.AddV1({"memory"});
  EXPECT_EQ(Resolve(tree, {.cgroups_path = "/../../etc"})->PathOf("memory"),
            tree.Path("memory/etc"));
  EXPECT_EQ(Resolve(tree, {.cgroups_path = "../../etc"})->PathOf("memory"),
            tree.Path("memory/own/etc"));
  EXPECT_FALSE(Cgroup::Resolve({.cgroups_path = "/a/.."}, tree.View()).ok());
}

TEST(Paths, UnifiedDefaultIsBesideOurOwn) {
  FakeTree tree;
  tree.AddV2();
  auto group = Resolve(tree, {.container_id = "c1"});
  EXPECT_TRUE(group->is_v2());
  EXPECT_EQ(group->PathOf("memory"), tree.Path("unified/own/c1"));
}

TEST(Paths, InHybridTheV1ControllersCount) {
  FakeTree tree;
  tree.AddV2();
  tree.AddV1({"memory"});
  EXPECT_FALSE(Resolve(tree, {.container_id = "c1"})->is_v2());
}

TEST(Paths, OnlyANamedHierarchyBesideUnifiedIsV2) {
  FakeTree tree;
  tree.AddV2();
  tree.AddV1({"name=systemd"});
  EXPECT_TRUE(Resolve(tree, {.container_id = "c1"})->is_v2());
}

TEST(Paths, TheOtherDriversFormIsRefused) {
  FakeTree tree;
  tree.AddV1({"memory"});
  auto refused = Cgroup::Resolve({.cgroups_path = "system.slice:runc:c1"}, tree.View());
  EXPECT_THAT(Message(refused.status()), HasSubstr("needs --systemd-cgroup"));
  refused = Cgroup::Resolve({.cgroups_path = "/a/b", .systemd = true}, tree.View());
  EXPECT_THAT(Message(refused.status()), HasSubstr("slice:prefix:name"));
  refused = Cgroup::Resolve({.cgroups_path = "a.slice:b:c", .systemd = true}, tree.View());
  EXPECT_THAT(Message(refused.status()), HasSubstr("systemd does not run"));
}

TEST(FromPaths, RefusesASpoiltStateFile) {
  EXPECT_FALSE(Cgroup::FromPaths({{"memory", "/sys/fs/cgroup/../../etc"}}).ok());
  EXPECT_FALSE(Cgroup::FromPaths({{"memory", "etc"}}).ok());
  auto none = Cgroup::FromPaths({});
  ASSERT_TRUE(none.ok());
  EXPECT_TRUE((*none)->Signal(9).ok());
  EXPECT_TRUE((*none)->Delete().ok());
  EXPECT_FALSE((*none)->Apply(Resources(R"({"pids":{"limit":5}})")).ok());
}

TEST(Own, IsWhereThisProcessIs) {
  FakeTree tree;
  tree.AddV1({"memory"});
  auto own = Cgroup::Own(tree.View());
  ASSERT_TRUE(own.ok()) << own.status();
  EXPECT_EQ((*own)->PathOf("memory"), tree.Path("memory/own"));
}

TEST(Room, TheHostCountsTheSandboxsThreadsToo) {
  EXPECT_EQ(WithRoomForSandbox(Resources(R"({"pids":{"limit":10}})")).pids_limit, 148);
  EXPECT_EQ(WithRoomForSandbox(Resources(R"({"pids":{"limit":-1}})")).pids_limit, -1);
  EXPECT_EQ(WithRoomForSandbox({}).pids_limit, std::nullopt);
}

TEST(V1, WritesWhatIsSet) {
  FakeTree tree;
  tree.AddV1({"memory", "cpu", "pids", "cpuset", "blkio", "devices"});
  for (const char* file : {"memory/c/memory.limit_in_bytes", "memory/c/memory.soft_limit_in_bytes",
                           "memory/c/memory.memsw.limit_in_bytes", "cpu/c/cpu.cfs_quota_us",
                           "cpu/c/cpu.cfs_period_us", "pids/c/pids.max", "cpuset/c/cpuset.cpus",
                           "blkio/c/blkio.throttle.read_bps_device", "devices/c/devices.allow"}) {
    tree.Write(file, "");
  }
  tree.Write("cpu/c/cpu.shares", "512");
  auto group = Resolve(tree, {.cgroups_path = "/c"});
  absl::Status status = group->Apply(Resources(R"({
      "memory": {"limit": 1048576, "swap": 2097152, "reservation": 4096},
      "cpu": {"shares": 512, "quota": 50000, "period": 100000, "cpus": "0-1"},
      "pids": {"limit": 7},
      "blockIO": {"throttleReadBpsDevice": [{"major": 8, "minor": 0, "rate": 1000}]},
      "devices": [{"allow": true, "type": "c", "major": 10, "minor": 229, "access": "rw"}]})"));
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(tree.Read("memory/c/memory.limit_in_bytes"), "1048576");
  EXPECT_EQ(tree.Read("memory/c/memory.memsw.limit_in_bytes"), "2097152");
  EXPECT_EQ(tree.Read("memory/c/memory.soft_limit_in_bytes"), "4096");
  EXPECT_EQ(tree.Read("cpu/c/cpu.shares"), "512");
  EXPECT_EQ(tree.Read("cpu/c/cpu.cfs_quota_us"), "50000");
  EXPECT_EQ(tree.Read("pids/c/pids.max"), "7");
  EXPECT_EQ(tree.Read("cpuset/c/cpuset.cpus"), "0-1");
  EXPECT_EQ(tree.Read("blkio/c/blkio.throttle.read_bps_device"), "8:0 1000");
}

TEST(V1, ALimitWithoutItsControllerIsAnError) {
  FakeTree tree;
  tree.AddV1({"cpu"});
  auto group = Resolve(tree, {.cgroups_path = "/c"});
  EXPECT_EQ(Message(group->Apply(Resources(R"({"pids":{"limit":7}})"))),
            "cannot set pids limit: container could not join or create cgroup");
  EXPECT_TRUE(group->Apply({}).ok());
  EXPECT_THAT(Message(group->Apply(Resources(R"({"unified":{"memory.max":"1"}})"))),
              HasSubstr("cannot use unified on cgroup v1"));
}

TEST(V1, ErrorsNameFileAndValue) {
  FakeTree tree;
  tree.AddV1({"pids"});
  auto group = Resolve(tree, {.cgroups_path = "/gone"});
  EXPECT_EQ(
      Message(group->Apply(Resources(R"({"pids":{"limit":7}})"))),
      "cannot write \"7\" to " + tree.Path("pids/gone/pids.max") + ": No such file or directory");
}

TEST(V1, StatsHaveTheShapeThatEnginesDecode) {
  FakeTree tree;
  tree.AddV1({"memory", "cpu", "cpuacct", "pids", "blkio"});
  tree.Write("memory/c/memory.usage_in_bytes", "4096\n");
  tree.Write("memory/c/memory.limit_in_bytes", "9223372036854771712\n");
  tree.Write("memory/c/memory.stat", "cache 12\nrss 34\n");
  tree.Write("cpuacct/c/cpuacct.usage", "1000\n");
  tree.Write("cpuacct/c/cpuacct.usage_percpu", "600 400\n");
  tree.Write("pids/c/pids.current", "3\n");
  tree.Write("pids/c/pids.max", "max\n");
  tree.Write("blkio/c/blkio.throttle.io_service_bytes_recursive",
             "8:0 Read 100\n8:0 Write 200\nTotal 300\n");
  auto stats = Resolve(tree, {.cgroups_path = "/c"})->Stats();
  ASSERT_TRUE(stats.ok());
  EXPECT_EQ((*stats)["memory"]["usage"]["usage"], 4096);
  EXPECT_EQ((*stats)["memory"]["usage"]["limit"], 9223372036854771712u);
  EXPECT_EQ((*stats)["memory"]["raw"]["rss"], 34);
  EXPECT_EQ((*stats)["cpu"]["usage"]["percpu"], (std::vector<int>{600, 400}));
  EXPECT_EQ((*stats)["pids"], (nlohmann::json{{"current", 3}}));
  EXPECT_EQ((*stats)["blkio"]["ioServiceBytesRecursive"].size(), 2u);
  EXPECT_EQ((*stats)["blkio"]["ioServiceBytesRecursive"][1]["op"], "Write");
}

TEST(V2, ConvertsAndWrites) {
  FakeTree tree;
  tree.AddV2();
  for (const char* file : {"memory.max", "memory.swap.max", "memory.low", "cpu.weight", "cpu.max",
                           "pids.max", "io.max", "io.weight", "memory.high"}) {
    tree.Write(std::string("unified/c/") + file, "");
  }
  auto group = Resolve(tree, {.cgroups_path = "/c"});
  absl::Status status = group->Apply(Resources(R"({
      "memory": {"limit": 1000, "swap": 3000, "reservation": 500},
      "cpu": {"shares": 1024, "quota": 50000},
      "pids": {"limit": -1},
      "blockIO": {"weight": 500,
                  "throttleWriteIOPSDevice": [{"major": 8, "minor": 0, "rate": 10}]},
      "unified": {"memory.high": "900"}})"));
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(tree.Read("unified/c/memory.max"), "1000");
  EXPECT_EQ(tree.Read("unified/c/memory.swap.max"), "2000");
  EXPECT_EQ(tree.Read("unified/c/memory.low"), "500");
  EXPECT_EQ(tree.Read("unified/c/cpu.weight"), "39");
  EXPECT_EQ(tree.Read("unified/c/cpu.max"), "50000 100000");
  EXPECT_EQ(tree.Read("unified/c/pids.max"), "max");
  EXPECT_EQ(tree.Read("unified/c/io.weight"), "4950");
  EXPECT_EQ(tree.Read("unified/c/io.max"), "8:0 wiops=10");
  EXPECT_EQ(tree.Read("unified/c/memory.high"), "900");
}

TEST(V2, CreatePassesControllersDown) {
  FakeTree tree;
  tree.AddV2();
  tree.Write("unified/cgroup.controllers", "cpu memory\n");
  tree.Write("unified/cgroup.subtree_control", "");
  auto group = Resolve(tree, {.cgroups_path = "/engine/c"});
  ASSERT_TRUE(group->Create().ok());
  EXPECT_EQ(tree.Read("unified/cgroup.subtree_control"), "+cpu +memory");
  EXPECT_TRUE(group->Exists());
  EXPECT_TRUE(group->Delete(absl::ZeroDuration()).ok());
  EXPECT_FALSE(group->Exists());
}

TEST(V2, UnifiedNamesAreFileNames) {
  FakeTree tree;
  tree.AddV2();
  tree.Write("unified/c/x", "");
  auto group = Resolve(tree, {.cgroups_path = "/c"});
  EXPECT_FALSE(group->Apply(Resources(R"({"unified":{"../x":"1"}})")).ok());
  EXPECT_THAT(Message(group->Apply(Resources(R"({"unified":{"foo.bar":"1"}})"))),
              HasSubstr("controller \"foo\" not available"));
}

TEST(V2, MemoryLimitIsTheLeastOnTheWayUp) {
  FakeTree tree;
  tree.AddV2();
  tree.Write("unified/a/memory.max", "100\n");
  tree.Write("unified/a/b/memory.max", "max\n");
  EXPECT_EQ(Resolve(tree, {.cgroups_path = "/a/b"})->MemoryLimit(), 100u);
}

TEST(Conversion, Scales) {
  EXPECT_EQ(CpuWeight(0), 0u);
  EXPECT_EQ(CpuWeight(2), 1u);
  EXPECT_EQ(CpuWeight(1024), 39u);
  EXPECT_EQ(CpuWeight(262144), 10000u);
  EXPECT_EQ(IoWeight(10), 1u);
  EXPECT_EQ(IoWeight(1000), 10000u);
  EXPECT_EQ(SwapAlone(3000, 1000)->bytes, 2000);
  EXPECT_EQ(SwapAlone(-1, 1000)->bytes, -1);
  EXPECT_TRUE(SwapAlone(1000, 1000)->set);
  EXPECT_EQ(SwapAlone(1000, 1000)->bytes, 0);
  EXPECT_FALSE(SwapAlone(0, 1000)->set);
  EXPECT_EQ(Message(SwapAlone(5, 0).status()), "unable to set swap limit without memory limit");
  EXPECT_EQ(Message(SwapAlone(5, 6).status()), "memory+swap limit should be >= memory limit");
}

TEST(Devices, RulesAsText) {
  EXPECT_EQ(DeviceRuleText({.allow = true, .type = 'c', .major = 1, .minor = 3, .access = "rw"}),
            "c 1:3 rw");
  EXPECT_EQ(DeviceRuleText({.type = 'b', .access = "m"}), "b *:* m");
  EXPECT_EQ(DeviceRuleText({.type = 'a'}), "a");
}

TEST(Devices, AProgramEndsAtARuleForAll) {
  auto all = CompileDeviceProgram({{.allow = true, .type = 'c'}, {.allow = false, .type = 'a'}});
  auto one = CompileDeviceProgram({{.allow = false, .type = 'a'}});
  EXPECT_EQ(all.size(), one.size());
}

TEST(Resources, WrongTypesNameTheKey) {
  EXPECT_EQ(Message(oci::ParseResourcesText(R"({"cpu":{"quota":"x"}})").status()),
            "resources.cpu.quota: want a whole number");
  EXPECT_EQ(Message(oci::ParseResourcesText(R"({"devices":[{"access":"q"}]})").status()),
            "resources.devices[0].access: want letters of rwm");
  EXPECT_EQ(Message(oci::ParseResourcesText("{").status()), "resources: not valid JSON");
  EXPECT_TRUE(oci::ParseResourcesText(R"({"pids":null,"new":{}})").ok());
}

}  // namespace
}  // namespace redoubt::cgroup
