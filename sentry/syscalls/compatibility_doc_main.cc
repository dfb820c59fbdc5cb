// SPDX-License-Identifier: Apache-2.0
//
// Prints docs/compatibility.md.
#include <cstdio>

#include "sentry/syscalls/compatibility_doc.h"
#include "sentry/syscalls/table_amd64.h"

int main() {
  fputs(redoubt::syscalls::CompatibilityDoc(redoubt::syscalls::Amd64Table()).c_str(), stdout);
  return 0;
}
