// SPDX-License-Identifier: Apache-2.0
#include "runsc/cmd/engine_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "nlohmann/json.hpp"

namespace redoubt::runsc {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class EngineConfigTest : public ::testing::Test {
 protected:
  EngineConfigTest() {
    const char* base = getenv("TEST_TMPDIR");
    prefix_ = std::string(base == nullptr ? "/tmp" : base) + "/engine-config-XXXXXX";
    if (mkdtemp(prefix_.data()) == nullptr) abort();
  }

  EngineConfig Engine(size_t index) {
    return EngineConfig::All(prefix_, {"safe", "/opt/runsc"})[index];
  }
  std::string Read(const std::string& path) {
    std::ifstream file(prefix_ + path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }
  void Write(const std::string& folder, const std::string& name, const std::string& text) {
    mkdir((prefix_ + "/etc").c_str(), 0755);
    mkdir((prefix_ + folder).c_str(), 0755);
    std::ofstream(prefix_ + folder + "/" + name) << text;
  }

  std::string prefix_;
};

constexpr size_t kPodman = 0, kDocker = 1, kContainerd = 2;

TEST_F(EngineConfigTest, PodmanGetsAFileOfItsOwn) {
  ASSERT_TRUE(Engine(kPodman).install().ok());
  const std::string file = "/etc/containers/containers.conf.d/50-safe.conf";
  EXPECT_THAT(Read(file), HasSubstr("[engine.runtimes]\n\"safe\" = [\"/opt/runsc\"]\n"));
  ASSERT_TRUE(Engine(kPodman).uninstall().ok());
  EXPECT_NE(access((prefix_ + file).c_str(), F_OK), 0);
  EXPECT_TRUE(Engine(kPodman).uninstall().ok());
}

TEST_F(EngineConfigTest, DockersOtherSettingsStay) {
  Write("/etc/docker", "daemon.json",
        R"({"bip": "10.0.0.1/24", "runtimes": {"x": {"path": "/x"}}})");
  ASSERT_TRUE(Engine(kDocker).install().ok());
  auto config = nlohmann::json::parse(Read("/etc/docker/daemon.json"));
  EXPECT_EQ(config["runtimes"]["safe"]["path"], "/opt/runsc");
  EXPECT_EQ(config["runtimes"]["x"]["path"], "/x");
  EXPECT_EQ(config["bip"], "10.0.0.1/24");
  ASSERT_TRUE(Engine(kDocker).uninstall().ok());
  config = nlohmann::json::parse(Read("/etc/docker/daemon.json"));
  EXPECT_FALSE(config["runtimes"].contains("safe"));
  EXPECT_TRUE(config["runtimes"].contains("x"));
}

TEST_F(EngineConfigTest, DockersBrokenFileIsLeftAlone) {
  Write("/etc/docker", "daemon.json", "{ \"bip\": ");
  EXPECT_FALSE(Engine(kDocker).install().ok());
  EXPECT_EQ(Read("/etc/docker/daemon.json"), "{ \"bip\": ");
}

TEST_F(EngineConfigTest, ContainerdImportsItsFile) {
  Write("/etc/containerd", "config.toml", "version = 2\n[grpc]\n");
  ASSERT_TRUE(Engine(kContainerd).install().ok());
  ASSERT_TRUE(Engine(kContainerd).install().ok());
  EXPECT_EQ(Read("/etc/containerd/config.toml"),
            "imports = [\"/etc/containerd/conf.d/*.toml\"]\nversion = 2\n[grpc]\n");
  EXPECT_THAT(Read("/etc/containerd/conf.d/safe.toml"), HasSubstr("BinaryName = \"/opt/runsc\""));
}

TEST_F(EngineConfigTest, ContainerdWithOtherImportsIsToldToAPerson) {
  Write("/etc/containerd", "config.toml", "version = 2\nimports = [\"/x\"]\n");
  absl::StatusOr<std::string> done = Engine(kContainerd).install();
  ASSERT_FALSE(done.ok());
  EXPECT_THAT(std::string(done.status().message()), HasSubstr("conf.d"));
  EXPECT_THAT(Read("/etc/containerd/config.toml"), StartsWith("version"));
}

}  // namespace
}  // namespace redoubt::runsc
