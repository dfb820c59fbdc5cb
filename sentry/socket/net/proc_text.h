// SPDX-License-Identifier: Apache-2.0
//
// What a network namespace shows in /proc/net: each function gives one file, with its heading.
#ifndef SENTRY_SOCKET_NET_PROC_TEXT_H_
#define SENTRY_SOCKET_NET_PROC_TEXT_H_

#include <string>

#include "sentry/socket/net/network_namespace.h"

namespace redoubt::net {

// proc_devices.cc
std::string ProcDev(NetworkNamespace& network);
std::string ProcDevMcast(NetworkNamespace& network);
std::string ProcIgmp(NetworkNamespace& network);
std::string ProcIgmp6(NetworkNamespace& network);
std::string ProcArp(NetworkNamespace& network);
std::string ProcIfInet6(NetworkNamespace& network);
// proc_routes.cc
std::string ProcRoute(NetworkNamespace& network);
std::string ProcIpv6Route(NetworkNamespace& network);
std::string ProcFibTrie(NetworkNamespace& network);
// proc_sockets.cc
std::string ProcTcp(NetworkNamespace& network);
std::string ProcTcp6(NetworkNamespace& network);
std::string ProcUdp(NetworkNamespace& network);
std::string ProcUdp6(NetworkNamespace& network);
std::string ProcRaw(NetworkNamespace& network);
std::string ProcRaw6(NetworkNamespace& network);
std::string ProcIcmp(NetworkNamespace& network);
std::string ProcIcmp6(NetworkNamespace& network);
std::string ProcSockstat(NetworkNamespace& network);
std::string ProcSockstat6(NetworkNamespace& network);
std::string ProcProtocols(NetworkNamespace& network);
// proc_counters.cc
std::string ProcSnmp(NetworkNamespace& network);
std::string ProcSnmp6(NetworkNamespace& network);
std::string ProcNetstat(NetworkNamespace& network);

}  // namespace redoubt::net

#endif  // SENTRY_SOCKET_NET_PROC_TEXT_H_
