// SPDX-License-Identifier: Apache-2.0
#include "platform/ptrace/ptrace_platform.h"

#include "platform/conformance/platform_conformance.h"

int main(int argc, char** argv) {
  return redoubt::platform::conformance::Main(argc, argv,
                                              redoubt::platform::PtracePlatformType());
}
