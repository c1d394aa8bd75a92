#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Each header named on the command line compiles alone, on this machine and on arm64; the contract with the guest also
# as freestanding C99. A header that needs another one first is a trap for whoever sorts the includes.
set -u

warnings=(-Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -fsyntax-only -x c)
flags=(-std=c11 -D_GNU_SOURCE -Iinclude -Ivmm)
failed=0

compile() {
	local header=$1
	shift
	# The header is included from a file of its own: a header as the main file may not say #pragma once and the like.
	"$@" "${warnings[@]}" - <<<"#include \"$header\"" || failed=1
}

for header in "$@"; do
	for compiler in gcc aarch64-linux-gnu-gcc; do
		compile "$PWD/$header" "$compiler" "${flags[@]}"
	done
done
for compiler in gcc aarch64-linux-gnu-gcc; do
	compile "$PWD/include/seaclock/abi.h" "$compiler" -std=c99 -ffreestanding -pedantic
done
exit "$failed"
