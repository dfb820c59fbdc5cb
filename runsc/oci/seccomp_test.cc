// SPDX-License-Identifier: Apache-2.0
#include "runsc/oci/seccomp.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>

#include "nlohmann/json.hpp"
#include "sentry/seccomp/filter.h"

namespace redoubt::oci {
namespace {

using seccomp::BpfProgram;
using ::testing::HasSubstr;

struct Call {
  long number;
  std::vector<uint64_t> arguments = {};
  uint32_t arch = AUDIT_ARCH_X86_64;
};

// What the profile answers.
uint32_t Answer(const std::string& profile, const Call& call) {
  auto compiled = CompileSeccompText(profile);
  EXPECT_TRUE(compiled.ok()) << compiled.status();
  if (!compiled.ok()) return 0;
  auto program = BpfProgram::Create(compiled->program);
  EXPECT_TRUE(program.ok()) << "the sentry would refuse it";
  if (!program.ok()) return 0;
  seccomp_data data{};
  data.nr = static_cast<int>(call.number);
  data.arch = call.arch;
  std::copy(call.arguments.begin(), call.arguments.end(), data.args);
  return program->Run(data);
}

std::string ErrorOf(const std::string& profile) {
  return std::string(CompileSeccompText(profile).status().message());
}

constexpr char kAllowList[] = R"({
    "defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38,
    "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
    "syscalls": [
      {"names": ["read", "write", "no_such_call", "socketcall"], "action": "SCMP_ACT_ALLOW"},
      {"names": ["personality"], "action": "SCMP_ACT_ALLOW",
       "args": [{"index": 0, "value": 8, "op": "SCMP_CMP_EQ"}]},
      {"names": ["personality"], "action": "SCMP_ACT_ALLOW",
       "args": [{"index": 0, "value": 4294967295, "op": "SCMP_CMP_EQ"}]},
      {"names": ["clone"], "action": "SCMP_ACT_ALLOW",
       "args": [{"index": 0, "value": 2114060288, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"}]},
      {"names": ["bpf"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1}]})";

TEST(Seccomp, AnAllowListAsEnginesWriteIt) {
  EXPECT_EQ(Answer(kAllowList, {SYS_read}), SECCOMP_RET_ALLOW);
  EXPECT_EQ(Answer(kAllowList, {SYS_mount}), SECCOMP_RET_ERRNO | ENOSYS);
  EXPECT_EQ(Answer(kAllowList, {SYS_bpf}), SECCOMP_RET_ERRNO | EPERM);
  EXPECT_EQ(Answer(kAllowList, {SYS_personality, {8}}), SECCOMP_RET_ALLOW);
  EXPECT_EQ(Answer(kAllowList, {SYS_personality, {9}}), SECCOMP_RET_ERRNO | ENOSYS);
  EXPECT_EQ(Answer(kAllowList, {SYS_clone, {0x11}}), SECCOMP_RET_ALLOW);
  EXPECT_EQ(Answer(kAllowList, {SYS_clone, {0x10000000}}), SECCOMP_RET_ERRNO | ENOSYS);
}

TEST(Seccomp, EveryOperator) {
  struct Case {
    const char* op;
    bool below, equal, above;
  };
  for (const Case& c : {Case{"SCMP_CMP_NE", true, false, true},
                        {"SCMP_CMP_LT", true, false, false},
                        {"SCMP_CMP_LE", true, true, false},
                        {"SCMP_CMP_EQ", false, true, false},
                        {"SCMP_CMP_GE", false, true, true},
                        {"SCMP_CMP_GT", false, false, true}}) {
    std::string profile =
        std::string(R"({"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["getpgid"],)"
                    R"("action":"SCMP_ACT_TRAP","args":[{"index":1,"value":4294967296,"op":")") +
        c.op + "\"}]}]}";
    auto traps = [&](uint64_t value) {
      return Answer(profile, {SYS_getpgid, {0, value}}) == SECCOMP_RET_TRAP;
    };
    EXPECT_EQ(traps((1ULL << 32) - 1), c.below) << c.op;
    EXPECT_EQ(traps(1ULL << 32), c.equal) << c.op;
    EXPECT_EQ(traps((1ULL << 32) + 1), c.above) << c.op;
  }
}

TEST(Seccomp, ConditionsOnOneArgumentAreAlternatives) {
  constexpr char kProfile[] = R"({"defaultAction":"SCMP_ACT_ALLOW","syscalls":[
      {"names":["getpgid"],"action":"SCMP_ACT_ERRNO","args":[
        {"index":0,"value":1,"op":"SCMP_CMP_EQ"},{"index":0,"value":2,"op":"SCMP_CMP_EQ"}]},
      {"names":["getsid"],"action":"SCMP_ACT_ERRNO","args":[
        {"index":0,"value":1,"op":"SCMP_CMP_EQ"},{"index":1,"value":2,"op":"SCMP_CMP_EQ"}]}]})";
  EXPECT_EQ(Answer(kProfile, {SYS_getpgid, {1}}), SECCOMP_RET_ERRNO | EPERM);
  EXPECT_EQ(Answer(kProfile, {SYS_getpgid, {2}}), SECCOMP_RET_ERRNO | EPERM);
  EXPECT_EQ(Answer(kProfile, {SYS_getpgid, {3}}), SECCOMP_RET_ALLOW);
  EXPECT_EQ(Answer(kProfile, {SYS_getsid, {1, 2}}), SECCOMP_RET_ERRNO | EPERM);
  EXPECT_EQ(Answer(kProfile, {SYS_getsid, {1, 3}}), SECCOMP_RET_ALLOW);
}

