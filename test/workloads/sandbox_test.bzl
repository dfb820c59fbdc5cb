# SPDX-License-Identifier: Apache-2.0
"""sandbox_test: one script of test cases, one Bazel target for each platform."""

# Every end-to-end test runs once for each of these.
PLATFORMS = ["ptrace", "seccomp-trap"]

def sandbox_test(name, src, data = [], timeout = "moderate", tags = []):
    """Declares NAME_PLATFORM for each platform.

    Args:
      name: the topic, ending in _test.
      src: a Python script that uses //test/workloads:harness.
      data: programs and scripts that it compiles or runs.
      timeout: Bazel's word for the limit of the whole script.
      tags: more tags; "local" is always there, since these tests make namespaces.
    """
    for platform in PLATFORMS:
        native.sh_test(
            name = name + "_" + platform.replace("-", "_"),
            srcs = [src],
            args = ["--platform=" + platform, "--runsc=$(rootpath //runsc:runsc)"],
            data = data + ["//runsc:runsc", "//test/workloads:harness"],
            tags = tags + ["local"],
            timeout = timeout,
        )
