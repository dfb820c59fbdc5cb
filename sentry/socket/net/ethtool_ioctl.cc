// SPDX-License-Identifier: Apache-2.0
//
// Linux: net/ethtool/ioctl.c, for devices that are software only.
#include <linux/ethtool.h>

#include "sentry/socket/net/interface_ioctl_parts.h"

namespace redoubt::net {

namespace {

// ETHTOOL_GDRVINFO: lo has no driver to tell of.
Result<uint64_t> DriverInfo(const InterfaceRequest& request, const Interface& interface,
                            uint64_t address) {
  if (interface.kind.empty()) return Errno(EOPNOTSUPP);
  ethtool_drvinfo info{};
  info.cmd = ETHTOOL_GDRVINFO;
  std::memcpy(info.driver, interface.kind.data(),
              std::min(interface.kind.size(), sizeof(info.driver) - 1));
  std::memcpy(info.version, "1.0", 3);
  TRY(request.ioctl.memory.CopyOut(address, std::as_bytes(std::span(&info, 1))));
  return uint64_t{0};
}

Result<uint64_t> Link(const InterfaceRequest& request, const Interface& interface,
                      uint64_t address) {
  ethtool_value value{.cmd = ETHTOOL_GLINK, .data = interface.IsUp() && interface.carrier ? 1u : 0};
  TRY(request.ioctl.memory.CopyOut(address, std::as_bytes(std::span(&value, 1))));
  return uint64_t{0};
}

// Commands that anybody may ask; others need CAP_NET_ADMIN before they are looked at.
bool IsQuestion(uint32_t command) {
  switch (command) {
    case ETHTOOL_GSET:
    case ETHTOOL_GDRVINFO:
    case ETHTOOL_GMSGLVL:
    case ETHTOOL_GLINK:
    case ETHTOOL_GCOALESCE:
    case ETHTOOL_GRINGPARAM:
    case ETHTOOL_GPAUSEPARAM:
    case ETHTOOL_GSSET_INFO:
    case ETHTOOL_GSTRINGS:
    case ETHTOOL_GSTATS:
    case ETHTOOL_GFEATURES:
    case ETHTOOL_GLINKSETTINGS:
    case ETHTOOL_GCHANNELS:
    case ETHTOOL_GET_TS_INFO:
      return true;
    default:
      return false;
  }
}

}  // namespace

Result<uint64_t> EthtoolIoctl(InterfaceRequest& request) {
  uint64_t address = reinterpret_cast<uintptr_t>(request.data.ifr_data);
  uint32_t command = 0;
  TRY(request.ioctl.memory.CopyIn(address, std::as_writable_bytes(std::span(&command, 1))));
  Interface interface = TRY(request.Find());
  if (!IsQuestion(command)) TRY(request.NeedAdministrator());
  switch (command) {
    case ETHTOOL_GDRVINFO:
      return DriverInfo(request, interface, address);
    case ETHTOOL_GLINK:
      return Link(request, interface, address);
    default:
      return Errno(EOPNOTSUPP);
  }
}

}  // namespace redoubt::net
