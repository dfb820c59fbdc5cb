#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Tests of the lint itself: that it sees what it must, and only that."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
sys.dont_write_bytecode = True
from layers import Layers  # noqa: E402

TABLE = """
base:
platform: base/... platform/arch
platform/arch: base
platform/ptrace: base platform
sentry/kernel: base platform
test: ...
*_test: test/...
"""

# Who includes what, and whether he may.
CASES = (
    ("platform/platform.h", "base/result.h", True),
    ("platform/platform.h", "platform/registry.h", True),
    ("platform/platform.h", "platform/arch/registers.h", True),
    ("platform/platform.h", "platform/ptrace/tracer.h", False),
    ("platform/ptrace/tracer.cc", "platform/platform.h", True),
    ("platform/platform.cc", "sentry/kernel/task.h", False),
    ("sentry/kernel/deeper/task.cc", "platform/platform.h", True),
    ("sentry/kernel/task.cc", "platform/ptrace/tracer.h", False),
    ("sentry/kernel/task.cc", "absl/status/status.h", True),
    ("sentry/kernel/task.cc", "test/util/fork.h", False),
    ("sentry/kernel/task_test.cc", "test/util/fork.h", True),
    ("test/syscalls/read_test.cc", "sentry/kernel/task.h", True),
    ("elsewhere/new.cc", "base/result.h", False),
)


def main():
    layers = Layers(TABLE)
    wrong = [case for case in CASES if (layers.complaint(case[0], case[1]) is None) != case[2]]
    for includer, included, allowed in wrong:
        print(f"{includer} -> {included}: expected {'allowed' if allowed else 'refused'}")
    print(f"[  FAILED  ] Layers.Table ({len(wrong)} ms)" if wrong else "[       OK ] Layers.Table")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
