// SPDX-License-Identifier: Apache-2.0
//
// Signals as people write them: "9", "KILL", "SIGKILL", "sigterm", "RTMIN+2".
#ifndef RUNSC_CMD_SIGNAL_NAME_H_
#define RUNSC_CMD_SIGNAL_NAME_H_

#include <optional>
#include <string>

namespace redoubt::runsc {

std::optional<int> ParseSignal(const std::string& text);

}  // namespace redoubt::runsc

#endif  // RUNSC_CMD_SIGNAL_NAME_H_
