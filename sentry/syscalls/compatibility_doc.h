// SPDX-License-Identifier: Apache-2.0
//
// docs/compatibility.md, made from the table. A test keeps the committed file current:
//   bazel run //sentry/syscalls:compatibility_doc_main > docs/compatibility.md
#ifndef SENTRY_SYSCALLS_COMPATIBILITY_DOC_H_
#define SENTRY_SYSCALLS_COMPATIBILITY_DOC_H_

#include <span>
#include <string>

#include "sentry/syscalls/entry.h"

namespace redoubt::syscalls {

std::string CompatibilityDoc(std::span<const SyscallEntry> table);

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_COMPATIBILITY_DOC_H_
