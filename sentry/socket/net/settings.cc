// SPDX-License-Identifier: Apache-2.0
#include "sentry/socket/net/settings.h"

#include <array>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace redoubt::net {

namespace {

// In the order of Setting.
constexpr auto kShapes = std::to_array<SettingShape>({
    {"core/rmem_default", 1, {212992}, 2304},
    {"core/rmem_max", 1, {212992}, 2304},
    {"core/wmem_default", 1, {212992}, 4608},
    {"core/wmem_max", 1, {212992}, 4608},
    {"core/somaxconn", 1, {4096}},
    {"core/optmem_max", 1, {131072}},
    {"ipv4/ip_forward", 1, {0}, 0, 1},
    {"ipv4/ip_default_ttl", 1, {64}, 1, 255},
    {"ipv4/ip_nonlocal_bind", 1, {0}, 0, 1},
    {"ipv4/ip_local_port_range", 2, {32768, 60999}, 1, 65535},
    {"ipv4/ip_unprivileged_port_start", 1, {1024}, 0, 65535},
    // As systemd and the engines have it: everybody may ping.
    {"ipv4/ping_group_range", 2, {0, 0x7fffffff}, 0, 0xffffffff},
    {"ipv4/icmp_echo_ignore_all", 1, {0}, 0, 1},
    {"ipv4/tcp_rmem", 3, {4096, 131072, 6291456}, 1},
    {"ipv4/tcp_wmem", 3, {4096, 16384, 4194304}, 1},
    {"ipv4/tcp_fin_timeout", 1, {60}},
    {"ipv4/tcp_keepalive_time", 1, {7200}},
    {"ipv4/tcp_keepalive_intvl", 1, {75}},
    {"ipv4/tcp_keepalive_probes", 1, {9}, 0, 255},
    {"ipv4/tcp_max_syn_backlog", 1, {1024}},
    {"ipv4/tcp_tw_reuse", 1, {2}, 0, 2},
    {"ipv4/tcp_retries2", 1, {15}, 0, 255},
    {"ipv4/tcp_syn_retries", 1, {6}, 1, 127},
    {"ipv4/tcp_abort_on_overflow", 1, {0}, 0, 1},
    {"ipv4/tcp_notsent_lowat", 1, {0xffffffff}, 0, 0xffffffff},
    {"ipv4/udp_rmem_min", 1, {4096}, 1},
    {"ipv4/udp_wmem_min", 1, {4096}, 1},
    {"ipv4/igmp_max_memberships", 1, {20}},
    {"ipv6/bindv6only", 1, {0}, 0, 1},
    {"ipv6/ip_nonlocal_bind", 1, {0}, 0, 1},
    {"ipv6/conf/default/hop_limit", 1, {64}, 1, 255},
    {"unix/max_dgram_qlen", 1, {512}},
});
static_assert(kShapes.size() == static_cast<size_t>(Setting::kCount));

}  // namespace

std::span<const SettingShape> SettingShapes() { return kShapes; }

Settings::Settings() {
  for (size_t i = 0; i < kShapes.size(); ++i) {
    for (size_t j = 0; j < 3; ++j) values_[i][j].store(kShapes[i].initial[j]);
  }
}

std::string Settings::Text(Setting setting) const {
  const SettingShape& shape = kShapes[static_cast<size_t>(setting)];
  std::string text;
  for (size_t i = 0; i < shape.count; ++i) {
    absl::StrAppend(&text, i == 0 ? "" : "\t", Get(setting, i));
  }
  return text + "\n";
}

Result<void> Settings::SetText(Setting setting, std::string_view text) {
  const SettingShape& shape = kShapes[static_cast<size_t>(setting)];
  text = text.substr(0, text.find('\0'));
  std::vector<int64_t> values;
  for (absl::string_view word : absl::StrSplit(absl::string_view(text.data(), text.size()),
                                               absl::ByAnyChar(" \t\n"), absl::SkipEmpty())) {
    int64_t value = 0;
    if (!absl::SimpleAtoi(word, &value)) {
      return Errno(EINVAL);
    }
    if (value < shape.minimum || value > shape.maximum) return Errno(EINVAL);
    values.push_back(value);
    if (values.size() == shape.count) break;
  }
  if (values.empty()) return Errno(EINVAL);
  bool range = setting == Setting::kLocalPortRange;
  if (range && (values.size() != 2 || values[0] > values[1])) return Errno(EINVAL);
  for (size_t i = 0; i < values.size(); ++i) Set(setting, i, values[i]);
  return {};
}

}  // namespace redoubt::net
