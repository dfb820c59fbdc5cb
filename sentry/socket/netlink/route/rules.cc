// SPDX-License-Identifier: Apache-2.0
//
// Routing rules over rtnetlink (Linux: net/core/fib_rules.c).
#include <linux/fib_rules.h>

#include <algorithm>

#include "sentry/socket/netlink/route/route_protocol.h"

namespace redoubt::netlink {

namespace {

using net::IpAddress;
using net::Rule;

constexpr uint8_t kInvert = FIB_RULE_INVERT;

struct RuleRequest {
  Rule rule;
  bool has_priority = false;
  bool has_table = false;
};

// What a rule would match by that is not kept here.
constexpr uint16_t kUnsupported[] = {FRA_FLOW,        FRA_TUN_ID,          FRA_L3MDEV,
                                     FRA_UID_RANGE,   FRA_IP_PROTO,        FRA_SPORT_RANGE,
                                     FRA_DPORT_RANGE, FRA_SUPPRESS_IFGROUP};

Result<RuleRequest> Parse(Request& request) {
  std::optional<fib_rule_hdr> header = ReadStruct<fib_rule_hdr>(request.payload);
  if (!header) return request.Refuse(EINVAL, "Invalid msg length");
  if (header->family != AF_INET && header->family != AF_INET6) return Errno(EAFNOSUPPORT);
  AttributeSet attributes = TRY(AttributeSet::Parse(After<fib_rule_hdr>(request.payload), FRA_MAX));
  for (uint16_t type : kUnsupported) {
    if (attributes.Has(type)) return Errno(EOPNOTSUPP);
  }
  RuleRequest wanted;
  Rule& rule = wanted.rule;
  rule.family = header->family;
  rule.action = header->action;
  rule.tos = header->tos;
  rule.flags = header->flags & ~uint32_t{kInvert};
  rule.invert = (header->flags & kInvert) != 0;
  rule.source_length = header->src_len;
  rule.destination_length = header->dst_len;
  int bits = IpAddress::Any(rule.family).bits();
  if (rule.source_length > bits || rule.destination_length > bits) {
    return request.Refuse(EINVAL, "Invalid source address");
  }
  rule.source =
      TRY(GetIpAddress(attributes, FRA_SRC, rule.family)).value_or(IpAddress::Any(rule.family));
  rule.destination =
      TRY(GetIpAddress(attributes, FRA_DST, rule.family)).value_or(IpAddress::Any(rule.family));
  wanted.has_priority = attributes.Has(FRA_PRIORITY);
  rule.priority = TRY(attributes.Get<uint32_t>(FRA_PRIORITY)).value_or(0);
  rule.table = TRY(attributes.Get<uint32_t>(FRA_TABLE)).value_or(header->table);
  wanted.has_table = rule.table != RT_TABLE_UNSPEC;
  rule.protocol = TRY(attributes.Get<uint8_t>(FRA_PROTOCOL)).value_or(RTPROT_UNSPEC);
  rule.mark = TRY(attributes.Get<uint32_t>(FRA_FWMARK)).value_or(0);
  rule.mark_mask =
      TRY(attributes.Get<uint32_t>(FRA_FWMASK)).value_or(rule.mark != 0 ? 0xffffffff : 0);
  rule.input_interface = TRY(attributes.GetString(FRA_IIFNAME, IFNAMSIZ - 1)).value_or("");
  rule.output_interface = TRY(attributes.GetString(FRA_OIFNAME, IFNAMSIZ - 1)).value_or("");
  rule.goto_priority = TRY(attributes.Get<uint32_t>(FRA_GOTO)).value_or(0);
  rule.suppress_prefix_length =
      TRY(attributes.Get<uint32_t>(FRA_SUPPRESS_PREFIXLEN)).value_or(0xffffffff);
  return wanted;
}

// fib_default_rule_pref(): just before the second one.
uint32_t DefaultPriority(const Request& request, int family) {
  int seen = 0;
  for (const Rule& rule : request.network.Rules()) {
    if (rule.family != family) continue;
    if (++seen == 2) return rule.priority > 0 ? rule.priority - 1 : 0;
  }
  return 0;
}

}  // namespace

void FillRule(MessageBuilder& message, const Rule& rule) {
  message.PutHeader(
      fib_rule_hdr{.family = static_cast<uint8_t>(rule.family),
                   .dst_len = rule.destination_length,
                   .src_len = rule.source_length,
                   .tos = rule.tos,
                   .table = static_cast<uint8_t>(rule.table < 256 ? rule.table : RT_TABLE_COMPAT),
                   .res1 = 0,
                   .res2 = 0,
                   .action = rule.action,
                   .flags = rule.flags | (rule.invert ? kInvert : 0)});
  message.Put(FRA_TABLE, rule.table);
  message.Put(FRA_SUPPRESS_PREFIXLEN, rule.suppress_prefix_length);
  message.Put(FRA_PROTOCOL, rule.protocol);
  if (!rule.input_interface.empty()) message.PutString(FRA_IIFNAME, rule.input_interface);
  if (!rule.output_interface.empty()) message.PutString(FRA_OIFNAME, rule.output_interface);
  if (rule.priority != 0) message.Put(FRA_PRIORITY, rule.priority);
  if (rule.mark != 0) message.Put(FRA_FWMARK, rule.mark);
  if (rule.mark != 0 || rule.mark_mask != 0) message.Put(FRA_FWMASK, rule.mark_mask);
  if (rule.goto_priority != 0) message.Put(FRA_GOTO, rule.goto_priority);
  if (rule.destination_length != 0) message.PutBytes(FRA_DST, rule.destination.bytes());
  if (rule.source_length != 0) message.PutBytes(FRA_SRC, rule.source.bytes());
}

Result<void> GetRule(Request& request) {
  if (!request.IsDump()) return Errno(EOPNOTSUPP);
  const int family = ReadStruct<rtgenmsg>(request.payload)->rtgen_family;
  std::vector<Rule> rules = request.network.Rules();
  std::erase_if(rules, [&](const Rule& rule) {
    return (family == AF_INET || family == AF_INET6) && rule.family != family;
  });
  return DumpAll(request, RTM_NEWRULE, std::move(rules), &FillRule);
}

Result<void> NewRule(Request& request) {
  RuleRequest wanted = TRY(Parse(request));
  Rule& rule = wanted.rule;
  if (!wanted.has_priority) rule.priority = DefaultPriority(request, rule.family);
  switch (rule.action) {
    case FR_ACT_TO_TBL:
      // Without a table Linux takes a free one.
      if (!wanted.has_table) return request.Refuse(EINVAL, "Invalid table");
      break;
    case FR_ACT_GOTO:
      if (rule.goto_priority <= rule.priority) {
        return request.Refuse(EINVAL, "Backward goto not supported");
      }
      return Errno(EOPNOTSUPP);
    default:
      break;
  }
  return request.network.AddRule(std::move(rule), request.Has(NLM_F_EXCL));
}

Result<void> DeleteRule(Request& request) {
  RuleRequest wanted = TRY(Parse(request));
  return request.network.RemoveRule(wanted.rule, wanted.has_priority, wanted.has_table);
}

}  // namespace redoubt::netlink
