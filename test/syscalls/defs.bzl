# SPDX-License-Identifier: Apache-2.0
"""syscall_test: one test source, run in several worlds."""

# The platforms of Redoubt on which every system-call test runs, besides natively.
PLATFORMS = ["ptrace", "seccomp_trap"]

_UTIL = [
    "//test/util:file_descriptor",
    "//test/util:fork",
    "//test/util:platform",
    "//test/util:signals",
    "//test/util:syscall_matchers",
    "//test/util:temp_path",
    "//test/util:thread",
    "//test/util:timing",
]

def syscall_test(name, srcs = None, deps = [], size = "small", tags = [], **kwargs):
    """Makes NAME_bin, NAME_native, and NAME_PLATFORM for each of PLATFORMS.

    Args:
      name: the name of the test, by convention that of its source: "eventfd_test".
      srcs: its sources; NAME.cc when not given.
      deps: libraries besides test/util and GoogleTest.
      size: as for any Bazel test.
      tags: added to every test target.
      **kwargs: go to the cc_binary.
    """
    binary = name + "_bin"
    native.cc_binary(
        name = binary,
        testonly = True,
        srcs = srcs or [name + ".cc"],
        # GoogleTest's templates are most of the compile time; nothing here has to be fast.
        copts = ["-O1"],
        # libc stays dynamic: the loader's own system calls are part of what is tested.
        linkopts = ["-static-libstdc++", "-static-libgcc"],
        linkstatic = True,
        deps = _UTIL + deps + ["@system//:gtest"],
        **kwargs
    )
    native.sh_test(
        name = name + "_native",
        size = size,
        srcs = ["run_syscall_test.sh"],
        args = ["none", "native", "$(location :%s)" % binary],
        data = [":" + binary],
        tags = ["local", "native"] + tags,
    )
    for platform in PLATFORMS:
        native.sh_test(
            name = name + "_" + platform,
            size = size,
            srcs = ["run_syscall_test.sh"],
            args = ["$(location //runsc:runsc)", platform, "$(location :%s)" % binary],
            data = [":" + binary, "//runsc:runsc"],
            tags = ["local", platform] + tags,
        )
