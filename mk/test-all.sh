#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Every test of the project, tier by tier: each is a make target, its output goes to the terminal and to a log. At the
# end, what failed is named once more; the last line is the sum over all tiers, and the exit status says whether all of
# them passed.
#
# A tier counts its own tests: its last line `N passed, N failed` is taken (a name may stand before it, `, N skipped`
# behind it). A tier without such a line is one test. A tier that fails without naming a failed test, or runs out of
# time, adds one failure.
set -u

tiers=(all unit property check-purity check-model check-headers check-format check-tidy check-size check-text check-guest
       fuzz-short mutants lab-test conformance)
time_limit=4200 # seconds for one tier
logs=out/test
passed=0
failed=0
summary=
faults=

# Each tier is a make of its own, not a part of the one that may have started this script.
unset MAKEFLAGS MFLAGS MAKELEVEL

run_tier() {
	local tier=$1 log=$logs/$1.log status counts tier_passed=0 tier_failed=0
	printf '\n== %s\n' "$tier"
	timeout --foreground --kill-after=60 "$time_limit" make "$tier" </dev/null 2>&1 | tee "$log"
	status=${PIPESTATUS[0]}
	[ "$status" -ne 124 ] || echo "$tier: stopped after $time_limit s" | tee -a "$log"

	counts=$(sed -nE 's/^(.*[^0-9])?([0-9]+) passed, ([0-9]+) failed(, [0-9]+ skipped)?$/\2 \3/p' "$log" | tail -n 1)
	if [ -n "$counts" ]; then
		read -r tier_passed tier_failed <<<"$counts"
	elif [ "$status" -eq 0 ]; then
		tier_passed=1
	fi
	[ "$status" -eq 0 ] || [ "$tier_failed" -gt 0 ] || tier_failed=1
	passed=$((passed + tier_passed))
	failed=$((failed + tier_failed))
	[ "$tier_failed" -eq 0 ] || faults+="$tier: $(grep '^FAIL ' "$log" || tail -n 1 "$log")"$'\n'
	summary+=$(printf '%-14s %6d passed, %3d failed   %s' "$tier" "$tier_passed" "$tier_failed" "$log")$'\n'
}

mkdir -p "$logs"
for tier in "${tiers[@]}"; do
	run_tier "$tier"
done
printf '\n%s\n' "$summary"
[ -z "$faults" ] || printf '%s\n' "$faults"
echo "$passed passed, $failed failed" | tee "$logs/total"
[ "$failed" -eq 0 ]
