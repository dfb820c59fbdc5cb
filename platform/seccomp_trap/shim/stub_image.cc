// SPDX-License-Identifier: Apache-2.0
#include "platform/seccomp_trap/shim/stub_image.h"

namespace redoubt::platform::seccomp_trap {
namespace {
constexpr unsigned char kImage[] = {
#include "platform/seccomp_trap/shim/stub_image_data.inc"
};
}  // namespace

std::span<const unsigned char> StubImage() { return kImage; }

}  // namespace redoubt::platform::seccomp_trap
