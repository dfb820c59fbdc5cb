// SPDX-License-Identifier: Apache-2.0
//
// Names of capabilities (capabilities(7)) as config.json writes them: "CAP_CHOWN".
#ifndef RUNSC_OCI_CAPABILITIES_H_
#define RUNSC_OCI_CAPABILITIES_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace redoubt::oci {

// In order of their numbers.
const std::vector<std::string>& CapabilityNames();
std::optional<int> CapabilityNumber(std::string_view name);

}  // namespace redoubt::oci

#endif  // RUNSC_OCI_CAPABILITIES_H_
