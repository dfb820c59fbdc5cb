# SPDX-License-Identifier: Apache-2.0
"""oci_test: one script of cases in TAP, one Bazel target for each platform."""

PLATFORMS = ["ptrace", "seccomp-trap"]

def oci_test(name, src, timeout = "long", tags = []):
    """Declares NAME_PLATFORM for each platform.

    Args:
      name: the topic, ending in _test.
      src: a Python script that uses oci.py.
      timeout: Bazel's word for the limit of the whole script.
      tags: more tags; these tests make namespaces and cgroups, alone.
    """
    for platform in PLATFORMS:
        native.sh_test(
            name = name + "_" + platform.replace("-", "_"),
            srcs = [src],
            args = ["--platform=" + platform, "--runsc=$(rootpath //runsc:runsc)"],
            data = ["//runsc:runsc", "//test/oci:oci.py"],
            tags = tags + ["local", "exclusive"],
            timeout = timeout,
        )
