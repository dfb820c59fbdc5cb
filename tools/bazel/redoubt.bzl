# SPDX-License-Identifier: Apache-2.0
"""The project's few own rules.

    load("//tools/bazel:redoubt.bzl", "embedded_binary", "freestanding_binary", "proto_cpp_library")

Plain cc_library, cc_binary and cc_test need no macro: .bazelrc gives them their flags.
"""

# Code without libc, in a process whose stack, FPU and thread pointer belong to a guest: no canary
# (it lives in %fs), no vector registers, no unwinding, no library calls the compiler thinks of.
_FREESTANDING_COPTS = [
    "-ffreestanding",
    "-fno-pic",
    "-fno-pie",
    "-fno-stack-protector",
    "-fno-asynchronous-unwind-tables",
    "-fno-tree-loop-distribute-patterns",
    "-fcf-protection=none",
    "-fno-sanitize=all",
    "-mgeneral-regs-only",
    "-U_FORTIFY_SOURCE",
    "-U_GLIBCXX_ASSERTIONS",
]

_FREESTANDING_CXX_COPTS = [
    "-fno-exceptions",
    "-fno-rtti",
    "-fno-threadsafe-statics",
]

_FREESTANDING_LINKOPTS = [
    "-nostdlib",
    "-static",
    "-no-pie",
    "-fno-sanitize=all",
    "-fuse-ld=bfd",
    "-Wl,--build-id=none",
    "-Wl,-z,norelro",
]

def freestanding_binary(name, srcs, text_segment, copts = [], linkopts = [], **kwargs):
    """A static executable without libc that the host loads at a fixed address.

    Args:
      name: the executable.
      srcs: C++, headers and .S files; one of them defines _start.
      text_segment: address of the first segment, as text ("0x20000").
      copts: added to the freestanding flags.
      linkopts: added to the freestanding flags.
      **kwargs: passed on to cc_binary.
    """
    native.cc_binary(
        name = name,
        srcs = srcs,
        copts = _FREESTANDING_COPTS + _FREESTANDING_CXX_COPTS + copts,
        features = ["-link_libstdc++"],
        linkopts = _FREESTANDING_LINKOPTS + ["-Wl,-Ttext-segment=" + text_segment] + linkopts,
        linkstatic = True,
        **kwargs
    )

def embedded_binary(name, binary, symbol, **kwargs):
    """A library that holds the bytes of an executable, stripped of symbols.

    Its header, <name>.h, declares redoubt::<symbol>[] and redoubt::<symbol>Size. (An array and not
    .incbin: Bazel sees the bytes as an input of the compilation, so no stale copy can be linked.)

    Args:
      name: the cc_library.
      binary: label of the executable.
      symbol: the array's name (kStub gives kStub and kStubSize).
      **kwargs: passed on to cc_library.
    """
    native.genrule(
        name = name + "_generate",
        srcs = [binary],
        outs = [
            name + ".h",
            name + ".cc",
        ],
        cmd = "$(location //tools/bazel:embed) $(location %s) %s $(RULEDIR)/%s" %
              (binary, symbol, name),
        testonly = kwargs.get("testonly", False),
        tools = ["//tools/bazel:embed"],
        visibility = ["//visibility:private"],
    )
    native.cc_library(
        name = name,
        srcs = [name + ".cc"],
        hdrs = [name + ".h"],
        **kwargs
    )

def proto_cpp_library(name, src, deps = [], imports = [], **kwargs):
    """C++ for one .proto file, by Debian's protoc.

    For foo.proto in folder dir, include "dir/foo.pb.h".

    Args:
      name: the cc_library.
      src: the .proto file, in this package.
      deps: proto_cpp_library targets of the files that src imports.
      imports: labels of those .proto files (imported by their path from the top).
      **kwargs: passed on to cc_library.
    """
    if not src.endswith(".proto"):
        fail("src must end in .proto: " + src)
    stem = src[:-len(".proto")]
    native.genrule(
        name = name + "_generate",
        srcs = [src] + imports,
        outs = [
            stem + ".pb.h",
            stem + ".pb.cc",
        ],
        cmd = "/usr/bin/protoc --proto_path=. --cpp_out=$(GENDIR) $(location %s)" % src,
        visibility = ["//visibility:private"],
    )
    native.cc_library(
        name = name,
        srcs = [stem + ".pb.cc"],
        hdrs = [stem + ".pb.h"],
        copts = ["-w"],
        deps = deps + ["@system//:protobuf"],
        **kwargs
    )
