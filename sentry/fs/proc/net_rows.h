// SPDX-License-Identifier: Apache-2.0
//
// What network stacks tell /proc/net. A table shows its heading and the rows that its provider
// makes; without a provider only the heading, which is right for a sandbox without that protocol.
//
//   proc::SetNetRows("tcp", [stack] { return stack->TcpTable(); });      // At boot.
//   proc::SetNetRows("dev", ...);   // Replaces the loopback line.
#ifndef SENTRY_FS_PROC_NET_ROWS_H_
#define SENTRY_FS_PROC_NET_ROWS_H_

#include <functional>
#include <string>
#include <string_view>

namespace redoubt::proc {

// Whole lines. Runs without locks; must not keep anything that its own release needs to wait for.
using NetRows = std::function<std::string()>;

// `table` is the file's name: "tcp", "unix", "dev" ... Null: none.
void SetNetRows(std::string_view table, NetRows rows);
// The rows of a table, or `otherwise`.
std::string RowsOf(std::string_view table, std::string_view otherwise = "");

}  // namespace redoubt::proc

#endif  // SENTRY_FS_PROC_NET_ROWS_H_
