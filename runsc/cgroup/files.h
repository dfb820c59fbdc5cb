// SPDX-License-Identifier: Apache-2.0
//
// The files of a cgroup directory: small texts, read and written whole.
//
// Two levels of error: Errno where the caller decides by it (EBUSY, EACCES, ENOENT), a sentence
// that names file and value where a person reads it.
#ifndef RUNSC_CGROUP_FILES_H_
#define RUNSC_CGROUP_FILES_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/result.h"

namespace redoubt::cgroup {

std::string Join(const std::string& directory, const std::string& name);
bool Exists(const std::string& path);

Result<std::string> ReadFile(const std::string& path);
// One write(2): the kernel takes each as one command. Never creates a file.
Result<void> WriteFile(const std::string& path, const std::string& value);
// The same with a sentence: `cannot write "5" to /sys/.../pids.max: Permission denied`.
absl::Status SetFile(const std::string& directory, const std::string& name,
                     const std::string& value);
absl::Status FileError(const char* what, const std::string& path, Errno error);

// A file with one number. "max", and what a signed 64-bit byte count cannot reach, is UINT64_MAX.
Result<uint64_t> ReadNumber(const std::string& directory, const std::string& name);
// Lines of "key value". Lines that are otherwise are left out.
std::map<std::string, uint64_t> ReadKeyed(const std::string& directory, const std::string& name);
// "1 2 3": numbers between blanks.
std::vector<uint64_t> ReadNumbers(const std::string& directory, const std::string& name);

// Directories directly below; empty when there is no such directory.
std::vector<std::string> Subdirectories(const std::string& directory);
// As mkdir -p; `made` gets those that were not there, outermost first.
Result<void> MakeDirectories(const std::string& path, std::vector<std::string>& made);

}  // namespace redoubt::cgroup

#endif  // RUNSC_CGROUP_FILES_H_
