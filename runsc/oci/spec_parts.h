// SPDX-License-Identifier: Apache-2.0
//
// The parts of config.json, each read by a function of its own. For spec.cc.
#ifndef RUNSC_OCI_SPEC_PARTS_H_
#define RUNSC_OCI_SPEC_PARTS_H_

#include "runsc/oci/json_reader.h"
#include "runsc/oci/spec.h"

namespace redoubt::oci {

void ReadProcess(const JsonReader& json, Process* process);
void ReadHooks(const JsonReader& json, Hooks* hooks);
// `section`: the "linux" object, for what is kept as JSON.
void ReadLinux(const JsonReader& json, const nlohmann::json& section, Linux* linux_);

// Fails the reader at `key` unless `path` is absolute.
void WantAbsolute(const JsonReader& json, const char* key, const std::string& path);

}  // namespace redoubt::oci

#endif  // RUNSC_OCI_SPEC_PARTS_H_
