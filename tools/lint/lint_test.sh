#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Lints the whole tree, and not only what Bazel declares as inputs: the WORKSPACE file among the
# test's data is a link that leads to the top of the real tree.
set -euo pipefail
top=$(dirname "$(readlink -f "$TEST_SRCDIR/$TEST_WORKSPACE/WORKSPACE")")
"$top/tools/lint/lint_selftest.py"
exec "$top/tools/lint/lint" "$top"
