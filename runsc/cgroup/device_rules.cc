// SPDX-License-Identifier: Apache-2.0
#include "runsc/cgroup/device_rules.h"

#include <optional>

#include "absl/strings/str_cat.h"

namespace redoubt::cgroup {

namespace {

oci::DeviceRule Allow(char type, std::optional<int64_t> major, std::optional<int64_t> minor,
                      const char* access) {
  return {.allow = true, .type = type, .major = major, .minor = minor, .access = access};
}

std::string NumberOrAny(const std::optional<int64_t>& number) {
  return number ? absl::StrCat(*number) : "*";
}

}  // namespace

std::vector<oci::DeviceRule> WithStandardDevices(std::vector<oci::DeviceRule> rules) {
  rules.push_back(Allow('c', {}, {}, "m"));
  rules.push_back(Allow('b', {}, {}, "m"));
  for (int minor : {3, 5, 7, 8, 9}) rules.push_back(Allow('c', 1, minor, "rwm"));
  rules.push_back(Allow('c', 5, 0, "rwm"));
  rules.push_back(Allow('c', 5, 2, "rwm"));
  rules.push_back(Allow('c', 136, {}, "rwm"));
  return rules;
}

std::string DeviceRuleText(const oci::DeviceRule& rule) {
  if (rule.type == 'a') return "a";
  return absl::StrCat(std::string(1, rule.type), " ", NumberOrAny(rule.major), ":",
                      NumberOrAny(rule.minor), " ", rule.access.empty() ? "rwm" : rule.access);
}

}  // namespace redoubt::cgroup
