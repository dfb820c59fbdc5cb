#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# embed BINARY SYMBOL STEM: writes STEM.h and STEM.cc, an array with the stripped bytes of BINARY.
set -euo pipefail
binary=$1 symbol=$2 stem=$3

stripped=$(mktemp)
trap 'rm -f "$stripped"' EXIT
strip --strip-all -o "$stripped" "$binary"

cat >"$stem.h" <<EOF
// Generated from an executable by tools/bazel/embed.sh.
#pragma once
#include <cstddef>

namespace redoubt {
extern const unsigned char $symbol[];
extern const std::size_t ${symbol}Size;
}  // namespace redoubt
EOF

{
  echo "#include <cstddef>"
  echo "namespace redoubt {"
  echo "extern const unsigned char $symbol[];"
  echo "extern const std::size_t ${symbol}Size;"
  echo "alignas(16) const unsigned char $symbol[] = {"
  xxd -i <"$stripped"
  echo "};"
  echo "const std::size_t ${symbol}Size = sizeof($symbol);"
  echo "}  // namespace redoubt"
} >"$stem.cc"
