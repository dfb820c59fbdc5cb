// SPDX-License-Identifier: Apache-2.0
//
// What ps(1) shows of a process of ours: a forked one would show its creator's command line.
#ifndef RUNSC_SANDBOX_PROCESS_TITLE_H_
#define RUNSC_SANDBOX_PROCESS_TITLE_H_

#include <string>

namespace redoubt::runsc {

// Once, by main(): the arguments' place in memory.
void SetProcessTitleArea(int argc, char** argv);
// Cut to the room that the command line has. Its first word without a path is the name, too.
void SetProcessTitle(const std::string& title);

}  // namespace redoubt::runsc

#endif  // RUNSC_SANDBOX_PROCESS_TITLE_H_