TEST(Seccomp, EveryAction) {
  for (auto [name, answer] : {std::pair("SCMP_ACT_KILL", SECCOMP_RET_KILL_THREAD),
                              {"SCMP_ACT_KILL_THREAD", SECCOMP_RET_KILL_THREAD},
                              {"SCMP_ACT_KILL_PROCESS", SECCOMP_RET_KILL_PROCESS},
                              {"SCMP_ACT_TRAP", SECCOMP_RET_TRAP},
                              {"SCMP_ACT_ERRNO", SECCOMP_RET_ERRNO | EPERM},
                              {"SCMP_ACT_TRACE", SECCOMP_RET_TRACE | EPERM},
                              {"SCMP_ACT_LOG", SECCOMP_RET_LOG},
                              {"SCMP_ACT_NOTIFY", SECCOMP_RET_USER_NOTIF}}) {
    std::string profile = std::string(R"({"defaultAction":"SCMP_ACT_ALLOW","syscalls":[)") +
                          R"({"names":["getpgid"],"action":")" + name + "\"}]}";
    EXPECT_EQ(Answer(profile, {SYS_getpgid}), answer) << name;
  }
}

TEST(Seccomp, CallsNewerThanTheProfileAreUnknown) {
  constexpr char kProfile[] = R"({"defaultAction":"SCMP_ACT_ERRNO","syscalls":[
      {"names":["read","openat2"],"action":"SCMP_ACT_ALLOW"}]})";
  EXPECT_EQ(Answer(kProfile, {SYS_openat2 + 5}), SECCOMP_RET_ERRNO | ENOSYS);
  EXPECT_EQ(Answer(kProfile, {SYS_mount}), SECCOMP_RET_ERRNO | EPERM);
}

TEST(Seccomp, OtherArchitecturesAreKilled) {
  EXPECT_EQ(Answer(R"({"defaultAction":"SCMP_ACT_ALLOW"})", {SYS_read, {}, AUDIT_ARCH_I386}),
            SECCOMP_RET_KILL_THREAD);
}

TEST(Seccomp, ClearErrors) {
  EXPECT_EQ(ErrorOf(R"({"defaultAction":"X"})"), "string X is not a valid action for seccomp");
  EXPECT_EQ(ErrorOf(R"({"defaultAction":"SCMP_ACT_ALLOW","architectures":["PDP11"]})"),
            "string PDP11 is not a valid arch for seccomp");
  EXPECT_EQ(ErrorOf(R"({"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["read"],
      "action":"SCMP_ACT_TRAP","args":[{"index":0,"op":"SCMP_CMP_MAYBE"}]}]})"),
            "string SCMP_CMP_MAYBE is not a valid operator for seccomp");
  EXPECT_THAT(ErrorOf(R"({"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["read"],
      "action":"SCMP_ACT_TRAP","args":[{"index":6,"op":"SCMP_CMP_EQ"}]}]})"),
              HasSubstr("no argument 6"));
  EXPECT_THAT(ErrorOf(R"({"defaultAction":7})"), HasSubstr("defaultAction: want a string"));
  EXPECT_THAT(ErrorOf(R"({"defaultAction":"SCMP_ACT_NOTIFY"})"), HasSubstr("default action"));
}

TEST(Seccomp, FlagsAndListener) {
  auto profile = CompileSeccompText(R"({"defaultAction":"SCMP_ACT_ALLOW",
      "flags":["SECCOMP_FILTER_FLAG_LOG"],"listenerPath":"/run/x","listenerMetadata":"m",
      "syscalls":[{"names":["mkdir"],"action":"SCMP_ACT_NOTIFY"}]})");
  ASSERT_TRUE(profile.ok());
  EXPECT_EQ(profile->flags, uint32_t{SECCOMP_FILTER_FLAG_LOG});
  EXPECT_TRUE(profile->notifies);
  EXPECT_EQ(profile->listener_path, "/run/x");
}

}  // namespace
}  // namespace redoubt::oci
