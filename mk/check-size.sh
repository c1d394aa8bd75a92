#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Keeps the tree readable by numbers: no file of more than 600 lines, a median function under 16 lines, and at most 5 %
# of the functions over 60. Lengths are counted as a reader sees them, comments and blank lines included.
set -u

file_max=600
median_max=15
long=60
long_percent=5
failed=0

sources=$(find . \( -path ./.git -o -path ./out -o -path ./LICENSES \) -prune -o -type f \
	\( -name '*.[chS]' -o -name '*.sh' -o -name '*.py' -o -name '*.mk' -o -name Makefile -o -path './lab/*' \) -print | sort)

while read -r lines path; do
	if [ "$path" != total ] && [ "$lines" -gt "$file_max" ]; then
		echo "$path: $lines lines, at most $file_max: split it by nouns"
		failed=1
	fi
done < <(xargs wc -l <<<"$sources")

lengths=$(grep '\.[ch]$' <<<"$sources" |
	ctags --languages=C,C++ --langmap=C:.c.h --kinds-C=f --fields=+ne --output-format=json -L - -f - |
	sed -n 's/.*"path": "\([^"]*\)".*"line": \([0-9]*\).*"end": \([0-9]*\).*/\1 \2 \3/p' |
	awk '{ print $3 - $2 + 1, $1 ":" $2 }' | sort -n)

awk -v median_max="$median_max" -v long="$long" -v percent="$long_percent" '
	{ length_of[NR] = $1; if ($1 > long) { count++; places = places "\n  " $2 " " $1 } }
	END {
		if (NR == 0) { print "no function was found"; exit 1 }
		median = length_of[int((NR + 1) / 2)]
		printf "%d functions, median %d lines, %d longer than %d\n", NR, median, count, long
		if (median > median_max) { print "the median function is longer than " median_max " lines"; bad = 1 }
		if (count * 100 > NR * percent) { print "too many long functions:" places; bad = 1 }
		exit bad
	}' <<<"$lengths" || failed=1
exit "$failed"
