# SPDX-License-Identifier: Apache-2.0
"""The part of rules_cc that Bazel's own packages load, forwarded to the native rules."""

def cc_binary(**kwargs):
    native.cc_binary(**kwargs)

def cc_library(**kwargs):
    native.cc_library(**kwargs)

def cc_test(**kwargs):
    native.cc_test(**kwargs)

def cc_import(**kwargs):
    native.cc_import(**kwargs)

def cc_toolchain(**kwargs):
    native.cc_toolchain(**kwargs)

def cc_toolchain_suite(**kwargs):
    native.cc_toolchain_suite(**kwargs)

def cc_libc_top_alias(**kwargs):
    native.cc_libc_top_alias(**kwargs)

def _nothing_impl(_ctx):
    return []

cc_flags_supplier = rule(implementation = _nothing_impl)

compiler_flag = rule(implementation = _nothing_impl)
