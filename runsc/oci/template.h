// SPDX-License-Identifier: Apache-2.0
//
// The config.json that `runsc spec` writes: a shell in a container without privileges, as runc's.
#ifndef RUNSC_OCI_TEMPLATE_H_
#define RUNSC_OCI_TEMPLATE_H_

#include <cstdint>
#include <string>

namespace redoubt::oci {

// `rootless`: for the ordinary user with these ids.
std::string TemplateConfig(bool rootless, uint32_t uid, uint32_t gid);

}  // namespace redoubt::oci

#endif  // RUNSC_OCI_TEMPLATE_H_
