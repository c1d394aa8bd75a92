# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What tests of scripts share: a test is a list of commands and what each must print. Sourced; ends with expect_end.
set -u

expectations=0
unmet=0

# expect TEXT COMMAND...: the command prints exactly that.
expect() {
	local want=$1 got
	shift
	got=$("$@" 2>&1)
	expectations=$((expectations + 1))
	[ "$got" = "$want" ] && return
	printf '%s\n  should print: %s\n  but prints:   %s\n' "$*" "$want" "$got"
	unmet=$((unmet + 1))
}

expect_end() {
	echo "[  PASSED  ] $((expectations - unmet)) test(s)."
	[ "$unmet" = 0 ] || echo "[  FAILED  ] $unmet test(s)."
	exit "$unmet"
}
