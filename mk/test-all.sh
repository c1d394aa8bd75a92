#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Every test of the project, tier by tier: each is a make target of mk/shares, its output goes to the terminal and to a
# log. At the end, the times are printed, what failed is named once more, and kernels that are too new to be known; the
# last line is the sum over all tiers, and the exit status says whether all of them passed. out/test/summary.json has the
# same for programs.
set -u

here=$(dirname "$0")
. "$here/wait-scale.sh"
. "$here/tally.sh"
logs=out/test
began=$SECONDS
passed=0
failed=0
skipped=0
rows=
faults=
json=

# Each tier is a make of its own, not a part of the one that may have started this script.
unset MAKEFLAGS MFLAGS MAKELEVEL

# A tier that hangs, which takes many times its share.
limit_of() {
	wait_scaled $(($1 * 4 + 300))
}

# What failed in the tier $1 with exit status $2; of one that was stopped, where it was.
fault_of() {
	local log=$logs/$1.log
	grep '^FAIL ' "$log" || tail -n 1 "$log"
	if [ "$2" -eq 124 ] || [ "$2" -eq 137 ]; then
		echo "    The end of its log:"
		tail -n 20 "$log" | sed 's/^/    /'
	fi
}

summary_write() {
	printf '{"seconds": %d, "tiers": [%s\n]}\n' $((SECONDS - began)) "${json#,}" >"$logs/summary.json.new"
	mv "$logs/summary.json.new" "$logs/summary.json"
}

run_tier() {
	local tier=$1 log=$logs/$1.log limit start=$SECONDS scale status seconds result
	printf '\n== %s\n' "$tier"
	wait_scale_measure
	scale=$WAIT_SCALE
	limit=$(limit_of "$2")
	timeout --foreground --kill-after="$(wait_scaled 150)" "$limit" make "$tier" </dev/null 2>&1 | tee "$log"
	status=${PIPESTATUS[0]}
	[ "$status" -ne 124 ] || echo "$tier: stopped after $limit s" | tee -a "$log"
	seconds=$((SECONDS - start))

	read -r -a result < <(tally "$log" "$status")
	passed=$((passed + result[0]))
	failed=$((failed + result[1]))
	skipped=$((skipped + result[2]))
	[ "${result[1]}" -eq 0 ] || faults+="$tier: $(fault_of "$tier" "$status")"$'\n'
	rows+=$(printf '%-14s %6d passed, %3d failed, %4d skipped %6d s   %s' "$tier" "${result[@]}" "$seconds" "$log")$'\n'
	json+=$(printf ',\n  {"name": "%s", "seconds": %d, "passed": %d, "failed": %d, "skipped": %d}' \
		"$tier" "$seconds" "${result[@]}")
	# The load may have come while it ran.
	wait_scale_measure
	echo "$tier $seconds $((scale > WAIT_SCALE ? scale : WAIT_SCALE))" >>"$logs/times"
	summary_write
}

mkdir -p "$logs"
rm -f "$logs/times"
while read -r tier share <&3; do
	run_tier "$tier" "$share"
done 3< <(grep -vE '^(#|total )' "$here/shares")
printf '\n%s' "$rows"
printf '%-14s %6d passed, %3d failed, %4d skipped %6d s\n\n' total $passed $failed $skipped $((SECONDS - began))
[ -z "$faults" ] || printf '%s\n' "$faults"
grep -h '^NEW KERNEL ' "$logs"/*.log | sort -u
echo "$passed passed, $failed failed" | tee "$logs/total"
[ "$failed" -eq 0 ]
