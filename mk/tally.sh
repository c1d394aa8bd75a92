# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The result of a test run from its log, for whatever adds results up. A run counts its own tests: its last line
# `N passed, N failed` is taken (a name may stand before it, `, N skipped` behind it). A run without such a line is one
# test, and one that fails without naming a failed test adds one failure. Sourced.

# Prints PASSED FAILED SKIPPED of the run with the log $1 that has ended with the exit status $2.
tally() {
	local counts
	counts=$(sed -nE 's/^(.*[^0-9])?([0-9]+) passed, ([0-9]+) failed(, ([0-9]+) skipped)?$/\2 \3 \5/p' "$1" | tail -n 1)
	if [ -z "$counts" ]; then
		[ "$2" -eq 0 ] && echo 1 0 0 || echo 0 1 0
		return
	fi
	awk -v status="$2" '{ print $1, status && !$2 ? 1 : $2, $3 + 0 }' <<<"$counts"
}
