#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Checks doc/tour.md against the tree of the current folder: twenty entries, each file exists, and the name to look at is
# defined there, not only used. `-` stands for a script without functions.
set -u

tour=doc/tour.md
entries=20
count=0
failed=0
entry='^\| (.+) \| \[`(.+)`\]\(\.\./(.+)\) \| `?([^`]+)`? \|$'

report() {
	echo "$tour: $1"
	failed=1
}

# The lines of the table, and `NAME in FILE` for all that those files define.
mapfile -t lines < <(sed '1,/^|---/d' "$tour" | grep '^|')
mapfile -t files < <(printf '%s\n' "${lines[@]}" | sed -nE 's/.*\]\(\.\.\/(.*)\).*/\1/p' | sort -u)
defined=$(
	printf '%s\n' "${files[@]}" | ctags --languages=C,Sh --langmap=C:.c.h -f - -L - 2>/dev/null |
		awk -F '\t' '{ print $1 " in " $2 }'
	sed -nE 's/^(active )?(proctype|inline) ([A-Za-z_]+).*/\3 in test\/model\/handover.pml/p' test/model/handover.pml
)

for line in "${lines[@]}"; do
	count=$((count + 1))
	if ! [[ $line =~ $entry ]] || [ "${BASH_REMATCH[2]}" != "${BASH_REMATCH[3]}" ]; then
		report "not of the form | QUESTION | [\`FILE\`](../FILE) | \`NAME\` |: $line"
		continue
	fi
	question=${BASH_REMATCH[1]} file=${BASH_REMATCH[2]} name=${BASH_REMATCH[4]}
	if [ ! -f "$file" ]; then
		report "$question There is no file $file"
	elif [ "$name" != - ] && ! grep -qxF "$name in $file" <<<"$defined"; then
		report "$question $file does not define $name"
	fi
done

[ "$count" -eq "$entries" ] || report "$count entries, there must be $entries"
exit "$failed"
