// SPDX-License-Identifier: Apache-2.0
//
// What runsc's exit status says when it is not the guest's own (as env(1) and timeout(1)).
#ifndef RUNSC_CMD_EXIT_CODES_H_
#define RUNSC_CMD_EXIT_CODES_H_

namespace redoubt::runsc {

inline constexpr int kExitFailure = 125;        // runsc itself failed.
inline constexpr int kExitNotExecutable = 126;  // The command was found but cannot be run.
inline constexpr int kExitNotFound = 127;

}  // namespace redoubt::runsc

#endif  // RUNSC_CMD_EXIT_CODES_H_
