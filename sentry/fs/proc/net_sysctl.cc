// SPDX-License-Identifier: Apache-2.0
//
// /proc/sys/net: the settings of the network namespace, which protocols obey, and fixed ones.
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sentry/fs/proc/system_files.h"
#include "sentry/socket/net/network_namespace.h"

namespace redoubt::proc {

namespace {

// What nothing here depends on: as Linux has it by default.
constexpr std::pair<const char*, const char*> kFixed[] = {
    {"core/bpf_jit_enable", "1"},
    {"core/busy_poll", "0"},
    {"core/busy_read", "0"},
    {"core/default_qdisc", "pfifo_fast"},
    {"core/dev_weight", "64"},
    {"core/message_burst", "10"},
    {"core/message_cost", "5"},
    {"core/netdev_budget", "300"},
    {"core/netdev_max_backlog", "1000"},
    {"core/rps_sock_flow_entries", "0"},
    {"core/tstamp_allow_data", "1"},
    {"core/warnings", "0"},
    {"ipv4/icmp_echo_ignore_broadcasts", "1"},
    {"ipv4/icmp_ratelimit", "1000"},
    {"ipv4/icmp_ratemask", "6168"},
    {"ipv4/igmp_max_msf", "10"},
    {"ipv4/inet_peer_maxttl", "600"},
    {"ipv4/ip_dynaddr", "0"},
    {"ipv4/ip_early_demux", "1"},
    {"ipv4/ip_local_reserved_ports", ""},
    {"ipv4/ip_no_pmtu_disc", "0"},
    {"ipv4/ipfrag_high_thresh", "4194304"},
    {"ipv4/ipfrag_low_thresh", "3145728"},
    {"ipv4/ipfrag_time", "30"},
    {"ipv4/neigh/default/gc_thresh1", "128"},
    {"ipv4/neigh/default/gc_thresh2", "512"},
    {"ipv4/neigh/default/gc_thresh3", "1024"},
    {"ipv4/tcp_adv_win_scale", "1"},
    {"ipv4/tcp_allowed_congestion_control", "reno cubic"},
    {"ipv4/tcp_app_win", "31"},
    {"ipv4/tcp_autocorking", "1"},
    {"ipv4/tcp_available_congestion_control", "reno cubic"},
    {"ipv4/tcp_base_mss", "1024"},
    {"ipv4/tcp_congestion_control", "cubic"},
    {"ipv4/tcp_dsack", "1"},
    {"ipv4/tcp_ecn", "2"},
    {"ipv4/tcp_fack", "0"},
    {"ipv4/tcp_fastopen", "1"},
    {"ipv4/tcp_frto", "2"},
    {"ipv4/tcp_low_latency", "0"},
    {"ipv4/tcp_max_orphans", "16384"},
    {"ipv4/tcp_max_tw_buckets", "16384"},
    {"ipv4/tcp_mem", "47256\t63009\t94512"},
    {"ipv4/tcp_min_snd_mss", "48"},
    {"ipv4/tcp_moderate_rcvbuf", "1"},
    {"ipv4/tcp_mtu_probing", "0"},
    {"ipv4/tcp_no_metrics_save", "0"},
    {"ipv4/tcp_orphan_retries", "0"},
    {"ipv4/tcp_recovery", "1"},
    {"ipv4/tcp_reordering", "3"},
    {"ipv4/tcp_retrans_collapse", "1"},
    {"ipv4/tcp_retries1", "3"},
    {"ipv4/tcp_rfc1337", "0"},
    {"ipv4/tcp_sack", "1"},
    {"ipv4/tcp_slow_start_after_idle", "1"},
    {"ipv4/tcp_stdurg", "0"},
    {"ipv4/tcp_synack_retries", "5"},
    {"ipv4/tcp_syncookies", "1"},
    {"ipv4/tcp_timestamps", "1"},
    {"ipv4/tcp_window_scaling", "1"},
    {"ipv4/udp_mem", "94512\t126018\t189024"},
    {"ipv6/ip6frag_high_thresh", "4194304"},
    {"ipv6/ip6frag_low_thresh", "3145728"},
    {"ipv6/ip6frag_time", "60"},
    {"ipv6/route/max_size", "2147483647"},
};

// Settings of each interface, and "all" and "default".
constexpr std::pair<const char*, const char*> kOfInterface[] = {
    {"ipv4/conf/*/accept_local", "0"},
    {"ipv4/conf/*/accept_redirects", "1"},
    {"ipv4/conf/*/accept_source_route", "0"},
    {"ipv4/conf/*/arp_announce", "0"},
    {"ipv4/conf/*/arp_filter", "0"},
    {"ipv4/conf/*/arp_ignore", "0"},
    {"ipv4/conf/*/forwarding", "0"},
    {"ipv4/conf/*/log_martians", "0"},
    {"ipv4/conf/*/mc_forwarding", "0"},
    {"ipv4/conf/*/promote_secondaries", "0"},
    {"ipv4/conf/*/proxy_arp", "0"},
    {"ipv4/conf/*/route_localnet", "0"},
    {"ipv4/conf/*/rp_filter", "0"},
    {"ipv4/conf/*/secure_redirects", "1"},
    {"ipv4/conf/*/send_redirects", "1"},
    {"ipv6/conf/*/accept_dad", "0"},
    {"ipv6/conf/*/accept_ra", "1"},
    {"ipv6/conf/*/accept_redirects", "1"},
    {"ipv6/conf/*/autoconf", "1"},
    {"ipv6/conf/*/dad_transmits", "1"},
    {"ipv6/conf/*/disable_ipv6", "0"},
    {"ipv6/conf/*/forwarding", "0"},
    {"ipv6/conf/*/hop_limit", "64"},
    {"ipv6/conf/*/mtu", "1280"},
    {"ipv6/conf/*/use_tempaddr", "0"},
};

void AddFixed(fs::TextTree& tree, const std::string& path, const char* text) {
  tree.AddFile("sys/net/" + path, 0444,
               [text]() -> Result<std::string> { return std::string(text) + "\n"; });
}

}  // namespace

void AddNetworkSysctls(fs::TextTree& tree) {
  // The sandbox's own namespace: a tree of files cannot tell its readers apart.
  net::Settings& settings = net::NetworkNamespace::Initial().settings();
  std::span<const net::SettingShape> shapes = net::SettingShapes();
  for (size_t i = 0; i < shapes.size(); ++i) {
    auto setting = static_cast<net::Setting>(i);
    tree.AddFile(
        absl::StrCat("sys/net/", std::string(shapes[i].path)), 0644,
        [&settings, setting]() -> Result<std::string> { return settings.Text(setting); },
        [&settings, setting](std::string_view text, const vfs::Caller&) {
          return settings.SetText(setting, text);
        });
  }
  for (const auto& [path, text] : kFixed) AddFixed(tree, path, text);
  for (const char* interface : {"all", "default", "lo"}) {
    for (const auto& [pattern, text] : kOfInterface) {
      std::string path = pattern;
      path.replace(path.find('*'), 1, interface);
      // Two that the namespace keeps itself.
      if (path != "ipv6/conf/default/hop_limit") AddFixed(tree, path, text);
    }
  }
}

}  // namespace redoubt::proc
