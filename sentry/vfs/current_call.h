// SPDX-License-Identifier: Apache-2.0
//
// The system call that this thread serves, as a number of its own. What a file system learned in
// the course of a call is that call's answer: a stat(2) whose walk brought the file's attributes
// need not ask for them again.
//
//   fetched_in_ = CurrentCall();
//   ...
//   bool known = fetched_in_ != 0 && fetched_in_ == CurrentCall();
#ifndef SENTRY_VFS_CURRENT_CALL_H_
#define SENTRY_VFS_CURRENT_CALL_H_

#include <cstdint>

namespace redoubt::vfs {

// No other call of any thread has the same one. 0 on a thread that serves none.
uint64_t CurrentCall();

// The dispatcher's: this thread begins, and ends, a call.
void BeginCall();
void EndCall();

}  // namespace redoubt::vfs

#endif  // SENTRY_VFS_CURRENT_CALL_H_
