// SPDX-License-Identifier: Apache-2.0
//
// The flags that `create` and `run` share.
#ifndef RUNSC_CMD_CREATE_FLAGS_H_
#define RUNSC_CMD_CREATE_FLAGS_H_

#include <string>

#include "runsc/cmd/globals.h"
#include "runsc/container/create.h"

namespace redoubt::runsc {

struct CreateFlags {
  CreateOptions options;
  bool no_pivot = false, no_new_keyring = false, no_subreaper = false;  // Nothing to do here.
};

void AddCreateFlags(CLI::App& command, CreateFlags* flags);
// With what the globals say; the bundle made absolute.
absl::StatusOr<CreateOptions> CompleteOptions(const Globals& globals, const CreateFlags& flags);

}  // namespace redoubt::runsc

#endif  // RUNSC_CMD_CREATE_FLAGS_H_
