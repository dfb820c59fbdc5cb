// SPDX-License-Identifier: Apache-2.0
#include "platform/conformance/platform_conformance.h"
#include "platform/seccomp_trap/seccomp_trap.h"

int main(int argc, char** argv) {
  using namespace redoubt::platform;
  return conformance::Main(argc, argv, SeccompTrapPlatformType());
}
