// SPDX-License-Identifier: Apache-2.0
#include "runsc/oci/spec.h"

#include <sys/mount.h>
#include <sys/resource.h>

#include <gtest/gtest.h>

#include <string>

#include "nlohmann/json.hpp"
#include "runsc/oci/mount_options.h"
#include "runsc/oci/template.h"

namespace redoubt::oci {
namespace {

using Json = nlohmann::json;

Json Config() { return Json::parse(TemplateConfig(false, 0, 0)); }

absl::StatusOr<Spec> Parse(const Json& json) { return ParseSpec(json.dump(), "/bundle"); }

std::string ErrorOf(const Json& json) {
  absl::StatusOr<Spec> spec = Parse(json);
  return spec.ok() ? "" : std::string(spec.status().message());
}

TEST(Spec, TheTemplateIsGood) {
  absl::StatusOr<Spec> spec = Parse(Config());
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->root_path, "/bundle/rootfs");
  EXPECT_TRUE(spec->root_readonly);
  EXPECT_EQ(spec->process.args, std::vector<std::string>{"sh"});
  EXPECT_EQ(spec->mounts.front().destination, "/proc");
  ASSERT_NE(spec->FindNamespace("network"), nullptr);
  EXPECT_EQ(spec->FindNamespace("user"), nullptr);
  ASSERT_EQ(spec->process.rlimits.size(), 1u);
  EXPECT_EQ(spec->process.rlimits[0].resource, RLIMIT_NOFILE);
}

TEST(Spec, TheRootlessTemplateIsGood) {
  absl::StatusOr<Spec> spec = Parse(Json::parse(TemplateConfig(true, 1000, 1001)));
  ASSERT_TRUE(spec.ok()) << spec.status();
  ASSERT_EQ(spec->linux_.uid_mappings.size(), 1u);
  EXPECT_EQ(spec->linux_.uid_mappings[0].host_id, 1000u);
}

TEST(Spec, AnyVersionOneIsTaken) {
  for (const char* version : {"1.0.0", "1.0.2-dev", "1.2.0", "1.3.0"}) {
    Json config = Config();
    config["ociVersion"] = version;
    EXPECT_EQ(ErrorOf(config), "") << version;
  }
  Json config = Config();
  config["ociVersion"] = "2.0.0";
  EXPECT_EQ(ErrorOf(config), "ociVersion: want 1.x, is \"2.0.0\"");
  config.erase("ociVersion");
  EXPECT_EQ(ErrorOf(config), "ociVersion: is missing");
}

TEST(Spec, ErrorsNameThePlace) {
  struct Case {
    const char* pointer;
    Json value;
    const char* error;
  };
  const Case cases[] = {
      {"/process/cwd", "tmp", "process.cwd: must be an absolute path, is \"tmp\""},
      {"/process/args", Json::array(), "process.args: must not be empty"},
      {"/process/args", {"a", 1}, "process.args[1]: want a string"},
      {"/process/user/uid", -1, "process.user.uid: want a whole number from 0 to 4294967295"},
      {"/process/user/uid", 1.5, "process.user.uid: want a whole number from 0 to 4294967295"},
      {"/process/terminal", "yes", "process.terminal: want true or false"},
      {"/process", Json::array(), "process: want an object"},
      {"/mounts/1/options", "ro", "mounts[1].options: want a list"},
      {"/mounts/0/destination", "", "mounts[0].destination: is missing"},
      {"/root/path", "", "root.path: is missing"},
      {"/linux/intelRdt", Json::object({{"closID", "x"}}), "linux.intelRdt: is not supported"},
      {"/hooks/prestart", Json::array({Json{{"path", "x"}}}),
       "hooks.prestart[0].path: must be an absolute path, is \"x\""},
  };
  for (const Case& c : cases) {
    Json config = Config();
    config[Json::json_pointer(c.pointer)] = c.value;
    EXPECT_EQ(ErrorOf(config), c.error) << c.pointer;
  }
}

TEST(Spec, ANullByteEndsNoString) {
  Json config = Config();
  config["process"]["args"] = {std::string("a\0b", 3)};
  EXPECT_EQ(ErrorOf(config), "process.args[0]: must not contain a null byte");
}

TEST(Spec, UnknownCapabilitiesAreIgnored) {
  Json config = Config();
  config["process"]["capabilities"]["bounding"] = {"CAP_CHOWN", "CAP_FROM_THE_FUTURE"};
  absl::StatusOr<Spec> spec = Parse(config);
  ASSERT_TRUE(spec.ok());
  EXPECT_EQ(spec->process.capabilities.bounding, 1u);
}

TEST(Spec, LimitsMayNotBeGivenTwice) {
  Json config = Config();
  config["process"]["rlimits"].push_back(config["process"]["rlimits"][0]);
  EXPECT_EQ(ErrorOf(config), "process.rlimits[1].type: RLIMIT_NOFILE is given twice");
}

TEST(Spec, SettingsOfTheHostAreRefused) {
  Json config = Config();
  config["linux"]["sysctl"]["kernel.panic"] = "1";
  EXPECT_NE(ErrorOf(config).find("is not in a separate kernel namespace"), std::string::npos);
}

TEST(Spec, WhatIsNoJsonIsAnError) {
  for (const char* text : {"", "{", "[]", "null", "1", "\"x\""}) {
    EXPECT_FALSE(ParseSpec(text, "/").ok()) << text;
    EXPECT_FALSE(ParseProcess(text).ok()) << text;
  }
}

TEST(MountOptions, TheLastWordCounts) {
  absl::StatusOr<MountOptions> options =
      ParseMountOptions({"ro", "nosuid", "rw", "size=1m", "mode=700"});
  ASSERT_TRUE(options.ok());
  EXPECT_EQ(options->flags, static_cast<unsigned long>(MS_NOSUID));
  EXPECT_EQ(options->data, "size=1m,mode=700");
  EXPECT_FALSE(options->bind);
}

TEST(MountOptions, Binds) {
  absl::StatusOr<MountOptions> options = ParseMountOptions({"rbind", "rprivate", "rro"});
  ASSERT_TRUE(options.ok());
  EXPECT_TRUE(options->bind && options->recursive && options->recursive_read_only);
  EXPECT_EQ(options->flags, static_cast<unsigned long>(MS_RDONLY));
  EXPECT_FALSE(ParseMountOptions({"bind", "idmap"}).ok());
}

}  // namespace
}  // namespace redoubt::oci
