// SPDX-License-Identifier: Apache-2.0
#include "sentry/socket/netlink/diag/inet_filter.h"

#include <linux/inet_diag.h>
#include <sys/socket.h>

namespace redoubt::netlink {

namespace {

using net::InetSocketInfo;
using net::IpAddress;

// struct inet_diag_hostcond without the address behind it.
struct HostCondition {
  uint8_t family;
  uint8_t prefix_len;
  uint16_t padding;
  int32_t port;
};
static_assert(sizeof(HostCondition) == sizeof(inet_diag_hostcond));

constexpr size_t kInstruction = sizeof(inet_diag_bc_op);
constexpr size_t kMostBytes = 64 * 1024;

// An instruction with its argument; nothing when it is unknown or cut.
std::optional<size_t> SizeOf(ByteSpan rest) {
  inet_diag_bc_op op = *ReadStruct<inet_diag_bc_op>(rest);
  switch (op.code) {
    case INET_DIAG_BC_NOP:
    case INET_DIAG_BC_JMP:
    case INET_DIAG_BC_AUTO:
      return kInstruction;
    case INET_DIAG_BC_S_GE:
    case INET_DIAG_BC_S_LE:
    case INET_DIAG_BC_D_GE:
    case INET_DIAG_BC_D_LE:
    case INET_DIAG_BC_S_EQ:
    case INET_DIAG_BC_D_EQ:
      return 2 * kInstruction;
    case INET_DIAG_BC_DEV_COND:
      return kInstruction + sizeof(uint32_t);
    case INET_DIAG_BC_MARK_COND:
      return kInstruction + sizeof(inet_diag_markcond);
    case INET_DIAG_BC_S_COND:
    case INET_DIAG_BC_D_COND: {
      ByteSpan argument = rest.subspan(kInstruction);
      std::optional<HostCondition> host = ReadStruct<HostCondition>(argument);
      if (!host) return std::nullopt;
      size_t address = host->family == AF_INET ? 4 : host->family == AF_INET6 ? 16 : 0;
      if (address == 0 && host->family != AF_UNSPEC) return std::nullopt;
      if (host->prefix_len > 8 * address) return std::nullopt;
      return kInstruction + sizeof(HostCondition) + address;
    }
    default:
      return std::nullopt;
  }
}

// valid_cc(), and the rest of inet_diag_bc_audit(): each jump lands behind this instruction, at
// most at the end or just beyond it (which means "no").
bool IsValidJump(size_t jump, size_t least, size_t left) {
  return jump >= least && jump % 4 == 0 && jump <= left + 4;
}

bool HostMatches(ByteSpan argument, const IpAddress& address, uint16_t port) {
  HostCondition host = *ReadStruct<HostCondition>(argument);
  if (host.port != -1 && host.port != port) return false;
  if (host.prefix_len == 0 || host.family == AF_UNSPEC) return true;
  size_t size = host.family == AF_INET ? 4 : 16;
  std::optional<IpAddress> network =
      IpAddress::FromBytes(argument.subspan(sizeof(HostCondition), size));
  // A v4 condition meets mapped addresses.
  return (network->is_v4() ? address.Unmapped() : address).IsInPrefix(*network, host.prefix_len);
}

bool Holds(ByteSpan instruction, const InetSocketInfo& socket) {
  inet_diag_bc_op op = *ReadStruct<inet_diag_bc_op>(instruction);
  ByteSpan argument = instruction.subspan(kInstruction);
  auto port = [&] { return ReadStruct<inet_diag_bc_op>(argument)->no; };
  switch (op.code) {
    case INET_DIAG_BC_NOP:
      return true;
    case INET_DIAG_BC_S_GE:
      return socket.local_port >= port();
    case INET_DIAG_BC_S_LE:
      return socket.local_port <= port();
    case INET_DIAG_BC_S_EQ:
      return socket.local_port == port();
    case INET_DIAG_BC_D_GE:
      return socket.remote_port >= port();
    case INET_DIAG_BC_D_LE:
      return socket.remote_port <= port();
    case INET_DIAG_BC_D_EQ:
      return socket.remote_port == port();
    case INET_DIAG_BC_S_COND:
      return HostMatches(argument, socket.local, socket.local_port);
    case INET_DIAG_BC_D_COND:
      return HostMatches(argument, socket.remote, socket.remote_port);
    case INET_DIAG_BC_DEV_COND:
      return *ReadStruct<uint32_t>(argument) == static_cast<uint32_t>(socket.bound_interface);
    case INET_DIAG_BC_MARK_COND: {
      auto mark = *ReadStruct<inet_diag_markcond>(argument);
      return (socket.mark & mark.mask) == mark.mark;
    }
    default:  // JMP; AUTO: who chose the port is not told here.
      return false;
  }
}

}  // namespace

Result<InetFilter> InetFilter::Create(ByteSpan program) {
  if (program.size() % 4 != 0 || program.size() > kMostBytes) return Errno(EINVAL);
  for (ByteSpan rest = program; !rest.empty();) {
    inet_diag_bc_op op = *ReadStruct<inet_diag_bc_op>(rest);
    std::optional<size_t> size = SizeOf(rest);
    if (!size || *size > rest.size()) return Errno(EINVAL);
    if (!IsValidJump(op.no, kInstruction, rest.size())) return Errno(EINVAL);
    if (!IsValidJump(op.yes, *size, rest.size()) || op.yes > rest.size()) return Errno(EINVAL);
    rest = rest.subspan(op.yes);
  }
  InetFilter filter;
  filter.program_.assign(program.begin(), program.end());
  return filter;
}

bool InetFilter::Passes(const InetSocketInfo& socket) const {
  ByteSpan rest = program_;
  while (!rest.empty()) {
    // A jump may have landed inside another instruction, which nobody has looked at.
    std::optional<size_t> size = rest.size() < kInstruction ? std::nullopt : SizeOf(rest);
    if (!size || *size > rest.size()) return false;
    inet_diag_bc_op op = *ReadStruct<inet_diag_bc_op>(rest);
    size_t jump = Holds(rest.first(*size), socket) ? op.yes : op.no;
    if (jump < kInstruction || jump > rest.size()) return false;
    rest = rest.subspan(jump);
  }
  return true;
}

}  // namespace redoubt::netlink
