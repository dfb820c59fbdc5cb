#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# run_syscall_test.sh RUNSC PLATFORM BINARY [ARGS...]
#
# Runs a system-call test natively (PLATFORM is "native", RUNSC is not looked at) or inside a sandbox.
# The output is GoogleTest's own, so that cases can be counted in the log.
set -eu

if [ $# -lt 3 ]; then
  echo "usage: $0 RUNSC PLATFORM BINARY [ARGS...]" >&2
  exit 2
fi
runsc=$1 platform=$2 binary=$3
shift 3

# Bazel gives paths relative to the runfiles directory; the sandbox may start elsewhere.
binary=$(readlink -f "$binary")

if [ "$platform" = native ]; then
  unset REDOUBT_PLATFORM
  # Short, as inside: a socket's path has 107 bytes at most.
  TEST_TMPDIR=/tmp
  export TEST_TMPDIR
  exec timeout -k 5 120 "$binary" "$@"
fi

# The option's word has a dash where the target's name has an underscore.
option=$(echo "$platform" | tr _ -)
exec timeout -k 5 120 "$(readlink -f "$runsc")" do --platform="$option" \
  --env REDOUBT_PLATFORM="$platform" --env TEST_TMPDIR=/tmp -- "$binary" "$@"
