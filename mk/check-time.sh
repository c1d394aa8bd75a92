#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Holds the last `make test` against mk/shares: a tier may take its share and half of it again, stretched by how slow
# the machine was at the time. And the shares together may not exceed the total, so that a tier which needs more has to
# take it from another.
#
# Usage: check-time.sh SHARES TIMES    (TIMES: a line TIER SECONDS PERCENT for each tier that has run)
set -u

awk '
	FNR == 1 { file++ }
	/^#/ { next }
	file == 1 && $1 == "total" { total = $2; next }
	file == 1 { share[$1] = $2; sum += $2; next }
	!($1 in share) { print $1 ": the tier has no share"; bad = 1; next }
	$2 * 100 > share[$1] * 3 / 2 * $3 {
		printf "%s: took %d s, its share is %d s, %d %% of that on this machine\n", $1, $2, share[$1], $3
		bad = 1
	}
	END {
		if (sum > total) { printf "the shares add up to %d s, more than %d s\n", sum, total; bad = 1 }
		exit bad
	}' "$1" "$2"
